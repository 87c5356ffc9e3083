//! Quiet hours: a part of the day in a time zone, with summer time when the zone has it.

use fhir::Instant;
use jiff::civil::Time;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::settings::QuietSettings;

/// A part of each day.
#[derive(Clone, Debug)]
pub struct Quiet {
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Quiet {
    pub(super) fn new(written: &QuietSettings) -> Result<Quiet, String> {
        let (from, to) = (parse_time(&written.from)?, parse_time(&written.to)?);
        if from == to {
            return Err("quiet hours end when they begin: give two different times".to_owned());
        }
        let zone = written.zone.as_deref().map_or(Ok(TimeZone::UTC), parse_zone)?;
        Ok(Quiet { from, to, zone })
    }

    /// When the quiet hours end in which `now` lies; `None` when it lies in none.
    pub fn end(&self, now: Instant) -> Option<Instant> {
        let here = Timestamp::from_microsecond(now.0).ok()?.to_zoned(self.zone.clone());
        let time = here.time();
        let is_quiet = if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        };
        if !is_quiet {
            return None;
        }
        let day = if time < self.to { here.date() } else { here.date().checked_add(1.day()).ok()? };
        let end = day.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
        Some(Instant(end.timestamp().as_microsecond()))
    }
}

fn parse_time(text: &str) -> Result<Time, String> {
    let wrong = || format!("`{text}` is no time of day: write it as `22:00`");
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    let (Ok(hour), Ok(minute)) = (hour.parse::<i8>(), minute.parse::<i8>()) else { return Err(wrong()) };
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

fn parse_zone(text: &str) -> Result<TimeZone, String> {
    let wrong =
        || format!("`{text}` is no time zone: write `+01:00`, or as POSIX does `CET-1CEST,M3.5.0,M10.5.0/3`");
    let (sign, rest) = match text.as_bytes().first() {
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return TimeZone::posix(text).map_err(|_| wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let (Ok(hours), Ok(minutes)) = (hours.parse::<i32>(), minutes.parse::<i32>()) else {
        return Err(wrong());
    };
    if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
        return Err(wrong());
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map(TimeZone::fixed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: Option<&str>, now: &str, end: Option<&str>) {
        let written =
            QuietSettings { from: "22:00".into(), to: "06:30".into(), zone: zone.map(str::to_owned) };
        let found = Quiet::new(&written).unwrap().end(Instant::parse(now).unwrap());
        assert_eq!(found, end.map(|end| Instant::parse(end).unwrap()), "{now} in {zone:?}");
    }

    #[test]
    fn nights_end_in_the_morning() {
        check(None, "2026-01-10T21:59:59Z", None);
        check(None, "2026-01-10T22:00:00Z", Some("2026-01-11T06:30:00Z"));
        check(None, "2026-01-11T06:29:59Z", Some("2026-01-11T06:30:00Z"));
        check(None, "2026-01-11T06:30:00Z", None);
        check(Some("+02:00"), "2026-01-10T20:00:00Z", Some("2026-01-11T04:30:00Z"));
    }

    #[test]
    fn summer_time_moves_the_end() {
        let berlin = Some("CET-1CEST,M3.5.0,M10.5.0/3");
        // On 2026-03-29 clocks go from 02:00 to 03:00.
        check(berlin, "2026-03-27T23:00:00Z", Some("2026-03-28T05:30:00Z"));
        check(berlin, "2026-03-28T23:00:00Z", Some("2026-03-29T04:30:00Z"));
    }

    #[test]
    fn what_is_no_time_or_zone_is_said() {
        assert!(parse_time("25:00").is_err());
        assert!(parse_time("7").is_err());
        assert!(parse_zone("Mars/Olympus").is_err());
        assert!(parse_zone("+25:00").is_err());
    }
}
