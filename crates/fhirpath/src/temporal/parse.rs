//! Reads dates, date-times and times from their text, and from an instant.

use jiff::civil;

use super::{Family, Precision, Temporal};

const DAY_MICROS: i64 = 86_400_000_000;

impl Temporal {
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, and the day exists.
    pub(crate) fn parse_date(text: &str) -> Option<Temporal> {
        let bytes = text.as_bytes();
        let mut value = Temporal {
            family: Family::Date,
            precision: Precision::Year,
            year: number(bytes.get(..4)?)?.try_into().ok()?,
            month: 1,
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            n_digits: 0,
            offset: None,
        };
        let parts = [Precision::Month, Precision::Day];
        let mut rest = &bytes[4..];
        for precision in parts {
            let [b'-', a, b, after @ ..] = rest else { break };
            let part = number(&[*a, *b])?.try_into().ok()?;
            *(if precision == Precision::Month { &mut value.month } else { &mut value.day }) = part;
            (value.precision, rest) = (precision, after);
        }
        let exists = value.year > 0 && civil::Date::new(value.year, value.month, value.day).is_ok();
        (rest.is_empty() && exists).then_some(value)
    }

    /// A date, then perhaps `T`, then perhaps a time and an offset.
    pub(crate) fn parse_date_time(text: &str) -> Option<Temporal> {
        let Some((date, time)) = text.split_once('T') else {
            return Some(Temporal { family: Family::DateTime, ..Temporal::parse_date(text)? });
        };
        let mut value = Temporal { family: Family::DateTime, ..Temporal::parse_date(date)? };
        if time.is_empty() {
            return Some(value);
        }
        if value.precision < Precision::Day {
            return None;
        }
        let (time, offset) = split_offset(time)?;
        value.set_time(time)?;
        value.offset = offset;
        Some(value)
    }

    /// `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`.
    pub(crate) fn parse_time(text: &str) -> Option<Temporal> {
        let mut value = Temporal { family: Family::Time, ..Temporal::parse_date("1970")? };
        value.set_time(text)?;
        Some(value)
    }

    fn set_time(&mut self, text: &str) -> Option<()> {
        let (time, fraction) = match text.split_once('.') {
            Some((time, fraction)) => (time, Some(fraction)),
            None => (text, None),
        };
        let mut parts = time.split(':');
        let mut part = |max: i8| -> Option<Option<i8>> {
            let Some(text) = parts.next() else { return Some(None) };
            let value = i8::try_from(number(text.as_bytes())?).ok()?;
            (text.len() == 2 && value <= max).then_some(Some(value))
        };
        (self.hour, self.precision) = (part(23)??, Precision::Hour);
        if let Some(minute) = part(59)? {
            (self.minute, self.precision) = (minute, Precision::Minute);
        }
        // Leap seconds are stated as second 60.
        if let Some(second) = part(60)? {
            (self.second, self.precision) = (second, Precision::Second);
        }
        if parts.next().is_some() {
            return None;
        }
        let Some(fraction) = fraction else { return Some(()) };
        if self.precision != Precision::Second || fraction.is_empty() || fraction.len() > 30 {
            return None;
        }
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // What is finer than a nanosecond is cut.
        let digits = &fraction[..fraction.len().min(9)];
        self.n_digits = u8::try_from(digits.len()).ok()?;
        self.nanos = number(digits.as_bytes())? * 10i32.pow(9 - u32::from(self.n_digits));
        self.precision = Precision::Fraction;
        Some(())
    }

    /// An instant as a date-time of UTC in milliseconds.
    pub(crate) fn of_instant(now: fhir::Instant) -> Temporal {
        let text =
            fhir::Instant(now.0.clamp(-62_135_596_800_000_000, 253_402_300_799_000_000)).to_rfc3339_millis();
        Temporal::parse_date_time(&text).expect("an instant of the years 1 to 9999 is a date-time")
    }

    /// Only the date of a date-time.
    pub(crate) fn date(self) -> Temporal {
        Temporal {
            family: Family::Date,
            precision: self.precision.min(Precision::Day),
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            n_digits: 0,
            offset: None,
            ..self
        }
    }

    /// Only the time of a date-time.
    pub(crate) fn time(self) -> Temporal {
        Temporal { family: Family::Time, year: 1970, month: 1, day: 1, offset: None, ..self }
    }

    /// Microseconds since 1970 of its start, as if its clock showed UTC.
    pub(super) fn local_micros(&self) -> i64 {
        let date =
            civil::Date::new(self.year, self.month, self.day).expect("the date exists since it was read");
        let days = i64::from((date - civil::date(1970, 1, 1)).get_days());
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        days * DAY_MICROS + seconds * 1_000_000 + i64::from(self.nanos) / 1000
    }
}

fn split_offset(time: &str) -> Option<(&str, Option<i16>)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let [sign, h1, h2, b':', m1, m2] = time.as_bytes()[at..] else { return None };
    let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let offset = i16::try_from(hours * 60 + minutes).ok()?;
    Some((&time[..at], Some(if sign == b'-' { -offset } else { offset })))
}

fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let parsed = match text.strip_prefix('T') {
            Some(time) => Temporal::parse_time(time),
            None => Temporal::parse_date_time(text),
        };
        assert_eq!(parsed.map(|value| value.literal()).as_deref(), expected, "{text}");
    }

    #[test]
    fn what_is_stated_is_kept() {
        check("2015", Some("2015T"));
        check("2015-02T", Some("2015-02T"));
        check("2015-02-04T14", Some("2015-02-04T14"));
        check("2015-02-04T14:34:28.120Z", Some("2015-02-04T14:34:28.120Z"));
        check("2015-02-04T14:34-09:30", Some("2015-02-04T14:34-09:30"));
        check("T14:34:28.1", Some("T14:34:28.1"));
        check("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:60Z"));
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for text in [
            "",
            "0000",
            "15",
            "2015-13",
            "2015-02-30",
            "2015-2-3",
            "2015-02T10",
            "2015-02-04T24",
            "2015-02-04T1",
            "2015-02-04T10:60",
            "2015-02-04T10:00:00.",
            "2015-02-04T10.5",
            "2015-02-04T10:00+15:00",
            "T",
            "T1:00",
            "T10:00Z",
            "T10:00:00:00",
            "2015-02-04T10:00+1:00",
        ] {
            check(text, None);
        }
    }
}
