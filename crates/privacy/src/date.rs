//! Dates and ages under Safe Harbor: years, and one group for all that is 90 or more years ago.

use jiff::civil::Date;

use crate::{Cell, Effect};

/// Oldest age that may be shown.
const AGE_SHOWN_MAX: i16 = 89;

/// How much of a date is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stated {
    Year,
    Month,
    Day,
}

/// A text that begins with a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// The first day it may mean.
    pub(crate) first: Date,
    pub(crate) stated: Stated,
    /// `-` between year, month and day, or nothing, as HL7 v2 writes.
    pub(crate) dashes: bool,
    /// Time of day and offset, with what stands before them.
    pub(crate) time: &'a str,
}

/// `2024`, `2024-02`, `2024-02-29`, with a time behind `T` or a space; `20240229` and `202402291530`. Other forms are none, because a
/// form that is guessed wrong shows what should not be seen.
pub(crate) fn parse(value: &str) -> Option<Parts<'_>> {
    let value = value.trim();
    let n_digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let number = |from: usize, to: usize| value.get(from..to)?.parse::<i16>().ok();
    let part = |from: usize| {
        let digits = value.get(from..from + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i8>().ok())?
    };
    let year = number(0, 4).filter(|year| *year > 0)?;
    let (month, day, dashes, time) = match n_digits {
        4 if value.len() == 4 => (None, None, true, ""),
        4 if value.as_bytes()[4] != b'-' => return None,
        4 if value.len() == 7 => (Some(part(5)?), None, true, ""),
        4 if value.as_bytes().get(7) != Some(&b'-') => return None,
        4 => (Some(part(5)?), Some(part(8)?), true, value.get(10..)?),
        8 | 10 | 12 | 14 => (Some(part(4)?), Some(part(6)?), false, value.get(8..)?),
        _ => return None,
    };
    if !is_time(time, dashes) {
        return None;
    }
    let first = Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?;
    let stated = match (month, day) {
        (None, _) => Stated::Year,
        (_, None) => Stated::Month,
        _ => Stated::Day,
    };
    Some(Parts { first, stated, dashes, time })
}

/// Nothing but digits and the signs of times, so that no text hides behind a date.
fn is_time(time: &str, after_dashes: bool) -> bool {
    let clock = match (after_dashes, time.as_bytes()) {
        (_, []) => return true,
        (true, [b'T' | b' ', clock @ ..]) if clock.first().is_some_and(u8::is_ascii_digit) => clock,
        (false, clock) => clock,
        _ => return false,
    };
    clock.len() <= 24 && clock.iter().all(|byte| byte.is_ascii_digit() || b":.+-Z".contains(byte))
}

/// Completed years from a birth to a day.
pub(crate) fn age_on(birth: Date, day: Date) -> i16 {
    day.year() - birth.year() - i16::from((day.month(), day.day()) < (birth.month(), birth.day()))
}

/// The year of a date; more than 89 years before `as_of` it is `<=` the year 90 years back. A date that only might be so old counts as
/// old.
pub(crate) fn year<'a>(value: &str, as_of: Date) -> Cell<'a> {
    let Some(parts) = parse(value) else { return Cell::empty(Effect::Unreadable) };
    let year = parts.first.year();
    let text = if age_on(parts.first, as_of) > AGE_SHOWN_MAX {
        format!("<={}", as_of.year() - (AGE_SHOWN_MAX + 1))
    } else {
        format!("{year:04}")
    };
    Cell::new(text, Effect::Generalised)
}

/// An age in years: over 89 is `90+`.
pub(crate) fn age(value: &str) -> Cell<'_> {
    let value = value.trim();
    if value == "90+" {
        return Cell::new(value, Effect::Kept);
    }
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    match whole.parse::<i64>() {
        Ok(years) if digits(whole) && digits(fraction) => {
            if years > i64::from(AGE_SHOWN_MAX) {
                Cell::new("90+", Effect::Generalised)
            } else {
                Cell::new(value, Effect::Kept)
            }
        }
        _ => Cell::empty(Effect::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const AS_OF: Date = date(2026, 1, 15);

    #[test]
    fn vectors_of_the_reference_program() {
        let check = |value: &str, years: &str, age_text: &str| {
            assert_eq!(year(value, AS_OF).text(), Some(years), "{value}");
            let completed = age_on(parse(value).unwrap().first, AS_OF).to_string();
            assert_eq!(age(&completed).text(), Some(age_text), "{value}");
        };
        check("1936-01-15", "<=1936", "90+");
        check("1936-01-16", "1936", "89");
        check("1935-12-31", "<=1936", "90+");
        check("2000-02-29", "2000", "25");
    }

    #[test]
    fn what_might_be_old_counts_as_old_and_other_forms_are_left_out() {
        let check = |value: &str, expected: Option<&str>| {
            assert_eq!(year(value, AS_OF).text(), expected, "{value}");
        };
        check("1936", Some("<=1936"));
        check("1936-01", Some("<=1936"));
        check("1936-02", Some("1936"));
        check("1937", Some("1937"));
        check("2024-02-29T23:59:58.123+01:00", Some("2024"));
        check("2024-02-29 10:00", Some("2024"));
        check("20240229", Some("2024"));
        check("202402291530", Some("2024"));
        check("2030-01-01", Some("2030"));
        for value in [
            "",
            "02/29/2024",
            "2023-02-29",
            "2024-13",
            "2024-1-1",
            "24-01-01",
            "2024/01/01",
            "2024-01-01 Smith",
            "2024-01-01Tx",
            "2024-01-01T",
            "0000-01-01",
            "2024-01-0",
            "20240",
            "2024-01-011",
            "２０２４",
        ] {
            check(value, None);
        }
    }

    #[test]
    fn ages() {
        let check = |value: &str, expected: Option<&str>| assert_eq!(age(value).text(), expected, "{value}");
        check("0", Some("0"));
        check("89", Some("89"));
        check("89.9", Some("89.9"));
        check("90", Some("90+"));
        check("999999999", Some("90+"));
        check("90+", Some("90+"));
        for value in ["", "-1", "ninety", "1e2", "+5", "90 years", "12345678901", "5."] {
            check(value, None);
        }
        // On 29 February.
        assert_eq!(age_on(date(2000, 2, 29), date(2001, 2, 28)), 0);
        assert_eq!(age_on(date(2000, 2, 29), date(2001, 3, 1)), 1);
    }
}
