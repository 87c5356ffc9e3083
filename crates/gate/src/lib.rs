//! The one door to the data: it decides, acts on the store, and records, in this order, for every access.
//!
//! A [`Gate`] owns the store and hands it to nobody. Each of its methods takes one [`Access`]: who asks, for which tenant, why, in
//! which request. A read is answered after its record in the audit ledger is on disk; many reads share one commit. A write is
//! recorded by its change-log row, which is committed with it; what was refused is recorded in the ledger.
//!
//! What a caller may not see is not there: a forbidden resource reads as unknown, and a search counts, chains, includes and pages as
//! if it did not exist.
//!
//! ```
//! use std::sync::Arc;
//! use gate::{Access, Action, AuditQuery, Gate, GateConfig, Principal, Tenant};
//!
//! # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let gate = Gate::open(GateConfig::new(folder, "http://127.0.0.1:8080/fhir"), Arc::new(db::SystemClock))?;
//! let ada = Access::new(Arc::new(Principal::local("ada", Tenant::main())), Some("TREAT"), "request-1")?;
//!
//! let patient = fhir::Resource::parse(br#"{"resourceType":"Patient","id":"42","active":true}"#, &Default::default())
//!     .map_err(|issues| issues[0].diagnostics.clone())?;
//! gate.write_one(&ada, Action::Update { resource: patient, if_match: None }).await?;
//! let stored = gate.read(&ada, fhir::Kind::PATIENT, "42").await?;
//! assert_eq!(stored.version, 1);
//!
//! // Auditors read the ledger and no patient data.
//! let auditor = Principal { roles: gate::Roles::one(gate::Role::Auditor), ..Principal::local("eve", Tenant::main()) };
//! let eve = Access::new(Arc::new(auditor), None, "request-2")?;
//! let entries = gate.audit(&eve, AuditQuery { patient: Some("42".into()), max: 10, ..AuditQuery::default() }).await?;
//! assert_eq!(entries[0].record.principal, "local:ada");
//! # Ok(())
//! # }
//! # let folder = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(example(folder.path())).unwrap();
//! ```
//!
//! This crate is small, so that an auditor can read all of it.

mod compartment;
mod decide;
mod door;
mod error;
mod gate;
mod govern;
mod identity;
mod ledger;
mod principal;
mod purpose;
mod role;
mod scope;
mod secret;
mod validation;

pub use crate::gate::{Gate, GateConfig};
pub use db::DbError;
pub use door::permit::{Matter, Permit, Subject};
pub use door::write::Answer;
pub use error::{AuthProblem, GateError};
pub use identity::session::{LINK_HOURS_MAX, SESSION_HOURS_MAX, Session};
pub use identity::token::{TOKEN_DAYS_MAX, Token, TokenError, TokenRequest, parse_duration};
pub use ledger::query::{AUDIT_PAGE_MAX, AuditEntry, AuditQuery};
pub use ledger::record::{Action as AuditAction, Outcome, Record};
pub use principal::{Access, Principal, PurposeError};
pub use purpose::Purpose;
pub use role::{Role, Roles};
pub use scope::{Context, Reach, Right, Scope, ScopeError, Scopes};
pub use search::Restriction;
pub use secret::Secret;
pub use store::{
    Action, Amendment, Author, Body, Change, CheckReport, HistoryOf, HistoryPage, HistoryQuery, Op, Problem,
    ReferenceProblem, ScanPage, ScanPlace, ScanQuery, SearchPage, StoreConfig, StoreError, StoreLimits,
    Stored, Synchronous, Tenant, WriteOp, WriteOutcome, Written,
};
pub use validation::Validation;
