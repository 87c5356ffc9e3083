//! When a pipeline runs by itself: the five fields of cron, in UTC or at a fixed offset from it.

use std::fmt;

use fhir::Instant;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _, civil};

const DAYS_AHEAD_MAX: usize = 366 * 5;

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
    /// Reads `0 3 * * 1-5`, with `*`, lists, ranges and steps (`*/15`). The zone is `UTC` or an offset such as `-06:00`; UTC without one.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Schedule, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(
                "a schedule has five fields: minute, hour, day of month, month, day of week".to_owned()
            );
        };
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => {
                let minutes = table::parse_zone(name);
                let offset = minutes.and_then(|minutes| Offset::from_seconds(minutes * 60).ok());
                offset.map(TimeZone::fixed).ok_or_else(|| {
                    format!("the time zone `{name}` must be `UTC` or an offset such as `-06:00`: a region's time is not known here")
                })?
            }
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
    pub fn next_after(&self, after: Instant) -> Option<Instant> {
        let start = Timestamp::from_microsecond(after.0).ok()?;
        let local = start.to_zoned(self.zone.clone()).datetime();
        let mut day = local.date();
        for _ in 0..DAYS_AHEAD_MAX {
            if self.takes_day(day) {
                for minute in 0..24 * 60 {
                    let (h, m) = (minute / 60, minute % 60);
                    if self.hours & (1 << h) == 0 || self.minutes & (1 << m) == 0 {
                        continue;
                    }
                    let time = civil::time(i8::try_from(h).ok()?, i8::try_from(m).ok()?, 0, 0);
                    let at = day.to_datetime(time).to_zoned(self.zone.clone()).ok()?.timestamp();
                    if at > start {
                        return Some(Instant(at.as_microsecond()));
                    }
                }
            }
            day = day.checked_add(1.day()).ok()?;
        }
        None
    }

    fn takes_day(&self, day: civil::Date) -> bool {
        let in_month = self.months & (1 << day.month()) != 0;
        let by_number = self.days & (1 << day.day()) != 0;
        let by_week = self.weekdays & (1 << day.weekday().to_sunday_zero_offset()) != 0;
        in_month && if self.either_day { by_number || by_week } else { by_number && by_week }
    }
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
        assert!(Schedule::parse("0 3 * * *", Some("America/Chicago")).is_err());
    }
}
