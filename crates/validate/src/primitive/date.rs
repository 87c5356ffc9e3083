//! date, dateTime, instant and time: the written form, and that the day exists.

use fhir::date::{Precision, parse_date};

use super::{Problem, when};

pub(super) fn check_date(text: &str) -> Result<(), Problem> {
    let right = text.len() <= 10 && parse_date(text).is_some();
    when(right, "bad-date", "a date is `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, a day of the calendar")
}

pub(super) fn check_date_time(text: &str) -> Result<(), Problem> {
    let right = parse_date(text).is_some_and(|date| {
        date.precision() <= Precision::Day || (date.precision() >= Precision::Second && date.has_offset())
    });
    let needed = "a date and time is `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ss` with an offset such as `Z` or `+01:00`, a day of the calendar";
    when(right, "bad-date-time", needed)
}

pub(super) fn check_instant(text: &str) -> Result<(), Problem> {
    let right =
        parse_date(text).is_some_and(|date| date.precision() >= Precision::Second && date.has_offset());
    when(right, "bad-instant", "an instant is `YYYY-MM-DDThh:mm:ss` with an offset such as `Z` or `+01:00`")
}

pub(super) fn check_time(text: &str) -> Result<(), Problem> {
    let right = match text.as_bytes() {
        [h1, h2, b':', m1, m2, b':', s1, s2, fraction @ ..] => {
            let two = |a: &u8, b: &u8, below| {
                a.is_ascii_digit() && b.is_ascii_digit() && (a - b'0') * 10 + (b - b'0') < below
            };
            let fraction_right = match fraction {
                [] => true,
                [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
                _ => false,
            };
            two(h1, h2, 24) && two(m1, m2, 60) && two(s1, s2, 61) && fraction_right
        }
        _ => false,
    };
    when(right, "bad-time", "a time is `hh:mm:ss`, without offset")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(right: fn(&str) -> Result<(), Problem>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(right(text).is_ok(), "{text}");
        }
        for text in bad {
            assert!(right(text).is_err(), "{text}");
        }
    }

    #[test]
    fn forms_of_time_are_told_apart() {
        let times = ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.123+01:00", "2024-12-31T23:59:60Z"];
        check(
            check_date,
            &["2024", "2024-02", "2024-02-29"],
            &["2023-02-30", "24", "2024-1-1", times[0], "2024-02-29Z", "0000"],
        );
        check(
            check_date_time,
            &["2024", "2024-02", times[0], times[1], times[2]],
            &["2024-02-29T10:00:00", "2024-02-29T10:00Z", "2024-02-29 10:00:00Z"],
        );
        check(check_instant, &times, &["2024", "2024-02-29", "2024-02-29T10:00:00"]);
        check(
            check_time,
            &["00:00:00", "23:59:60", "10:00:00.5"],
            &["24:00:00", "10:00", "10:60:00", "10:00:00Z", "10:00:00.", "1a:00:00"],
        );
    }
}
