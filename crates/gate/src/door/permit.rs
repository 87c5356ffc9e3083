//! Permission for what lies outside the store: pipelines and what they set aside, events, alerts, surveillance. Decided and recorded as any other access.

use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::record::{Action, Outcome};
use crate::principal::{Access, Principal};
use crate::role::Role;
use crate::scope::{Reach, Right};

/// What somebody wants to do beside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matter {
    /// Look at pipelines, runs, quality, and the places and reasons of quarantined rows. None of it holds a value of a row.
    Pipelines,
    /// Start a run, or stop one.
    RunPipeline,
    /// See what stands in quarantined rows: patient data.
    OpenQuarantine,
    /// Run quarantined rows again, or waive them.
    ChangeQuarantine,
    /// See alerts, the ward and the vitals of patients: patient data.
    Alerts,
    /// Acknowledge, escalate, snooze, resolve or silence alerts.
    ChangeAlert,
    /// Send events.
    PublishEvents,
    /// Look at lag, throughput, rules, the alarm burden, and the places and reasons of dead letters. None of it holds a value.
    Streams,
    /// See what stands in dead letters and raw events: patient data. Clinicians have it as a worklist.
    OpenDeadLetter,
    /// Send dead letters again.
    ReplayDeadLetter,
    /// Look at counts of populations, with small ones suppressed.
    Surveillance,
    /// Ask for decision support about a patient: CDS Hooks.
    DecisionSupport,
}

impl Matter {
    fn action(self) -> Action {
        match self {
            Matter::Pipelines => Action::PipelineRead,
            Matter::RunPipeline => Action::PipelineRun,
            Matter::OpenQuarantine => Action::QuarantineOpen,
            Matter::ChangeQuarantine => Action::QuarantineChange,
            Matter::Alerts => Action::AlertRead,
            Matter::ChangeAlert => Action::AlertChange,
            Matter::PublishEvents => Action::EventPublish,
            Matter::Streams => Action::StreamRead,
            Matter::OpenDeadLetter => Action::DeadLetterOpen,
            Matter::ReplayDeadLetter => Action::DeadLetterReplay,
            Matter::Surveillance => Action::SurveillanceRead,
            Matter::DecisionSupport => Action::DecisionSupport,
        }
    }

    fn roles(self) -> &'static [Role] {
        match self {
            Matter::Pipelines => {
                &[Role::Service, Role::Engineer, Role::Steward, Role::PrivacyOfficer, Role::Admin]
            }
            Matter::RunPipeline | Matter::ChangeQuarantine | Matter::ReplayDeadLetter => {
                &[Role::Service, Role::Engineer, Role::Admin]
            }
            // An admin reads no patient data.
            Matter::OpenQuarantine => &[Role::Service, Role::Engineer, Role::Steward, Role::PrivacyOfficer],
            Matter::OpenDeadLetter => {
                &[Role::Service, Role::Clinician, Role::Engineer, Role::Steward, Role::PrivacyOfficer]
            }
            Matter::Alerts | Matter::ChangeAlert | Matter::DecisionSupport => {
                &[Role::Service, Role::Clinician]
            }
            Matter::PublishEvents => &[Role::Service, Role::Clinician, Role::Engineer],
            Matter::Streams => &[Role::Service, Role::Clinician, Role::Engineer, Role::Steward, Role::Admin],
            Matter::Surveillance => {
                &[Role::Service, Role::Clinician, Role::Analyst, Role::Engineer, Role::Steward]
            }
        }
    }

    /// What the scopes must reach in every type, when the role has scopes over types: a token that was narrowed to some of them does
    /// not get the rest through a pipeline or a stream.
    fn right(self) -> Option<Right> {
        match self {
            Matter::Pipelines | Matter::Streams | Matter::Surveillance => None,
            Matter::RunPipeline
            | Matter::ChangeQuarantine
            | Matter::PublishEvents
            | Matter::ReplayDeadLetter => Some(Right::Create),
            Matter::ChangeAlert => Some(Right::Update),
            Matter::OpenQuarantine | Matter::OpenDeadLetter | Matter::Alerts | Matter::DecisionSupport => {
                Some(Right::Read)
            }
        }
    }
}

/// What somebody wants to do, and with what. Names are identifiers, never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    matter: Matter,
    names: String,
    count: u64,
    patients: Vec<String>,
}

impl Subject {
    /// About things with names, separated by spaces: a pipeline, a run, `quarantine/17`.
    pub fn new(matter: Matter, names: impl Into<String>) -> Subject {
        Subject { matter, names: names.into(), count: 0, patients: Vec::new() }
    }

    /// How many rows are opened or changed.
    pub fn of_rows(mut self, count: u64) -> Subject {
        self.count = count;
        self
    }

    /// Ids of the patients that the answer names.
    pub fn of_patients(mut self, patients: Vec<String>) -> Subject {
        self.patients = patients;
        self
    }
}

/// Proof that somebody may do something, and that the ledger knows of it.
#[derive(Debug)]
pub struct Permit {
    matter: Matter,
    principal: String,
}

impl Permit {
    /// What may be done.
    pub fn matter(&self) -> Matter {
        self.matter
    }

    /// Who may do it, as the ledger names them.
    pub fn principal(&self) -> &str {
        &self.principal
    }
}

impl Principal {
    /// Would [`Gate::permit`] say yes. For pages that show only what is open; the gate decides again.
    pub fn may(&self, matter: Matter) -> bool {
        self.refusal(matter).is_none()
    }

    fn refusal(&self, matter: Matter) -> Option<String> {
        let wanted = matter.roles();
        let reaches = |role: Role| match matter.right() {
            Some(right) if role != Role::Admin => self.scopes.reach_of_all(right) == Reach::Everything,
            _ => true,
        };
        let held: Vec<Role> = self.roles.iter().filter(|role| wanted.contains(role)).collect();
        if held.is_empty() {
            let names: Vec<String> = wanted.iter().map(|role| format!("`{role}`")).collect();
            return Some(format!("this is open to the roles {}", names.join(", ")));
        }
        if held.into_iter().any(reaches) {
            return None;
        }
        Some(
            "the scopes of the token are narrower than this needs: all types, such as `user/*.crus`"
                .to_string(),
        )
    }
}

impl Gate {
    /// Decides, and records. The record is on disk when this returns, whether it was yes or no.
    pub async fn permit(&self, access: &Access, subject: Subject) -> Result<Permit, GateError> {
        let Subject { matter, names, count, patients } = subject;
        let action = matter.action();
        if let Some(why) = access.principal.refusal(matter) {
            return Err(self.deny_one(access, action, None, &names, why).await);
        }
        let mut record = self.record_of(access, action, Outcome::Done).on(None, names);
        record.count = count;
        record.patients = patients;
        self.record(record).await?;
        Ok(Permit { matter, principal: access.principal.id.clone() })
    }
}
