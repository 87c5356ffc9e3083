//! Removes what is older than it must be kept, and counts how far processing is behind.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant as Moment};

use fhir::Instant;
use rusqlite::{Connection, params};
use tokio::sync::watch;

use crate::StreamError;
use crate::log::{Offsets, Retention};
use crate::platform::Platform;

const TICK: Duration = Duration::from_secs(1);
const AGE: Duration = Duration::from_secs(600);
const DAY_MICROS: i64 = 86_400_000_000;
/// Rows removed in one transaction, so that nobody waits long.
const ROWS_MAX: u32 = 5_000;

impl Platform {
    /// Works until told to stop.
    pub(crate) async fn keep_tidy(&self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        let mut tidied: Option<Moment> = None;
        while !*stop.borrow() {
            let lag = self.lag().await?;
            self.inner.metrics.lag.store(i64::try_from(lag).unwrap_or(i64::MAX), Ordering::Relaxed);
            self.count_messages().await?;
            if tidied.is_none_or(|at| at.elapsed() >= AGE) {
                self.tidy().await?;
                tidied = Some(Moment::now());
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    async fn count_messages(&self) -> Result<(), StreamError> {
        let (n, oldest) = self.database().read(notify::outbox::waiting).await?;
        let age = oldest.map_or(0, |at| u64::try_from(self.now().0 - at.0).unwrap_or(0));
        self.inner.metrics.outbox_waiting.store(n, Ordering::Relaxed);
        self.inner.metrics.outbox_oldest_micros.store(age, Ordering::Relaxed);
        Ok(())
    }

    async fn tidy(&self) -> Result<(), StreamError> {
        let settings = self.settings();
        let before = |days: u32| Instant(self.now().0 - i64::from(days.max(1)) * DAY_MICROS);
        let (kept, seen) = (before(settings.retention_days), before(settings.dedup_days));
        loop {
            if self.database().write(move |conn| remove(conn, kept, seen)).await? == 0 {
                break;
            }
        }
        let slowest: Offsets = self
            .inner
            .status
            .offsets()
            .into_iter()
            .map(|((partition, kind), next)| ((kind, partition), next))
            .collect();
        let retention = Retention {
            age_secs_max: Some(u64::from(settings.retention_days.max(1)) * 86_400),
            ..Retention::default()
        };
        self.inner.log.retain(retention, &slowest).await.map_err(|error| self.failed(error))?;
        self.inner.log.tell_progress(super::GROUP, &slowest).await.map_err(|error| self.failed(error))?;
        Ok(())
    }
}

/// Removes some rows; gives how many. Dead letters that wait are kept, however old.
fn remove(conn: &Connection, kept: Instant, seen: Instant) -> rusqlite::Result<usize> {
    let mut n = conn
        .prepare_cached(
            "DELETE FROM measured WHERE (tenant, patient, at, source, event) IN
             (SELECT tenant, patient, at, source, event FROM measured WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![kept.0, ROWS_MAX])?;
    n += conn
        .prepare_cached(
            "DELETE FROM seen WHERE (tenant, id) IN (SELECT tenant, id FROM seen WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![seen.0, ROWS_MAX])?;
    n += conn
        .prepare_cached(
            "DELETE FROM dead_letter WHERE id IN
             (SELECT id FROM dead_letter WHERE state IN ('replayed', 'waived') AND state_at < ?1 LIMIT ?2)",
        )?
        .execute(params![kept.0, ROWS_MAX])?;
    Ok(n)
}
