//! Adds durations to temporal values.

use jiff::{Span, civil};

use super::{Family, Precision, Temporal};

const DAY_MICROS: i64 = 86_400_000_000;

/// A calendar unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    /// The unit of a calendar word such as `days`.
    pub(crate) fn of_word(word: &str) -> Option<Unit> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Unit::Year,
            "month" => Unit::Month,
            "week" => Unit::Week,
            "day" => Unit::Day,
            "hour" => Unit::Hour,
            "minute" => Unit::Minute,
            "second" => Unit::Second,
            "millisecond" => Unit::Millisecond,
            _ => return None,
        })
    }

    /// The unit of a UCUM code; years and months of UCUM are no calendar years and months.
    pub(crate) fn of_ucum(code: &str) -> Option<Unit> {
        Some(match code {
            "wk" => Unit::Week,
            "d" => Unit::Day,
            "h" => Unit::Hour,
            "min" => Unit::Minute,
            "s" => Unit::Second,
            "ms" => Unit::Millisecond,
            _ => return None,
        })
    }

    /// The UCUM code.
    pub(crate) fn ucum(self) -> &'static str {
        match self {
            Unit::Year => "a",
            Unit::Month => "mo",
            Unit::Week => "wk",
            Unit::Day => "d",
            Unit::Hour => "h",
            Unit::Minute => "min",
            Unit::Second => "s",
            Unit::Millisecond => "ms",
        }
    }

    fn micros(self) -> i64 {
        match self {
            Unit::Year => 365 * DAY_MICROS,
            Unit::Month => 30 * DAY_MICROS,
            Unit::Week => 7 * DAY_MICROS,
            Unit::Day => DAY_MICROS,
            Unit::Hour => 3_600_000_000,
            Unit::Minute => 60_000_000,
            Unit::Second => 1_000_000,
            Unit::Millisecond => 1_000,
        }
    }
}

impl Temporal {
    /// The value `n` units later. What is finer than its stated precision is cut from `n` first: a year and 23 months are
    /// one year later. `None` when the calendar ends before.
    pub(crate) fn plus(&self, n: i64, unit: Unit) -> Option<Temporal> {
        if self.family == Family::Time {
            return self.plus_time(n, unit);
        }
        match (self.precision, unit) {
            (_, Unit::Year) => self.plus_months(n.checked_mul(12)?),
            (Precision::Year, Unit::Month) => self.plus_months(n / 12 * 12),
            (_, Unit::Month) => self.plus_months(n),
            (precision, unit) => {
                let micros = n.checked_mul(unit.micros())?;
                match precision {
                    Precision::Year => self.plus_months((micros / Unit::Year.micros()).checked_mul(12)?),
                    Precision::Month => self.plus_months(micros / Unit::Month.micros()),
                    Precision::Day => self.plus_micros(micros / DAY_MICROS * DAY_MICROS),
                    Precision::Hour => self.plus_micros(whole(micros, Unit::Hour)),
                    Precision::Minute => self.plus_micros(whole(micros, Unit::Minute)),
                    Precision::Second => self.plus_micros(whole(micros, Unit::Second)),
                    Precision::Fraction => self.plus_micros(micros),
                }
            }
        }
    }

    fn plus_months(&self, n: i64) -> Option<Temporal> {
        let date = civil::Date::new(self.year, self.month, self.day).ok()?;
        let span = Span::new().try_months(n).ok()?;
        let date = date.checked_add(span).ok().filter(|date| date.year() > 0)?;
        Some(Temporal { year: date.year(), month: date.month(), day: date.day(), ..*self })
    }

    pub(super) fn plus_micros(&self, micros: i64) -> Option<Temporal> {
        let total = self.local_micros().checked_add(micros)?;
        let (days, rest) = (total.div_euclid(DAY_MICROS), total.rem_euclid(DAY_MICROS));
        let span = Span::new().try_days(days).ok()?;
        let date = civil::date(1970, 1, 1).checked_add(span).ok().filter(|date| date.year() > 0)?;
        let moved = Temporal { year: date.year(), month: date.month(), day: date.day(), ..*self };
        Some(moved.at_micros(rest))
    }

    fn plus_time(&self, n: i64, unit: Unit) -> Option<Temporal> {
        if unit < Unit::Hour {
            return Some(*self);
        }
        let micros = n.checked_mul(unit.micros())?;
        let micros = match self.precision {
            Precision::Hour => whole(micros, Unit::Hour),
            Precision::Minute => whole(micros, Unit::Minute),
            Precision::Second => whole(micros, Unit::Second),
            _ => micros,
        };
        // The clock goes round.
        let total = self.local_micros().checked_add(micros % DAY_MICROS)?.rem_euclid(DAY_MICROS);
        Some(self.at_micros(total))
    }

    /// The same day at so many microseconds.
    fn at_micros(&self, micros: i64) -> Temporal {
        let part = |unit: Unit, modulo: i64| i8::try_from(micros / unit.micros() % modulo).unwrap_or(0);
        let below_micro = i64::from(self.nanos % 1000);
        Temporal {
            hour: part(Unit::Hour, 24),
            minute: part(Unit::Minute, 60),
            second: part(Unit::Second, 60),
            nanos: i32::try_from(micros % 1_000_000 * 1000 + below_micro).unwrap_or(0),
            n_digits: if self.precision == Precision::Fraction { self.n_digits.max(3) } else { 0 },
            ..*self
        }
    }
}

fn whole(micros: i64, unit: Unit) -> i64 {
    micros / unit.micros() * unit.micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, n: i64, unit: Unit, expected: &str) {
        let start = match start.strip_prefix('T') {
            Some(time) => Temporal::parse_time(time).unwrap(),
            None => Temporal::parse_date_time(start).unwrap(),
        };
        assert_eq!(start.plus(n, unit).map_or("none".into(), |end| end.to_string()), expected);
    }

    #[test]
    fn durations_keep_the_precision() {
        check("2024-01-31", 1, Unit::Month, "2024-02-29");
        check("2024-02-29", 1, Unit::Year, "2025-02-28");
        check("2024", 23, Unit::Month, "2025");
        check("2024-01", 59, Unit::Day, "2024-02");
        check("2024-01-31", 47, Unit::Hour, "2024-02-01");
        check("2024-12-31T23:59:59.999Z", 1, Unit::Millisecond, "2025-01-01T00:00:00.000Z");
        check("2024-03-01T00:00", -1, Unit::Second, "2024-03-01T00:00");
        check("T23:30", 45, Unit::Minute, "00:15");
        check("T23:30", -24, Unit::Hour, "23:30");
        check("9999-12-31", 1, Unit::Day, "none");
        check("0001", -1, Unit::Year, "none");
        check("2024-01-01", i64::MAX, Unit::Week, "none");
    }
}
