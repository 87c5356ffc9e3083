//! What can be asked of the store to be written, and what it answers.

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Kind, Resource};
use search::{Query, Restrictions};

use crate::{Amendment, Op, StoreError, Stored, Tenant};

/// Several operations of one author, in one transaction.
pub struct WriteRequest {
    /// Whose data.
    pub tenant: Tenant,
    /// Who writes; kept in the change log, which is the audit record of the write.
    pub author: Author,
    /// All or nothing; else each operation stands on its own.
    pub atomic: bool,
    /// The operations, in the order their answers are wanted.
    pub ops: Vec<WriteOp>,
    /// Asked about the stored and the new version, inside the transaction.
    pub decide: Arc<dyn Decide>,
    /// What the searches of conditional operations may find.
    pub restrictions: Restrictions,
}

impl fmt::Debug for WriteRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write({} operations, atomic: {})", self.ops.len(), self.atomic)
    }
}

/// Who writes, why, and what allowed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Author {
    /// Stable name of the principal.
    pub principal: String,
    /// Purpose of use.
    pub purpose: String,
    /// Identifier of the request.
    pub request: String,
    /// What allowed it.
    pub decision: String,
    /// The person for whom a machine writes.
    pub on_behalf_of: Option<String>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteOp {
    /// The name by which other operations of the request refer to this resource: `urn:uuid:…` or a URL.
    pub full_url: Option<String>,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Store a new resource under a fresh id.
    Create {
        /// The resource; an id in it is replaced.
        resource: Resource,
        /// Only when this search finds nothing.
        if_none_exist: Option<Query>,
    },
    /// Store the next version of the resource with this id, or its first one.
    Update {
        /// The resource with its id.
        resource: Resource,
        /// Only when this version is stored.
        if_match: Option<u64>,
    },
    /// Update what a search finds; create when it finds nothing.
    ConditionalUpdate {
        /// The resource; an id in it must be that of the match.
        resource: Resource,
        /// The search.
        query: Query,
        /// Only when this version is stored.
        if_match: Option<u64>,
    },
    /// Store the next version of what is stored, made out of it inside the transaction.
    Patch {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
        /// What to make of it.
        amendment: Amendment,
        /// Only when this version is stored.
        if_match: Option<u64>,
    },
    /// Patch what a search finds.
    ConditionalPatch {
        /// Type.
        kind: Kind,
        /// The search.
        query: Query,
        /// What to make of it.
        amendment: Amendment,
        /// Only when this version is stored.
        if_match: Option<u64>,
    },
    /// Add a deletion as the last version.
    Delete {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
        /// Only when this version is stored.
        if_match: Option<u64>,
    },
    /// Delete what a search finds.
    ConditionalDelete {
        /// The search.
        query: Query,
        /// Also when it finds more than one.
        many: bool,
    },
}

/// What became of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteOutcome {
    /// The first version was stored, or the first after a deletion.
    Created,
    /// A further version was stored.
    Updated,
    /// It says what is stored already; no version was added.
    Unchanged,
    /// The search of a conditional create found this one.
    Matched,
    /// A deletion was stored.
    Deleted,
    /// There was nothing to delete.
    NothingToDelete,
}

/// One operation's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What became of it.
    pub outcome: WriteOutcome,
    /// The version that is stored now; version 0 when there is none. Of several deletions, the last.
    pub stored: Stored,
}

/// The answer to a request.
#[derive(Debug)]
pub struct WriteAnswer {
    /// One per operation, in the order asked.
    pub results: Vec<Result<Written, StoreError>>,
    /// Position in the change log behind what was written.
    pub seq: u64,
}

/// May an operation be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Permit,
    /// The caller may not know that the resource is there: it is answered as unknown.
    Hidden,
    /// No, for this reason.
    Forbid(String),
}

/// Asked inside the transaction, for every operation, about what is really stored and what would be.
pub trait Decide: Send + Sync {
    /// `stored` is the current version, `None` when there is none or it is deleted; `new` is what would be stored, `None` for a deletion.
    fn decide(
        &self,
        op: Op,
        kind: Kind,
        id: &str,
        stored: Option<&Resource>,
        new: Option<&Resource>,
    ) -> Verdict;

    /// Asked before a patch is worked out on the stored version: may the caller know what it says. The answer to a patch tells of it.
    fn decide_look(&self, kind: Kind, id: &str, stored: &Resource) -> Verdict;
}

/// Permits everything: for maintenance and tests of the store itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct PermitAll;

impl Decide for PermitAll {
    fn decide(&self, _: Op, _: Kind, _: &str, _: Option<&Resource>, _: Option<&Resource>) -> Verdict {
        Verdict::Permit
    }

    fn decide_look(&self, _: Kind, _: &str, _: &Resource) -> Verdict {
        Verdict::Permit
    }
}
