//! FHIRPath: parse an expression, compile it to a plan, evaluate it on FHIR JSON.
//!
//! Search parameters, invariants and views are FHIRPath. An [`Expression`] is parsed once and evaluated often; evaluation borrows from the
//! resource, does no I/O, and ends: steps, items and depth are bounded by [`Limits`]. Items know their FHIR type, so that
//! `Observation.value` finds `valueQuantity` and `is Quantity` is true for it.
//!
//! ```
//! use fhir::{Resource, json};
//! use fhirpath::{Context, Expression};
//! let text = br#"{"resourceType":"Observation","status":"final","valueQuantity":{"value":5.40,"code":"mmol/L"}}"#;
//! let observation = Resource::parse(text, &json::Limits::default()).unwrap();
//!
//! let expression = Expression::parse("(Observation.value as Quantity).value").unwrap();
//! let items = expression.evaluate(&Context::new(&observation)).unwrap();
//! assert_eq!(items.len(), 1);
//! assert_eq!(items[0].ty().to_string(), "FHIR.decimal");
//! assert_eq!(items[0].value().unwrap().to_text(), "5.40");
//!
//! let rule = Expression::parse("status = 'final' implies value.exists()").unwrap();
//! assert!(rule.is_true(&Context::new(&observation)).unwrap());
//!
//! let error = Expression::parse("Observation.value as Quantty").unwrap_err();
//! assert_eq!(error.to_string(), "position 18: `Quantty` is no type of FHIR R4 or FHIRPath");
//! ```
//!
//! Not supported, and said so by [`Problem::Unsupported`]: functions that need terminology or profiles (`memberOf`, `subsumes`,
//! `subsumedBy`, `elementDefinition`, `slice`, `checkModifiers`, `conformsTo` with a profile), `defineVariable`, and calculations with units
//! that the small table of UCUM does not know. `trace` logs nothing.

mod check;
mod compile;
mod context;
mod error;
mod eval;
mod expression;
mod function;
mod item;
mod navigate;
mod patch;
mod plan;
mod quantity;
mod syntax;
mod temporal;
mod types;
mod units;

pub use context::{Context, Limits, Resolved, Resolver, TypeOnly};
pub use error::{PathError, Problem};
pub use expression::Expression;
pub use item::{Item, System};
pub use patch::Patch;
pub use quantity::Quantity;
pub use temporal::Temporal;
pub use types::{SystemType, Type};
