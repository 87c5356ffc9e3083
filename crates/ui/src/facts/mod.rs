//! What pages say of resources: pure projections of FHIR JSON. What is not there is `None`, never a default.

mod age;
mod code;
mod event;
mod name;
mod person;
mod summary;
mod value;
mod when;

pub use age::{age_text, years_between};
pub use code::concept_of;
pub use event::{Category, Event, Flag, event_of};
pub use name::{initials_of, name_of};
pub use person::{Person, person_of, region_of};
pub use summary::{Summary, summary_of};
pub use value::{Measured, measured_of, quantity_of};
pub use when::{day_of, time_of, when_of};
