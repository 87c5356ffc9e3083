//! What people and pages ask: how far processing is, the latest of a patient, a ward, series of values, the events themselves.

use std::collections::BTreeMap;

use event::{Event, Kind};
use fhir::Instant;
use gate::{Matter, Permit};
use rusqlite::{OptionalExtension as _, params};
use serde_json::Value as Json;

use super::GROUP;
use super::board::Board;
use crate::StreamError;
use crate::log::{Ends, FetchLimits, Position};
use crate::platform::{Platform, must_be};

/// Events and rows of one answer.
pub const ROWS_MAX: usize = 10_000;

/// How far a group is in one partition of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The group.
    pub group: String,
    /// The kind.
    pub kind: Kind,
    /// The partition.
    pub partition: u32,
    /// The offset that it wants next.
    pub next: u64,
    /// The offset that the next event will get.
    pub end: u64,
    /// When it last moved, since the start.
    pub moved_at: Option<Instant>,
}

/// How a platform is.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Processing goes on everywhere.
    pub is_ready: bool,
    /// What stands still, and why.
    pub troubles: BTreeMap<String, String>,
    /// Events behind the ends of the log.
    pub lag: u64,
    /// Events taken, processed, refused since the start.
    pub published: u64,
    /// Events processed since the start.
    pub processed: u64,
    /// Events refused at doors since the start.
    pub rejected: u64,
    /// Seconds from append to durable effects: half of them, and 99 of 100.
    pub effect_secs: Option<(f64, f64)>,
    /// Seconds from the call until events are durable.
    pub append_secs: Option<(f64, f64)>,
    /// Seconds of a batch's transaction, its fsync included.
    pub commit_secs: Option<(f64, f64)>,
    /// Observations that wait for the store.
    pub observations_waiting: u64,
    /// Dead letters that wait for people.
    pub dead_letters_open: u64,
}

/// A patient with what was last heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Bed {
    /// The canonical patient.
    pub patient: String,
    /// The latest of each measure.
    pub board: Board,
}

/// What one event measured. Does not print.
#[derive(Clone, PartialEq)]
pub struct Measured {
    /// When.
    pub at: Instant,
    /// The event.
    pub event: String,
    /// Who sent it.
    pub source: String,
    /// Where the event is in the log.
    pub position: Position,
    /// `on_time`, `late`, `too_late`.
    pub lateness: String,
    /// Name, value, unit and flags of each measurement.
    pub values: Vec<(String, String, Option<String>, Vec<String>)>,
}

impl std::fmt::Debug for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measured({})", self.position)
    }
}

/// One event of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Tailed {
    /// Where it is.
    pub position: Position,
    /// When it was appended.
    pub appended_at: Instant,
    /// Who published it.
    pub principal: Option<String>,
    /// The event; `None` when it cannot be read.
    pub event: Option<Event>,
}

impl Platform {
    /// Is processing going on everywhere, and can events be made durable.
    pub fn is_ready(&self) -> bool {
        self.is_started() && self.inner.log.failure().is_none() && self.inner.status.troubles().is_empty()
    }

    /// Counters in the Prometheus text form.
    pub fn metrics(&self) -> String {
        let mut text = self.inner.metrics.render();
        text.push_str(&super::metrics::render_messages(self.alerts().counts()));
        text.push_str("# TYPE salus_stream_ready gauge\n");
        text.push_str(&format!("salus_stream_ready {}\n", i32::from(self.is_ready())));
        text.push_str("# TYPE salus_stream_rules_in_order gauge\n");
        text.push_str(&format!("salus_stream_rules_in_order {}\n", i32::from(self.rule_faults().is_empty())));
        text
    }

    /// Events behind the ends of the log.
    pub(crate) async fn lag(&self) -> Result<u64, StreamError> {
        Ok(self.all_lags().await?.iter().map(|lag| lag.end.saturating_sub(lag.next)).sum())
    }

    async fn all_lags(&self) -> Result<Vec<Lag>, StreamError> {
        let ends = self.inner.log.ends().await.map_err(|error| self.failed(error))?;
        let stored = self.database().read(|conn| {
            let mut rows =
                conn.prepare_cached("SELECT kind, partition, next FROM position WHERE grp = ?1")?;
            rows.query_map([GROUP], |row| {
                let (kind, partition, next): (String, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(((Kind::named(&kind), partition), next.cast_unsigned()))
            })?
            .collect::<rusqlite::Result<BTreeMap<(Kind, u32), u64>>>()
        });
        let stored = stored.await?;
        let moved = self.inner.status.moved();
        let lag = |ends: Ends| {
            let moved_at = moved.get(&(ends.partition, ends.kind.clone())).copied();
            let next = stored.get(&(ends.kind.clone(), ends.partition)).copied().unwrap_or(ends.start);
            Lag {
                group: GROUP.to_owned(),
                kind: ends.kind,
                partition: ends.partition,
                next,
                end: ends.end,
                moved_at,
            }
        };
        Ok(ends.into_iter().map(lag).collect())
    }

    /// How far each group is.
    ///
    /// # Errors
    /// The permit is for something else, or the log cannot be read.
    pub async fn lags(&self, permit: &Permit) -> Result<Vec<Lag>, StreamError> {
        must_be(permit, &[Matter::Streams])?;
        self.all_lags().await
    }

    /// How the platform is.
    ///
    /// # Errors
    /// The permit is for something else, or `stream.db` cannot be read.
    pub async fn health(&self, permit: &Permit) -> Result<Health, StreamError> {
        use std::sync::atomic::{AtomicU64, Ordering};
        must_be(permit, &[Matter::Streams])?;
        let lag = self.lag().await?;
        let (waiting, open) = self
            .database()
            .read(|conn| {
                let waiting: i64 =
                    conn.query_row("SELECT count(*) FROM observation", [], |row| row.get(0))?;
                let open: i64 =
                    conn.query_row("SELECT count(*) FROM dead_letter WHERE state = 'open'", [], |row| {
                        row.get(0)
                    })?;
                Ok((waiting.cast_unsigned(), open.cast_unsigned()))
            })
            .await?;
        let metrics = &self.inner.metrics;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let secs = |histogram: &super::histogram::Histogram| {
            let of = |share| histogram.quantile(share).map(|micros| micros as f64 / 1e6);
            of(0.5).zip(of(0.99))
        };
        Ok(Health {
            is_ready: self.is_ready(),
            troubles: self.inner.status.troubles(),
            lag,
            published: count(&metrics.published),
            processed: count(&metrics.processed),
            rejected: count(&metrics.rejected),
            effect_secs: secs(&metrics.effect),
            append_secs: secs(&metrics.append),
            commit_secs: secs(&metrics.commit),
            observations_waiting: waiting,
            dead_letters_open: open,
        })
    }

    /// The latest of each measure of a patient, in one read.
    ///
    /// # Errors
    /// The permit is for something else, or `stream.db` cannot be read.
    pub async fn latest(&self, permit: &Permit, patient: &str) -> Result<Option<Board>, StreamError> {
        must_be(permit, &[Matter::Alerts, Matter::DecisionSupport])?;
        let tenant = permit.tenant().to_string();
        let patient = self.inner.identity.canonical(&tenant, patient);
        let board = self.database().read(move |conn| {
            conn.prepare_cached("SELECT board FROM patient_state WHERE tenant = ?1 AND patient = ?2")?
                .query_row(params![tenant, patient], |row| row.get::<_, String>(0))
                .optional()
        });
        Ok(board.await?.map(|board| Board::of_text(&board)))
    }

    /// The patients of a unit, or of all units, with their latest values; those that were discharged are not there.
    ///
    /// # Errors
    /// The permit is for something else, or `stream.db` cannot be read.
    pub async fn ward(&self, permit: &Permit, unit: Option<&str>) -> Result<Vec<Bed>, StreamError> {
        must_be(permit, &[Matter::Alerts])?;
        let (tenant, unit) = (permit.tenant().to_string(), unit.map(str::to_owned));
        let rows = self.database().read(move |conn| {
            let mut rows = conn.prepare_cached(
                "SELECT patient, board FROM patient_state WHERE tenant = ?1 AND unit IS NOT NULL AND (?2 IS NULL OR unit = ?2)
                 ORDER BY patient LIMIT ?3",
            )?;
            rows.query_map(params![tenant, unit, ROWS_MAX as i64], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?
            .collect::<rusqlite::Result<Vec<(String, String)>>>()
        });
        let bed = |(patient, board): (String, String)| Bed { patient, board: Board::of_text(&board) };
        Ok(rows.await?.into_iter().map(bed).collect())
    }

    /// What was measured of a patient, in order of time; the newest of it when there is more than one answer holds.
    ///
    /// # Errors
    /// The permit is for something else, or `stream.db` cannot be read.
    pub async fn series(
        &self,
        permit: &Permit,
        patient: &str,
        since: Instant,
        max: usize,
    ) -> Result<Vec<Measured>, StreamError> {
        must_be(permit, &[Matter::Alerts])?;
        let (tenant, max) = (permit.tenant().to_string(), max.clamp(1, ROWS_MAX));
        let patient = self.inner.identity.canonical(&tenant, patient);
        let rows = self.database().read(move |conn| {
            let mut rows = conn.prepare_cached(
                "SELECT at, event, source, kind, partition, \"offset\", lateness, body FROM measured
                 WHERE tenant = ?1 AND patient = ?2 AND at >= ?3 ORDER BY at DESC LIMIT ?4",
            )?;
            rows.query_map(params![tenant, patient, since.0, max as i64], |row| {
                let (kind, offset, body): (String, i64, String) = (row.get(3)?, row.get(5)?, row.get(7)?);
                let position = Position {
                    kind: Kind::named(&kind),
                    partition: row.get(4)?,
                    offset: offset.cast_unsigned(),
                };
                Ok(Measured {
                    at: Instant(row.get(0)?),
                    event: row.get(1)?,
                    source: row.get(2)?,
                    position,
                    lateness: row.get(6)?,
                    values: serde_json::from_str(&body).unwrap_or_default(),
                })
            })?
            .collect::<rusqlite::Result<Vec<Measured>>>()
        });
        let mut rows = rows.await?;
        rows.reverse();
        Ok(rows)
    }

    /// An event of the permit's tenant by its position in the log, for provenance.
    ///
    /// # Errors
    /// The permit is for something else, or the log cannot be read.
    pub async fn event(&self, permit: &Permit, position: &Position) -> Result<Option<Event>, StreamError> {
        must_be(permit, &[Matter::OpenDeadLetter])?;
        let found = self.event_at(&position.kind, position.partition, position.offset).await?;
        Ok(found.filter(|(tenant, _)| tenant == permit.tenant().as_str()).map(|(_, event)| event))
    }

    /// The last events of the log, oldest first, over all partitions; of these kinds, or of all when none is named.
    ///
    /// # Errors
    /// The permit is for something else, or the log cannot be read.
    pub async fn tail(
        &self,
        permit: &Permit,
        kinds: &[Kind],
        max: usize,
    ) -> Result<Vec<Tailed>, StreamError> {
        must_be(permit, &[Matter::OpenDeadLetter])?;
        let max = max.clamp(1, ROWS_MAX);
        let ends = self.inner.log.ends().await.map_err(|error| self.failed(error))?;
        let wanted = ends.into_iter().filter(|ends| kinds.is_empty() || kinds.contains(&ends.kind));
        let mut found = Vec::new();
        for Ends { kind, partition, start, end } in wanted {
            let from = end.saturating_sub(max as u64).max(start);
            if from >= end {
                continue;
            }
            let limits = FetchLimits { n_max: max, ..FetchLimits::default() };
            let entries = self.inner.log.fetch(partition, &[(kind, from)], limits).await;
            for entry in entries.map_err(|error| self.failed(error))? {
                if entry.append.tenant() != permit.tenant().as_str() {
                    continue;
                }
                let principal = entry.append.headers.iter().find(|(name, _)| name == "principal");
                found.push(Tailed {
                    principal: principal.map(|(_, value)| value.clone()),
                    event: Event::of_bytes(&entry.append.body).ok(),
                    appended_at: entry.appended_at,
                    position: entry.position,
                });
            }
        }
        found.sort_by_key(|tailed| tailed.appended_at);
        found.drain(..found.len().saturating_sub(max));
        Ok(found)
    }
}

/// A value of [`Measured`] as JSON.
pub fn values_of(measured: &Measured) -> Json {
    let value = |(name, value, unit, flags): &(String, String, Option<String>, Vec<String>)| serde_json::json!({"name": name, "value": value, "unit": unit, "flags": flags});
    measured.values.iter().map(value).collect()
}
