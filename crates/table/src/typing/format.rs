//! Written forms of dates and moments, strict: `%m/%d/%Y`, `%d.%m.%Y %H:%M`. What a form does not say is not guessed.

use crate::Type;
use crate::typing::Fault;
use crate::typing::date::{self, Time};

/// A form of a date or a moment, with the directives of `strftime`:
/// `%Y` four digits, `%m` and `%d` two digits, `%-m` and `%-d` one or two, `%b` and `%B` English month names (three letters, whole),
/// `%H` and `%M` and `%S` two digits, `%I` with `%p` hours of AM and PM, `%.f` a point and digits or nothing, `%z` `Z` or `+hh:mm` or
/// `+hhmm`, `%%` a per cent sign. Two-digit years (`%y`) are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    written: String,
    parts: Vec<Part>,
    is_iso: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Is(u8),
    Year,
    Month,
    MonthShort,
    MonthName,
    MonthWord,
    Day,
    DayShort,
    Hour,
    HourOfTwelve,
    Half,
    Minute,
    Second,
    Fraction,
    Zone,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What a text says in a form.
#[derive(Clone, Copy, Default)]
struct Said {
    year: i32,
    month: u32,
    day: u32,
    time: Time,
    half: Option<bool>,
    zone_minutes: Option<i32>,
}

impl Format {
    /// Reads a form; what is wrong with it in words.
    pub fn parse(written: &str, kind: Type) -> Result<Format, String> {
        let mut parts = Vec::new();
        let mut bytes = written.bytes();
        while let Some(byte) = bytes.next() {
            parts.push(if byte == b'%' { directive(&mut bytes, written)? } else { Part::Is(byte) });
        }
        let has = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
        let has_month = has(&[Part::Month, Part::MonthShort, Part::MonthName, Part::MonthWord]);
        if !has(&[Part::Year]) || !has_month || !has(&[Part::Day, Part::DayShort]) {
            return Err(format!("`{written}` must say year, month and day: for example `%m/%d/%Y`"));
        }
        if has(&[Part::HourOfTwelve]) != has(&[Part::Half]) {
            return Err(format!("`{written}`: `%I` and `%p` go together"));
        }
        if kind == Type::Instant && !has(&[Part::Hour, Part::HourOfTwelve]) {
            return Err(format!(
                "`{written}` must say the hour of an instant: for example `%Y-%m-%d %H:%M:%S`"
            ));
        }
        Ok(Format { written: written.to_owned(), is_iso: written == "%Y-%m-%d", parts })
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether some text can be read in both forms and mean different days: month and day changed places.
    pub fn is_confused_with(&self, other: &Format) -> bool {
        let swapped: Vec<Part> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Month => Part::Day,
                Part::MonthShort => Part::DayShort,
                Part::Day => Part::Month,
                Part::DayShort => Part::MonthShort,
                other => *other,
            })
            .collect();
        let loose = |parts: &[Part]| -> Vec<Part> {
            let widen = |part: &Part| match part {
                Part::Month => Part::MonthShort,
                Part::Day => Part::DayShort,
                other => *other,
            };
            parts.iter().map(widen).collect()
        };
        loose(&swapped) == loose(&other.parts)
    }

    /// The day that a text means, in days since 1970-01-01.
    ///
    /// # Errors
    /// The text is not in this form, no calendar has the day, or it has a time of day other than midnight.
    pub fn day(&self, text: &[u8]) -> Result<i32, Fault> {
        if self.is_iso {
            return date::iso_day(text).unwrap_or(Err(Fault::Form));
        }
        let said = self.read(text).ok_or(Fault::Form)?;
        if said.time()? != Time::default() {
            return Err(Fault::TimeOfDay);
        }
        date::day(said.year, said.month, said.day)
    }

    /// A moment.
    pub(crate) fn moment(&self, text: &[u8], zone_minutes: Option<i32>) -> Result<i64, Fault> {
        let said = self.read(text).ok_or(Fault::Form)?;
        let zone = said.zone_minutes.or(zone_minutes).ok_or(Fault::Zone)?;
        date::moment(date::day(said.year, said.month, said.day)?, said.time()?, zone)
    }

    fn read(&self, text: &[u8]) -> Option<Said> {
        let (mut said, mut rest) = (Said::default(), text);
        for part in &self.parts {
            rest = said.take(*part, rest)?;
        }
        rest.is_empty().then_some(said)
    }
}

fn directive(bytes: &mut std::str::Bytes<'_>, written: &str) -> Result<Part, String> {
    Ok(match bytes.next() {
        Some(b'Y') => Part::Year,
        Some(b'm') => Part::Month,
        Some(b'd') => Part::Day,
        Some(b'b') => Part::MonthName,
        Some(b'B') => Part::MonthWord,
        Some(b'H') => Part::Hour,
        Some(b'I') => Part::HourOfTwelve,
        Some(b'p') => Part::Half,
        Some(b'M') => Part::Minute,
        Some(b'S') => Part::Second,
        Some(b'z') => Part::Zone,
        Some(b'%') => Part::Is(b'%'),
        Some(b'-') => match bytes.next() {
            Some(b'm') => Part::MonthShort,
            Some(b'd') => Part::DayShort,
            _ => return Err(format!("`{written}`: `%-` goes with `m` or `d`")),
        },
        Some(b'.') if bytes.next() == Some(b'f') => Part::Fraction,
        Some(b'y') => {
            return Err(format!(
                "`{written}`: a year of two digits does not say its century: use `%Y`, or read the column as text"
            ));
        }
        _ => {
            return Err(format!(
                "`{written}`: unknown directive: there are `%Y %m %-m %d %-d %b %B %H %I %p %M %S %.f %z %%`"
            ));
        }
    })
}

impl Said {
    /// Takes what a part says from the front of the text.
    fn take<'a>(&mut self, part: Part, text: &'a [u8]) -> Option<&'a [u8]> {
        let (value, rest) = match part {
            Part::Is(byte) => return text.strip_prefix(&[byte]),
            Part::Year => digits(text, 4, 4)?,
            Part::MonthShort | Part::DayShort => digits(text, 1, 2)?,
            Part::Fraction => return self.take_fraction(text),
            Part::Zone => return self.take_zone(text),
            Part::MonthName | Part::MonthWord => return self.take_month(text, part == Part::MonthName),
            Part::Half => {
                let (half, rest) = text.split_at_checked(2)?;
                self.half = Some(if half.eq_ignore_ascii_case(b"pm") {
                    true
                } else if half.eq_ignore_ascii_case(b"am") {
                    false
                } else {
                    return None;
                });
                return Some(rest);
            }
            _ => digits(text, 2, 2)?,
        };
        match part {
            Part::Year => self.year = i32::try_from(value).ok()?,
            Part::Month | Part::MonthShort => self.month = value,
            Part::Day | Part::DayShort => self.day = value,
            Part::Minute => self.time.minute = value,
            Part::Second => self.time.second = value,
            _ => self.time.hour = value,
        }
        Some(rest)
    }

    fn take_fraction<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let Some(rest) = text.strip_prefix(b".") else { return Some(text) };
        let n_digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if n_digits == 0 || n_digits > 9 {
            return None;
        }
        // Digits behind the microsecond are cut off: instants are microseconds.
        let (micros, _) = digits(rest, 1, 6)?;
        self.time.micros = micros * 10_u32.pow(6 - u32::try_from(n_digits.min(6)).ok()?);
        Some(&rest[n_digits..])
    }

    fn take_zone<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(rest) = text.strip_prefix(b"Z").or_else(|| text.strip_prefix(b"z")) {
            self.zone_minutes = Some(0);
            return Some(rest);
        }
        let (minutes, rest) = zone(text)?;
        self.zone_minutes = Some(minutes);
        Some(rest)
    }

    fn take_month<'a>(&mut self, text: &'a [u8], is_short: bool) -> Option<&'a [u8]> {
        for (index, name) in MONTHS.iter().enumerate() {
            let name = if is_short { &name[..3] } else { name };
            if let Some((word, rest)) = text.split_at_checked(name.len())
                && word.eq_ignore_ascii_case(name.as_bytes())
            {
                self.month = index as u32 + 1;
                return Some(rest);
            }
        }
        None
    }

    fn time(&self) -> Result<Time, Fault> {
        let Some(is_afternoon) = self.half else { return Ok(self.time) };
        if !(1..=12).contains(&self.time.hour) {
            return Err(Fault::Calendar);
        }
        Ok(Time { hour: self.time.hour % 12 + 12 * u32::from(is_afternoon), ..self.time })
    }
}

/// A number of some digits at the front of a text.
fn digits(text: &[u8], min: usize, max: usize) -> Option<(u32, &[u8])> {
    let n = text.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
    if n < min {
        return None;
    }
    let value = text[..n].iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
    Some((value, &text[n..]))
}

/// `+02:00` or `-0600` at the front of a text, as minutes east of UTC.
fn zone(text: &[u8]) -> Option<(i32, &[u8])> {
    let is_west = match text.first()? {
        b'+' => false,
        b'-' => true,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2, 2)?;
    let rest = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = digits(rest, 2, 2)?;
    if hours > 18 || minutes > 59 {
        return None;
    }
    let east = i32::try_from(hours * 60 + minutes).ok()?;
    Some((if is_west { -east } else { east }, rest))
}

/// `UTC`, `+02:00`, `-0600` as minutes east of UTC.
pub fn parse_zone(text: &str) -> Option<i32> {
    if matches!(text, "UTC" | "Z") {
        return Some(0);
    }
    zone(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(minutes, _)| minutes)
}

/// The forms of an instant where none is declared: RFC 3339, with `T` or a blank.
pub(crate) fn rfc3339() -> Vec<Format> {
    let forms = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"];
    forms.iter().map(|form| Format::parse(form, Type::Instant).expect("the form is well written")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_of(form: &str, text: &str) -> Result<String, Fault> {
        let days = Format::parse(form, Type::Date).unwrap().day(text.as_bytes())?;
        Ok(crate::Value::Date(days).to_text().unwrap())
    }

    fn moment_of(form: &str, text: &str, zone: Option<i32>) -> Result<String, Fault> {
        let micros = Format::parse(form, Type::Instant).unwrap().moment(text.as_bytes(), zone)?;
        Ok(crate::Value::Instant(micros).to_text().unwrap())
    }

    #[test]
    fn days_are_read_as_the_form_says() {
        let check = |form: &str, text: &str, expected: Result<&str, Fault>| {
            assert_eq!(day_of(form, text), expected.map(str::to_owned), "{form} {text}");
        };
        check("%m/%d/%Y", "07/04/1976", Ok("1976-07-04"));
        check("%m/%d/%Y", "7/4/1976", Err(Fault::Form));
        check("%-m/%-d/%Y", "7/4/1976", Ok("1976-07-04"));
        check("%m/%d/%Y", "13/04/1976", Err(Fault::Calendar));
        check("%d-%b-%Y", "04-JUL-1976", Ok("1976-07-04"));
        check("%d %B %Y", "4 July 1976", Err(Fault::Form));
        check("%-d %B %Y", "4 July 1976", Ok("1976-07-04"));
        check("%Y%m%d", "19760704", Ok("1976-07-04"));
        check("%Y%m%d", "197607041", Err(Fault::Form));
        check("%Y-%m-%d %H:%M:%S", "1976-07-04 00:00:00", Ok("1976-07-04"));
        check("%Y-%m-%d %H:%M:%S", "1976-07-04 10:00:00", Err(Fault::TimeOfDay));
    }

    #[test]
    fn moments_have_a_zone() {
        let check = |form: &str, text: &str, zone, expected: Result<&str, Fault>| {
            assert_eq!(moment_of(form, text, zone), expected.map(str::to_owned), "{form} {text}");
        };
        let iso = "%Y-%m-%dT%H:%M:%S%.f%z";
        check(iso, "2026-01-31T10:00:00.1234567+02:00", None, Ok("2026-01-31T08:00:00.123456Z"));
        check(iso, "2026-01-31T10:00:00Z", None, Ok("2026-01-31T10:00:00.000000Z"));
        check(iso, "2026-01-31T10:00:00", None, Err(Fault::Form));
        check(iso, "2026-01-31T24:00:00Z", None, Err(Fault::Calendar));
        check("%m/%d/%Y %I:%M %p", "01/31/2026 12:05 AM", Some(-360), Ok("2026-01-31T06:05:00.000000Z"));
        check("%m/%d/%Y %I:%M %p", "01/31/2026 12:05 pm", Some(0), Ok("2026-01-31T12:05:00.000000Z"));
        check("%m/%d/%Y %I:%M %p", "01/31/2026 12:05 pm", None, Err(Fault::Zone));
        check("%m/%d/%Y %I:%M %p", "01/31/2026 13:05 pm", Some(0), Err(Fault::Calendar));
        assert_eq!((parse_zone("-06:00"), parse_zone("UTC"), parse_zone("CET")), (Some(-360), Some(0), None));
    }

    #[test]
    fn forms_that_guess_are_refused() {
        let problem = |form: &str, kind| Format::parse(form, kind).unwrap_err();
        assert!(problem("%m/%d/%y", Type::Date).contains("century"));
        assert!(problem("%m/%Y", Type::Date).contains("year, month and day"));
        assert!(problem("%Y-%m-%d", Type::Instant).contains("hour"));
        assert!(problem("%Y-%m-%d %I:%M", Type::Instant).contains("go together"));
        assert!(problem("%Q", Type::Date).contains("unknown directive"));
        let form = |text| Format::parse(text, Type::Date).unwrap();
        assert!(form("%m/%d/%Y").is_confused_with(&form("%-d/%-m/%Y")));
        assert!(!form("%m/%d/%Y").is_confused_with(&form("%d-%m-%Y")));
        assert!(!form("%Y-%m-%d").is_confused_with(&form("%Y-%m-%d")));
    }
}
