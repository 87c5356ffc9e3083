//! Instants with microseconds as text: `2026-11-25T13:17:43.123456Z`, written and read without a calendar library, because there are two in each event.

use fhir::Instant;

const DAY_MICROS: i64 = 86_400_000_000;
/// First microsecond of year 1, and the one behind year 9999.
const YEARS: std::ops::Range<i64> = -719_162 * DAY_MICROS..2_932_897 * DAY_MICROS;

/// Writes an instant of the years 1 to 9999.
pub(super) fn write(at: Instant, out: &mut Vec<u8>) {
    // Others cannot come through a door; they are kept at the end of the calendar rather than lost with their event.
    let micros = at.0.clamp(YEARS.start, YEARS.end - 1);
    let (year, month, day) = civil_of_days(micros.div_euclid(DAY_MICROS));
    let micros = micros.rem_euclid(DAY_MICROS);
    let seconds = micros / 1_000_000;
    let mut digits = |number: i64, n: usize, after: &[u8]| {
        let start = out.len();
        out.resize(start + n, b'0');
        let mut left = number;
        for at in (start..start + n).rev() {
            out[at] = b'0' + u8::try_from(left % 10).unwrap_or(0);
            left /= 10;
        }
        out.extend_from_slice(after);
    };
    digits(year, 4, b"-");
    digits(month, 2, b"-");
    digits(day, 2, b"T");
    digits(seconds / 3600, 2, b":");
    digits(seconds / 60 % 60, 2, b":");
    digits(seconds % 60, 2, b".");
    digits(micros % 1_000_000, 6, b"Z");
}

/// Reads what [`write`] wrote.
pub(super) fn read(text: &str) -> Option<Instant> {
    let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (26, b'Z')];
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(Instant(days_of_civil(year, month, day) * DAY_MICROS + seconds * 1_000_000 + number(20, 26)?))
}

/// The proleptic Gregorian calendar counted in eras of 400 years that begin in March.
fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_calendar_of_fhir(micros in YEARS) {
            let mut text = Vec::new();
            write(Instant(micros), &mut text);
            let text = String::from_utf8(text).unwrap();
            prop_assert_eq!(read(&text), Some(Instant(micros)));
            prop_assert_eq!(Instant::parse(&text), Some(Instant(micros)));
        }
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "2026-11-25T13:17:43Z", "2026-13-25T13:17:43.123456Z", "2026-11-25T24:17:43.123456Z"]
        {
            assert_eq!(read(text), None);
        }
    }
}
