//! An alert as it stands in its row, its parts, and its transitions.

use fhir::Instant;
use rules::Severity;
use serde_json::Value as Json;

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has answered yet.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// Nobody answered in time, or somebody asked for more help.
    Escalated,
    /// Put off by a person, for a while.
    Snoozed,
    /// A silence covers it, for a while.
    Silenced,
    /// Over.
    Resolved,
    /// It was never true.
    Retracted,
}

impl State {
    /// Every state.
    pub const ALL: [State; 7] = [
        State::Open,
        State::Acknowledged,
        State::Escalated,
        State::Snoozed,
        State::Silenced,
        State::Resolved,
        State::Retracted,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Acknowledged => "acknowledged",
            State::Escalated => "escalated",
            State::Snoozed => "snoozed",
            State::Silenced => "silenced",
            State::Resolved => "resolved",
            State::Retracted => "retracted",
        }
    }

    /// The state of a name.
    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Not over.
    pub fn is_live(self) -> bool {
        !matches!(self, State::Resolved | State::Retracted)
    }

    /// Does it wait for somebody to answer.
    pub fn is_waiting(self) -> bool {
        matches!(self, State::Open | State::Escalated)
    }
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A rule opened it.
    Raised,
    /// Another rule of the topic says the same.
    Joined,
    /// It got worse: told again, whatever state it was in.
    Worsened,
    /// It got better, and is not over.
    Eased,
    /// A person took it.
    Acknowledged,
    /// The acknowledgement is too old, and it still holds.
    Forgotten,
    /// A person put it off.
    Snoozed,
    /// A snooze ended.
    Woken,
    /// A silence covers it.
    Silenced,
    /// The silence ended, or was lifted.
    Unsilenced,
    /// Another alert covers it.
    Inhibited,
    /// The other alert is over.
    Uninhibited,
    /// Nobody answered in time, or a person asked for more help.
    Escalated,
    /// A message about it was not delivered.
    Undelivered,
    /// A person ended it, or its rules cleared.
    Resolved,
    /// A person ended it as not useful.
    Overridden,
    /// It was never true.
    Retracted,
    /// Its patient's record was merged into another.
    Rekeyed,
}

impl Step {
    const ALL: [Step; 18] = [
        Step::Raised,
        Step::Joined,
        Step::Worsened,
        Step::Eased,
        Step::Acknowledged,
        Step::Forgotten,
        Step::Snoozed,
        Step::Woken,
        Step::Silenced,
        Step::Unsilenced,
        Step::Inhibited,
        Step::Uninhibited,
        Step::Escalated,
        Step::Undelivered,
        Step::Resolved,
        Step::Overridden,
        Step::Retracted,
        Step::Rekeyed,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Step::Raised => "raised",
            Step::Joined => "joined",
            Step::Worsened => "worsened",
            Step::Eased => "eased",
            Step::Acknowledged => "acknowledged",
            Step::Forgotten => "forgotten",
            Step::Snoozed => "snoozed",
            Step::Woken => "woken",
            Step::Silenced => "silenced",
            Step::Unsilenced => "unsilenced",
            Step::Inhibited => "inhibited",
            Step::Uninhibited => "uninhibited",
            Step::Escalated => "escalated",
            Step::Undelivered => "undelivered",
            Step::Resolved => "resolved",
            Step::Overridden => "overridden",
            Step::Retracted => "retracted",
            Step::Rekeyed => "rekeyed",
        }
    }

    /// The step of a name.
    pub fn named(name: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// Where the subject of a finding is: what routes and pages are chosen by. Taken from the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Ward or unit.
    pub unit: Option<String>,
    /// Encounter.
    pub encounter: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Groups of the population.
    pub population: Vec<String>,
    /// Labels of confidentiality of the events that moved the alert, as they were sent. They only become more.
    pub privacy: Vec<String>,
}

impl About {
    /// What an event says.
    pub fn of(event: &event::Event) -> About {
        About {
            unit: event.unit.clone(),
            encounter: event.encounter.clone(),
            organization: event.organization.clone(),
            region: event.region.clone(),
            population: event.population.clone(),
            privacy: event.privacy.clone(),
        }
    }
}

/// An alert. Does not print its patient or message.
#[derive(Clone, PartialEq)]
pub struct Alert {
    pub(crate) key: i64,
    /// Its identifier.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Canonical patient, or `population:MEASURE@REGION`.
    pub subject: String,
    /// What its rules speak of.
    pub topic: String,
    /// The rule that decides now.
    pub rule: String,
    /// That rule's version.
    pub version: String,
    /// The event that opened it.
    pub opening: String,
    /// The last event that its rules spoke of.
    pub event: String,
    /// How bad now.
    pub severity: Severity,
    /// How bad at worst.
    pub peak: Severity,
    /// Arrest-range.
    pub is_immediate: bool,
    /// Where in its life.
    pub state: State,
    /// For people; patient data.
    pub message: String,
    /// What it rests on: an array of objects with `name`, `value`, `unit`, `at`, `event`, `source`.
    pub seen: Json,
    /// When it happened.
    pub at: Instant,
    /// When it was opened.
    pub raised_at: Instant,
    /// When it last changed.
    pub changed_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// When somebody must have answered.
    pub respond_by: Option<Instant>,
    /// When somebody first answered.
    pub acknowledged_at: Option<Instant>,
    /// Who has it now.
    pub owner: Option<String>,
    /// A person ended it as not useful.
    pub is_overridden: bool,
    /// When something happens by itself: escalation, the end of a snooze, of a silence, of an acknowledgement.
    pub timer_at: Option<Instant>,
    /// Level of escalation.
    pub level: u32,
    /// How often the last level was repeated.
    pub repeats: u32,
    /// The silence that covers it.
    pub silence: Option<String>,
    /// The alert that covers it.
    pub inhibited_by: Option<String>,
    /// Where its subject is.
    pub about: About,
    /// Its last place in the sequence of changes.
    pub seq: i64,
}

impl Alert {
    /// Is it about a population.
    pub fn is_population(&self) -> bool {
        self.subject.starts_with("population:")
    }

    /// Must it be told whatever silences, inhibitions and quiet hours say.
    pub fn is_urgent(&self) -> bool {
        self.severity >= Severity::High || self.is_immediate
    }
}

impl std::fmt::Debug for Alert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alert({} {} {})", self.id, self.severity.name(), self.state.name())
    }
}

/// What one rule says within an alert.
#[derive(Clone, PartialEq)]
pub struct Part {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// The event that opened its episode.
    pub opening: String,
    /// How bad it says it is.
    pub severity: Severity,
    /// Arrest-range.
    pub is_immediate: bool,
    /// `active`, `cleared`, `retracted`.
    pub state: String,
    /// For people; patient data.
    pub message: String,
    /// What it rests on.
    pub seen: Json,
    /// Time of its last finding.
    pub at: Instant,
    /// The event of its last finding.
    pub event: String,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({} {})", self.rule, self.state)
    }
}

/// One step of one alert, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its place in the sequence of all changes.
    pub seq: i64,
    /// The alert.
    pub alert: String,
    /// What happened.
    pub what: Step,
    /// The state before; `None` for the first.
    pub before: Option<State>,
    /// The state after.
    pub after: State,
    /// Severity after.
    pub severity: Severity,
    /// When.
    pub at: Instant,
    /// A principal, or `rule:NAME`, `service:NAME`.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}
