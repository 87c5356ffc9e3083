//! Days and moments as databases without such types write them: `2026-01-31`, `2026-01-31T10:00:00.123456Z`, years 1 to 9999.

const DAY_MICROS: i64 = 86_400_000_000;
/// 0001-01-01 and 9999-12-31, counted from 1970.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// Year, month and day of a day counted from 1970. `None`: outside of the years 1 to 9999.
pub(crate) fn civil(days: i64) -> Option<(u16, u8, u8)> {
    if !DAYS.contains(&days) {
        return None;
    }
    // Counted from 1 March of year 0, so that the leap day is the last of its year; 400 years have 146097 days.
    let days = u32::try_from(days + 719_468).ok()?;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    Some((u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

/// The day counted from 1970 of a day of the calendar, years 1 to 9999. `None`: there is no such day.
pub(crate) fn days_of(year: u16, month: u8, day: u8) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    // A day behind the end of its month comes back as one of the next.
    (civil(days)?.2 == day as u8).then_some(days)
}

/// Parts of a moment in UTC: the day counted from 1970, and microseconds since midnight.
pub(crate) fn split(micros: i64) -> (i64, i64) {
    (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS))
}

/// Writes a day into `text`; `false` when it is outside of the years 1 to 9999.
pub(crate) fn write_day(days: i64, text: &mut String) -> bool {
    let Some((year, month, day)) = civil(days) else { return false };
    digits(year.into(), 4, text);
    text.push('-');
    digits(month.into(), 2, text);
    text.push('-');
    digits(day.into(), 2, text);
    true
}

/// Writes a moment into `text`; `false` when it is outside of the years 1 to 9999.
pub(crate) fn write_moment(micros: i64, text: &mut String) -> bool {
    let (days, rest) = split(micros);
    if !write_day(days, text) {
        return false;
    }
    let seconds = rest / 1_000_000;
    for (sign, value) in [('T', seconds / 3_600), (':', seconds / 60 % 60), (':', seconds % 60)] {
        text.push(sign);
        digits(value, 2, text);
    }
    text.push('.');
    digits(rest % 1_000_000, 6, text);
    text.push('Z');
    true
}

fn digits(value: i64, width: u32, text: &mut String) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

/// `2026-01-31` as a day counted from 1970.
pub(crate) fn parse_day(text: &str) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?);
    let days = days_of(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    i32::try_from(days).ok()
}

/// `2026-01-31T10:00:00.123456Z`, also with a blank for the `T`, without seconds, with another offset, or without one, which means UTC.
/// Digits behind the microsecond are cut off.
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    let days = i64::from(parse_day(text.get(..10)?)?);
    let rest =
        text.as_bytes()[10..].strip_prefix(b"T").or_else(|| text.as_bytes()[10..].strip_prefix(b" "))?;
    let (time, zone) = match rest.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')) {
        Some(at) => rest.split_at(at),
        None => (rest, &b"Z"[..]),
    };
    let (time, micros) = match time.iter().position(|byte| *byte == b'.') {
        Some(8) => (&time[..8], fraction(&time[9..])?),
        Some(_) => return None,
        None => (time, 0),
    };
    let seconds = match time {
        [hour @ .., b':', _, _, b':', _, _] if hour.len() == 2 => number(&time[6..])?,
        [hour @ .., b':', _, _] if hour.len() == 2 => 0,
        _ => return None,
    };
    let (hours, minutes) = (number(&time[..2])?, number(&time[3..5])?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = days * 86_400 + hours * 3_600 + minutes * 60 + seconds - offset_secs(zone)?;
    Some(seconds * 1_000_000 + micros)
}

/// `Z`, `+02:00`, `-0600`, `+02` as seconds east of UTC.
fn offset_secs(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [b'Z' | b'z'] => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [_, _] => (number(digits)?, 0),
        [_, _, b':', _, _] => (number(&digits[..2])?, number(&digits[3..])?),
        [_, _, _, _] => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Digits behind the second as microseconds.
fn fraction(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    number(digits)?;
    (0..6).try_fold(0, |micros, place| Some(micros * 10 + number(digits.get(place..=place).unwrap_or(b"0"))?))
}

/// A number of digits only.
fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_come_back() {
        for days in (-719_162..=2_932_896).step_by(97).chain([-719_162, -1, 0, 59, 60, 2_932_896]) {
            let mut text = String::new();
            assert!(write_day(days, &mut text));
            assert_eq!(parse_day(&text), i32::try_from(days).ok(), "{text}");
            let (year, month, day) = civil(days).unwrap();
            assert_eq!(days_of(year, month, day), Some(days));
        }
        assert!(!write_day(-719_163, &mut String::new()) && !write_day(2_932_897, &mut String::new()));
        for micros in [0, -1, 1_700_000_000_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999] {
            let mut text = String::new();
            assert!(write_moment(micros, &mut text));
            assert_eq!(parse_moment(&text), Some(micros), "{text}");
        }
        assert_eq!(parse_moment("2026-01-31 10:00:00"), parse_moment("2026-01-31T12:00:00+02:00"));
        assert_eq!(parse_moment("2026-01-31 10:00:00.5"), parse_moment("2026-01-31T04:00:00.500000-0600"));
        assert_eq!(parse_moment("2026-01-31T10:00Z"), parse_moment("2026-01-31 10:00:00.0000009"));
        for wrong in [
            "2026-01-31",
            "2026-01-31T",
            "2026-01-31 24:00:00",
            "2026-01-31T10:00:00.",
            "2026-01-31T1:00",
            "2026-01-31T10:00:00 UTC",
            "2026-01-31T10:00.5",
            "2026-02-30T10:00",
        ] {
            assert_eq!(parse_moment(wrong), None, "{wrong}");
        }
        assert_eq!(parse_day("2026-02-30"), None);
        assert_eq!(parse_day("2026-1-30"), None);
        assert!(
            days_of(2026, 2, 29).is_none() && days_of(2024, 2, 29).is_some() && days_of(0, 0, 0).is_none()
        );
    }
}
