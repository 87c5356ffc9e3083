//! The ground of the house: FHIR R4 values without I/O.
//!
//! A resource is checked JSON, not a generated struct: ordered members, numbers as the text that was sent, duplicate names refused.
//! Search, validation, views and FHIRPath walk it by name; nothing that was sent is lost.
//!
//! ```
//! use fhir::{Resource, json::Limits};
//! let patient = Resource::parse(br#"{"resourceType":"Patient","id":"42","active":true}"#, &Limits::default()).unwrap();
//! assert_eq!(patient.kind().name(), "Patient");
//! assert_eq!(patient.id(), Some("42"));
//! assert_eq!(format!("{patient:?}"), "Patient/42"); // patient data does not print
//! ```
//!
//! This crate knows no SQL, no HTTP, no clock: time comes in as a [`Clock`].

pub mod bundle;
pub mod date;
pub mod decimal;
pub mod definitions;
pub mod json;
pub mod patch;
pub mod reference;
pub mod uri;

mod instant;
mod issue;
mod kind;
mod resource;

pub use date::Period;
pub use decimal::Decimal;
pub use instant::{Clock, Instant};
pub use issue::{Issue, IssueType, Severity, outcome};
pub use json::{Object, Value};
pub use kind::Kind;
pub use reference::{Reference, is_id};
pub use resource::Resource;
