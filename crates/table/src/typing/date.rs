//! Days and moments: the calendar, and the fast way through `2026-01-31`.

use crate::typing::Fault;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Whether a year has 366 days.
const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, years 1 to 9999.
#[inline]
pub(crate) fn day(year: i32, month: u32, day: u32) -> Result<i32, Fault> {
    const LENGTHS: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    const BEFORE: [i16; 16] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0];
    let index = (month & 15) as usize;
    let leap = is_leap(year);
    let length = u32::from(LENGTHS[index]) + u32::from(leap && month == 2);
    if month > 12 || day == 0 || day > length || !(1..=9999).contains(&year) {
        return Err(Fault::Calendar);
    }
    let before = year - 1;
    let to_year = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let in_year = i32::from(BEFORE[index]) + i32::from(leap && month > 2) + day as i32 - 1;
    Ok(to_year + in_year)
}

/// `2026-01-31` as days since 1970-01-01. `None`: another form.
#[inline]
pub(crate) fn iso_day(text: &[u8]) -> Option<Result<i32, Fault>> {
    let text: &[u8; 10] = text.try_into().ok()?;
    // "YYYY-MM-" in one word and "DD" in another: all bytes are compared and converted at once.
    let head = u64::from_le_bytes([text[0], text[1], text[2], text[3], text[4], text[5], text[6], text[7]]);
    let tail = u16::from_le_bytes([text[8], text[9]]);
    const ZEROS: u64 = u64::from_le_bytes(*b"0000-00-");
    let (digits, last) = (head ^ ZEROS, tail ^ u16::from_le_bytes(*b"00"));
    // A digit became its value, a dash became 0. Adding sets the top bit of every digit above 9 and every dash above 0.
    const ROOM: u64 = u64::from_le_bytes([0x76, 0x76, 0x76, 0x76, 0x7F, 0x76, 0x76, 0x7F]);
    let is_wrong = (digits.wrapping_add(ROOM) | digits) & 0x8080_8080_8080_8080 != 0
        || (last.wrapping_add(0x7676) | last) & 0x8080 != 0;
    if is_wrong {
        return None;
    }
    let at = |index: u32| ((digits >> (8 * index)) & 0xFF) as u32;
    let year = at(0) * 1000 + at(1) * 100 + at(2) * 10 + at(3);
    let month = at(5) * 10 + at(6);
    let of_month = u32::from(last & 0xFF) * 10 + u32::from(last >> 8);
    Some(day(year as i32, month, of_month))
}

/// A moment in microseconds since 1970 UTC from a day, a time of day and minutes east of UTC.
pub(crate) fn moment(days: i32, time: Time, zone_minutes: i32) -> Result<i64, Fault> {
    let Time { hour, minute, second, micros } = time;
    // A leap second is written as 60; it is counted as the next second, as POSIX does.
    if hour > 23 || minute > 59 || second > 60 || zone_minutes.abs() > 18 * 60 {
        return Err(Fault::Calendar);
    }
    let seconds = i64::from(days) * 86_400 + i64::from(hour * 3_600 + minute * 60 + second)
        - i64::from(zone_minutes) * 60;
    Ok(seconds * MICROS_PER_SECOND + i64::from(micros))
}

/// A time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Time {
    /// 0 to 23.
    pub(crate) hour: u32,
    /// 0 to 59.
    pub(crate) minute: u32,
    /// 0 to 60.
    pub(crate) second: u32,
    /// Behind the second.
    pub(crate) micros: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_the_one_of_arrow() {
        let mut expected = day(1, 1, 1).unwrap();
        for year in 1..=9999 {
            for month in 1..=12 {
                for of_month in 1..=31 {
                    let Ok(days) = day(year, month, of_month) else { continue };
                    assert_eq!(days, expected);
                    expected += 1;
                }
            }
        }
        assert_eq!(day(9999, 12, 31).unwrap() + 1, expected);
        for probe in [-719_162, -1, 0, 1, 11_016, 20_000, 2_932_896] {
            let text = crate::Value::Date(probe).to_text().unwrap();
            assert_eq!(iso_day(text.as_bytes()), Some(Ok(probe)), "{text}");
        }
    }

    #[test]
    fn only_the_exact_form_is_taken() {
        assert_eq!(iso_day(b"1985-02-30"), Some(Err(Fault::Calendar)));
        assert_eq!(iso_day(b"1985-00-10"), Some(Err(Fault::Calendar)));
        assert_eq!(iso_day(b"1985-13-10"), Some(Err(Fault::Calendar)));
        assert_eq!(iso_day(b"0000-01-01"), Some(Err(Fault::Calendar)));
        let valid = *b"1985-12-30";
        for index in 0..10 {
            for byte in 0..=255_u8 {
                let mut text = valid;
                text[index] = byte;
                let is_form = if index == 4 || index == 7 { byte == b'-' } else { byte.is_ascii_digit() };
                assert_eq!(iso_day(&text).is_some(), is_form, "{text:?}");
            }
        }
        assert_eq!(iso_day(b"1985-1-30"), None);
    }
}
