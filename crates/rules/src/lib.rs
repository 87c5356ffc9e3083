//! Rules on events: decision tables and CEL expressions over an event and what is known of its patient. No I/O, no clock.
//!
//! What a rule cannot judge is *not evaluated*, never normal. Every limit has its unit.

mod engine;
mod finding;
mod state;

pub use engine::RuleSet;
pub use finding::{Finding, Seen, Severity, What};
pub use state::{PatientState, Subject};
