//! `toInteger()`, `convertsToInteger()` and their kin.

use fhir::Decimal;

use super::{Eval, Scope, boolean};
use crate::error::Result;
use crate::function::Target;
use crate::item::{Item, Items, System};
use crate::plan::Call;
use crate::quantity::{Quantity, parse_plain};
use crate::temporal::{Family, Precision, Temporal};

impl<'a> Eval<'_, 'a> {
    pub(super) fn convert(
        &self,
        call: &Call,
        target: Target,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
    ) -> Result<Items<'a>> {
        let converted = self.converted(call, target, input, scope)?;
        Ok(converted.into_iter().collect())
    }

    pub(super) fn converts(
        &self,
        call: &Call,
        target: Target,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
    ) -> Result<Items<'a>> {
        let converted = self.converted(call, target, input, scope)?;
        Ok(boolean(Some(converted.is_some())))
    }

    fn converted(
        &self,
        call: &Call,
        target: Target,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<Item<'a>>> {
        let Some(value) = input.system() else { return Ok(None) };
        Ok(match target {
            Target::Boolean => boolean_of(&value).map(Item::boolean),
            Target::Integer => integer_of(&value).map(Item::integer),
            Target::Decimal => decimal_of(&value).map(Item::decimal),
            Target::String => Some(Item::text(string_of(&value))),
            Target::Date => date_of(&value).map(Item::temporal),
            Target::DateTime => date_time_of(&value).map(Item::temporal),
            Target::Time => time_of(&value).map(Item::temporal),
            Target::Quantity => {
                let Some(quantity) = quantity_of(&value) else { return Ok(None) };
                let at = call.input.at;
                match self.argument_text(call, 0, scope, at)? {
                    Some(unit) => {
                        let other = quantity.in_unit(&unit).map_err(|problem| problem.at(at))?;
                        other.map(Item::quantity)
                    }
                    None => Some(Item::quantity(quantity)),
                }
            }
        })
    }
}

fn boolean_of(value: &System<'_>) -> Option<bool> {
    match value {
        System::Boolean(truth) => Some(*truth),
        System::Integer(number @ (0 | 1)) => Some(*number == 1),
        System::Decimal(number) => match number.to_i64()? {
            number @ (0 | 1) => Some(number == 1),
            _ => None,
        },
        System::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer_of(value: &System<'_>) -> Option<i64> {
    match value {
        System::Boolean(truth) => Some(i64::from(*truth)),
        System::Integer(number) => Some(*number),
        System::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn decimal_of(value: &System<'_>) -> Option<Decimal> {
    match value {
        System::Boolean(truth) => Some(i64::from(*truth).into()),
        System::Integer(number) => Some((*number).into()),
        System::Decimal(number) => Some(number.clone().into_owned()),
        System::String(text) => parse_plain(text),
        _ => None,
    }
}

fn string_of(value: &System<'_>) -> String {
    match value {
        System::Boolean(truth) => truth.to_string(),
        System::Integer(number) => number.to_string(),
        System::Decimal(number) => number.to_string(),
        System::String(text) => (*text).to_string(),
        System::Temporal(temporal) => temporal.to_string(),
        System::Quantity(quantity) => quantity.to_string(),
    }
}

fn date_of(value: &System<'_>) -> Option<Temporal> {
    let temporal = match value {
        System::Temporal(temporal) => *temporal,
        System::String(text) => Temporal::parse_date_time(text)?,
        _ => return None,
    };
    (temporal.family != Family::Time).then(|| temporal.date())
}

fn date_time_of(value: &System<'_>) -> Option<Temporal> {
    let temporal = match value {
        System::Temporal(temporal) => *temporal,
        System::String(text) => Temporal::parse_date_time(text)?,
        _ => return None,
    };
    (temporal.family != Family::Time).then_some(Temporal { family: Family::DateTime, ..temporal })
}

fn time_of(value: &System<'_>) -> Option<Temporal> {
    match value {
        System::Temporal(temporal) if temporal.family == Family::Time => Some(*temporal),
        System::Temporal(temporal) if temporal.precision >= Precision::Hour => Some(temporal.time()),
        System::String(text) => Temporal::parse_time(text.strip_prefix('T').unwrap_or(text)),
        _ => None,
    }
}

fn quantity_of(value: &System<'_>) -> Option<Quantity> {
    match value {
        System::Quantity(quantity) => Some(quantity.clone().into_owned()),
        System::String(text) => Quantity::parse(text),
        other => decimal_of(other).map(Quantity::plain),
    }
}
