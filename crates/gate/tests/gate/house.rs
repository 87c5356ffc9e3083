//! A gate on a new folder, callers of any role, and eyes on the ledger.

use std::sync::Arc;

use fhir::{Kind, Resource};
use gate::{
    Access, Action, AuditEntry, AuditQuery, Gate, GateConfig, GateError, Principal, Role, Roles, Scopes,
    Tenant, Written,
};
use testkit::FixedClock;

pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) clock: FixedClock,
    pub(crate) folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(|_| ())
    }

    /// A gate on a folder that is there.
    pub(crate) fn at(folder: tempfile::TempDir) -> House {
        let clock = FixedClock::at("2026-01-02T03:04:05Z");
        let gate =
            Gate::open(GateConfig::new(folder.path(), "http://h/fhir"), Arc::new(clock.clone())).unwrap();
        House { gate, clock, folder }
    }

    /// Closes the files and gives the folder.
    pub(crate) fn close(self) -> tempfile::TempDir {
        drop(self.gate);
        self.folder
    }

    pub(crate) fn with(change: impl FnOnce(&mut GateConfig)) -> House {
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::at("2026-01-02T03:04:05Z");
        let mut config = GateConfig::new(folder.path(), "http://h/fhir");
        change(&mut config);
        let gate = Gate::open(config, Arc::new(clock.clone())).unwrap();
        House { gate, clock, folder }
    }

    /// Stores a resource as the service.
    pub(crate) async fn put(&self, json: &str) -> Written {
        self.put_as(&of(Role::Service), json).await.unwrap()
    }

    pub(crate) async fn put_as(&self, access: &Access, json: &str) -> Result<Written, GateError> {
        self.gate.write_one(access, Action::Update { resource: resource(json), if_match: None }).await
    }

    /// The whole ledger.
    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let query = AuditQuery { max: 1_000, ..AuditQuery::default() };
        self.gate.audit(&of(Role::Auditor), query).await.unwrap()
    }

    /// The last record of a request, as a line.
    pub(crate) async fn last_record(&self) -> String {
        let entries = self.audit().await;
        // The look before this one is a record too.
        let ours = entries.iter().rev().find(|entry| entry.record.action != gate::AuditAction::Audit);
        ours.map_or("none".to_string(), |entry| {
            let r = &entry.record;
            let kind = r.kind.map_or("", Kind::name);
            format!(
                "{} {} {kind} {} by {} for {}",
                r.action.name(),
                r.outcome.name(),
                r.ids,
                r.principal,
                r.purpose
            )
        })
    }
}

/// A caller with everything that a role may do.
pub(crate) fn of(role: Role) -> Access {
    let roles = Roles::one(role);
    caller(role, roles.ceiling(), None)
}

/// A caller with a token for one patient.
pub(crate) fn of_patient(id: &str, scopes: &str) -> Access {
    caller(Role::Clinician, Scopes::parse(scopes).unwrap(), Some(id))
}

fn caller(role: Role, scopes: Scopes, patient: Option<&str>) -> Access {
    let principal = Principal {
        id: format!("token:{role}"),
        name: role.to_string(),
        roles: Roles::one(role),
        scopes,
        patient: patient.map(str::to_string),
        tenant: Tenant::main(),
        expires: None,
    };
    Access::new(Arc::new(principal), None, "r-1").unwrap()
}

pub(crate) fn resource(json: &str) -> Resource {
    Resource::parse(json.as_bytes(), &fhir::json::Limits::default()).unwrap()
}

pub(crate) fn query(kind: &str, text: &str) -> search::Query {
    let now = fhir::Instant::parse("2026-01-02T03:04:05Z").unwrap();
    let options = search::Options::new(true, vec!["http://h/fhir".to_string()], now);
    search::parse(Some(Kind::named(kind)), text, &options).unwrap().query
}
