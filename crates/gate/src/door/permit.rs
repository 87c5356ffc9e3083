//! Permission for what lies outside the store: pipelines and what they set aside, events, alerts, surveillance. Decided and recorded as any other access.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use fhir::Instant;
use store::Tenant;

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
    /// Load rules anew, or run them over history.
    ChangeRules,
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
            Matter::ChangeRules => Action::RulesChange,
        }
    }

    fn roles(self) -> &'static [Role] {
        match self {
            Matter::Pipelines => {
                &[Role::Service, Role::Engineer, Role::Steward, Role::PrivacyOfficer, Role::Admin]
            }
            Matter::RunPipeline
            | Matter::ChangeQuarantine
            | Matter::ReplayDeadLetter
            | Matter::ChangeRules => &[Role::Service, Role::Engineer, Role::Admin],
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
            Matter::Pipelines | Matter::Streams | Matter::Surveillance | Matter::ChangeRules => None,
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
    tenant: Tenant,
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

    /// Whose data.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
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
        Ok(Permit::new(matter, access))
    }

    /// [`Gate::permit`] for what goes on and on, such as the events of a monitor: decided every time, recorded at most once a minute for
    /// the same principal, tenant, purpose and names. Each event's own entry says who published it.
    pub async fn permit_ongoing(&self, access: &Access, subject: Subject) -> Result<Permit, GateError> {
        let matter = subject.matter;
        if access.principal.refusal(matter).is_some() {
            return self.permit(access, subject).await;
        }
        let (who, tenant, why) = (&access.principal.id, &access.tenant, access.purpose.code());
        let session = format!("{matter:?}\n{who}\n{tenant}\n{why}\n{}", subject.names);
        if !self.inner.sessions.is_new(session.clone(), self.now()) {
            return Ok(Permit::new(matter, access));
        }
        let permit = self.permit(access, subject).await;
        if permit.is_err() {
            self.inner.sessions.forget(&session);
        }
        permit
    }
}

impl Permit {
    fn new(matter: Matter, access: &Access) -> Permit {
        Permit { matter, principal: access.principal.id.clone(), tenant: access.tenant.clone() }
    }
}

/// Sessions remembered; when full, all are forgotten and recorded anew.
const SESSIONS_MAX: usize = 4_096;
const SESSION_MICROS: i64 = 60_000_000;

/// What goes on and was recorded within the last minute.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Instant>>);

impl Sessions {
    /// Must a record be written. Remembers that it was.
    fn is_new(&self, session: String, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = known.get(&session)
            && (0..SESSION_MICROS).contains(&(now.0 - at.0))
        {
            return false;
        }
        if known.len() >= SESSIONS_MAX {
            known.clear();
        }
        known.insert(session, now);
        true
    }

    fn forget(&self, session: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_recorded_once_a_minute() {
        let sessions = Sessions::default();
        let check = |at: i64, expected: bool| assert_eq!(sessions.is_new("a".into(), Instant(at)), expected);
        check(0, true);
        check(59_999_999, false);
        check(60_000_000, true);
        // A clock that was set back.
        check(0, true);
        sessions.forget("a");
        check(1, true);
    }
}
