//! Pure medicine: tables and formulas with their sources. Values in, values out; no I/O, no clock, no FHIR, no JSON.
//!
//! Every limit has a unit in its name or its documentation, every formula its paper. What cannot be computed is a [`NotComputed`] that says
//! why; a code that is not one is a [`code::CodeProblem`]. Neither ever holds the patient's value, and nothing here prints one by `Debug`.
//!
//! ```
//! use clinical::comorbidity::{Options, Variant, assess};
//!
//! let options = Options { age_points_max: Some(4), ..Options::default() };
//! let found = assess(Variant::Charlson1987, ["I21.4", "I50.9", "i50.9"], Some(67), options);
//! assert_eq!(found.score, 4); // two groups of weight 1, and 2 points for the age
//! assert_eq!(found.groups[1].codes, ["I50.9"]);
//! ```

pub mod age;
pub mod aki;
pub mod bmi;
pub mod code;
pub mod comorbidity;
pub mod demographics;
pub mod egfr;
mod error;
pub mod fib4;
pub mod meld;
pub mod mews;
pub mod news2;
mod number;
pub mod qsofa;
pub mod quantity;
pub mod sirs;
mod special;
pub mod statistics;
mod subject;
pub mod surveillance;
pub mod units;

pub use error::NotComputed;
pub use number::{Number, Rounding};
pub use subject::{AGE_YEARS_MAX, Pregnancy, Sex, Subject};
