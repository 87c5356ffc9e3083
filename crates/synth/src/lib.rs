//! A synthetic population from a seed: no real person, the same seed the same bytes.
//!
//! A [`Population`] computes its patients when they are asked for; a patient depends on the seed and the index alone, so a small
//! population is the beginning of a large one. [`write()`] puts a whole one into files, in parallel.
//!
//! ```
//! let population = synth::Population::new(synth::Config::new(10, 42));
//! let resources = population.patient(0);
//! assert_eq!(resources[0].text("resourceType"), Some("Patient"));
//! let bundle = synth::bundle_of(resources);
//! assert_eq!(bundle.text("type"), Some("transaction"));
//! ```
//!
//! Resources are valid R4 and close to US Core 6.1: Patient with race, ethnicity and birth sex, Coverage, Encounter, Condition (SNOMED CT
//! and ICD-10-CM), vital signs and laboratory Observations (LOINC, UCUM), DiagnosticReport, MedicationRequest (RxNorm), Immunization (CVX),
//! Procedure, AllergyIntolerance, answers to AHC-HRSN items with Gravity categories and the Conditions, ServiceRequests and Goals that
//! follow, RiskAssessment by the rule `chronic-burden`, Consent; for the insured a Claim of each visit and prescription with the payer's
//! ExplanationOfBenefit (prices are invented); shared Organizations, Locations, Practitioners and PractitionerRoles;
//! Groups as programmes with periods of membership. Every Patient carries the security label `HTEST` (test health data).
//!
//! The home of a patient is `address` with `use` `home`: state, postal code, the name of the county in `district` and its FIPS code in an
//! extension with the URL [`COUNTY_FIPS_URL`] and a `valueCode`, because neither R4 nor US Core has an element for it. One in twelve
//! has an `old` address with a period, too.
//!
//! Counties, their FIPS codes and their Social Vulnerability Index are real; how diseases, visits and needs are spread is invented, in
//! the order of magnitude of published figures. Nothing here is evidence about any county or group. Not in it: pregnancy, imaging,
//! devices, free text, summer time.
//!
//! # Planted disparities
//!
//! What a metric should find. A rate is the probability with which the generator draws; the numbers come from [`PLANTED`].
//!
#![doc = include_str!("../planted.md")]

mod bundle;
mod chart;
mod course;
mod csv;
mod day;
mod disease;
mod group;
mod make;
mod math;
mod names;
mod person;
mod planted;
mod population;
mod random;
mod record;
mod region;
mod resource;
mod shared;
mod summary;
mod ward;
mod write;

pub use bundle::bundle_of;
pub use group::GROUP_MEMBERS_MAX;
pub use planted::{PLANTED, Planted};
pub use population::{Config, Population};
pub use resource::patient::COUNTY_FIPS_URL;
pub use summary::Summary;
pub use ward::{Course, Plant, Ward, WardConfig};
pub use write::{Format, write};
