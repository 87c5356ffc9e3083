//! A series of a measure: what was counted per day or week, and which days are unknown.

use std::collections::{BTreeMap, BTreeSet};

use clinical::age::Day;
use rusqlite::{Connection, params};

/// Days that are looked back.
const DAYS_BACK: i32 = 400;
/// Weeks that are looked back, so that the five years before each of the last five years are whole.
const WEEKS_BACK: i32 = 530;
/// Weeks that were reported as weeks: all of them, thirty years have 1,600.
const REPORTED_DAYS_BACK: i32 = 7 * 5_000;

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What is counted.
    pub measure: String,
    /// Where; empty is everywhere.
    pub region: String,
    /// In which group; empty is all people.
    pub stratum: String,
}

impl Key {
    /// What alerts are about.
    pub fn subject(&self) -> String {
        format!("population:{}@{}", self.measure, self.region)
    }
}

/// Days or weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// Days.
    Day,
    /// Weeks.
    Week,
}

impl Resolution {
    /// Days of a step.
    pub fn days(self) -> i32 {
        match self {
            Resolution::Day => 1,
            Resolution::Week => 7,
        }
    }
}

/// Counts of consecutive days or weeks; `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Series {
    /// First day, days since 1970.
    pub(super) first: i32,
    pub(super) counts: Vec<Option<u64>>,
}

impl Series {
    /// The days or weeks that are known, with their counts.
    pub(super) fn known(&self, resolution: Resolution) -> (Vec<i32>, Vec<u64>) {
        let at = |index: usize| self.first + i32::try_from(index).unwrap_or(0) * resolution.days();
        let known = self.counts.iter().enumerate().filter_map(|(index, count)| Some((at(index), (*count)?)));
        known.unzip()
    }
}

/// The series by days, or by weeks: those that were reported as weeks, else whole weeks (from Monday) of days.
pub(super) fn load(
    conn: &Connection,
    tenant: &str,
    key: &Key,
    resolution: Resolution,
) -> rusqlite::Result<Series> {
    match resolution {
        Resolution::Day => Ok(filled(&days_of(conn, tenant, key, DAYS_BACK)?, Resolution::Day)),
        Resolution::Week => {
            let weeks = reported(conn, tenant, key, 7, REPORTED_DAYS_BACK)?;
            if !weeks.is_empty() {
                return Ok(filled(&aligned(&weeks), Resolution::Week));
            }
            Ok(filled(&weeks_of(&days_of(conn, tenant, key, WEEKS_BACK * 7)?), Resolution::Week))
        }
    }
}

/// Known days with their counts.
type Known = BTreeMap<i32, u64>;

fn days_of(conn: &Connection, tenant: &str, key: &Key, back: i32) -> rusqlite::Result<Known> {
    let mut known = reported(conn, tenant, key, 1, back)?;
    if key.stratum.is_empty() {
        let mut cases = conn.prepare_cached(
            "SELECT day, count(*) FROM surv_case WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND counted = 1 GROUP BY day",
        )?;
        let rows = cases.query_map(params![tenant, key.measure, key.region], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?))
        })?;
        for row in rows {
            let (day, count) = row?;
            *known.entry(day).or_default() += u64::try_from(count).unwrap_or(0);
        }
    }
    let days: BTreeSet<i32> = conn
        .prepare_cached(
            "SELECT DISTINCT day FROM surv_report WHERE tenant = ?1 AND measure IN (?2, '*') AND region = ?3 AND source IN (
                 SELECT source FROM surv_count WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND stratum = ?4
                 UNION SELECT source FROM surv_report WHERE tenant = ?1 AND measure = ?2 AND region = ?3)",
        )?
        .query_map(params![tenant, key.measure, key.region, key.stratum], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for day in days {
        known.entry(day).or_default();
    }
    let last = known.keys().next_back().copied().unwrap_or(0);
    known.retain(|day, _| *day > last - back);
    Ok(known)
}

/// What was reported for days or weeks, of all sources together.
fn reported(conn: &Connection, tenant: &str, key: &Key, days: i32, back: i32) -> rusqlite::Result<Known> {
    let mut statement = conn.prepare_cached(
        "SELECT day, sum(count) FROM surv_count
         WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND stratum = ?4 AND days = ?5 AND day > (
             SELECT max(day) FROM surv_count WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND stratum = ?4 AND days = ?5) - ?6
         GROUP BY day",
    )?;
    let rows = statement
        .query_map(params![tenant, key.measure, key.region, key.stratum, days, back], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?))
        })?;
    rows.map(|row| row.map(|(day, count)| (day, u64::try_from(count).unwrap_or(0)))).collect()
}

/// Weeks that begin on the weekday of the newest.
fn aligned(weeks: &Known) -> Known {
    let last = weeks.keys().next_back().copied().unwrap_or(0);
    let mut aligned = Known::new();
    for (day, count) in weeks {
        *aligned.entry(last - (last - day + 3).div_euclid(7) * 7).or_default() += count;
    }
    aligned
}

/// Whole weeks of known days; a week in which a day is unknown is unknown.
fn weeks_of(days: &Known) -> Known {
    let mut weeks: BTreeMap<i32, (u32, u64)> = BTreeMap::new();
    for (day, count) in days {
        // 1 January 1970 was a Thursday.
        let monday = day - (day + 3).rem_euclid(7);
        let week = weeks.entry(monday).or_default();
        *week = (week.0 + 1, week.1 + count);
    }
    weeks.into_iter().filter(|(_, (n, _))| *n == 7).map(|(monday, (_, count))| (monday, count)).collect()
}

fn filled(known: &Known, resolution: Resolution) -> Series {
    let (Some(first), Some(last)) = (known.keys().next(), known.keys().next_back()) else {
        return Series::default();
    };
    let n = (last - first) / resolution.days() + 1;
    let counts = (0..n).map(|n| known.get(&(first + n * resolution.days())).copied()).collect();
    Series { first: *first, counts }
}

/// `2026-11-25` of days since 1970.
pub(super) fn day_text(day: i32) -> String {
    match Day::of_epoch_days(day) {
        Some(day) => {
            let (year, month, day) = day.ymd();
            format!("{year:04}-{month:02}-{day:02}")
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_whole_or_unknown() {
        // Day 4 is Monday, 5 January 1970.
        let mut days: Known = (0..25).map(|day| (day, 1)).collect();
        days.remove(&13);
        assert_eq!(weeks_of(&days), [(4, 7), (18, 7)].into());
        let series = filled(&weeks_of(&days), Resolution::Week);
        assert_eq!(series.counts, [Some(7), None, Some(7)]);
        assert_eq!(series.known(Resolution::Week), (vec![4, 18], vec![7, 7]));
    }

    #[test]
    fn weeks_that_begin_on_another_day_are_put_in_order() {
        let weeks: Known = [(4, 1), (11, 2), (17, 3), (25, 4)].into();
        assert_eq!(aligned(&weeks), [(4, 1), (11, 2), (18, 3), (25, 4)].into());
    }
}
