//! The earliest and the latest moment that a temporal value may mean, and its precision in digits.

use jiff::civil;

use super::{Family, Precision, Temporal};

impl Temporal {
    /// How many digits are stated: a date has 4, 6 or 8, a millisecond 17 (a time of day 9).
    pub(crate) fn digits(&self) -> i64 {
        digits_of(self.family, self.precision)
    }

    /// The earliest (or latest) value with so many digits that it may mean; `None` when no value has so many.
    pub(crate) fn boundary(&self, high: bool, digits: Option<i64>) -> Option<Temporal> {
        let most = match self.family {
            Family::Date => Precision::Day,
            Family::DateTime | Family::Time => Precision::Fraction,
        };
        let digits = digits.unwrap_or(digits_of(self.family, most));
        let all = [
            Precision::Year,
            Precision::Month,
            Precision::Day,
            Precision::Hour,
            Precision::Minute,
            Precision::Second,
            Precision::Fraction,
        ];
        let precision = all.into_iter().find(|p| *p <= most && digits_of(self.family, *p) == digits)?;
        Some(self.filled(high).cut(precision, high))
    }

    fn filled(&self, high: bool) -> Temporal {
        let mut value = *self;
        if self.precision < Precision::Month {
            value.month = if high { 12 } else { 1 };
        }
        if self.precision < Precision::Day {
            let last = civil::Date::new(value.year, value.month, 1).map_or(28, civil::Date::days_in_month);
            value.day = if high { last } else { 1 };
        }
        if high {
            if self.precision < Precision::Hour {
                value.hour = 23;
            }
            if self.precision < Precision::Minute {
                value.minute = 59;
            }
            if self.precision < Precision::Second {
                value.second = 59;
            }
            if self.precision < Precision::Fraction {
                value.nanos = 999_000_000;
            }
        }
        value
    }

    fn cut(mut self, precision: Precision, high: bool) -> Temporal {
        self.precision = precision;
        self.n_digits = if precision == Precision::Fraction { self.n_digits.max(3) } else { 0 };
        if precision >= Precision::Hour && self.family == Family::DateTime && self.offset.is_none() {
            // Noon comes first at UTC+14 and last at UTC-12.
            self.offset = Some(if high { -12 * 60 } else { 14 * 60 });
        }
        if precision <= Precision::Day {
            self.offset = None;
        }
        self
    }
}

fn digits_of(family: Family, precision: Precision) -> i64 {
    let digits = match precision {
        Precision::Year => 4,
        Precision::Month => 6,
        Precision::Day => 8,
        Precision::Hour => 10,
        Precision::Minute => 12,
        Precision::Second => 14,
        Precision::Fraction => 17,
    };
    if family == Family::Time { digits - 8 } else { digits }
}
