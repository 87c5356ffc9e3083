//! Removes what is older than it must be kept, and counts how far processing is behind.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant as Moment};

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::watch;

use super::plan::Key;
use crate::StreamError;
use crate::log::{Offsets, Retention};
use crate::platform::Platform;

const TICK: Duration = Duration::from_secs(1);
const AGE: Duration = Duration::from_secs(600);
const DAY_MICROS: i64 = 86_400_000_000;
/// Rows removed in one transaction, so that nobody waits long.
const ROWS_MAX: u32 = 5_000;
/// Patients looked at in one read.
const PATIENTS_MAX: usize = 1_000;

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
        self.remove_measured(kept).await?;
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

    /// Patient by patient, in the order of the table: an index by time would cost pages with every event.
    async fn remove_measured(&self, kept: Instant) -> Result<(), StreamError> {
        let mut after = Some(Key::default());
        while let Some(last) = after {
            let found = self.database().read(move |conn| next_old(conn, &last, kept)).await?;
            for patient in found.0 {
                let remove =
                    |patient: Key| self.database().write(move |conn| remove_of(conn, &patient, kept));
                while remove(patient.clone()).await? > 0 {}
            }
            after = found.1;
        }
        Ok(())
    }
}

/// Removes some rows; gives how many. Dead letters that wait are kept, however old.
fn remove(conn: &Connection, kept: Instant, seen: Instant) -> rusqlite::Result<usize> {
    let mut n = conn
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

/// The next patients after one that have measurements which are too old, and the last patient that was looked at.
fn next_old(conn: &Connection, after: &Key, kept: Instant) -> rusqlite::Result<(Vec<Key>, Option<Key>)> {
    let mut next = conn.prepare_cached(
        "SELECT tenant, patient, at FROM measured WHERE (tenant, patient) > (?1, ?2) ORDER BY tenant, patient, at LIMIT 1",
    )?;
    let (mut old, mut last) = (Vec::new(), after.clone());
    for _ in 0..PATIENTS_MAX {
        let found = next.query_row(params![last.0, last.1], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?))
        });
        let Some((patient, at)): Option<(Key, i64)> = found.optional()? else { return Ok((old, None)) };
        if at < kept.0 {
            old.push(patient.clone());
        }
        last = patient;
    }
    Ok((old, Some(last)))
}

/// Removes some of a patient's measurements; gives how many.
fn remove_of(conn: &Connection, patient: &Key, kept: Instant) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM measured WHERE tenant = ?1 AND patient = ?2 AND (at, source, event) IN
         (SELECT at, source, event FROM measured WHERE tenant = ?1 AND patient = ?2 AND at < ?3 ORDER BY at LIMIT ?4)",
    )?
    .execute(params![patient.0, patient.1, kept.0, ROWS_MAX])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_goes_patient_by_patient() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../migrations/1_process.sql")).unwrap();
        for (patient, at) in [("a", 5), ("a", 15), ("b", 12), ("c", 9)] {
            conn.execute(
                "INSERT INTO measured VALUES ('main', ?1, ?2, 's', 'e', 'vital_signs', 0, 0, 'on_time', '[]')",
                params![patient, at],
            )
            .unwrap();
        }
        let key = |patient: &str| ("main".to_owned(), patient.to_owned());
        let (old, last) = next_old(&conn, &Key::default(), Instant(10)).unwrap();
        assert_eq!((&old, last), (&vec![key("a"), key("c")], None));
        assert_eq!(
            old.iter().map(|patient| remove_of(&conn, patient, Instant(10)).unwrap()).sum::<usize>(),
            2
        );
        let left: i64 =
            conn.query_row("SELECT count(*) FROM measured WHERE at > 10", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 2);
        assert!(next_old(&conn, &Key::default(), Instant(10)).unwrap().0.is_empty());
    }
}
