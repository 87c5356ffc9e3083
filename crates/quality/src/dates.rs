//! Comparing dates of unequal precision: only what is surely so counts.

use fhir::date::{Date, Precision, parse_date};
use fhir::{Instant, Object, Value};

const DAY_MICROS: i64 = 86_400_000_000;
const YEAR_DAYS: f64 = 365.2425;

/// The date at a path.
pub(crate) fn date_at(object: &Object, path: &str) -> Option<Date> {
    at(object, path)?.as_str().and_then(parse_date)
}

/// The value at a path of single members: `period.start`.
pub(crate) fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((head, rest)) => at(object.get(head)?.as_object()?, rest),
    }
}

/// Is it surely later than now; a day is given to time zones.
pub(crate) fn is_future(date: &Date, now: Instant) -> bool {
    date.period().low > now.0.saturating_add(DAY_MICROS)
}

/// Is the first one surely later than the second one; a day is given to time zones when only one states its offset.
pub(crate) fn is_later(first: &Date, second: &Date) -> bool {
    let slack = if first.has_offset() == second.has_offset() { 0 } else { DAY_MICROS };
    first.period().low >= second.period().high.saturating_add(slack)
}

/// Least number of whole days from the first to the second.
pub(crate) fn days_between(first: &Date, second: &Date) -> i64 {
    (second.period().low - first.period().high).div_euclid(DAY_MICROS)
}

/// Least number of days from a date to now.
pub(crate) fn days_since(date: &Date, now: Instant) -> i64 {
    (now.0 - date.period().high).div_euclid(DAY_MICROS)
}

/// Least age in years at a time.
pub(crate) fn least_years(birth: &Date, end: i64) -> f64 {
    (end - birth.period().high) as f64 / DAY_MICROS as f64 / YEAR_DAYS
}

/// Does it state a day.
pub(crate) fn has_day(date: &Date) -> bool {
    date.precision() >= Precision::Day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn only_what_is_sure_counts() {
        let later = |a, b| is_later(&date(a), &date(b));
        assert!(later("2021", "2020-12-31") && later("2020-02-01", "2020-01"));
        assert!(!later("2020", "2020-01-01") && !later("2020-01-01", "2020"));
        assert!(!later("2020-01-02T01:00:00+10:00", "2020-01-01"));
        assert!(later("2020-01-03T12:00:00Z", "2020-01-01"));
        let now = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        assert!(!is_future(&date("2026"), now) && !is_future(&date("2026-01-01"), now));
        assert!(is_future(&date("2026-01-03"), now) && is_future(&date("2027"), now));
        assert_eq!(days_between(&date("2020-01-01"), &date("2020-01-31")), 29);
        assert!(least_years(&date("1890-01-01"), now.0) > 135.0);
    }
}
