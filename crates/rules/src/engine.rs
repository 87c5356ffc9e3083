//! Compiled rules, applied to one event of one patient.

use event::Event;
use fhir::Instant;

use crate::{Finding, PatientState, Subject};

/// Rules that are checked and compiled, each with its version.
#[derive(Debug, Default)]
pub struct RuleSet {}

impl RuleSet {
    /// The rules that come with salus.
    pub fn shipped() -> RuleSet {
        RuleSet {}
    }

    /// What the rules say after `event`. Changes `state`; a second call with the same event changes nothing and says nothing.
    pub fn on_event(&self, _state: &mut PatientState, _subject: &Subject, _event: &Event) -> Vec<Finding> {
        Vec::new()
    }

    /// What the rules say because time has passed: sustained conditions that became old enough, clear times, values that are too old.
    pub fn on_time(&self, _state: &mut PatientState, _subject: &Subject, _now: Instant) -> Vec<Finding> {
        Vec::new()
    }

    /// The next instant at which [`RuleSet::on_time`] could say something.
    pub fn next_time(&self, _state: &PatientState) -> Option<Instant> {
        None
    }
}
