//! `TS` and `DTM`: a point in time with the precision and the zone that were sent, and no others.

use std::fmt;

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// How precisely a timestamp was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2024`
    Year,
    /// `202406`
    Month,
    /// `20240601`
    Day,
    /// `2024060112`
    Hour,
    /// `202406011230`
    Minute,
    /// `20240601123015`
    Second,
    /// `20240601123015.25`
    Fraction,
}

/// A timestamp as it was sent: `YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+/-ZZZZ]`. A `DT` is one with at most the precision of a day.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp {
    year: u16,
    /// Month, day, hour, minute, second, as many as were sent.
    parts: [u8; 5],
    n_parts: u8,
    /// Digits after the point, and how many; none without a point.
    fraction: u32,
    n_fraction_digits: u8,
    zone_minutes: Option<i16>,
}

/// A text that is no timestamp; with the place, without the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Something else than digits where they must stand, or an odd number of them.
    #[error("not a timestamp such as `20240601123015.25+0200` at character {at}")]
    Form {
        /// Characters before the problem.
        at: usize,
    },
    /// A month 13, a 30 February, an hour 24.
    #[error("the timestamp's {part} is outside its range")]
    Range {
        /// Which part of it.
        part: &'static str,
    },
}

/// Each part after the year with its range; the day's depends on year and month.
const PARTS: [(&str, u8, u8); 5] =
    [("month", 1, 12), ("day", 1, 31), ("hour", 0, 23), ("minute", 0, 59), ("second", 0, 59)];

/// Most digits after the point; the standard has four.
const FRACTION_DIGITS_MAX: usize = 9;

/// Zones go from -12:00 to +14:00.
const ZONE_MINUTES: std::ops::RangeInclusive<i16> = -12 * 60..=14 * 60;

impl Timestamp {
    /// Parses the first component of a `TS`, or a `DTM`, or a `DT`.
    ///
    /// # Errors
    /// When the text has another form, or names no day or time of the calendar.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        let (local, zone_minutes) = match text.find(['+', '-']) {
            Some(at) => (&text[..at], Some(parse_zone(&text[at..], at)?)),
            None => (text, None),
        };
        let (digits, fraction) = match local.split_once('.') {
            Some((digits, fraction)) => (digits, Some(fraction)),
            None => (local, None),
        };
        if let Some(at) = digits.find(|c: char| !c.is_ascii_digit()) {
            return Err(TimestampError::Form { at });
        }
        if digits.len() < 4 || digits.len() > 14 || digits.len() % 2 != 0 {
            return Err(TimestampError::Form { at: digits.len().min(14) });
        }
        let year: u16 = digits[..4].parse().map_err(|_| TimestampError::Form { at: 0 })?;
        if year == 0 {
            return Err(TimestampError::Range { part: "year" });
        }
        let mut parts = [0; 5];
        let n_parts = (digits.len() - 4) / 2;
        for (index, (part, min, max)) in PARTS.iter().enumerate().take(n_parts) {
            let from = 4 + 2 * index;
            let number = digits[from..from + 2].parse().map_err(|_| TimestampError::Form { at: from })?;
            let max = if *part == "day" { days_of(year, parts[0]) } else { *max };
            if !(*min..=max).contains(&number) {
                return Err(TimestampError::Range { part });
            }
            parts[index] = number;
        }
        let (fraction, n_fraction_digits) = match fraction {
            None => (0, 0),
            Some(fraction) if n_parts == PARTS.len() => parse_fraction(fraction, digits.len() + 1)?,
            Some(_) => return Err(TimestampError::Form { at: digits.len() }),
        };
        let n_parts = u8::try_from(n_parts).unwrap_or(5);
        Ok(Timestamp { year, parts, n_parts, fraction, n_fraction_digits, zone_minutes })
    }

    /// The second of an instant in microseconds since 1970, in UTC; `None` outside the years 1 to 9999.
    pub fn of_utc_micros(micros: i64) -> Option<Timestamp> {
        let seconds = micros.div_euclid(1_000_000);
        let (year, month, day) = civil_of_days(seconds.div_euclid(86_400));
        let year = u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        let second_of_day = seconds.rem_euclid(86_400);
        let small = |number: i64| u8::try_from(number).unwrap_or(0);
        let time = [second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60].map(small);
        let parts = [small(month), small(day), time[0], time[1], time[2]];
        Some(Timestamp { year, parts, n_parts: 5, fraction: 0, n_fraction_digits: 0, zone_minutes: Some(0) })
    }

    /// The precision that was sent.
    pub fn precision(&self) -> Precision {
        match (self.n_parts, self.n_fraction_digits) {
            (0, _) => Precision::Year,
            (1, _) => Precision::Month,
            (2, _) => Precision::Day,
            (3, _) => Precision::Hour,
            (4, _) => Precision::Minute,
            (_, 0) => Precision::Second,
            _ => Precision::Fraction,
        }
    }

    /// The zone that was sent, in minutes east of UTC.
    pub fn zone_minutes(&self) -> Option<i16> {
        self.zone_minutes
    }

    /// ISO 8601 with what was sent: `2024-06`, `2024-06-01`, `2024-06-01T12:30`, `2024-06-01T12:30:15.25+02:00`. A zone that came with less
    /// than an hour is left out, because a date has none there.
    pub fn to_iso(&self) -> String {
        let mut text = format!("{:04}", self.year);
        for (part, before) in self.sent_parts().iter().zip(["-", "-", "T", ":", ":"]) {
            text += &format!("{before}{part:02}");
        }
        if self.n_fraction_digits > 0 {
            text += &format!(".{:0width$}", self.fraction, width = usize::from(self.n_fraction_digits));
        }
        if let (Some(minutes), true) = (self.zone_minutes, self.n_parts > 2) {
            text += &zone(minutes, ":");
        }
        text
    }

    /// The date alone, `2024-06-01`, when at least the day was sent.
    pub fn to_iso_date(&self) -> Option<String> {
        (self.n_parts >= 2).then(|| format!("{:04}-{:02}-{:02}", self.year, self.parts[0], self.parts[1]))
    }

    /// The days from 1970-01-01 to the date, when at least the day was sent.
    pub fn days_since_1970(&self) -> Option<i32> {
        let days = days_of_civil(self.year.into(), self.parts[0].into(), self.parts[1].into());
        i32::try_from(days).ok().filter(|_| self.n_parts >= 2)
    }

    /// As HL7 writes it.
    pub fn to_hl7(&self) -> String {
        let mut text = format!("{:04}", self.year);
        for part in self.sent_parts() {
            text += &format!("{part:02}");
        }
        if self.n_fraction_digits > 0 {
            text += &format!(".{:0width$}", self.fraction, width = usize::from(self.n_fraction_digits));
        }
        if let Some(minutes) = self.zone_minutes {
            text += &zone(minutes, "");
        }
        text
    }

    /// The first instant of the year, day, minute ... that was sent, in microseconds since 1970 in UTC. `unmarked_zone_minutes` is the zone
    /// of a sender that does not say it; `None` when neither knows. Digits after the sixth are cut off.
    pub fn first_utc_micros(&self, unmarked_zone_minutes: Option<i16>) -> Option<i64> {
        let zone = i64::from(self.zone_minutes.or(unmarked_zone_minutes)?);
        let part = |index: usize| i64::from(self.parts[index]);
        let days = days_of_civil(i64::from(self.year), part(0).max(1), part(1).max(1));
        let minutes = (days * 24 + part(2)) * 60 + part(3) - zone;
        let fraction = i64::from(self.fraction) * 1_000_000 / 10i64.pow(self.n_fraction_digits.into());
        Some(minutes * MICROS_PER_MINUTE + part(4) * 1_000_000 + fraction)
    }

    fn sent_parts(&self) -> &[u8] {
        &self.parts[..usize::from(self.n_parts)]
    }
}

/// A date of birth is patient data: only the precision is shown.
impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Timestamp({:?})", self.precision())
    }
}

fn parse_fraction(digits: &str, from: usize) -> Result<(u32, u8), TimestampError> {
    if let Some(at) = digits.find(|c: char| !c.is_ascii_digit()) {
        return Err(TimestampError::Form { at: from + at });
    }
    match (digits.parse(), u8::try_from(digits.len())) {
        (Ok(number), Ok(n_digits)) if digits.len() <= FRACTION_DIGITS_MAX => Ok((number, n_digits)),
        _ => Err(TimestampError::Form { at: from + digits.len().min(FRACTION_DIGITS_MAX) }),
    }
}

/// Minutes of `+0200` and `-0530`.
fn parse_zone(text: &str, from: usize) -> Result<i16, TimestampError> {
    let (sign, digits) = text.split_at(1);
    if let Some(at) = digits.find(|c: char| !c.is_ascii_digit()) {
        return Err(TimestampError::Form { at: from + 1 + at });
    }
    let number: i16 = match digits.parse() {
        Ok(number) if digits.len() == 4 => number,
        _ => return Err(TimestampError::Form { at: from + 1 + digits.len().min(4) }),
    };
    let minutes = (number / 100 * 60 + number % 100) * if sign == "-" { -1 } else { 1 };
    if number % 100 > 59 || !ZONE_MINUTES.contains(&minutes) {
        return Err(TimestampError::Range { part: "zone" });
    }
    Ok(minutes)
}

fn zone(minutes: i16, between: &str) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}{between}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

fn days_of(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March so that the leap day is the last.
fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date that many days after 1970-01-01.
fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = (month_from_march + 2) % 12 + 1;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_instants() {
        let check = |text: &str, zone: Option<i16>, expected: Option<i64>| {
            assert_eq!(Timestamp::parse(text).unwrap().first_utc_micros(zone), expected, "{text}");
        };
        check("19700101000000+0000", None, Some(0));
        check("1970", Some(0), Some(0));
        check("1970", None, None);
        check("20240229120000.123456789+0200", None, Some(1_709_200_800_123_456));
        check("19691231190000-0500", Some(60), Some(0));
        check("197001010100", Some(60), Some(0));
    }

    #[test]
    fn days() {
        let check = |text: &str, days: Option<i32>| {
            assert_eq!(Timestamp::parse(text).unwrap().days_since_1970(), days, "{text}");
        };
        check("19700101", Some(0));
        check("196912312359-0500", Some(-1));
        check("20240229", Some(19_782));
        check("202402", None);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_parsed(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000, n_digits in 4usize..=14) {
            let whole = Timestamp::of_utc_micros(micros).unwrap();
            let first = whole.first_utc_micros(None).unwrap();
            prop_assert!(first <= micros && micros - first < 1_000_000);
            let text = whole.to_hl7();
            prop_assert_eq!(Timestamp::parse(&text), Ok(whole));
            let n_digits = n_digits / 2 * 2;
            let shorter = Timestamp::parse(&text[..n_digits]).unwrap();
            prop_assert_eq!(shorter.to_hl7(), &text[..n_digits]);
            prop_assert_eq!(shorter.to_iso().replace(['-', 'T', ':'], ""), &text[..n_digits]);
        }

        #[test]
        fn any_text_has_an_answer(text in any::<String>(), digits in "[0-9.+-]{0,24}") {
            let _ = Timestamp::parse(&text);
            if let Ok(timestamp) = Timestamp::parse(&digits) {
                prop_assert_eq!(Timestamp::parse(&timestamp.to_hl7()), Ok(timestamp));
            }
        }
    }
}
