//! What happened to a patient or a population: the event, its measurements and the door that reads them. No I/O, no clock.
//!
//! An [`Event`] is immutable. Times are UTC microseconds; values carry LOINC and UCUM; what the sender did not say stays `None`.

mod kind;
mod measurement;
mod model;

pub use kind::Kind;
pub use measurement::{Comparator, Measurement, Status, Value};
pub use model::{Data, Event, Medication, PopulationCount};
