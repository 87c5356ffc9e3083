//! Compiled rules, applied to one event of one patient.

mod derive;
pub(crate) mod machine;
mod measured;
mod merge;
mod order;
mod say;
mod series;
mod turn;

use event::{Data, Event};
use fhir::Instant;

use crate::hash::pair;
use crate::{Finding, PatientState, RuleSet, Subject};
use turn::Turn;

impl RuleSet {
    /// What the rules say after `event`. Changes `state`; a second call with the same event changes nothing and says nothing (the last 16
    /// events of a patient are remembered; beyond that, deduplication is the stream's).
    ///
    /// What was due before the event is said first, so that findings do not depend on when [`RuleSet::on_time`] is called.
    pub fn on_event(&self, state: &mut PatientState, subject: &Subject, event: &Event) -> Vec<Finding> {
        let Some(patient) = &event.patient else { return Vec::new() };
        if !state.remember(pair(&event.source, &event.id)) {
            return Vec::new();
        }
        if state.patient != *patient {
            state.patient.clone_from(patient);
        }
        if event.birth_date.is_some() && state.birth_date != event.birth_date {
            state.birth_date.clone_from(&event.birth_date);
        }
        let known = with_birth_date(subject, state);
        let mut turn = Turn::new(self, state, known.as_ref().unwrap_or(subject), event.at, Some(event));
        turn.pass_time(event.at.0);
        turn.state.newest = turn.state.newest.max(event.at.0);
        match &event.data {
            Data::Measurements(measurements) => {
                for measurement in measurements {
                    turn.measured(event, measurement);
                }
                turn.computed();
            }
            Data::Medication(medication) => turn.ordered(event, medication),
            Data::Json(_) if turn::has_codes(event) => {
                turn.whens |= self.coded;
                turn.computed();
            }
            Data::Population(_) | Data::Movement(_) | Data::Json(_) => {}
        }
        turn.end()
    }

    /// What the rules say because time has passed: sustained conditions that became old enough, clear times, values that are too old. A
    /// finding's time is the instant at which it became true, so it does not matter how late this is called.
    pub fn on_time(&self, state: &mut PatientState, subject: &Subject, now: Instant) -> Vec<Finding> {
        let known = with_birth_date(subject, state);
        let mut turn = Turn::new(self, state, known.as_ref().unwrap_or(subject), now, None);
        turn.pass_time(now.0);
        turn.end()
    }

    /// The next instant at which [`RuleSet::on_time`] could say something.
    pub fn next_time(&self, state: &PatientState) -> Option<Instant> {
        let dues = state.episodes.iter().filter_map(|episode| {
            let (_, rule) = self.rule_of(episode.rule)?;
            machine::due(rule, episode)
        });
        let expiry = (state.expiry != i64::MAX).then_some(state.expiry);
        dues.chain(expiry).min().map(Instant)
    }
}

/// The subject with the birth date that a sender said, when the store knows none.
fn with_birth_date(subject: &Subject, state: &PatientState) -> Option<Subject> {
    let birth_date = state.birth_date.clone().filter(|_| subject.birth_date.is_none())?;
    Some(Subject { birth_date: Some(birth_date), ..subject.clone() })
}
