//! The store's change log as a stream: what others write becomes events; facts and names that were remembered are asked again.

use std::time::Duration;

use bytes::Bytes;
use event::resource::{Origin, events_of};
use fhir::{Kind as Type, Resource, Value};
use gate::{Change, GateError, Op, Tenant};
use rusqlite::{OptionalExtension as _, params};
use tokio::sync::watch;

use super::provenance::PRINCIPAL;
use super::publish::{Publisher, Sent};
use crate::StreamError;
use crate::platform::Platform;

/// How often the end of the change log is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Changes of one page.
const CHANGES_MAX: usize = 200;
/// Up to here the log was read for all tenants; of each tenant, `store:NAME`.
const CURSOR: &str = "store";
/// Types that become events.
const EVENTS: [&str; 4] = ["Observation", "MedicationRequest", "Encounter", "ServiceRequest"];
/// Types that facts are made of.
const FACTS: [&str; 7] = [
    "Patient",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "ServiceRequest",
    "Procedure",
    "Observation",
];

impl Platform {
    /// Follows the change log until told to stop, with a position for each tenant. A follower that never was begins at the end: what was there
    /// before is no news. A tenant that is new begins where the log was last read to its end, as it had nothing before.
    pub(crate) async fn follow_store(&self, mut stop: watch::Receiver<bool>) -> Result<(), StreamError> {
        let mut seen = match self.read_cursor(CURSOR).await? {
            Some(seq) => seq,
            None => {
                let seq = self.gate().newest_change().await?;
                self.write_cursor(CURSOR.to_owned(), seq).await?;
                seq
            }
        };
        while !*stop.borrow() {
            // Before the tenants: changes of one that is not among them are behind this.
            let newest = self.gate().newest_change().await?;
            if newest > seen {
                for tenant in self.gate().changed_tenants(seen).await? {
                    self.follow_tenant(&tenant, seen, newest, &stop).await?;
                }
                if *stop.borrow() {
                    return Ok(());
                }
                self.write_cursor(CURSOR.to_owned(), newest).await?;
                seen = newest;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
            }
        }
        Ok(())
    }

    /// Takes a tenant's changes up to a position at least.
    async fn follow_tenant(
        &self,
        tenant: &Tenant,
        seen: u64,
        newest: u64,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), StreamError> {
        let cursor = format!("{CURSOR}:{tenant}");
        let mut after = self.read_cursor(&cursor).await?.unwrap_or(seen);
        while after < newest && !*stop.borrow() {
            let access = self.service(tenant)?;
            let changes = self.gate().changes(&access, after, CHANGES_MAX).await?;
            self.take_changes(tenant, &changes).await?;
            // Without changes, what is new is of other tenants.
            after = changes.last().map_or(newest, |change| change.seq);
            self.write_cursor(cursor.clone(), after).await?;
        }
        Ok(())
    }

    async fn read_cursor(&self, name: &str) -> Result<Option<u64>, StreamError> {
        let name = name.to_owned();
        let seq = self.database().read(move |conn| {
            conn.prepare_cached("SELECT seq FROM cursor WHERE name = ?1")?
                .query_row([name], |row| row.get::<_, i64>(0))
                .optional()
        });
        Ok(seq.await?.map(i64::cast_unsigned))
    }

    async fn write_cursor(&self, name: String, seq: u64) -> Result<(), StreamError> {
        let write = self.database().write(move |conn| {
            conn.prepare_cached("INSERT OR REPLACE INTO cursor (name, seq) VALUES (?1, ?2)")?
                .execute(params![name, seq.cast_signed()])
        });
        write.await?;
        Ok(())
    }

    async fn take_changes(&self, tenant: &Tenant, changes: &[Change]) -> Result<(), StreamError> {
        let by = Publisher { tenant: tenant.to_string(), principal: PRINCIPAL.to_owned(), door: "store" };
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        for change in changes.iter().filter(|change| change.author.principal != PRINCIPAL) {
            let name = change.kind.name();
            if !FACTS.contains(&name) && !EVENTS.contains(&name) {
                continue;
            }
            let Some((resource, body)) = self.version(change).await? else {
                self.inner.facts.forget_all();
                continue;
            };
            self.forget_facts(&by.tenant, &resource);
            if resource.kind() == Type::PATIENT && change.op != Op::Delete {
                self.name_known(&by.tenant, &resource).await?;
            }
            if change.op == Op::Delete || !EVENTS.contains(&name) {
                continue;
            }
            let version = change.version.to_string();
            let origin = Origin {
                source: "store",
                version: &version,
                is_update: change.version > 1,
                written_at: change.at,
                now: self.now(),
            };
            match events_of(&resource, origin, self.inner.sources.of("store")) {
                Ok(events) => {
                    sent.extend(events.into_iter().map(|event| Sent { event, original: body.clone() }));
                }
                // Numbers of charts, questionnaires: the store has them, and no rule reads them.
                Err(refusal) if refusal.slug() == "nothing" || refusal.slug() == "unknown-name" => {}
                Err(refusal) => refused.push((refusal, body)),
            }
        }
        self.append(&by, sent).await?;
        self.refuse(&by, refused).await?;
        Ok(())
    }

    /// What is kept under an identifier of a Patient becomes the Patient's.
    async fn name_known(&self, tenant: &str, patient: &Resource) -> Result<(), StreamError> {
        let identifiers = patient.value().get("identifier").map(Value::items).unwrap_or_default();
        for identifier in identifiers {
            let (Some(system), Some(value)) = (identifier.text("system"), identifier.text("value")) else {
                continue;
            };
            let name = format!("{system}|{value}");
            if self.state_of(tenant, &name).await?.is_some() {
                // Asks the store, which has exactly one such patient or none that is meant.
                self.canonical_patient(tenant, &name).await?;
            }
        }
        Ok(())
    }

    /// The version of a change; of a deletion, the one before it, which says whose it was.
    async fn version(&self, change: &Change) -> Result<Option<(Resource, Bytes)>, StreamError> {
        let version = if change.op == Op::Delete { change.version.saturating_sub(1) } else { change.version };
        let access = self.service(&change.tenant)?;
        let stored = match self.gate().vread(&access, change.kind, &change.id, version).await {
            Ok(stored) => stored,
            Err(GateError::NotFound { .. } | GateError::Gone { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let body = stored.body.into_bytes();
        let resource = Resource::parse(&body, &fhir::json::Limits::default()).ok();
        Ok(resource.map(|resource| (resource, body)))
    }

    fn forget_facts(&self, tenant: &str, resource: &Resource) {
        if resource.kind() == Type::PATIENT {
            self.inner.identity.forget();
            self.inner.facts.forget(tenant, &resource.reference());
            return;
        }
        let reference =
            |name: &str| resource.value().get(name).and_then(|value: &Value| value.text("reference"));
        match reference("subject").or_else(|| reference("patient")) {
            Some(patient) => self.inner.facts.forget(tenant, patient),
            None => self.inner.facts.forget_all(),
        }
    }
}
