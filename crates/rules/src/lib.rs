//! Rules on events: decision tables and CEL expressions over an event and what is known of its patient. No I/O, no clock.
//!
//! What a rule cannot judge is *not evaluated*, never normal. Every limit has its unit.
//!
//! ```
//! use event::{Data, Event, Kind, Measurement, Status, Value};
//! use fhir::Instant;
//! use rules::{PatientState, RuleSet, Severity, Subject, What};
//!
//! let at = Instant::parse("2026-11-25T08:00:00Z").unwrap();
//! let potassium = Measurement {
//!     name: "potassium".into(),
//!     loinc: Some("2823-3".into()),
//!     value: Value::Number(clinical::Number::parse("7.9").unwrap()),
//!     comparator: None,
//!     unit: Some("mmol/L".into()),
//!     sent: None,
//!     status: Status::Final,
//!     result: None,
//!     flags: vec!["haemolysed".into()],
//! };
//! let event = Event {
//!     schema: 1, id: "1".into(), kind: Kind::LabResults, patient: Some("Patient/1".into()), encounter: None, at, received_at: at,
//!     birth_date: None, device: None, source: "lab".into(), organization: None, unit: None, data: Data::Measurements(vec![potassium]), quality: None,
//!     privacy: vec![], population: vec![], region: None,
//! };
//! let mut state = PatientState::default();
//! let found = RuleSet::shipped().on_event(&mut state, &Subject::default(), &event);
//! assert!(found.iter().any(|finding| finding.what == What::Raise(Severity::Critical)));
//! assert!(found[0].message.contains("flagged: haemolysed"));
//! ```

mod applies;
mod check;
pub mod docs;
mod engine;
mod expression;
mod file;
mod finding;
mod hash;
mod info;
mod limit;
mod message;
mod model;
mod replay;
mod set;
mod shipped;
mod span;
mod state;
mod test;

pub use check::{files_with_shipped, load_beside_shipped, load_with_older, load_with_shipped, test_files};
pub use file::{RuleFile, RuleProblem};
pub use finding::{Finding, Seen, Severity, What};
pub use info::{RowInfo, RuleInfo};
pub use replay::{Difference, Told, compare, difference, replay, told};
pub use set::{RuleSet, UsedVersion};
pub use shipped::shipped_files;
pub use state::{PatientState, Subject};
pub use test::TestOutcome;
pub use yaml::Point;
