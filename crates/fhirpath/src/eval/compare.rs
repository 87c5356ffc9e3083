//! Equality, equivalence and order of items.

use std::cmp::Ordering;

use fhir::{Decimal, Object, Value};

use super::Eval;
use crate::error::{Problem, Result};
use crate::item::{Data, Item, Items, System};
use crate::quantity::{Quantity, equivalent};
use crate::types::Class;

/// The order of two items.
pub(super) enum Order {
    Known(Ordering),
    /// It hangs on what is not stated.
    Unknown,
    /// Such types have no order.
    Foreign,
}

/// The order of two items.
pub(super) fn order_of(a: &Item<'_>, b: &Item<'_>) -> std::result::Result<Order, Problem> {
    let (Some(a), Some(b)) = (a.system(), b.system()) else {
        return Ok(if a.is_valueless() || b.is_valueless() { Order::Unknown } else { Order::Foreign });
    };
    Ok(match (&a, &b) {
        (System::Integer(a), System::Integer(b)) => Order::Known(a.cmp(b)),
        (System::String(a), System::String(b)) => Order::Known(a.cmp(b)),
        (System::Temporal(a), System::Temporal(b)) if !a.is_foreign_to(b) => {
            a.compare(b).map_or(Order::Unknown, Order::Known)
        }
        _ => match (decimal_of(&a), decimal_of(&b)) {
            (Some(a), Some(b)) => Order::Known(a.compare(&b)),
            _ => match (quantity_of(&a), quantity_of(&b)) {
                (Some(a), Some(b)) => a.compare(&b)?.map_or(Order::Unknown, Order::Known),
                _ => Order::Foreign,
            },
        },
    })
}

fn decimal_of(value: &System<'_>) -> Option<Decimal> {
    match value {
        System::Integer(number) => Some((*number).into()),
        System::Decimal(number) => Some(number.clone().into_owned()),
        _ => None,
    }
}

/// A quantity, or a number as one without unit.
fn quantity_of(value: &System<'_>) -> Option<Quantity> {
    match value {
        System::Quantity(quantity) => Some(quantity.clone().into_owned()),
        other => decimal_of(other).map(Quantity::plain),
    }
}

/// Texts longer than this take steps to compare.
const TEXT_FREE_BYTES: usize = 1024;

/// `=`: `None` when it hangs on what is not stated.
pub(super) fn is_equal<'a>(eval: &Eval<'_, 'a>, a: &Item<'a>, b: &Item<'a>, at: u32) -> Result<Option<bool>> {
    // Texts come first: they are what conditions ask for most.
    if let (Data::Element(Some(Value::String(left)), _), Data::Text(right)) = (&a.data, &b.data)
        && a.fhir_type().map(Class::of) == Some(Class::String)
    {
        return Ok(Some(left.as_str() == &**right));
    }
    // A truth value equals no other type, whose value need not be read.
    if let (Data::Element(Some(value), _), Data::Boolean(right)) = (&a.data, &b.data) {
        match (value, a.fhir_type().map(Class::of)) {
            (Value::Bool(left), Some(Class::Boolean)) => return Ok(Some(left == right)),
            (Value::String(_), Some(Class::String | Class::Date | Class::DateTime | Class::Time)) => {
                return Ok(Some(false));
            }
            _ => {}
        }
    }
    let (Some(left), Some(right)) = (a.system(), b.system()) else {
        return match (&a.data, &b.data) {
            (Data::Element(left, _), Data::Element(right, _)) => Ok(Some(is_same(eval, *left, *right, at)?)),
            (Data::TypeInfo(left), Data::TypeInfo(right)) => Ok(Some(left == right)),
            _ if a.is_valueless() || b.is_valueless() => Ok(None),
            _ => Ok(Some(false)),
        };
    };
    Ok(match (&left, &right) {
        (System::Boolean(left), System::Boolean(right)) => Some(left == right),
        (System::String(left), System::String(right)) => {
            if left.len() > TEXT_FREE_BYTES {
                eval.charge(left.len() / 64, at)?;
            }
            Some(left == right)
        }
        (System::Temporal(left), System::Temporal(right)) if left.is_foreign_to(right) => Some(false),
        (System::Boolean(_), _) | (_, System::Boolean(_)) => Some(false),
        _ => match order_of(a, b).map_err(|problem| problem.at(at))? {
            Order::Known(order) => Some(order == Ordering::Equal),
            Order::Unknown => None,
            Order::Foreign => Some(false),
        },
    })
}

/// JSON that means the same: member order and zeros at the end of a fraction do not matter.
fn is_same(eval: &Eval<'_, '_>, a: Option<&Value>, b: Option<&Value>, at: u32) -> Result<bool> {
    eval.charge(1, at)?;
    let (Some(a), Some(b)) = (a, b) else { return Ok(a.is_none() && b.is_none()) };
    if std::ptr::eq(a, b) {
        return Ok(true);
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => same_members(eval, a, b, at),
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b) {
                if !is_same(eval, Some(a), Some(b), at)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Number(a), Value::Number(b)) => {
            let (left, right) = (Decimal::parse(a.as_str()), Decimal::parse(b.as_str()));
            Ok(match (left, right) {
                (Some(left), Some(right)) => left.compare(&right) == Ordering::Equal,
                _ => a == b,
            })
        }
        _ => Ok(a == b),
    }
}

fn same_members(eval: &Eval<'_, '_>, a: &Object, b: &Object, at: u32) -> Result<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    eval.charge(a.len(), at)?;
    for (key, value) in a.iter() {
        let Some(other) = b.get(key) else { return Ok(false) };
        if !is_same(eval, Some(value), Some(other), at)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `~`: texts without case and runs of space, numbers by the lesser precision, unknown is not equivalent.
pub(super) fn is_equivalent<'a>(eval: &Eval<'_, 'a>, a: &Item<'a>, b: &Item<'a>, at: u32) -> Result<bool> {
    eval.charge(1 + a.as_str().map_or(0, str::len) / 64, at)?;
    let (Some(left), Some(right)) = (a.system(), b.system()) else {
        return Ok(is_equal(eval, a, b, at)? == Some(true));
    };
    Ok(match (&left, &right) {
        (System::String(left), System::String(right)) => folded(left) == folded(right),
        (System::Temporal(left), System::Temporal(right)) => {
            !left.is_foreign_to(right) && left.compare(right) == Some(Ordering::Equal)
        }
        _ => match (decimal_of(&left), decimal_of(&right)) {
            (Some(left), Some(right)) => equivalent(&left, &right),
            _ => match (quantity_of(&left), quantity_of(&right)) {
                (Some(left), Some(right)) => left.is_equivalent(&right).map_err(|problem| problem.at(at))?,
                _ => is_equal(eval, a, b, at)? == Some(true),
            },
        },
    })
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl<'a> Eval<'_, 'a> {
    /// Is an equal item among these. Quantities whose units cannot be compared are not equal.
    pub(super) fn holds(&self, items: &Items<'a>, item: &Item<'a>, at: u32) -> Result<bool> {
        for other in items {
            self.charge(1, at)?;
            match is_equal(self, other, item, at) {
                Ok(Some(true)) => return Ok(true),
                Ok(_) => {}
                Err(error) if matches!(error.problem, Problem::Unsupported(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}
