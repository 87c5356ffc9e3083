//! De-identification of tables, value by value: profiles, column rules, surrogates, date shifts, k-anonymity and its proof.
//!
//! A [`TablePlan`] is built from a [`Profile`] and a classification of every column; a column that nobody classified is an error, not
//! a pass-through. A [`ColumnPlan`] then maps one value (of a dictionary, or of a row) to a [`Cell`].
//!
//! ```
//! use privacy::{Classification, ColumnRule, Context, Profile, TablePlan};
//! let context = Context::new("study", jiff::civil::date(2026, 1, 15));
//! let rules = [ColumnRule::new("zip", Classification::Zip), ColumnRule::new("born", Classification::BirthDate)];
//! let profile: Profile = "safe_harbor".parse().unwrap();
//! let plan = TablePlan::new(profile, &rules, &["zip", "born"], &context).unwrap();
//! assert_eq!(plan.columns()[0].apply("02138-1234", "p1").text(), Some("021"));
//! assert_eq!(plan.columns()[1].apply("1935-12-31", "p1").text(), Some("<=1936"));
//! let unclassified = TablePlan::new(profile, &rules, &["zip", "born", "note"], &context).unwrap_err();
//! assert!(unclassified[0].to_string().contains("`note`"));
//! ```
//!
//! This crate knows no REST, no SQL and no Arrow, and asks no clock: the day on which ages count is handed in.

mod cell;
mod class;
mod column;
mod date;
mod encode;
mod error;
pub mod kanon;
mod manifest;
mod plan;
mod profile;
mod prove;
mod pseudonym;
mod resource;
mod rules;
mod shift;
mod vault;
mod zip;

pub use cell::{Cell, Effect, Tally};
pub use class::Classification;
pub use column::ColumnPlan;
pub use error::PrivacyError;
pub use manifest::{ColumnManifest, DataFile, KAnonymityManifest, Manifest};
pub use plan::{ColumnRule, Context, TablePlan};
pub use profile::Profile;
pub use prove::{Finding, Proof, Requirement, SensitiveRequirement, prove};
pub use pseudonym::Pseudonyms;
pub use resource::TreeTally;
pub use rules::Transform;
pub use shift::{DateShift, TimeOfDay};
pub use vault::{Vault, scope_of_project};
pub use zip::Zip3List;

/// What stands in the quasi-identifiers of a suppressed row.
pub const SUPPRESSED: &str = "*";
