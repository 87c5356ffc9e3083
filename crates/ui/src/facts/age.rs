//! Ages in words. A birth date of a month or a year gives the ages it allows, not one of them.

use fhir::Instant;
use fhir::date::{Date, parse_date};

type Ymd = (i32, i32, i32);

/// Whole years from a full date to another.
pub fn years_between(from: Ymd, to: Ymd) -> i32 {
    to.0 - from.0 - i32::from((to.1, to.2) < (from.1, from.2))
}

/// The age at an instant: `63 y`, `7 mo`, `12 d`; `42–43 y` when only the year is known. `None` when there is no date, or it lies ahead.
pub fn age_text(born: &str, at: Instant) -> Option<String> {
    let born = parse_date(born)?;
    let today = parse_date(at.to_rfc3339_millis().get(..10)?)?;
    let (low, high) = (last_day(&born), first_day(&born));
    let now = first_day(&today);
    if high > now {
        return None;
    }
    if low != high {
        let (least, most) = (years_between(low, now).max(0), years_between(high, now));
        return Some(if least == most { format!("{least} y") } else { format!("{least}–{most} y") });
    }
    let years = years_between(high, now);
    let months = (now.0 - high.0) * 12 + now.1 - high.1 - i32::from(now.2 < high.2);
    Some(match (years, months) {
        (2.., _) => format!("{years} y"),
        (_, 1..) => format!("{months} mo"),
        // Less than a month: at most one month boundary lies between.
        _ if now.1 == high.1 => format!("{} d", now.2 - high.2),
        _ => format!("{} d", month_days(high.0, high.1) - high.2 + now.2),
    })
}

fn first_day(date: &Date) -> Ymd {
    let (year, month, day) = date.ymd();
    (i32::from(year), month.map_or(1, i32::from), day.map_or(1, i32::from))
}

fn last_day(date: &Date) -> Ymd {
    let (year, month, day) = date.ymd();
    let (year, month) = (i32::from(year), month.map_or(12, i32::from));
    (year, month, day.map_or_else(|| month_days(year, month), i32::from))
}

fn month_days(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(born: &str, at: &str, expected: Option<&str>) {
        let at = Instant::parse(&format!("{at}T12:00:00Z")).unwrap();
        assert_eq!(age_text(born, at).as_deref(), expected, "{born}");
    }

    #[test]
    fn ages() {
        check("1963-11-26", "2026-11-25", Some("62 y"));
        check("1963-11-25", "2026-11-25", Some("63 y"));
        check("2026-04-20", "2026-11-25", Some("7 mo"));
        check("2025-01-20", "2026-11-25", Some("22 mo"));
        check("2026-10-30", "2026-11-02", Some("3 d"));
        check("2026-11-25", "2026-11-25", Some("0 d"));
        check("2024-02-29", "2024-03-01", Some("1 d"));
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        check("1983", "2026-11-25", Some("42–43 y"));
        check("1983-02", "2026-11-25", Some("43 y"));
        check("2027-01-01", "2026-11-25", None);
        check("soon", "2026-11-25", None);
    }
}
