//! History through other rules: what they would have said, beside what the rules of today say of the same events. Changes nothing.

use std::collections::HashMap;

use event::Event;
use fhir::Instant;
use gate::{Matter, Permit};
use rules::{Difference, RuleSet, Subject, compare};

use crate::StreamError;
use crate::log::{Ends, FetchLimits, LogError};
use crate::platform::{Platform, must_be, with_quality};

/// Events of one partition that are held in memory.
const EVENTS_MAX: usize = 2_000_000;

/// Which history, through which rules.
pub struct Replay {
    /// Rules to compare with those of today.
    pub rules: RuleSet,
    /// Events that were appended at or after this instant.
    pub since: Instant,
    /// Only of this patient.
    pub patient: Option<String>,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Events that were judged.
    pub n_events: u64,
    /// Patients they are of.
    pub n_patients: u64,
    /// What the two sets of rules say differently: first those of today.
    pub difference: Difference,
}

impl Platform {
    /// Lets the rules of today and others judge the same history, and compares the alerts. Nothing is written, nobody is told.
    ///
    /// # Errors
    /// The permit is for something else, the log or the store cannot be read, or a partition has too much history.
    pub async fn replay(&self, permit: &Permit, replay: &Replay) -> Result<Replayed, StreamError> {
        must_be(permit, &[Matter::ChangeRules])?;
        let tenant = permit.tenant().to_string();
        let patient = replay.patient.as_ref().map(|patient| self.inner.identity.canonical(&tenant, patient));
        let (today, until, mut found) = (self.rules(), self.now(), Replayed::default());
        for partition in 0..self.inner.log.partitions() {
            let events = self.history(&tenant, partition, replay.since, patient.as_deref()).await?;
            let mut subjects: HashMap<String, Subject> = HashMap::new();
            for patient in events.iter().filter_map(|event| event.patient.as_deref()) {
                if !subjects.contains_key(patient) {
                    let subject = self.facts(&tenant, patient).await?.subject();
                    subjects.insert(patient.to_owned(), subject);
                }
            }
            found.n_events += events.len() as u64;
            found.n_patients += subjects.len() as u64;
            // A patient has one partition: the parts are whole.
            let other = with_quality(replay.rules.clone(), &self.inner.sources);
            let before = today.clone();
            let part = tokio::task::spawn_blocking(move || {
                let subject_of = |patient: &str| subjects.get(patient).cloned().unwrap_or_default();
                compare(&before, &other, &events, &subject_of, Some(until))
            });
            let part =
                part.await.map_err(|error| StreamError::Unavailable(format!("the replay broke: {error}")))?;
            found.difference.n_same += part.n_same;
            found.difference.only_before.extend(part.only_before);
            found.difference.only_after.extend(part.only_after);
            found.difference.changed.extend(part.changed);
        }
        Ok(found)
    }

    /// The events of one partition since an instant, in the order of the log.
    async fn history(
        &self,
        tenant: &str,
        partition: u32,
        since: Instant,
        patient: Option<&str>,
    ) -> Result<Vec<Event>, StreamError> {
        let failed = |error: LogError| self.failed(error);
        let ends = self.inner.log.ends().await.map_err(failed)?;
        let mine = ends.into_iter().filter(|ends| ends.partition == partition);
        let mut from: Vec<_> = mine.map(|Ends { kind, start, .. }| (kind, start)).collect();
        let mut events = Vec::new();
        loop {
            let entries =
                self.inner.log.fetch(partition, &from, FetchLimits::default()).await.map_err(failed)?;
            if entries.is_empty() {
                return Ok(events);
            }
            for entry in entries {
                let position = &entry.position;
                if let Some((_, next)) = from.iter_mut().find(|(kind, _)| *kind == position.kind) {
                    *next = position.offset + 1;
                }
                if entry.appended_at < since || entry.append.tenant() != tenant {
                    continue;
                }
                let Ok(mut event) = Event::of_bytes(&entry.append.body) else { continue };
                if let Some(name) = &mut event.patient {
                    *name = self.inner.identity.canonical(tenant, name);
                }
                if patient.is_none_or(|patient| event.patient.as_deref() == Some(patient)) {
                    events.push(event);
                }
            }
            if events.len() > EVENTS_MAX {
                return Err(StreamError::Invalid(format!(
                    "there are more than {EVENTS_MAX} events in one partition: name a later `since`, or a patient"
                )));
            }
        }
    }
}
