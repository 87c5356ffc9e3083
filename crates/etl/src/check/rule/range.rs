//! `range`: a number or date lies between bounds, which are compared exactly.

use arrow::buffer::BooleanBuffer;
use table::{Batch, Type};

use crate::check::cells::{Cells, Scalars};
use crate::check::rule::{Judged, RowTest, Rule, Start, Test};
use crate::check::spec::Planned;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word};

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_162;
const DAY_MICROS: i128 = 86_400_000_000;

#[derive(Debug)]
struct Range {
    /// The least that is allowed.
    min: Option<Word>,
    /// The most that is allowed.
    max: Option<Word>,
    /// Values must be more than this.
    above: Option<Word>,
    /// Values must be less than this.
    below: Option<Word>,
    /// The unit of the bounds, for people: limits are printed with it. The values are not converted.
    unit: Option<String>,
}

pub(super) fn decode(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Box<dyn Rule>> {
    let range = Range {
        min: fields.text("min", problems),
        max: fields.text("max", problems),
        above: fields.text("above", problems),
        below: fields.text("below", problems),
        unit: fields.text("unit", problems).map(|word| word.text),
    };
    match (&range.min, &range.above, &range.max, &range.below) {
        (None, None, None, None) => {
            problems.add(fields.at(), "the rule `range` needs a bound: `min`, `max`, `above` or `below`");
            None
        }
        (Some(word), Some(_), _, _) => {
            problems.add(word.at, "a check has `min` or `above`, not both");
            None
        }
        (_, _, Some(word), Some(_)) => {
            problems.add(word.at, "a check has `max` or `below`, not both");
            None
        }
        _ => Some(Box::new(range)),
    }
}

impl Range {
    fn bounds(&self, kind: Type, problems: &mut Problems) -> Bounds {
        let mut bound =
            |word: &Option<Word>, key| word.as_ref().and_then(|word| Bound::parse(word, kind, key, problems));
        let min = bound(&self.min, "min");
        let above = bound(&self.above, "above");
        let max = bound(&self.max, "max");
        let below = bound(&self.below, "below");
        if kind == Type::Number {
            let number = |bound: &Option<Bound>| bound.map(Bound::to_f64);
            return Bounds::Number {
                min: number(&min).or(number(&above)).unwrap_or(f64::NEG_INFINITY),
                max: number(&max).or(number(&below)).unwrap_or(f64::INFINITY),
                is_min_open: above.is_some(),
                is_max_open: below.is_some(),
            };
        }
        let scale = scale_of(kind);
        let least = min.map(|bound| bound.first(scale)).or(above.map(|bound| bound.behind(scale)));
        let most = max.map(|bound| bound.last(scale)).or(below.map(|bound| bound.before(scale)));
        Bounds::Whole { least: least.unwrap_or(i128::MIN), most: most.unwrap_or(i128::MAX) }
    }
}

impl Rule for Range {
    fn plan(&self, planned: &Planned<'_>, problems: &mut Problems) {
        planned.types(|kind| !matches!(kind, Type::Text | Type::Boolean), "a number or a date", problems);
        let kind = planned.columns[0].kind;
        if matches!(kind, Type::Text | Type::Boolean) {
            return;
        }
        let n_before = problems.len();
        let bounds = self.bounds(kind, problems);
        if problems.len() == n_before && bounds.is_empty() {
            problems.add(planned.check.at, "the bounds of the check let no value through");
        }
    }

    fn start(&self, start: &Start<'_>) -> Result<Test, EtlError> {
        let bounds = self.bounds(start.columns[0].kind, &mut Problems::default());
        Ok(Test::Row(Box::new(Within { bounds })))
    }

    fn must(&self) -> String {
        let unit = self.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        match (&self.min, &self.max, &self.above, &self.below) {
            (Some(min), Some(max), _, _) => format!("must be from {min} to {max}{unit}"),
            (Some(min), _, _, Some(below)) => format!("must be from {min} to less than {below}{unit}"),
            (_, Some(max), Some(above), _) => format!("must be more than {above} and at most {max}{unit}"),
            (_, _, Some(above), Some(below)) => {
                format!("must be more than {above} and less than {below}{unit}")
            }
            (Some(min), ..) => format!("must be at least {min}{unit}"),
            (_, Some(max), ..) => format!("must be at most {max}{unit}"),
            (_, _, Some(above), _) => format!("must be more than {above}{unit}"),
            (_, _, _, Some(below)) => format!("must be less than {below}{unit}"),
            (None, None, None, None) => "may be anything".to_owned(),
        }
    }

    fn hint(&self) -> String {
        match &self.unit {
            Some(unit) => format!("values far outside are often in another unit than {unit}, or typing errors: convert per analyte, or send the rows back"),
            None => "values far outside are often in another unit, codes for missing values (list them in `null_values`), or typing errors".to_owned(),
        }
    }
}

/// How many digits of a whole number of this type stand behind the point.
fn scale_of(kind: Type) -> u8 {
    match kind {
        Type::Decimal { scale, .. } => scale,
        _ => 0,
    }
}

/// Bounds in the units of the column.
#[derive(Clone, Copy)]
enum Bounds {
    /// Both are allowed.
    Whole { least: i128, most: i128 },
    /// For floating point numbers.
    Number { min: f64, max: f64, is_min_open: bool, is_max_open: bool },
}

impl Bounds {
    fn is_empty(self) -> bool {
        match self {
            Bounds::Whole { least, most } => least > most,
            Bounds::Number { min, max, is_min_open, is_max_open } => {
                min > max || (min >= max && (is_min_open || is_max_open))
            }
        }
    }
}

struct Within {
    bounds: Bounds,
}

impl RowTest for Within {
    fn judge(&mut self, cells: &[&Cells], batch: &Batch) -> Result<Judged, EtlError> {
        let cells = cells[0];
        let n = batch.n_rows();
        let failing = match (self.bounds, cells.scalars()) {
            (Bounds::Whole { least, most }, Some(Scalars::Whole(values) | Scalars::Micros(values))) => {
                let (least, most) = (narrowed(least), narrowed(most));
                BooleanBuffer::collect_bool(n, |row| !(least..=most).contains(&values[row]))
            }
            (Bounds::Whole { least, most }, Some(Scalars::Days(values))) => {
                BooleanBuffer::collect_bool(n, |row| !(least..=most).contains(&i128::from(values[row])))
            }
            (Bounds::Whole { least, most }, Some(Scalars::Decimal(values, _))) => {
                BooleanBuffer::collect_bool(n, |row| !(least..=most).contains(&values[row]))
            }
            (Bounds::Number { min, max, is_min_open, is_max_open }, Some(Scalars::Number(values))) => {
                BooleanBuffer::collect_bool(n, |row| {
                    let value = values[row];
                    value < min
                        || value > max
                        || (is_min_open && value <= min)
                        || (is_max_open && value >= max)
                })
            }
            _ => return Err(EtlError::Limit("the column changed its type within the run".to_owned())),
        };
        Ok(Judged { assessed: cells.present.clone(), failing })
    }
}

fn narrowed(bound: i128) -> i64 {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bound.clamp(least, most)).unwrap_or_default()
}

/// A value that is compared for equality.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Exact {
    /// In the units of the column.
    Whole(i128),
    /// A floating point number.
    Number(f64),
}

/// A bound as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    /// An exact decimal.
    Decimal { unscaled: i128, scale: u8 },
    /// Days or microseconds: a day is a span of microseconds.
    Span { first: i128, last: i128 },
}

impl Bound {
    /// Reads a bound for a column of this type; `key` names it in the problem.
    pub(super) fn parse(word: &Word, kind: Type, key: &str, problems: &mut Problems) -> Option<Bound> {
        let (bound, wanted) = match kind {
            Type::Date => {
                (day_of(word).map(|day| Bound::Span { first: day, last: day }), "a day such as `2026-01-31`")
            }
            Type::Instant => (instant_of(word), "a day or a moment such as `2026-01-31T00:00:00Z`"),
            _ => (decimal_of(word), "a number"),
        };
        if bound.is_none() {
            problems.add(word.at, format!("`{key}` of the check must be {wanted}, as its column is {kind}"));
        }
        bound
    }

    /// The value that cells of this type are equal to, if one can be.
    pub(super) fn exact(self, kind: Type) -> Option<Exact> {
        match (self, kind) {
            (_, Type::Number) => Some(Exact::Number(self.to_f64())),
            _ => {
                let (first, last) = (self.first(scale_of(kind)), self.last(scale_of(kind)));
                (first == last).then_some(Exact::Whole(first))
            }
        }
    }

    /// As a floating point number, the nearest one.
    pub(super) fn to_f64(self) -> f64 {
        match self {
            // The text is read again, so that the nearest number is taken.
            Bound::Decimal { unscaled, scale } => table::Value::Decimal(unscaled, scale)
                .to_text()
                .and_then(|text| text.parse().ok())
                .unwrap_or(f64::NAN),
            Bound::Span { first, .. } => first as f64,
        }
    }

    /// The first value that is not less.
    fn first(self, scale: u8) -> i128 {
        let (floor, is_exact) = self.floor(scale);
        match self {
            Bound::Span { first, .. } => first,
            Bound::Decimal { .. } => floor + i128::from(!is_exact),
        }
    }

    /// The last value that is not more.
    fn last(self, scale: u8) -> i128 {
        self.floor(scale).0
    }

    /// The first value that is more.
    fn behind(self, scale: u8) -> i128 {
        self.last(scale).saturating_add(1)
    }

    /// The last value that is less.
    fn before(self, scale: u8) -> i128 {
        self.first(scale).saturating_sub(1)
    }

    /// The greatest value in units of the scale that is not more than the bound, and whether it is the bound.
    fn floor(self, scale: u8) -> (i128, bool) {
        match self {
            Bound::Span { last, .. } => (last, true),
            Bound::Decimal { unscaled, scale: own } if own <= scale => {
                (unscaled.saturating_mul(10_i128.pow(u32::from(scale - own))), true)
            }
            Bound::Decimal { unscaled, scale: own } => {
                let factor = 10_i128.pow(u32::from(own - scale));
                (unscaled.div_euclid(factor), unscaled.rem_euclid(factor) == 0)
            }
        }
    }
}

/// `-12.50` as 1250 of two digits.
fn decimal_of(text: &str) -> Option<Bound> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit());
    if !is_number || whole.len() + part.len() > 30 || digits.ends_with('.') {
        return None;
    }
    let unscaled: i128 = format!("{whole}{part}").parse().ok()?;
    let unscaled = if text.starts_with('-') { -unscaled } else { unscaled };
    Some(Bound::Decimal { unscaled, scale: u8::try_from(part.len()).ok()? })
}

/// Days since 1970.
pub(super) fn day_of(text: &str) -> Option<i128> {
    clinical::age::parse_day(text).map(|day| i128::from(day.number() - EPOCH_DAYS))
}

/// A day, all of it, or a moment.
fn instant_of(text: &str) -> Option<Bound> {
    if let Some(day) = day_of(text) {
        return Some(Bound::Span { first: day * DAY_MICROS, last: (day + 1) * DAY_MICROS - 1 });
    }
    let micros = i128::from(fhir::Instant::parse(text)?.0);
    Some(Bound::Span { first: micros, last: micros })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact_in_the_units_of_the_column() {
        let check = |text: &str, scale: u8, expected: [i128; 4]| {
            let bound = decimal_of(text).unwrap();
            let found = [bound.first(scale), bound.last(scale), bound.behind(scale), bound.before(scale)];
            assert_eq!(found, expected, "{text} at {scale}");
        };
        check("25", 0, [25, 25, 26, 24]);
        check("18.5", 0, [19, 18, 19, 18]);
        check("18.5", 2, [1850, 1850, 1851, 1849]);
        check("-0.5", 0, [0, -1, 0, -1]);
        check("-2", 1, [-20, -20, -19, -21]);
        for wrong in ["", "1e3", "1.", ".5", "--1", "1,5"] {
            assert_eq!(decimal_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_is_all_of_it_for_moments() {
        let bound = instant_of("1970-01-02").unwrap();
        assert_eq!((bound.first(0), bound.last(0)), (DAY_MICROS, 2 * DAY_MICROS - 1));
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(instant_of("1970-01-01T00:00:01Z").unwrap().last(0), 1_000_000);
    }
}
