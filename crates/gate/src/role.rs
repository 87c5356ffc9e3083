//! Roles, and what each may at most do: its ceiling of scopes and its purposes of use.

use crate::purpose::Purpose;
use crate::scope::{Scope, Scopes};

/// What a principal is in the organisation. A role is a ceiling: a token's scopes can only narrow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A machine: loads, scripts, tests.
    Service,
    /// Treats patients: reads and writes clinical data.
    Clinician,
    /// Reads data for populations, never writes.
    Analyst,
    /// Runs pipelines: reads and writes, does not delete.
    Engineer,
    /// Looks after the quality of the data: reads it.
    Steward,
    /// Looks into how data was used: reads it.
    PrivacyOfficer,
    /// Manages tokens; reads no patient data.
    SecurityOfficer,
    /// Reads the audit ledger; reads no patient data.
    Auditor,
    /// Configures; reads no patient data.
    Admin,
}

/// Every role, in the order of the documentation.
const ROLES: [(Role, &str); 9] = [
    (Role::Service, "service"),
    (Role::Clinician, "clinician"),
    (Role::Analyst, "analyst"),
    (Role::Engineer, "engineer"),
    (Role::Steward, "steward"),
    (Role::PrivacyOfficer, "privacy-officer"),
    (Role::SecurityOfficer, "security-officer"),
    (Role::Auditor, "auditor"),
    (Role::Admin, "admin"),
];

impl Role {
    /// The role of a name as the command line writes it, `privacy-officer`.
    pub fn parse(name: &str) -> Option<Role> {
        ROLES.iter().find(|(_, n)| *n == name).map(|(role, _)| *role)
    }

    /// The name as the command line writes it.
    pub fn name(self) -> &'static str {
        ROLES.iter().find(|(role, _)| *role == self).map_or("", |(_, name)| *name)
    }

    /// Every role.
    pub fn all() -> impl Iterator<Item = Role> {
        ROLES.iter().map(|(role, _)| *role)
    }

    /// The most this role may hold; also what a token gets when no scopes are asked for.
    pub fn ceiling(self) -> Scopes {
        let text = match self {
            Role::Service => "system/*.cruds metrics",
            Role::Clinician => "user/*.cruds",
            Role::Analyst | Role::Steward | Role::PrivacyOfficer => "user/*.rs",
            Role::Engineer => "user/*.crus metrics",
            Role::SecurityOfficer | Role::Auditor | Role::Admin => "metrics",
        };
        Scopes::parse(text).expect("the scopes of a role are written in this file")
    }

    /// The purposes this role may state; the first is used when a request states none.
    pub fn purposes(self) -> &'static [Purpose] {
        use Purpose::{
            CareManagement, Compliance, EmergencyTreatment, Operations, PatientRequest, Payment,
            PublicHealth, QualityImprovement, RecordManagement, Research, SystemAdministration, Treatment,
        };
        match self {
            Role::Service => &[
                Operations,
                Treatment,
                CareManagement,
                Payment,
                PublicHealth,
                QualityImprovement,
                Research,
                RecordManagement,
                PatientRequest,
                SystemAdministration,
            ],
            Role::Clinician => &[
                Treatment,
                EmergencyTreatment,
                CareManagement,
                Operations,
                QualityImprovement,
                PublicHealth,
                PatientRequest,
            ],
            Role::Analyst => &[PublicHealth, QualityImprovement, Operations, Research],
            Role::Engineer => &[SystemAdministration, RecordManagement, Operations],
            Role::Steward => &[QualityImprovement, RecordManagement, Operations],
            Role::PrivacyOfficer | Role::SecurityOfficer | Role::Auditor => &[Compliance],
            Role::Admin => &[SystemAdministration],
        }
    }

    /// May this role create, list and revoke tokens.
    pub fn manages_tokens(self) -> bool {
        matches!(self, Role::Admin | Role::SecurityOfficer)
    }

    /// May this role check and rebuild what is derived from the data.
    pub fn maintains(self) -> bool {
        matches!(self, Role::Admin | Role::Engineer)
    }

    /// May this role read the audit ledger.
    pub fn reads_audit(self) -> bool {
        matches!(self, Role::Auditor | Role::PrivacyOfficer | Role::SecurityOfficer)
    }
}

/// One or more roles of one principal; the first is the main one and gives the default purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// One role.
    pub fn one(role: Role) -> Roles {
        Roles(vec![role])
    }

    /// Several roles; `None` when the list is empty.
    pub fn of(roles: &[Role]) -> Option<Roles> {
        if roles.is_empty() { None } else { Some(Roles(roles.to_vec())) }
    }

    /// `clinician admin` as stored; `None` when a name is unknown or none is given.
    pub fn parse(text: &str) -> Option<Roles> {
        let roles: Option<Vec<Role>> = text.split_whitespace().map(Role::parse).collect();
        Roles::of(&roles?)
    }

    /// The first role.
    pub fn main(&self) -> Role {
        self.0[0]
    }

    /// Is this one of them.
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// Everything the roles together may hold.
    pub fn ceiling(&self) -> Scopes {
        let mut scopes: Vec<Scope> = Vec::new();
        for role in self.iter() {
            for scope in role.ceiling().iter() {
                if !scopes.contains(scope) {
                    scopes.push(scope.clone());
                }
            }
        }
        Scopes::from(scopes)
    }

    /// The purposes that the roles together may state; the first is the default.
    pub fn purposes(&self) -> Vec<Purpose> {
        let mut allowed: Vec<Purpose> = Vec::new();
        for role in self.iter() {
            for purpose in role.purposes() {
                if !allowed.contains(purpose) {
                    allowed.push(*purpose);
                }
            }
        }
        allowed
    }

    /// The purpose to use for a request that states `asked`, or the default; the error lists what is allowed.
    pub fn purpose(&self, asked: Option<Purpose>) -> Result<Purpose, Vec<Purpose>> {
        // The usual case needs no list: it is asked for with every request.
        let Some(asked) = asked else { return Ok(self.main().purposes()[0]) };
        if self.iter().any(|role| role.purposes().contains(&asked)) {
            Ok(asked)
        } else {
            Err(self.purposes())
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, role) in self.iter().enumerate() {
            write!(f, "{}{role}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_and_a_purpose() {
        for role in Role::all() {
            assert_eq!(Role::parse(role.name()), Some(role));
            assert!(!role.purposes().is_empty(), "{role}");
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn an_admin_reads_no_patient_data() {
        for role in [Role::Admin, Role::Auditor, Role::SecurityOfficer] {
            assert_eq!(role.ceiling().to_string(), "metrics");
        }
    }

    #[test]
    fn two_roles_join_their_purposes() {
        let roles = Roles::parse("clinician admin").unwrap();
        assert_eq!(roles.purpose(None), Ok(Purpose::Treatment));
        assert_eq!(roles.purpose(Some(Purpose::SystemAdministration)), Ok(Purpose::SystemAdministration));
        assert!(roles.purpose(Some(Purpose::Research)).is_err());
        assert_eq!(roles.to_string(), "clinician admin");
        assert_eq!(Roles::parse(""), None);
        assert_eq!(Roles::parse("clinician king"), None);
    }
}
