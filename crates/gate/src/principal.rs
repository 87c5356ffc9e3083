//! Who is asking, and one request of theirs.

use std::sync::Arc;

use fhir::{Instant, Kind};
use search::{Restriction, Restrictions};
use store::Tenant;

use crate::purpose::Purpose;
use crate::role::{Role, Roles};
use crate::scope::{Reach, Right, Scopes};

/// An authenticated person or machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Stable name in the audit ledger: `token:..`, `session:..`, `local:USER`, `service:NAME`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is in the organisation.
    pub roles: Roles,
    /// What it may do; never more than its roles allow.
    pub scopes: Scopes,
    /// The patient of `patient/` scopes.
    pub patient: Option<String>,
    /// Whose data it sees; never taken from content.
    pub tenant: Tenant,
    /// After this instant it is nobody.
    pub expires: Option<Instant>,
}

impl Principal {
    /// The person at the keyboard of this machine, who owns the data folder: everything is allowed and recorded.
    pub fn local(user: &str, tenant: Tenant) -> Principal {
        let roles = Roles::of(&[Role::Service, Role::Admin]).expect("two roles");
        let scopes = roles.ceiling();
        Principal {
            id: format!("local:{user}"),
            name: user.to_string(),
            roles,
            scopes,
            patient: None,
            tenant,
            expires: None,
        }
    }

    /// A named part of the program that works without a person.
    pub fn service(name: &str, tenant: Tenant) -> Principal {
        let roles = Roles::one(Role::Service);
        let scopes = roles.ceiling();
        let id = format!("service:{name}");
        Principal { id, name: name.to_string(), roles, scopes, patient: None, tenant, expires: None }
    }

    /// The main role.
    pub fn role(&self) -> Role {
        self.roles.main()
    }

    /// What the searches of this principal may touch, per type.
    pub fn restrictions(&self, right: Right) -> Restrictions {
        let mut restrictions = Restrictions::all();
        restrictions.default = self.restriction_of(self.scopes.reach_of_all(right));
        for kind in self.scopes.kinds() {
            restrictions.by_kind.insert(kind, self.restriction_of(self.scopes.reach(right, kind)));
        }
        restrictions
    }

    /// What this principal may touch of one type.
    pub fn restriction(&self, right: Right, kind: Kind) -> Restriction {
        self.restriction_of(self.scopes.reach(right, kind))
    }

    fn restriction_of(&self, reach: Reach) -> Restriction {
        match (reach, &self.patient) {
            (Reach::Everything, _) => Restriction::All,
            (Reach::Patient, Some(id)) => {
                Restriction::Compartment { of: Kind::named("Patient"), ids: vec![id.as_str().into()] }
            }
            (Reach::Patient, None) | (Reach::Nothing, _) => Restriction::Nothing,
        }
    }
}

/// One request: who, for which tenant, why, and on whose behalf. Every method of the gate takes one.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who asks.
    pub principal: Arc<Principal>,
    /// Whose data.
    pub tenant: Tenant,
    /// Why.
    pub purpose: Purpose,
    /// Identifier of the request, in the ledger and in the answer.
    pub request: String,
    /// The person for whom a machine asks.
    pub on_behalf_of: Option<String>,
}

/// Why an access could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurposeError {
    /// Not a code that is known here.
    #[error("purpose of use `{0}` is unknown: use a v3 PurposeOfUse code such as `TREAT`")]
    Unknown(String),
    /// The roles of the principal do not allow it.
    #[error("purpose of use `{asked}` is not open to role `{roles}`: allowed are {allowed}")]
    NotAllowed {
        /// What was stated.
        asked: Purpose,
        /// The roles of the principal.
        roles: String,
        /// What may be stated.
        allowed: String,
    },
}

impl Access {
    /// A request of `principal`, for the stated purpose or the default of its role.
    pub fn new(
        principal: Arc<Principal>,
        purpose: Option<&str>,
        request: impl Into<String>,
    ) -> Result<Access, PurposeError> {
        let asked = match purpose {
            None => None,
            Some(code) => Some(Purpose::parse(code).ok_or_else(|| PurposeError::Unknown(code.to_string()))?),
        };
        let purpose = principal.roles.purpose(asked).map_err(|allowed| {
            let allowed: Vec<String> = allowed.iter().map(|p| format!("`{p}`")).collect();
            PurposeError::NotAllowed {
                asked: asked.unwrap_or(Purpose::Operations),
                roles: principal.roles.to_string(),
                allowed: allowed.join(", "),
            }
        })?;
        let tenant = principal.tenant.clone();
        Ok(Access { principal, tenant, purpose, request: request.into(), on_behalf_of: None })
    }
}
