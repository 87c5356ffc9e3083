//! Quantities: a number with a unit, compared and computed as far as the units are known.

use std::cmp::Ordering;
use std::fmt;

use compact_str::CompactString;
use fhir::Decimal;

use crate::error::Problem;
use crate::temporal::Unit;
use crate::units::{self, Measure};

/// A number with a unit of UCUM, or with a calendar unit such as `days`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// The number.
    pub value: Decimal,
    /// A UCUM code, or a calendar word.
    pub unit: CompactString,
    /// Is the unit a calendar word.
    pub calendar: bool,
}

impl Quantity {
    /// A number without unit.
    pub(crate) fn plain(value: Decimal) -> Quantity {
        Quantity { value, unit: "1".into(), calendar: false }
    }

    /// A quantity of a literal; a calendar word in quotes is still one.
    pub(crate) fn new(value: Decimal, unit: CompactString, calendar: bool) -> Quantity {
        let calendar = calendar || Unit::of_word(&unit).is_some();
        Quantity { value, unit, calendar }
    }

    /// The calendar unit: a word, or a UCUM unit that is as long as one.
    pub(crate) fn calendar_unit(&self) -> Option<Unit> {
        if self.calendar { Unit::of_word(&self.unit) } else { Unit::of_ucum(&self.unit) }
    }

    /// The UCUM code; for calendar years and months that of the mean year and month.
    fn code(&self) -> &str {
        match Unit::of_word(&self.unit) {
            Some(unit) if self.calendar => unit.ucum(),
            _ => &self.unit,
        }
    }

    /// Calendar years and months have no fixed length, those of UCUM have.
    fn is_loose(&self) -> bool {
        self.calendar && matches!(Unit::of_word(&self.unit), Some(Unit::Year | Unit::Month))
    }

    fn measure(&self) -> Result<Measure, Problem> {
        units::measure(self.code()).ok_or_else(|| {
            // What is no code may be anything that somebody wrote into a resource.
            let is_code = self.unit.len() <= 20 && self.unit.bytes().all(|b| b.is_ascii_graphic());
            let unit = if is_code {
                format!("the unit `{}`", self.unit)
            } else {
                "a unit that is no code".to_string()
            };
            Problem::Unsupported(format!("calculating with {unit}"))
        })
    }

    /// Do both units measure the same; unknown units measure only themselves.
    pub(crate) fn is_comparable(&self, other: &Quantity) -> bool {
        if self.code() == other.code() {
            return true;
        }
        match (units::measure(self.code()), units::measure(other.code())) {
            (Some(a), Some(b)) => a.dimensions == b.dimensions,
            _ => false,
        }
    }

    /// The order of two quantities; `None` when their units measure different things, or one is a calendar year or month.
    pub(crate) fn compare(&self, other: &Quantity) -> Result<Option<Ordering>, Problem> {
        if self.is_loose() != other.is_loose() {
            return Ok(None);
        }
        if self.code() == other.code() {
            return Ok(Some(self.value.compare(&other.value)));
        }
        let (a, b) = (self.measure()?, other.measure()?);
        if a.dimensions != b.dimensions {
            return Ok(None);
        }
        Ok(Some(self.value.times(&a.factor).compare(&other.value.times(&b.factor))))
    }

    /// `~`: equal when the finer is rounded to the precision of the coarser.
    pub(crate) fn is_equivalent(&self, other: &Quantity) -> Result<bool, Problem> {
        if self.code() == other.code() {
            return Ok(equivalent(&self.value, &other.value));
        }
        let (a, b) = (self.measure()?, other.measure()?);
        if a.dimensions != b.dimensions {
            return Ok(false);
        }
        // Both are expressed in the larger unit.
        let (value_a, value_b) = if a.factor.compare(&b.factor) == Ordering::Less {
            (converted(&self.value, &a, &b), Some(other.value.clone()))
        } else {
            (Some(self.value.clone()), converted(&other.value, &b, &a))
        };
        Ok(value_a.zip(value_b).is_some_and(|(a, b)| equivalent(&a, &b)))
    }

    /// Sum or difference in the unit of the left one; `None` when the units measure different things.
    pub(crate) fn plus(&self, other: &Quantity, negative: bool) -> Result<Option<Quantity>, Problem> {
        let value = if self.code() == other.code() {
            other.value.clone()
        } else {
            let (a, b) = (self.measure()?, other.measure()?);
            let value = converted(&other.value, &b, &a).filter(|_| a.dimensions == b.dimensions);
            let Some(value) = value else { return Ok(None) };
            value
        };
        let value = if negative { self.value.minus(&value) } else { self.value.plus(&value) };
        Ok(Some(Quantity { value, ..self.clone() }))
    }

    /// Product, in base units unless one has no unit.
    pub(crate) fn times(&self, other: &Quantity) -> Result<Quantity, Problem> {
        if other.unit == "1" {
            return Ok(Quantity { value: self.value.times(&other.value), ..self.clone() });
        }
        if self.unit == "1" {
            return Ok(Quantity { value: self.value.times(&other.value), ..other.clone() });
        }
        let (a, b) = (self.measure()?, other.measure()?);
        let value = self.value.times(&a.factor).times(&other.value.times(&b.factor));
        Ok(Quantity { value, unit: units::name(a.times(&b)), calendar: false })
    }

    /// Quotient, in base units unless the divisor has no unit or the same; `None` for division by zero.
    pub(crate) fn over(&self, other: &Quantity) -> Result<Option<Quantity>, Problem> {
        if other.unit == "1" {
            let value = divided(&self.value, &other.value);
            return Ok(value.map(|value| Quantity { value, ..self.clone() }));
        }
        if self.code() == other.code() {
            return Ok(divided(&self.value, &other.value).map(Quantity::plain));
        }
        let (a, b) = (self.measure()?, other.measure()?);
        let value = divided(&self.value.times(&a.factor), &other.value.times(&b.factor));
        Ok(value.map(|value| Quantity { value, unit: units::name(a.over(&b)), calendar: false }))
    }

    /// The same quantity in another unit; `None` when it measures something else.
    pub(crate) fn in_unit(&self, unit: &str) -> Result<Option<Quantity>, Problem> {
        let other = Quantity::new(1.into(), unit.into(), false);
        if self.code() == other.code() {
            return Ok(Some(Quantity { value: self.value.clone(), ..other }));
        }
        let (a, b) = (self.measure()?, other.measure()?);
        let value = converted(&self.value, &a, &b).filter(|_| a.dimensions == b.dimensions);
        Ok(value.map(|value| Quantity { value, ..other }))
    }

    /// A quantity of its text: `4 days`, `5 'mg'`, `3`.
    pub(crate) fn parse(text: &str) -> Option<Quantity> {
        let text = text.trim();
        let (number, unit) = match text.find(|c: char| c.is_whitespace() || c == '\'') {
            Some(end) => (&text[..end], text[end..].trim()),
            None => (text, "1"),
        };
        let value = parse_plain(number)?;
        if unit == "1" {
            return Some(Quantity::plain(value));
        }
        if let Some(quoted) = unit.strip_prefix('\'') {
            let unit = quoted.strip_suffix('\'').filter(|unit| !unit.is_empty() && !unit.contains('\''))?;
            return Some(Quantity::new(value, unit.into(), false));
        }
        Unit::of_word(unit).map(|_| Quantity { value, unit: unit.into(), calendar: true })
    }
}

/// A decimal without exponent.
pub(crate) fn parse_plain(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) { None } else { Decimal::parse(text) }
}

/// Equal when the more precise one is rounded to the precision of the other.
pub(crate) fn equivalent(a: &Decimal, b: &Decimal) -> bool {
    let scale = a.trimmed().scale().min(b.trimmed().scale());
    a.rounded(scale).compare(&b.rounded(scale)) == Ordering::Equal
}

/// The quotient with 28 digits behind the point, zeros at the end cut.
pub(crate) fn divided(a: &Decimal, b: &Decimal) -> Option<Decimal> {
    a.over(b, 28).map(|quotient| quotient.trimmed())
}

fn converted(value: &Decimal, from: &Measure, to: &Measure) -> Option<Decimal> {
    divided(&value.times(&from.factor), &to.factor)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.calendar {
            write!(f, "{} {}", self.value, self.unit)
        } else {
            write!(f, "{} '{}'", self.value, self.unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, order: Option<Ordering>, equivalent: bool) {
        let (a, b) = (Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap());
        assert_eq!(a.compare(&b).unwrap(), order, "{a} {b}");
        assert_eq!(a.is_equivalent(&b).unwrap(), equivalent, "{a} {b}");
    }

    #[test]
    fn units_are_converted() {
        check("4 'g'", "4000 'mg'", Some(Ordering::Equal), true);
        check("4 'g'", "4040 'mg'", Some(Ordering::Less), true);
        check("7 days", "1 'wk'", Some(Ordering::Equal), true);
        check("1 year", "1 'a'", None, true);
        check("1 'cm'", "1 's'", None, false);
        check("1 '[in_i]'", "2.54 'cm'", Some(Ordering::Equal), true);
        check("3 '{score}'", "4 '{score}'", Some(Ordering::Less), false);
    }

    #[test]
    fn unknown_units_are_said() {
        let (a, b) = (Quantity::parse("1 'cm'").unwrap(), Quantity::parse("1 '[xyz]'").unwrap());
        assert_eq!(
            a.compare(&b).unwrap_err().to_string(),
            "not supported: calculating with the unit `[xyz]`"
        );
        assert!(!a.is_comparable(&b));
    }
}
