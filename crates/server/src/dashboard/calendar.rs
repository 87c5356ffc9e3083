//! Days of the calendar, as charts and timelines count with them.

/// Year, month, day.
pub(super) type Day = (i32, u32, u32);

/// The day at the start of a date or instant; of a month or year alone, its first day.
pub(super) fn first_day(text: &str) -> Option<Day> {
    let part = |from: usize, to: usize| text.get(from..to).map(str::parse::<u32>);
    let year = text.get(..4)?.parse().ok()?;
    let month = part(5, 7).unwrap_or(Ok(1)).ok()?;
    let day = part(8, 10).unwrap_or(Ok(1)).ok()?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

/// The same, of a month or year alone its last day.
pub(super) fn last_day(text: &str) -> Option<Day> {
    let (year, month, day) = first_day(text)?;
    Some(match text.len() {
        4 => (year, 12, 31),
        7 => (year, month, month_days(year, month)),
        _ => (year, month, day),
    })
}

/// `2026-11-25`.
pub(super) fn text_of((year, month, day): Day) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// The same day years before; the 29th of February becomes the 28th where there is none.
pub(super) fn years_before((year, month, day): Day, years: i32) -> Day {
    let year = year - years;
    (year, month, day.min(month_days(year, month)))
}

/// The day after.
pub(super) fn next((year, month, day): Day) -> Day {
    match (day < month_days(year, month), month) {
        (true, _) => (year, month, day + 1),
        (false, 12) => (year + 1, 1, 1),
        (false, _) => (year, month + 1, 1),
    }
}

/// The day before.
pub(super) fn previous((year, month, day): Day) -> Day {
    match (day, month) {
        (2.., _) => (year, month, day - 1),
        (_, 1) => (year - 1, 12, 31),
        (_, _) => (year, month - 1, month_days(year, month - 1)),
    }
}

fn month_days(year: i32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let mut day = (1999, 12, 31);
        for _ in 0..1_500 {
            assert_eq!(previous(next(day)), day);
            assert!(next(day) > day);
            day = next(day);
        }
        assert_eq!(day, (2004, 2, 8));
    }

    #[test]
    fn dates_of_any_precision_have_a_first_and_a_last_day() {
        let check = |text: &str, first: Day, last: Day| {
            assert_eq!((first_day(text), last_day(text)), (Some(first), Some(last)), "{text}");
        };
        check("2024", (2024, 1, 1), (2024, 12, 31));
        check("2024-02", (2024, 2, 1), (2024, 2, 29));
        check("2024-02-03T10:00:00Z", (2024, 2, 3), (2024, 2, 3));
        assert_eq!((first_day("x"), first_day("2024-13")), (None, None));
        assert_eq!(text_of(years_before((2024, 2, 29), 1)), "2023-02-28");
    }
}
