//! What a person may look at, asked before a page asks the gate, so that a page shows what is open instead of failing as a whole.

use fhir::Kind;
use gate::{Principal, Reach, Restriction, Right, Role};

/// Questions about somebody's rights. The gate decides again on every access.
pub(super) trait Rights {
    /// May they search this type at all.
    fn may_search(&self, kind: Kind) -> bool;
    /// May they search anything.
    fn may_search_something(&self) -> bool;
    /// Do they see everything: then the change log is open to them.
    fn sees_everything(&self) -> bool;
    /// Does their role read the audit ledger.
    fn reads_audit(&self) -> bool;
    /// Does their role manage tokens.
    fn manages_tokens(&self) -> bool;
}

impl Rights for Principal {
    fn may_search(&self, kind: Kind) -> bool {
        self.restriction(Right::Search, kind) != Restriction::Nothing
    }

    fn may_search_something(&self) -> bool {
        Kind::all().any(|kind| self.may_search(kind))
    }

    fn sees_everything(&self) -> bool {
        self.scopes.reach_of_all(Right::Search) == Reach::Everything
    }

    fn reads_audit(&self) -> bool {
        self.roles.iter().any(Role::reads_audit)
    }

    fn manages_tokens(&self) -> bool {
        self.roles.iter().any(Role::manages_tokens)
    }
}
