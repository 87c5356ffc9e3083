//! What happened to a patient or a population: the event, its measurements and the door that reads them. No I/O, no clock.
//!
//! An [`Event`] is immutable. Times are UTC microseconds; values carry LOINC and UCUM; what the sender did not say stays `None`.
//!
//! ```
//! use event::{Event, Sources, Value};
//! let sent = br#"{"id":"e1","kind":"vital_signs","patient":"Patient/42","at":"2026-11-25T08:00:00+01:00","source":"monitor",
//!     "data":{"heart_rate":"131","temp_f":101.3}}"#;
//! let now = fhir::Instant::parse("2026-11-25T07:00:05Z").unwrap();
//! let event = Event::parse(sent, &Sources::default(), now).unwrap();
//! let temperature = &event.measurements()[1];
//! assert_eq!((temperature.name.as_str(), temperature.unit.as_deref()), ("temperature", Some("Cel")));
//! assert_eq!(temperature.number().unwrap().to_string(), "38.5000");
//! assert_eq!(Event::of_bytes(&event.to_bytes()).as_ref(), Ok(&event)); // as the log keeps it
//! ```
//!
//! | door | what it reads |
//! |---|---|
//! | [`Event::parse`] | JSON from HTTP, Kafka and the command line |
//! | [`v2::events_of`] | HL7 v2: results, movements, orders |
//! | [`resource::events_of`] | FHIR: Observation, MedicationRequest, Encounter, ServiceRequest |
//!
//! **An event whose envelope is wrong is refused; so is one in which nothing can be read.** Of several values the ones that can be read go on, and
//! the others stay in the event as `Absent` with the reason and the flag `unreadable`: a wrong temperature must not hide a heart rate of 30.

mod canonical;
mod door;
mod identity;
mod kind;
mod measure;
mod measurement;
mod model;
mod partition;
mod refusal;
pub mod resource;
mod source;
pub mod v2;

pub use canonical::SCHEMA;
pub use door::{Answer, Coding, Need, Note, NoteStatus, Said, Social};
pub use identity::{Merge, PatientIndex};
pub use kind::Kind;
pub use measure::{Form, Measure, measure_named, measure_of_loinc, measures};
pub use measurement::{Comparator, Measurement, Status, UNREADABLE, Value};
pub use model::{Data, Device, Event, Medication, Moved, Movement, PopulationCount};
pub use partition::{KEY_SEPARATOR, key_of, murmur2, partition_of};
pub use refusal::{Refusal, Why};
pub use source::{Lateness, SourceConfig, Sources, lateness};
