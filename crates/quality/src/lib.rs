//! How good is a resource for use: a score per dimension, with the rules that fail and their places.
//!
//! Validation says whether a resource is R4; quality says whether it can be counted on. A patient without birth date is valid, and useless
//! for an age-adjusted rate. [`score`] looks at one resource alone and is cheap enough to run at each write. What one resource cannot tell
//! is not assessed: that dimension is `None`, never 1.0.
//!
//! ```
//! use fhir::{Instant, Resource, json::Limits};
//! use quality::{Dimension, score};
//! let text = br#"{"resourceType":"Patient","active":false,"name":[{"family":"F"}],"gender":"female","birthDate":"2190-01-01"}"#;
//! let patient = Resource::parse(text, &Limits::default()).unwrap();
//! let quality = score(&patient, Instant::parse("2026-01-01T00:00:00Z").unwrap());
//! assert_eq!(quality.of(Dimension::Completeness).unwrap().to_string(), "3/5"); // no identifier, no address
//! assert_eq!(quality.of(Dimension::Plausibility).unwrap().to_string(), "0/1"); // born in the future
//! assert_eq!(quality.of(Dimension::Timeliness), None);
//! assert_eq!(quality.failures[2].place, "Patient.birthDate");
//! assert_eq!(quality.overall_thousandths, Some(533)); // (3/5 + 1/1 + 0/1) / 3: validity is 1/1
//! ```
//!
//! The rules are the table in `table.rs`, the plausible ranges of measurements those in `ranges.rs`.

mod check;
mod dates;
mod dimension;
mod ranges;
mod score;
mod table;

pub use dimension::Dimension;
pub use score::{Failure, Fraction, QualityScore};
pub use table::{Described, rules};

use fhir::{Instant, Resource};

/// The quality of a resource at a time.
pub fn score(resource: &Resource, now: Instant) -> QualityScore {
    let mut tally = score::Tally::new(resource.kind());
    let subject = check::Subject { object: resource.object(), now };
    for rule in table::rules_of(resource.kind()) {
        subject.check(rule, &mut tally);
    }
    tally.finish()
}
