//! Two records that are one person (A40), or an event that was another person's: states are joined and judged anew.

use event::Event;
use fhir::Instant;

use super::turn::Turn;
use crate::state::Episode;
use crate::{Finding, PatientState, RuleSet, Subject, What};

impl RuleSet {
    /// Joins what is known of `from` into `into`: values in the order of time. Alerts of `from` are retracted under the old name, and what
    /// follows from all values together is said under the new one; `event` is the movement that says so.
    pub fn on_merge(
        &self,
        from: &PatientState,
        into: &mut PatientState,
        subject: &Subject,
        event: &Event,
    ) -> Vec<Finding> {
        let patient = event.patient.as_deref().unwrap_or(&into.patient).to_owned();
        let at = event.at;
        let mut old = from.clone();
        let retracted = self.retract_all(&mut old, at, &format!("the record was merged into `{patient}`"));
        into.patient = patient;
        into.newest = into.newest.max(from.newest);
        into.expiry = into.expiry.min(from.expiry);
        for track in &from.tracks {
            let n_kept =
                self.measures.iter().find(|known| known.key == track.measure).map_or(1, |m| m.measure.n_kept);
            for entry in &track.entries {
                into.track_mut(track.measure).insert(entry.clone(), n_kept);
            }
        }
        let mut turn = Turn::new(self, into, subject, at, Some(event));
        for indexed in self.measures.iter().filter(|indexed| from.track(indexed.key).is_some()) {
            turn.again(indexed, i64::MAX, None);
        }
        (turn.derived, turn.whens) = (u64::MAX, u64::MAX);
        turn.computed();
        retracted.into_iter().chain(turn.end()).collect()
    }

    /// Retracts every open alert of a state: the patient was the wrong one, or the record is another's now.
    pub fn retract_all(&self, state: &mut PatientState, at: Instant, why: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for episode in std::mem::take(&mut state.episodes) {
            found.extend(self.retracted(&state.patient, episode, at, why));
        }
        found
    }

    fn retracted(&self, patient: &str, episode: Episode, at: Instant, why: &str) -> Option<Finding> {
        let open = episode.open?;
        let (_, rule) = self.rule_of(episode.rule)?;
        Some(Finding {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            subject: patient.to_owned(),
            what: What::Retract,
            at,
            opening: open.opening,
            event: None,
            message: format!("retracted: {why}; rule {} {}", rule.name, rule.version),
            seen: Vec::new(),
            topic: rule.topic.clone(),
            immediate: false,
            respond_within_mins: None,
        })
    }
}
