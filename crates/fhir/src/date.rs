//! FHIR dates: a text with a precision, which is a period of time.

use jiff::civil;
use jiff::tz::Offset;

use crate::Instant;

/// From `low` up to but not including `high`, in microseconds of UTC; the ends of open periods are `i64::MIN` and `i64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// First microsecond.
    pub low: i64,
    /// The microsecond behind the last.
    pub high: i64,
}

/// How much of a date is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2024`.
    Year,
    /// `2024-02`.
    Month,
    /// `2024-02-29`.
    Day,
    /// `2024-02-29T23:59`: in searches only.
    Minute,
    /// `2024-02-29T23:59:58`.
    Second,
    /// `2024-02-29T23:59:58.123`.
    Fraction,
}

/// A date that exists: 2023-02-30 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    precision: Precision,
    start: civil::DateTime,
    /// Microseconds behind the second, and how long the stated fraction lasts.
    fraction: (i64, i64),
    /// Second 60, which the calendar library does not know.
    leap: bool,
    offset: Option<Offset>,
}

impl Date {
    /// What is stated.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Is an offset from UTC stated.
    pub fn has_offset(&self) -> bool {
        self.offset.is_some()
    }

    /// Offset from UTC in minutes, when stated.
    pub fn offset_minutes(&self) -> Option<i32> {
        self.offset.map(|offset| offset.seconds() / 60)
    }

    /// Year, and month and day as far as stated.
    pub fn ymd(&self) -> (i16, Option<i8>, Option<i8>) {
        let month = (self.precision >= Precision::Month).then(|| self.start.month());
        let day = (self.precision >= Precision::Day).then(|| self.start.day());
        (self.start.year(), month, day)
    }

    /// Hour, minute, second and microsecond as far as stated.
    pub fn hms(&self) -> Option<(i8, i8, i8, i64)> {
        let second = self.start.second() + i8::from(self.leap);
        (self.precision >= Precision::Minute)
            .then(|| (self.start.hour(), self.start.minute(), second, self.fraction.0))
    }

    /// The time it covers. Without an offset it is read as UTC.
    pub fn period(&self) -> Period {
        let low = self.micros(self.start) + self.fraction.0 + if self.leap { 1_000_000 } else { 0 };
        let high = match self.precision {
            Precision::Year => {
                self.micros(civil::date(self.start.year(), 1, 1).at(0, 0, 0, 0)) + days_in(self.start.year())
            }
            Precision::Month => low + i64::from(self.start.date().days_in_month()) * DAY_MICROS,
            Precision::Day => low + DAY_MICROS,
            Precision::Minute => low + 60_000_000,
            Precision::Second => low + 1_000_000,
            Precision::Fraction => low + self.fraction.1,
        };
        Period { low, high }
    }

    fn micros(&self, at: civil::DateTime) -> i64 {
        let offset = self.offset.unwrap_or(Offset::UTC);
        let days = i64::from((at.date() - EPOCH).get_days());
        let seconds = i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
        days * DAY_MICROS + (seconds - i64::from(offset.seconds())) * 1_000_000
    }
}

const EPOCH: civil::Date = civil::date(1970, 1, 1);
const DAY_MICROS: i64 = 86_400_000_000;

fn days_in(year: i16) -> i64 {
    i64::from(civil::date(year, 1, 1).days_in_year()) * DAY_MICROS
}

/// A date, date and time, or instant of FHIR, or one of the shorter forms that searches allow (no seconds, no offset).
pub fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let year = number(bytes.get(..4)?)?;
    let (mut month, mut day, mut precision) = (1, 1, Precision::Year);
    let mut rest = &bytes[4..];
    if let [b'-', m1, m2, after @ ..] = rest {
        (month, rest, precision) = (number(&[*m1, *m2])?, after, Precision::Month);
        if let [b'-', d1, d2, after @ ..] = rest {
            (day, rest, precision) = (number(&[*d1, *d2])?, after, Precision::Day);
        }
    }
    if year == 0 {
        return None;
    }
    let date =
        civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
            .ok()?;
    if rest.is_empty() {
        return Some(Date {
            precision,
            start: date.at(0, 0, 0, 0),
            fraction: (0, 0),
            leap: false,
            offset: None,
        });
    }
    if precision < Precision::Day {
        return None;
    }
    parse_time(date, rest)
}

/// `Thh:mm`, then perhaps seconds, a fraction, an offset.
fn parse_time(date: civil::Date, rest: &[u8]) -> Option<Date> {
    let [b'T', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    let (mut second, mut fraction, mut precision, mut rest) = (0, (0, 0), Precision::Minute, rest);
    if let [b':', s1, s2, after @ ..] = rest {
        (second, rest, precision) = (number(&[*s1, *s2])?, after, Precision::Second);
        if let [b'.', after @ ..] = rest {
            let n_digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
            fraction = fraction_of(&after[..n_digits])?;
            (rest, precision) = (&after[n_digits..], Precision::Fraction);
        }
    }
    let offset = match rest {
        [] => None,
        [b'Z'] => Some(Offset::UTC),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 14 || minutes > 59 || (hours == 14 && minutes > 0) {
                return None;
            }
            let seconds = (hours * 60 + minutes) * 60;
            Some(Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()?)
        }
        _ => return None,
    };
    let leap = second == 60;
    let second = if leap { 59 } else { second };
    let time =
        civil::Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0)
            .ok()?;
    Some(Date { precision, start: date.to_datetime(time), fraction, leap, offset })
}

/// Microseconds of a fraction of a second, and how many one unit of its last digit lasts (at least one).
fn fraction_of(digits: &[u8]) -> Option<(i64, i64)> {
    if digits.is_empty() {
        return None;
    }
    let (mut micros, mut width) = (0, 1_000_000);
    for digit in digits.iter().take(6) {
        width /= 10;
        micros += i64::from(digit - b'0') * width;
    }
    Some((micros, width))
}

/// A FHIR instant: seconds and offset are needed.
pub fn parse_instant(text: &str) -> Option<Instant> {
    let date = parse_date(text)?;
    (date.precision() >= Precision::Second && date.has_offset()).then(|| Instant(date.period().low))
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, low: &str, seconds: i64) {
        let period = parse_date(text).unwrap_or_else(|| panic!("{text} is a date")).period();
        assert_eq!(Instant(period.low).to_rfc3339_millis(), low, "{text}");
        assert_eq!(period.high - period.low, seconds * 1_000_000, "{text}");
    }

    #[test]
    fn a_date_is_a_period() {
        check("2024", "2024-01-01T00:00:00.000Z", 366 * 86_400);
        check("2023-02", "2023-02-01T00:00:00.000Z", 28 * 86_400);
        check("2024-02-29", "2024-02-29T00:00:00.000Z", 86_400);
        check("2024-02-29T10:30", "2024-02-29T10:30:00.000Z", 60);
        check("2024-02-29T10:30:05+01:00", "2024-02-29T09:30:05.000Z", 1);
        check("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z", 1);
        check("0001", "0001-01-01T00:00:00.000Z", 365 * 86_400);
        check("9999-12-31", "9999-12-31T00:00:00.000Z", 86_400);
        let fraction = parse_date("2024-02-29T10:30:05.25Z").unwrap().period();
        assert_eq!(fraction.high - fraction.low, 10_000);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "24",
            "2023-02-30",
            "2023-13",
            "2023-00",
            "0000",
            "2023-2-3",
            "2024-02-29T",
            "2024-02-29T24:00:00Z",
            "2024-02-29T10:30:05+15:00",
            "2024-02-29T10:30:05.Z",
            "2024-02T10:00",
            "2024-02-29 10:30",
            "2024-02-29T10:30:05ZZ",
            "٢٠٢٤",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_instant("2024-02-29T10:30:05"), None);
        assert_eq!(parse_instant("2024-02-29T10:30Z"), None);
    }
}
