//! `lowBoundary`, `highBoundary`, `precision` and `comparable`: what a value may mean by its stated precision.

use fhir::Decimal;

use super::{Eval, Scope, boolean, operands};
use crate::error::Result;
use crate::function::Function as F;
use crate::item::{Item, Items, System};
use crate::plan::Call;
use crate::quantity::Quantity;

/// Digits behind the point when none are asked for.
const DIGITS: i64 = 8;
/// Most digits behind the point.
const DIGITS_MAX: i64 = 31;

impl<'a> Eval<'_, 'a> {
    pub(super) fn boundary(
        &self,
        call: &Call,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Items<'a>> {
        let foreign = || operands(call.name, &[input]).at(at);
        let system = input.system();
        match call.function {
            F::Comparable => {
                let other = self.argument(call, 0, scope)?;
                let Some(other) = other else { return Ok(Items::new()) };
                match (system, other.system()) {
                    (Some(System::Quantity(a)), Some(System::Quantity(b))) => {
                        Ok(boolean(Some(a.is_comparable(&b))))
                    }
                    _ => Err(operands(call.name, &[input, &other]).at(at)),
                }
            }
            F::Precision => match system {
                Some(System::Decimal(number)) => Ok(Items::from_iter([Item::integer(number.scale())])),
                Some(System::Integer(_)) => Ok(Items::from_iter([Item::integer(0)])),
                Some(System::Temporal(temporal)) => Ok(Items::from_iter([Item::integer(temporal.digits())])),
                _ => Err(foreign()),
            },
            _ => {
                let digits = self.argument_integer(call, 0, scope)?;
                let high = call.function == F::HighBoundary;
                let item = match system {
                    Some(System::Integer(number)) => limit(&number.into(), digits, high).map(Item::decimal),
                    Some(System::Decimal(number)) => limit(&number, digits, high).map(Item::decimal),
                    Some(System::Quantity(quantity)) => {
                        let value = limit(&quantity.value, digits, high);
                        value.map(|value| Item::quantity(Quantity { value, ..quantity.into_owned() }))
                    }
                    Some(System::Temporal(temporal)) => temporal.boundary(high, digits).map(Item::temporal),
                    _ => return Err(foreign()),
                };
                Ok(item.into_iter().collect())
            }
        }
    }
}

/// The end of the range that the stated precision covers, rounded outward to so many digits.
fn limit(number: &Decimal, digits: Option<i64>, high: bool) -> Option<Decimal> {
    let digits = digits.unwrap_or(DIGITS);
    if !(0..=DIGITS_MAX).contains(&digits) {
        return None;
    }
    let (low_end, high_end) = number.range();
    let end = if high { high_end.negated().floor(digits).negated() } else { low_end.floor(digits) };
    Some(end.padded(digits))
}
