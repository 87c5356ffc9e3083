//! What salus derives from a resource, each by named code. What is not known gives no row.

mod equity;
mod population;
mod quality;
mod region;
mod risk;
pub mod sdoh;

pub use equity::{EquityError, EquityRules};

use fhir::{Instant, Reference, Resource};

use crate::ParamId;
use crate::rows::IndexRows;

/// Adds the derived rows behind those of R4's parameters.
pub(crate) fn add(
    resource: &Resource,
    at: Instant,
    bases: &[String],
    equity: &EquityRules,
    rows: &mut IndexRows,
) {
    region::add(resource, at, rows);
    population::add(resource, bases, rows);
    risk::add(resource, bases, rows);
    sdoh::add(resource, rows);
    quality::add(resource, at, rows);
    equity.add(resource.kind(), rows);
}

/// The id of the patient that a reference text leads to.
fn patient_of<'t>(text: &'t str, bases: &[String]) -> Option<&'t str> {
    match Reference::resolve(text, bases) {
        Reference::Local { kind, id, .. } if kind == fhir::Kind::PATIENT => Some(id),
        _ => None,
    }
}

/// A parameter of salus that the type has.
fn param(resource: &Resource, code: &str) -> Option<ParamId> {
    ParamId::find(resource.kind(), code)
}
