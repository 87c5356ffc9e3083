//! What the audit ledger says of one access.

use fhir::{Instant, Kind};

use crate::principal::Access;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The current version of one resource.
    Read,
    /// One version of one resource.
    Vread,
    /// One page of a search.
    Search,
    /// One page of a history.
    History,
    /// A write that was refused; writes that were done are in the change log.
    Write,
    /// How many resources there are of each type.
    Count,
    /// One page of the change log.
    Changes,
    /// One page of an export.
    Export,
    /// A session was opened, or was refused.
    Login,
    /// A session was closed.
    Logout,
    /// A token was created.
    TokenCreate,
    /// Tokens were listed.
    TokenList,
    /// A token was revoked.
    TokenRevoke,
    /// The ledger was read.
    Audit,
    /// The search index was rebuilt.
    Rebuild,
    /// Versions, index and change log were compared.
    Check,
    /// The counters of the server were refused to somebody.
    Metrics,
    /// Pipelines, their runs or the places of quarantined rows were looked at.
    PipelineRead,
    /// A run was started or stopped.
    PipelineRun,
    /// The content of quarantined rows was opened.
    QuarantineOpen,
    /// Quarantined rows were run again or waived.
    QuarantineChange,
    /// Alerts, the ward or the vitals of patients were looked at.
    AlertRead,
    /// Alerts were acknowledged, escalated, snoozed, resolved or silenced.
    AlertChange,
    /// Events were sent.
    EventPublish,
    /// Lag, rules or the places of dead letters were looked at.
    StreamRead,
    /// The content of a dead letter or of a raw event was opened.
    DeadLetterOpen,
    /// Dead letters were sent again.
    DeadLetterReplay,
    /// Counts of populations were looked at.
    SurveillanceRead,
    /// Decision support was asked for.
    DecisionSupport,
    /// Rules were loaded anew, or run over history.
    RulesChange,
}

const ACTIONS: [(Action, &str); 30] = [
    (Action::Read, "read"),
    (Action::Vread, "vread"),
    (Action::Search, "search"),
    (Action::History, "history"),
    (Action::Write, "write"),
    (Action::Count, "count"),
    (Action::Changes, "changes"),
    (Action::Export, "export"),
    (Action::Login, "login"),
    (Action::Logout, "logout"),
    (Action::TokenCreate, "token-create"),
    (Action::TokenList, "token-list"),
    (Action::TokenRevoke, "token-revoke"),
    (Action::Audit, "audit"),
    (Action::Rebuild, "rebuild"),
    (Action::Check, "check"),
    (Action::Metrics, "metrics"),
    (Action::PipelineRead, "pipeline-read"),
    (Action::PipelineRun, "pipeline-run"),
    (Action::QuarantineOpen, "quarantine-open"),
    (Action::QuarantineChange, "quarantine-change"),
    (Action::AlertRead, "alert-read"),
    (Action::AlertChange, "alert-change"),
    (Action::EventPublish, "event-publish"),
    (Action::StreamRead, "stream-read"),
    (Action::DeadLetterOpen, "dead-letter-open"),
    (Action::DeadLetterReplay, "dead-letter-replay"),
    (Action::SurveillanceRead, "surveillance-read"),
    (Action::DecisionSupport, "decision-support"),
    (Action::RulesChange, "rules-change"),
];

impl Action {
    /// The word in the ledger.
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("", |(_, name)| *name)
    }

    /// The action of a word.
    pub fn parse(name: &str) -> Option<Action> {
        ACTIONS.iter().find(|(_, n)| *n == name).map(|(action, _)| *action)
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Data was released, possibly none.
    Done,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// It was deleted.
    Gone,
    /// The decision was no.
    Denied,
    /// It was asked wrongly, or something broke; nothing was released.
    Failed,
}

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Done, "done"),
    (Outcome::NotFound, "not-found"),
    (Outcome::Gone, "gone"),
    (Outcome::Denied, "denied"),
    (Outcome::Failed, "failed"),
];

impl Outcome {
    /// The word in the ledger.
    pub fn name(self) -> &'static str {
        OUTCOMES.iter().find(|(outcome, _)| *outcome == self).map_or("", |(_, name)| *name)
    }

    /// The outcome of a word.
    pub fn parse(name: &str) -> Option<Outcome> {
        OUTCOMES.iter().find(|(_, n)| *n == name).map(|(outcome, _)| *outcome)
    }
}

/// One record of the ledger. It holds identifiers, never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Instant,
    /// Whose data.
    pub tenant: String,
    /// Who.
    pub principal: String,
    /// For whom, when a machine asks for a person.
    pub on_behalf_of: Option<String>,
    /// Why: a v3 PurposeOfUse code; empty when nobody got as far as stating one.
    pub purpose: String,
    /// What.
    pub action: Action,
    /// The resource type, when there is one.
    pub kind: Option<Kind>,
    /// The resources: ids of `kind` or `Type/id`, separated by spaces.
    pub ids: String,
    /// Names of search parameters, the reason of a denial; no values.
    pub detail: Option<String>,
    /// How many resources were released.
    pub count: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The request.
    pub request: String,
    /// Ids of the patients that the released resources name.
    pub patients: Vec<String>,
}

impl Record {
    /// A record of an access; what it touched is filled in by the caller.
    pub(crate) fn of(access: &Access, at: Instant, action: Action, outcome: Outcome) -> Record {
        Record {
            at,
            tenant: access.tenant.to_string(),
            principal: access.principal.id.clone(),
            on_behalf_of: access.on_behalf_of.clone(),
            purpose: access.purpose.code().to_string(),
            action,
            kind: None,
            ids: String::new(),
            detail: None,
            count: 0,
            outcome,
            request: access.request.clone(),
            patients: Vec::new(),
        }
    }

    pub(crate) fn on(mut self, kind: Option<Kind>, ids: impl Into<String>) -> Record {
        self.kind = kind;
        self.ids = ids.into();
        self
    }

    pub(crate) fn because(mut self, detail: impl Into<String>) -> Record {
        self.detail = Some(detail.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for (action, name) in ACTIONS {
            assert_eq!((Action::parse(name), action.name()), (Some(action), name));
        }
        for (outcome, name) in OUTCOMES {
            assert_eq!((Outcome::parse(name), outcome.name()), (Some(outcome), name));
        }
    }
}
