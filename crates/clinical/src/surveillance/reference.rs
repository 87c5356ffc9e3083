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
