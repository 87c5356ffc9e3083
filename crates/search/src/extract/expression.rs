//! The few search expressions that are more than a path, evaluated by FHIRPath.

use fhir::definitions::SearchType;
use fhir::{Resource, Value};
use fhirpath::{Context, Expression};

use super::convert;
use crate::ParamId;
use crate::rows::IndexRows;

/// Adds the rows of what an expression finds. An expression that fails (it went beyond its limits) finds nothing.
pub(super) fn evaluate(
    param: ParamId,
    ty: SearchType,
    expression: &Expression,
    resource: &Resource,
    bases: &[String],
    rows: &mut IndexRows,
) {
    let context = Context::new(resource);
    for item in expression.evaluate(&context).unwrap_or_default() {
        match (item.fhir_type(), item.value()) {
            (Some(of), Some(value)) => {
                if let Some(convert) = convert::choose(ty, of, None) {
                    convert.run(param, value, bases, rows);
                }
            }
            // Computed: `Patient.deceased.exists() and ..` is a truth value.
            _ => {
                if let Some(truth) = item.as_bool() {
                    convert::Convert::Boolean.run(param, &Value::Bool(truth), bases, rows);
                }
            }
        }
    }
}
