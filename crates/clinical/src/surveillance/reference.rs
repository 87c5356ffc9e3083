//! Which past weeks a week is compared with. The same week of each past year must exist; a window may be cut by the start of the series.

use super::farrington::{Options, Weekly};

/// Weeks of the baseline, and the seasonal period of each: `periods` for the windows about the same week, 1 to `periods - 1` for those between.
pub(super) struct Baseline {
    pub(super) weeks: Vec<usize>,
    pub(super) periods: Vec<usize>,
}

/// The same week `years` years before, by the calendar where the series has one. `None`: before the first week.
fn same_week(series: Weekly<'_>, week: usize, years: usize) -> Option<usize> {
    let Some(first_day) = series.first_day else {
        return week.checked_sub(52 * years);
    };
    let today = first_day.number() + 7 * i64::try_from(week).ok()?;
    let past =
        first_day.plus_days(7 * i64::try_from(week).ok()?)?.years_before(i16::try_from(years).ok()?)?;
    // To the nearest day of the same weekday; seven is odd, so there is no tie.
    let ahead = (today - past.number()).rem_euclid(7);
    let nearest = past.number() + if ahead <= 3 { ahead } else { ahead - 7 };
    usize::try_from((nearest - first_day.number()) / 7).ok().filter(|_| nearest >= first_day.number())
}

/// The original baseline: windows about the same week of past years.
pub(super) fn windows(series: Weekly<'_>, week: usize, options: &Options) -> Option<Baseline> {
    let w = options.half_window_weeks;
    let mut weeks = Vec::new();
    for years in (1..=options.years).rev() {
        let same = same_week(series, week, years)?;
        weeks.extend(same.saturating_sub(w)..=same + w);
    }
    let periods = vec![options.periods; weeks.len()];
    Some(Baseline { weeks, periods })
}

/// The flexible baseline: the windows, and all weeks between them in periods of equal length; without the last `guard_weeks`.
pub(super) fn seasons(series: Weekly<'_>, week: usize, options: &Options) -> Option<Baseline> {
    let (w, n_between) = (options.half_window_weeks, options.periods.checked_sub(1)?);
    let mut period_of = vec![0; week + 1];
    let mut next = week;
    for years in 1..=options.years {
        let same = same_week(series, week, years)?;
        period_of.get_mut(same.saturating_sub(w)..=same + w)?.fill(options.periods);
        let between = next.checked_sub(same + 2 * w + 1)?;
        if n_between > 0 && between < n_between {
            return None;
        }
        let mut start = same + w + 1;
        for period in 1..=n_between {
            // The first periods are longer by the week that is left over.
            let length = between / n_between + usize::from(period <= between % n_between);
            period_of[start..start + length].fill(period);
            start += length;
        }
        next = same;
    }
    let end = week.checked_sub(options.guard_weeks)?;
    let weeks: Vec<usize> = (0..end).filter(|at| period_of[*at] > 0).collect();
    let periods = weeks.iter().map(|at| period_of[*at]).collect();
    Some(Baseline { weeks, periods })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::age::{Day, parse_day};

    const COUNTS: [u64; 600] = [0; 600];

    fn weekly(first_day: Option<&str>) -> Weekly<'static> {
        Weekly { counts: &COUNTS, first_day: first_day.and_then(parse_day) }
    }

    /// Mondays from 3 January 1994; week and years before → the day that week begins.
    #[test]
    fn the_same_week_begins_on_the_nearest_same_weekday() {
        let first: Day = parse_day("1994-01-03").unwrap();
        let check = |day: &str, years, expected: Option<&str>| {
            let week = usize::try_from((parse_day(day).unwrap().number() - first.number()) / 7).unwrap();
            let found = same_week(weekly(Some("1994-01-03")), week, years);
            let found = found.map(|week| first.plus_days(7 * week as i64).unwrap());
            assert!(found == expected.and_then(parse_day), "{day} {years}");
        };
        // 18 January 1998 is a Sunday, 1997 a Saturday, 1996 a Thursday, 1995 a Wednesday, 1994 a Tuesday.
        check("1999-01-18", 1, Some("1998-01-19"));
        check("1999-01-18", 2, Some("1997-01-20"));
        check("1999-01-18", 3, Some("1996-01-15"));
        check("1999-01-18", 4, Some("1995-01-16"));
        check("1999-01-18", 5, Some("1994-01-17"));
        // 29 December 1995 is a Friday: three days ahead is nearer than four back.
        check("1997-12-29", 2, Some("1996-01-01"));
        check("1996-02-26", 3, None);
        assert_eq!(same_week(weekly(None), 300, 5), Some(40));
        assert_eq!(same_week(weekly(None), 259, 5), None);
    }

    #[test]
    fn windows_and_seasons() {
        let options = Options { years: 2, ..Options::ORIGINAL };
        let found = windows(weekly(None), 107, &options).unwrap();
        assert_eq!(found.weeks, [0, 1, 2, 3, 4, 5, 6, 52, 53, 54, 55, 56, 57, 58]);
        // The week itself must exist, its window may be cut.
        assert_eq!(windows(weekly(None), 104, &options).unwrap().weeks[..5], [0, 1, 2, 3, 49]);
        assert!(windows(weekly(None), 103, &options).is_none());
        let options = Options { years: 2, ..Options::FLEXIBLE };
        let found = seasons(weekly(None), 107, &options).unwrap();
        assert_eq!((found.weeks[0], found.weeks.last()), (0, Some(&80)));
        // 45 weeks between two windows: nine periods of five.
        let of = |period| found.periods[..52].iter().filter(|found| **found == period).count();
        assert_eq!((1..=10).map(of).collect::<Vec<_>>(), [5, 5, 5, 5, 5, 5, 5, 5, 5, 7]);
        assert_eq!(found.periods[..14], [10, 10, 10, 10, 10, 10, 10, 1, 1, 1, 1, 1, 2, 2]);
        assert!(seasons(weekly(None), 103, &options).is_none());
        assert!(seasons(weekly(None), 107, &Options { periods: 60, ..options }).is_none());
    }
}
