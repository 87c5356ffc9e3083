//! Mathematical functions. Roots, powers and logarithms go through doubles; everything else is exact.

use fhir::Decimal;

use super::operator::checked;
use super::{Eval, Scope, operands};
use crate::error::{Problem, Result};
use crate::function::Function as F;
use crate::item::{Item, Items, System};
use crate::plan::Call;
use crate::quantity::Quantity;

impl<'a> Eval<'_, 'a> {
    pub(super) fn math(
        &self,
        call: &Call,
        input: &Item<'a>,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Items<'a>> {
        let foreign = || operands(call.name, &[input]).at(at);
        let value = match input.system() {
            Some(System::Integer(number)) => number.into(),
            Some(System::Decimal(number)) => number.into_owned(),
            Some(System::Quantity(quantity)) if call.function == F::Abs => {
                let quantity = quantity.into_owned();
                let value = absolute(quantity.value);
                return Ok(Items::from_iter([Item::quantity(Quantity { value, ..quantity })]));
            }
            _ => return Err(foreign()),
        };
        let was_integer = matches!(input.system(), Some(System::Integer(_)));
        let argument = match self.argument(call, 0, scope)? {
            None if call.arguments.is_empty() => None,
            None => return Ok(Items::new()),
            Some(item) => match item.system() {
                Some(System::Integer(number)) => Some(number.into()),
                Some(System::Decimal(number)) => Some(number.into_owned()),
                _ => return Err(operands(call.name, &[&item]).at(at)),
            },
        };
        let result = computed(call.function, &value, argument.as_ref(), was_integer)
            .map_err(|problem| problem.at(at))?;
        Ok(result.into_iter().collect())
    }
}

fn absolute(number: Decimal) -> Decimal {
    if number.is_negative() { number.negated() } else { number }
}

fn computed<'a>(
    function: F,
    value: &Decimal,
    argument: Option<&Decimal>,
    was_integer: bool,
) -> std::result::Result<Option<Item<'a>>, Problem> {
    let whole = |number: Decimal| number.to_i64().map(|n| Some(Item::integer(n))).ok_or(Problem::Overflow);
    let double = |number: f64| Ok(decimal_of(number).map(Item::decimal));
    match function {
        F::Abs if was_integer => whole(absolute(value.clone())),
        F::Abs => Ok(Some(Item::decimal(absolute(value.clone())))),
        F::Floor => whole(value.floor(0)),
        F::Ceiling => whole(value.negated().floor(0).negated()),
        F::Truncate => whole(value.truncated(0)),
        F::Round => {
            let digits = argument.map_or(Some(0), Decimal::to_i64).ok_or(Problem::Overflow)?;
            if !(0..=100).contains(&digits) {
                return Err(Problem::Literal("number of digits, 0 to 100"));
            }
            Ok(Some(Item::decimal(value.rounded(digits))))
        }
        F::Power => power(value, argument, was_integer),
        F::Sqrt => double(value.to_f64().sqrt()),
        F::Exp => double(value.to_f64().exp()),
        F::Ln => double(value.to_f64().ln()),
        // F::Log
        _ => {
            let base = argument.map_or(10.0, Decimal::to_f64);
            let value = value.to_f64();
            // These two are exact for powers of their base.
            double(if base == 2.0 {
                value.log2()
            } else if base == 10.0 {
                value.log10()
            } else {
                value.ln() / base.ln()
            })
        }
    }
}

fn power<'a>(
    value: &Decimal,
    exponent: Option<&Decimal>,
    was_integer: bool,
) -> std::result::Result<Option<Item<'a>>, Problem> {
    let Some(exponent) = exponent else { return Ok(None) };
    let Some(n) = exponent.to_i64().and_then(|n| u32::try_from(n).ok()) else {
        return Ok(decimal_of(value.to_f64().powf(exponent.to_f64())).map(Item::decimal));
    };
    // By squaring: the number of products is that of the exponent's bits.
    let (mut result, mut square, mut left): (Decimal, Decimal, u32) = (1.into(), value.clone(), n);
    while left > 0 {
        if left & 1 == 1 {
            result = checked(result.times(&square))?;
        }
        left >>= 1;
        if left > 0 {
            square = checked(square.times(&square))?;
        }
    }
    if !was_integer {
        return Ok(Some(Item::decimal(result)));
    }
    result.to_i64().map(|n| Some(Item::integer(n))).ok_or(Problem::Overflow)
}

/// The shortest decimal that reads as this double; nothing for what is no number.
fn decimal_of(number: f64) -> Option<Decimal> {
    if !number.is_finite() {
        return None;
    }
    // Doubles have 15 safe digits; what lies behind is noise.
    Decimal::parse(&format!("{number:.14e}")).map(|decimal| decimal.trimmed())
}
