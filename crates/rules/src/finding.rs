//! What the rules say of an event: raise, change, clear or retract.

use fhir::Instant;

/// How bad, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// Worst first.
    pub const ALL: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The severity of a name.
    pub fn named(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// A value that a finding rests on.
#[derive(Clone, PartialEq)]
pub struct Seen {
    /// Short name of the measure.
    pub name: String,
    /// The value with its comparator, as text.
    pub value: String,
    /// UCUM.
    pub unit: Option<String>,
    /// When it was measured.
    pub at: Instant,
    /// The event that brought it.
    pub event: String,
    /// Who measured.
    pub source: String,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen({})", self.name)
    }
}

/// What shall happen to the alert of a rule and a patient.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Open one with this severity, or raise the severity of the one that is open. A finding that repeats what is open changes nothing but
    /// its last value.
    Raise(Severity),
    /// The clear threshold was met for the clear time.
    Clear,
    /// What it rested on was corrected or was never true.
    Retract,
    /// It could not be judged, and this is why; shown on the patient, never as normal.
    NotEvaluated(String),
}

/// What one rule says after one event, or after time has passed.
#[derive(Clone, PartialEq)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// The rule's version.
    pub version: String,
    /// What the alert is about: canonical patient, or `population:MEASURE@REGION`.
    pub subject: String,
    /// What shall happen.
    pub what: What,
    /// Time of the event, or of the tick.
    pub at: Instant,
    /// The event that opened the episode (for `Raise`: of the first one): part of the alert's identity.
    pub opening: String,
    /// The event that made this finding; `None` when it was time that passed.
    pub event: Option<String>,
    /// Text for people, from the rule's template; holds patient data.
    pub message: String,
    /// What it rests on, the deciding value first, then previous values.
    pub seen: Vec<Seen>,
    /// Rules that speak of the same thing share a topic: one alert with the higher severity.
    pub topic: String,
    /// Arrest-range: never delayed, inhibited or silenced.
    pub immediate: bool,
    /// Minutes in which somebody must respond, when the rule says so.
    pub respond_within_mins: Option<u32>,
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finding({} {:?})", self.rule, self.what)
    }
}
