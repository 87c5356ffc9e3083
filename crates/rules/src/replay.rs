//! History through two sets of rules, and what they say differently. Pure: events in, findings out.

use std::collections::{BTreeMap, HashMap};

use event::Event;
use fhir::Instant;

use crate::{Finding, PatientState, RuleSet, Severity, Subject, What};

/// What the rules say of events in the order in which they come, and of the time until `until`.
pub fn replay<'e>(
    set: &RuleSet,
    events: impl IntoIterator<Item = &'e Event>,
    subject_of: &dyn Fn(&str) -> Subject,
    until: Option<Instant>,
) -> Vec<Finding> {
    let mut states: HashMap<&str, (PatientState, Subject)> = HashMap::new();
    let mut found = Vec::new();
    for event in events {
        let Some(patient) = event.patient.as_deref() else { continue };
        let (state, subject) =
            states.entry(patient).or_insert_with(|| (PatientState::default(), subject_of(patient)));
        found.extend(set.on_event(state, subject, event));
    }
    if let Some(until) = until {
        let mut beds: Vec<_> = states.into_iter().collect();
        beds.sort_unstable_by_key(|(patient, _)| *patient);
        for (_, (mut state, subject)) in beds {
            found.extend(set.on_time(&mut state, &subject, until));
        }
    }
    found
}

/// An alert as a replay would have made it.
#[derive(Clone, PartialEq)]
pub struct Told {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// Whom it is about.
    pub subject: String,
    /// The event that opened it.
    pub opening: String,
    /// The worst severity.
    pub severity: Severity,
    /// When it was raised first.
    pub raised_at: Instant,
    /// When it was over or retracted.
    pub over_at: Option<Instant>,
}

/// Whom an alert is about does not print.
impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({} {:?})", self.rule, self.severity)
    }
}

/// The alerts of some findings, by rule, subject and opening event.
pub fn told(findings: &[Finding]) -> Vec<Told> {
    let mut told: BTreeMap<(&str, &str, &str), Told> = BTreeMap::new();
    for finding in findings {
        let key = (finding.rule.as_str(), finding.subject.as_str(), finding.opening.as_str());
        match finding.what {
            What::Raise(severity) => {
                let alert = told.entry(key).or_insert_with(|| Told {
                    rule: finding.rule.clone(),
                    version: finding.version.clone(),
                    subject: finding.subject.clone(),
                    opening: finding.opening.clone(),
                    severity,
                    raised_at: finding.at,
                    over_at: None,
                });
                alert.severity = alert.severity.max(severity);
            }
            What::Clear | What::Retract => {
                if let Some(alert) = told.get_mut(&key) {
                    alert.over_at = Some(finding.at);
                }
            }
            What::NotEvaluated(_) => {}
        }
    }
    told.into_values().collect()
}

/// What two sets of rules say differently of the same history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Alerts that both make, with the same severity.
    pub n_same: usize,
    /// Alerts that only the first makes.
    pub only_before: Vec<Told>,
    /// Alerts that only the second makes.
    pub only_after: Vec<Told>,
    /// Alerts of both whose severity differs: first, second.
    pub changed: Vec<(Told, Told)>,
}

/// Replays events through two sets of rules and compares their alerts.
pub fn compare(
    before: &RuleSet,
    after: &RuleSet,
    events: &[Event],
    subject_of: &dyn Fn(&str) -> Subject,
    until: Option<Instant>,
) -> Difference {
    let run = |set: &RuleSet| told(&replay(set, events, subject_of, until));
    difference(run(before), run(after))
}

/// Compares the alerts of two replays.
pub fn difference(before: Vec<Told>, after: Vec<Told>) -> Difference {
    let key = |told: &Told| (told.rule.clone(), told.subject.clone(), told.opening.clone());
    let mut second: BTreeMap<_, Told> = after.into_iter().map(|told| (key(&told), told)).collect();
    let mut found = Difference::default();
    for told in before {
        match second.remove(&key(&told)) {
            None => found.only_before.push(told),
            Some(other) if other.severity == told.severity => found.n_same += 1,
            Some(other) => found.changed.push((told, other)),
        }
    }
    found.only_after = second.into_values().collect();
    found
}
