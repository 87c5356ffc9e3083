//! Which patient a name means: asked of the store before an event gets its partition, with merges applied. Answers are remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use event::{Data, Event, Moved, Movement, PatientIndex, SCHEMA};
use fhir::{Instant, Kind};
use gate::Tenant;
use rusqlite::OptionalExtension as _;

use super::provenance::PRINCIPAL;
use crate::StreamError;
use crate::log::Append;
use crate::platform::Platform;

/// Names remembered; when full, all are forgotten.
const NAMES_MAX: usize = 100_000;
/// A patient that was found is looked up again after this; the change log tells of changes before.
const FOUND_MICROS: i64 = 600_000_000;
/// A patient that was not found may come soon.
const ABSENT_MICROS: i64 = 30_000_000;

/// A patient or none, and when it was asked.
type Answer = (Option<String>, i64);

/// What is known of names.
#[derive(Default)]
pub(crate) struct Identity {
    /// By tenant.
    merged: RwLock<HashMap<String, PatientIndex>>,
    /// By tenant and `SYSTEM|VALUE`: the patient's id, and when it was asked.
    known: Mutex<HashMap<(String, String), Answer>>,
}

impl Identity {
    /// The name that a name means after merges.
    pub(crate) fn canonical(&self, tenant: &str, patient: &str) -> String {
        let merged = self.merged.read().unwrap_or_else(PoisonError::into_inner);
        merged.get(tenant).map_or_else(|| patient.to_owned(), |index| index.canonical(patient).to_owned())
    }

    /// A merge was committed, or is read back at the start.
    pub(crate) fn merge(&self, tenant: &str, from: &str, into: &str) {
        let mut merged = self.merged.write().unwrap_or_else(PoisonError::into_inner);
        merged.entry(tenant.to_owned()).or_default().merge(from, into);
    }

    /// A Patient changed: what was looked up by identifier is asked again.
    pub(crate) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn known(&self, tenant: &str, name: &str, now: Instant) -> Option<Option<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, at) = known.get(&(tenant.to_owned(), name.to_owned()))?;
        let age_max = if found.is_some() { FOUND_MICROS } else { ABSENT_MICROS };
        (0..age_max).contains(&(now.0 - at)).then(|| found.clone())
    }

    fn remember(&self, tenant: &str, name: &str, found: Option<String>, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        known.insert((tenant.to_owned(), name.to_owned()), (found, now.0));
    }
}

impl Platform {
    /// The canonical name of a patient: `Patient/ID` when the store has exactly one with the identifier `SYSTEM|VALUE`, with merges applied.
    pub(crate) async fn canonical_patient(&self, tenant: &str, patient: &str) -> Result<String, StreamError> {
        let patient = self.inner.identity.canonical(tenant, patient);
        if patient.starts_with("Patient/") || !patient.contains('|') {
            return Ok(patient);
        }
        let now = self.now();
        let found = match self.inner.identity.known(tenant, &patient, now) {
            Some(found) => found,
            None => {
                let found = self.patient_of_identifier(tenant, &patient).await?;
                self.inner.identity.remember(tenant, &patient, found.clone(), now);
                if let Some(found) = &found {
                    self.identified(tenant, &patient, found).await?;
                }
                found
            }
        };
        Ok(found.map_or(patient, |found| self.inner.identity.canonical(tenant, &found)))
    }

    async fn patient_of_identifier(&self, tenant: &str, name: &str) -> Result<Option<String>, StreamError> {
        let text = format!("identifier={}", encoded(name));
        let page = self.ask_store(&Tenant::new(tenant), Kind::PATIENT, &text, 2).await?;
        // Two patients with one identifier are a matter for people: the events stay under the identifier.
        Ok(match page.matches.as_slice() {
            [one] => Some(format!("Patient/{}", one.id)),
            _ => None,
        })
    }

    /// The store knows whom a name means. What is kept under the name becomes that patient's, through the log, as two records that are merged do.
    async fn identified(&self, tenant: &str, name: &str, patient: &str) -> Result<(), StreamError> {
        let Some(changed) = self.state_of(tenant, name).await? else { return Ok(()) };
        let patient = self.inner.identity.canonical(tenant, patient);
        let now = self.now();
        let movement = Movement { moved: Moved::Identified, bed: None, merged: vec![name.to_owned()] };
        let event = Event {
            schema: SCHEMA,
            // A state is moved once; one that came to be under the name after that is another.
            id: format!("identified/{name}/{changed}"),
            kind: event::Kind::PatientMovement,
            patient: Some(patient.clone()),
            encounter: None,
            at: now,
            received_at: now,
            birth_date: None,
            device: None,
            source: "store".to_owned(),
            organization: None,
            unit: None,
            data: Data::Movement(movement),
            quality: None,
            privacy: Vec::new(),
            population: Vec::new(),
            region: None,
        };
        let append = Append {
            kind: event.kind.clone(),
            key: event::key_of(tenant, &patient),
            id: format!("{}\u{1f}{}", event.source, event.id),
            // Not that of its time: found out again, it is the same.
            content: 1,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("principal".to_owned(), PRINCIPAL.to_owned()),
                ("door".to_owned(), "store".to_owned()),
            ],
            body: event.to_bytes(),
        };
        self.inner.log.append(vec![append]).await.map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// The last change of what is kept under a name, when something is.
    pub(crate) async fn state_of(&self, tenant: &str, name: &str) -> Result<Option<i64>, StreamError> {
        let key = (tenant.to_owned(), name.to_owned());
        let found = self.database().read(move |conn| {
            conn.prepare_cached("SELECT changed FROM patient_state WHERE tenant = ?1 AND patient = ?2")?
                .query_row([key.0, key.1], |row| row.get(0))
                .optional()
        });
        Ok(found.await?)
    }

    /// Reads back what was merged.
    pub(crate) async fn load_merged(&self) -> Result<(), StreamError> {
        let pairs = self.database().read(|conn| {
            let mut rows =
                conn.prepare("SELECT tenant, patient, into_patient FROM merged ORDER BY at, patient")?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<Vec<(String, String, String)>>>()
        });
        for (tenant, from, into) in pairs.await? {
            self.inner.identity.merge(&tenant, &from, &into);
        }
        Ok(())
    }
}

/// A value in a query: everything but letters, digits and a few marks by its bytes.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'|' | b'/' | b':' => {
                out.push(char::from(byte));
            }
            // Else it would separate two values.
            b',' => out.push_str("%5C%2C"),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_remembered_for_their_time() {
        let identity = Identity::default();
        identity.remember("main", "s|1", Some("Patient/1".into()), Instant(0));
        identity.remember("main", "s|2", None, Instant(0));
        let check = |name: &str, at: i64, expected: Option<Option<&str>>| {
            let known = identity.known("main", name, Instant(at));
            assert_eq!(known, expected.map(|found| found.map(str::to_owned)), "{name} {at}");
        };
        check("s|1", FOUND_MICROS - 1, Some(Some("Patient/1")));
        check("s|1", FOUND_MICROS, None);
        check("s|2", ABSENT_MICROS - 1, Some(None));
        check("s|2", ABSENT_MICROS, None);
        assert_eq!(identity.known("other", "s|1", Instant(0)), None);
    }

    #[test]
    fn merges_hold_within_a_tenant() {
        let identity = Identity::default();
        identity.merge("main", "s|1", "Patient/1");
        assert_eq!(identity.canonical("main", "s|1"), "Patient/1");
        assert_eq!(identity.canonical("other", "s|1"), "s|1");
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("urn:oid:1.2|A B&c=,"), "urn:oid:1.2|A%20B%26c%3D%5C%2C");
    }
}
