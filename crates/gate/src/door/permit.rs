//! Permission for what lies outside the store: pipelines, their runs, and rows that were set aside. Decided and recorded as any other access.

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
}

impl Matter {
    fn action(self) -> Action {
        match self {
            Matter::Pipelines => Action::PipelineRead,
            Matter::RunPipeline => Action::PipelineRun,
            Matter::OpenQuarantine => Action::QuarantineOpen,
            Matter::ChangeQuarantine => Action::QuarantineChange,
        }
    }

    fn roles(self) -> &'static [Role] {
        match self {
            Matter::Pipelines => {
                &[Role::Service, Role::Engineer, Role::Steward, Role::PrivacyOfficer, Role::Admin]
            }
            Matter::RunPipeline | Matter::ChangeQuarantine => &[Role::Service, Role::Engineer, Role::Admin],
            // An admin reads no patient data.
            Matter::OpenQuarantine => &[Role::Service, Role::Engineer, Role::Steward, Role::PrivacyOfficer],
        }
    }

    /// What the scopes must reach in every type, when the role has scopes over types: a token that was narrowed to some of them does
    /// not get the rest through a pipeline.
    fn right(self) -> Option<Right> {
        match self {
            Matter::Pipelines => None,
            Matter::RunPipeline | Matter::ChangeQuarantine => Some(Right::Create),
            Matter::OpenQuarantine => Some(Right::Read),
        }
    }
}

/// What somebody wants to do, and with what. Names are identifiers, never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    matter: Matter,
    names: String,
    count: u64,
}

impl Subject {
    /// About things with names, separated by spaces: a pipeline, a run, `quarantine/17`.
    pub fn new(matter: Matter, names: impl Into<String>) -> Subject {
        Subject { matter, names: names.into(), count: 0 }
    }

    /// How many rows are opened or changed.
    pub fn of_rows(mut self, count: u64) -> Subject {
        self.count = count;
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
        let Subject { matter, names, count } = subject;
        let action = matter.action();
        if let Some(why) = access.principal.refusal(matter) {
            return Err(self.deny_one(access, action, None, &names, why).await);
        }
        let mut record = self.record_of(access, action, Outcome::Done).on(None, names);
        record.count = count;
        self.record(record).await?;
        Ok(Permit { matter, principal: access.principal.id.clone() })
    }
}
