//! Writes queued resources into the store, through the gate. What the store refuses is a dead letter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event::{Event, Kind};
use fhir::Resource;
use gate::{Action, GateError, Tenant, WriteOp};
use rusqlite::params;
use tokio::sync::watch;

use super::board::Board;
use super::dead::{NewDead, insert, seal};
use super::metrics::Metrics;
use super::supervise::OBSERVATIONS;
use super::{observe, queue};
use crate::StreamError;
use crate::alert::written;
use crate::log::FetchLimits;
use crate::platform::Platform;
use crate::settings::{Observations, Settings};

/// Resources of one write.
const ROWS_MAX: u32 = 500;
/// A write is no larger than this but for one resource: notes may be long.
const BYTES_MAX: usize = 8 << 20;
/// The door of letters that the store refused.
pub(crate) const DOOR: &str = "observations";
const PAUSE: Duration = Duration::from_secs(2);

struct Row {
    seq: i64,
    tenant: String,
    id: String,
    text: String,
}

impl Platform {
    /// Writes what is queued until told to stop.
    pub(crate) async fn write_observations(
        &self,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StreamError> {
        while !*stop.borrow() {
            self.queue_supports().await?;
            self.queue_alerts().await?;
            let n = self.write_some().await?;
            self.inner.status.well(OBSERVATIONS);
            if n > 0 {
                continue;
            }
            tokio::select! {
                () = self.inner.write_observations.notified() => {}
                () = tokio::time::sleep(PAUSE) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    async fn write_some(&self) -> Result<usize, StreamError> {
        let rows = self.database().read(|conn| {
            let mut rows = conn
                .prepare_cached("SELECT seq, tenant, id, resource FROM observation ORDER BY seq LIMIT ?1")?;
            let (mut found, mut n_bytes) = (Vec::new(), 0);
            let mut rows = rows.query([ROWS_MAX])?;
            while let Some(row) = rows.next()?
                && n_bytes < BYTES_MAX
            {
                let row = Row { seq: row.get(0)?, tenant: row.get(1)?, id: row.get(2)?, text: row.get(3)? };
                n_bytes += row.text.len();
                found.push(row);
            }
            Ok::<_, rusqlite::Error>(found)
        });
        let rows = rows.await?;
        let n = rows.len();
        // Of one identifier, the last stands: it corrects the others.
        let mut by_tenant: BTreeMap<String, BTreeMap<String, Row>> = BTreeMap::new();
        let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        for row in rows {
            by_tenant.entry(row.tenant.clone()).or_default().insert(row.id.clone(), row);
        }
        let mut letters = Vec::new();
        for (tenant, rows) in by_tenant {
            self.write_tenant(&tenant, rows.into_values().collect(), &mut letters).await?;
        }
        if n > 0 {
            let done = self.database().write(move |conn| {
                for seq in seqs {
                    conn.prepare_cached("DELETE FROM observation WHERE seq = ?1")?.execute([seq])?;
                }
                letters.iter().try_for_each(|letter| insert(conn, letter).map(drop))
            });
            done.await?;
        }
        Ok(n)
    }

    async fn write_tenant(
        &self,
        tenant: &str,
        rows: Vec<Row>,
        letters: &mut Vec<NewDead>,
    ) -> Result<(), StreamError> {
        let access = self.service(&Tenant::new(tenant))?;
        let (mut ops, mut written) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows {
            match observe::parsed(&row.text) {
                Ok(resource) => {
                    ops.push(update(resource));
                    written.push(row);
                }
                Err(why) => letters.push(self.refused(&row, why)?),
            }
        }
        if ops.is_empty() {
            return Ok(());
        }
        let answer = self.gate().write(&access, false, ops).await?;
        for (row, result) in written.iter().zip(answer.results) {
            match result {
                Ok(_) => Metrics::count(&self.inner.metrics.observations, 1),
                Err(error) if error.is_callers() => letters.push(self.refused(row, reason_of(&error))?),
                // The store failed: all of it again, later; what was written is found unchanged.
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn refused(&self, row: &Row, message: String) -> Result<NewDead, StreamError> {
        Ok(NewDead {
            tenant: row.tenant.clone(),
            at: self.now(),
            door: DOOR,
            source: None,
            event: Some(format!("{}/{}", kind_of(&row.text), row.id)),
            patient: None,
            position: None,
            cause: "refused".to_owned(),
            place: String::new(),
            message,
            body: seal(self.keys().map(|keys| &**keys), &row.tenant, row.text.as_bytes())?,
        })
    }

    /// Alerts that changed and are asked for as FHIR.
    async fn queue_alerts(&self) -> Result<(), StreamError> {
        loop {
            let policy = Arc::clone(self.alerts().policy());
            if !self.database().read(move |conn| written::is_due(conn, &policy)).await? {
                return Ok(());
            }
            let (policy, rules) = (Arc::clone(self.alerts().policy()), self.rules());
            self.database().write(move |conn| written::queue(conn, &policy, &rules)).await?;
        }
    }

    /// A resource that the store refused is queued again.
    pub(crate) async fn queue_again(&self, tenant: &str, body: Vec<u8>) -> Result<(), StreamError> {
        let resource = String::from_utf8(body)
            .ok()
            .and_then(|text| observe::parsed(&text).ok()?.id().map(str::to_owned).map(|id| (id, text)));
        let (id, text) = resource.ok_or_else(|| {
            StreamError::Conflict("the letter is no resource that could be written again: waive it".into())
        })?;
        let tenant = tenant.to_owned();
        self.database().write(move |conn| queue::put(conn, &tenant, &id, &text)).await?;
        self.inner.write_observations.notify_one();
        Ok(())
    }

    /// Events that an alert rests on come before it: they are read back from the log and queued.
    async fn queue_supports(&self) -> Result<(), StreamError> {
        let found = self.database().read(|conn| {
            let mut rows = conn.prepare_cached(
                "SELECT o.tenant, o.patient, o.at, o.source, o.event, m.kind, m.partition, m.\"offset\" FROM observation_of AS o
                 LEFT JOIN measured AS m USING (tenant, patient, at, source, event) LIMIT ?1",
            )?;
            rows.query_map([ROWS_MAX], |row| {
                let of: (String, String, i64, String, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                let place: (Option<String>, Option<u32>, Option<i64>) = (row.get(5)?, row.get(6)?, row.get(7)?);
                Ok((of, place))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
        });
        let settings = Settings { observations: Observations::All, ..self.settings().clone() };
        for (of, place) in found.await? {
            let mut made = None;
            if let (Some(kind), Some(partition), Some(offset)) = place
                && self.settings().observations != Observations::None
            {
                let found = self.event_at(&Kind::named(&kind), partition, offset.cast_unsigned()).await?;
                if let Some((_, mut event)) = found {
                    let is_poor = self.rules().is_poor(&event);
                    if is_poor {
                        observe::flag_poor(&mut event);
                    }
                    let wanted = observe::wanted(&event, &mut Board::default(), &settings, is_poor);
                    made = Some((event, wanted));
                }
            }
            let done = self.database().write(move |conn| {
                if let Some((event, wanted)) = made {
                    queue::put_made(conn, &of.0, &event, wanted.iter())?;
                }
                conn.prepare_cached(
                    "DELETE FROM observation_of WHERE tenant = ?1 AND patient = ?2 AND at = ?3 AND source = ?4 AND event = ?5",
                )?
                .execute(params![of.0, of.1, of.2, of.3, of.4])
            });
            done.await?;
        }
        Ok(())
    }

    /// The event at a place of the log and whose it is, when it is still there.
    pub(crate) async fn event_at(
        &self,
        kind: &Kind,
        partition: u32,
        offset: u64,
    ) -> Result<Option<(String, Event)>, StreamError> {
        let limits = FetchLimits { n_max: 1, ..FetchLimits::default() };
        let fetched = self.inner.log.fetch(partition, &[(kind.clone(), offset)], limits).await;
        let entries = match fetched {
            Ok(entries) => entries,
            Err(crate::log::LogError::OutOfRange { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let entry = entries.into_iter().find(|entry| entry.position.offset == offset);
        let Some(entry) = entry else { return Ok(None) };
        let Ok(mut event) = Event::of_bytes(&entry.append.body) else { return Ok(None) };
        let tenant = entry.append.tenant().to_owned();
        if let Some(patient) = event.patient.as_mut() {
            *patient = self.inner.identity.canonical(&tenant, patient);
        }
        Ok(Some((tenant, event)))
    }
}

fn update(resource: Resource) -> WriteOp {
    WriteOp { full_url: None, action: Action::Update { resource, if_match: None } }
}

/// The type of a resource as text.
fn kind_of(text: &str) -> String {
    let value = fhir::json::parse(text.as_bytes(), &fhir::json::Limits::default());
    let kind = value.ok().and_then(|value| value.text("resourceType").map(str::to_owned));
    kind.unwrap_or_else(|| "Resource".to_owned())
}

/// The first thing that is wrong, without values.
fn reason_of(error: &GateError) -> String {
    match error {
        GateError::Invalid(issues) => {
            let first = issues.first();
            first.map_or_else(
                || error.to_string(),
                |issue| format!("{} at `{}`", issue.slug, issue.expression.as_deref().unwrap_or_default()),
            )
        }
        other => other.to_string(),
    }
}
