//! One resource, current or of a version. A resource the caller may not see is answered as unknown.

use fhir::Kind;
use search::Restriction;
use store::{Op, Stored};

use crate::compartment;
use crate::error::GateError;
use crate::gate::Gate;
use crate::ledger::patients::patients_of;
use crate::ledger::record::{Action, Outcome};
use crate::principal::Access;
use crate::scope::Right;

impl Gate {
    /// The current version. Unknown and forbidden are [`GateError::NotFound`], deleted is [`GateError::Gone`].
    pub async fn read(&self, access: &Access, kind: Kind, id: &str) -> Result<Stored, GateError> {
        let restriction = self.may_read(access, Action::Read, kind, id).await?;
        let stored = self.inner.store.read(&access.tenant, kind, id).await?;
        self.release(access, Action::Read, kind, id, stored, &restriction).await
    }

    /// One version.
    pub async fn vread(
        &self,
        access: &Access,
        kind: Kind,
        id: &str,
        version: u64,
    ) -> Result<Stored, GateError> {
        let restriction = self.may_read(access, Action::Vread, kind, id).await?;
        let stored = self.inner.store.read_version(&access.tenant, kind, id, version).await?;
        self.release(access, Action::Vread, kind, id, stored, &restriction).await
    }

    async fn may_read(
        &self,
        access: &Access,
        action: Action,
        kind: Kind,
        id: &str,
    ) -> Result<Restriction, GateError> {
        match access.principal.restriction(Right::Read, kind) {
            Restriction::Nothing => {
                Err(self.deny_one(access, action, Some(kind), id, no_scope(Right::Read, kind)).await)
            }
            restriction => Ok(restriction),
        }
    }

    async fn release(
        &self,
        access: &Access,
        action: Action,
        kind: Kind,
        id: &str,
        stored: Option<Stored>,
        restriction: &Restriction,
    ) -> Result<Stored, GateError> {
        let visible =
            stored.filter(|stored| compartment::admits_stored(restriction, stored, &self.inner.bases));
        let outcome = match &visible {
            None => Outcome::NotFound,
            Some(stored) if stored.op == Op::Delete => Outcome::Gone,
            Some(_) => Outcome::Done,
        };
        let mut record = self.record_of(access, action, outcome).on(Some(kind), id);
        if let Some(stored) = visible.as_ref().filter(|_| outcome == Outcome::Done) {
            record.count = 1;
            patients_of(kind, id, stored.body.bytes(), &mut record.patients);
        }
        self.record(record).await?;
        match visible {
            None => Err(GateError::NotFound { kind, id: id.to_string() }),
            Some(stored) if stored.op == Op::Delete => {
                Err(GateError::Gone { kind, id: id.to_string(), version: stored.version })
            }
            Some(stored) => Ok(stored),
        }
    }
}

/// Why a scope is missing, and which would do.
pub(crate) fn no_scope(right: Right, kind: Kind) -> String {
    format!("no scope of the token allows this: `user/{kind}.{}` would", right.letter())
}
