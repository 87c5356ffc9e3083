//! What the pages about alerts are told: plain words and instants, filled in by whoever serves them.

use fhir::Instant;

use crate::parts::chip::Tone;

/// Whom an alert is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// As the stream names it: `Patient/ID`, `SYSTEM|VALUE`, `population:MEASURE@REGION`.
    pub subject: String,
    /// Id of the Patient resource, when there is one.
    pub id: Option<String>,
    /// Name, when the record has one and it may be seen.
    pub name: Option<String>,
}

/// An alert as a row shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The rule's version.
    pub version: String,
    /// `critical`, `high`, `medium`, `low`, `info`.
    pub severity: String,
    /// `open`, `acknowledged`, `escalated`, `snoozed`, `silenced`, `resolved`, `retracted`.
    pub state: String,
    /// What was found, with value, unit and limit.
    pub message: String,
    /// Whom it is about.
    pub person: Person,
    /// The ward.
    pub unit: Option<String>,
    /// When the event happened.
    pub at: Instant,
    /// When it was raised.
    pub raised_at: Instant,
    /// Until when somebody must have responded; `None` when the severity has no target.
    pub respond_by: Option<Instant>,
    /// Until when it is snoozed.
    pub snoozed_until: Option<Instant>,
    /// Who took it.
    pub owner: Option<String>,
    /// How many rules speak of it.
    pub n_grouped: u64,
    /// The longest that it may be snoozed, in minutes.
    pub snooze_max_mins: u32,
    /// Its last change: what somebody does is refused when there was one since they looked.
    pub seq: i64,
    /// The measure that decided, `heart_rate`.
    pub measure: Option<String>,
    /// A silence or an inhibition keeps it from being sent out, for this reason.
    pub quiet: Option<String>,
}

impl Alert {
    /// Does somebody still have to do something.
    pub fn is_active(&self) -> bool {
        matches!(self.state.as_str(), "open" | "escalated" | "acknowledged" | "snoozed" | "silenced")
    }

    /// Does it wait for an acknowledgement.
    pub fn waits(&self) -> bool {
        matches!(self.state.as_str(), "open" | "escalated")
    }
}

/// A value that an alert rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What was measured.
    pub name: String,
    /// The value with its comparator.
    pub value: String,
    /// UCUM.
    pub unit: Option<String>,
    /// When it was measured.
    pub at: Instant,
    /// The event that brought it.
    pub event: String,
    /// Who measured.
    pub source: String,
    /// Where its event is in the log, `vital_signs:3:1042`.
    pub position: Option<String>,
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Instant,
    /// What: `raised`, `severity`, `acknowledged`, `escalated`, `snoozed`, `resolved`, `cleared`, `retracted`, ...
    pub what: String,
    /// The state after it.
    pub state: String,
    /// Who: a person, or `rules`, `escalation`.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

/// A message that went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `email`, `sms`, `push`, `webhook`.
    pub channel: String,
    /// To whom, as the configuration names them.
    pub to: String,
    /// `waiting`, `delivered`, `failed`.
    pub status: String,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was tried last.
    pub at: Option<Instant>,
    /// Why it failed, without its content.
    pub error: Option<String>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// How bad it says it is.
    pub severity: String,
    /// `active`, `cleared`, `retracted`.
    pub state: String,
    /// In words.
    pub message: String,
    /// When it said so last.
    pub at: Instant,
}

/// An alert in full.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertFacts {
    /// As in a list.
    pub alert: Alert,
    /// What it rests on, the deciding value first.
    pub seen: Vec<Seen>,
    /// What happened to it, the oldest first.
    pub trail: Vec<Step>,
    /// Messages that went out.
    pub deliveries: Vec<Delivery>,
    /// What each rule says of it, the deciding one first.
    pub said: Vec<Said>,
}

/// The tone of a severity.
pub fn severity_tone(severity: &str) -> Tone {
    match severity {
        "critical" => Tone::Critical,
        "high" => Tone::High,
        "medium" => Tone::Medium,
        "low" => Tone::Low,
        _ => Tone::Info,
    }
}

/// How many alerts there are, and what became of them: the alarm burden.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Burden {
    /// Hours looked at.
    pub hours: u32,
    /// Alerts raised.
    pub raised: u64,
    /// Those of them that somebody acknowledged.
    pub acknowledged: u64,
    /// Those that were set aside with a reason before anything was done.
    pub overridden: u64,
    /// Alerts per patient and day with data; `None` when nobody had data.
    pub per_bed_day: Option<f64>,
    /// Median seconds from raising to acknowledging.
    pub median_ack_secs: Option<f64>,
}
