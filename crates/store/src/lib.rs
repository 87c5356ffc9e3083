//! Versions, history, search, transactions and change log of FHIR resources. Knows no HTTP and no policy; the only place with SQL for
//! resources.

mod amendment;
mod body;
mod config;
mod error;
mod id;
mod pages;
mod prepare;
mod report;
mod request;
mod sqlite;
mod store;
mod stored;
mod tenant;

pub use amendment::Amendment;
pub use config::{StoreConfig, StoreLimits, Synchronous};
pub use error::{ReferenceProblem, StoreError};
pub use pages::{
    Change, HistoryOf, HistoryPage, HistoryQuery, Page, ScanPage, ScanPlace, ScanQuery, SearchPage,
};
pub use report::{CheckReport, Problem};
pub use request::{
    Action, Author, Decide, PermitAll, Verdict, WriteAnswer, WriteOp, WriteOutcome, WriteRequest, Written,
};
pub use store::Store;
pub use stored::{Body, Op, Stored};
pub use tenant::Tenant;
