//! Questions of the page of surveillance, with a permit of the gate.

use std::sync::Arc;

use clinical::age::Day;
use gate::{Matter, Permit};

use super::{Detector, Key, Listed, Shown, list, look};
use crate::{Platform, StreamError};

impl Platform {
    /// All series of counts.
    ///
    /// # Errors
    /// The permit is for something else, or the database fails.
    pub async fn series_of_counts(&self, permit: &Permit) -> Result<Vec<Listed>, StreamError> {
        looking(permit)?;
        let tenant = permit.tenant().to_string();
        Ok(self.database().read(move |conn| list(conn, &tenant)).await?)
    }

    /// A series as a detector sees it, with small counts left out.
    ///
    /// # Errors
    /// The permit is for something else, or the database fails.
    pub async fn counts_as_seen(
        &self,
        permit: &Permit,
        key: Key,
        detector: Detector,
        n_points_max: usize,
    ) -> Result<Shown, StreamError> {
        looking(permit)?;
        let (tenant, config) = (permit.tenant().to_string(), Arc::clone(self.surveillance()));
        let shown =
            self.database().read(move |conn| look(conn, &tenant, &config, &key, detector, n_points_max));
        Ok(shown.await?)
    }
}

/// A day of a point as `YYYY-MM-DD`.
pub fn day_of(days: i32) -> String {
    Day::of_epoch_days(days).map_or_else(String::new, |day| {
        let (year, month, day) = day.ymd();
        format!("{year:04}-{month:02}-{day:02}")
    })
}

fn looking(permit: &Permit) -> Result<(), StreamError> {
    if permit.matter() == Matter::Surveillance {
        return Ok(());
    }
    Err(StreamError::Invalid("the permit is for something else".to_owned()))
}
