//! Whether one group of people has more of a measure than the others: the ratio of two proportions with its interval, and nothing of small groups.

use std::collections::BTreeMap;

use clinical::statistics::Confidence;
use clinical::statistics::rate::{Comparison, Proportion, risk_ratio};
use clinical::statistics::suppression::{Cell, Limit, suppress_line};
use rusqlite::{Connection, params};

use super::{Direction, MeasureConfig};

/// Where a group is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Disparity {
    /// The group: `race=2054-5`.
    pub stratum: String,
    /// Ratio of its proportion to that of the reference, with an interval of 95 %.
    pub ratio: Result<Comparison, String>,
    /// Count and denominator; `None` when they are too small to be shown.
    pub group: Option<(u64, u64)>,
    /// Those it is compared with; `None` as above.
    pub reference: Option<(u64, u64)>,
    /// The ratio is beyond a limit and its interval excludes 1.
    pub is_disparity: bool,
    /// The group, rather than the others, is worse off; of a disparity.
    pub is_worse_off: bool,
}

/// Events and people of a group, and of an explicit reference.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    group: (u64, u64),
    reference: Option<(u64, u64)>,
}

/// The groups of a measure in a region, over `disparity_days` up to the newest count.
///
/// # Errors
/// The database fails.
pub fn disparities(
    conn: &Connection,
    tenant: &str,
    (measure, region): (&str, &str),
    config: &MeasureConfig,
) -> rusqlite::Result<Vec<Disparity>> {
    let groups = sums(conn, tenant, measure, region, config)?;
    let mut found = Vec::with_capacity(groups.len());
    for (stratum, sums) in &groups {
        let is_shown = |of: &str| is_shown(&groups, of, config);
        let reference = match sums.reference {
            Some(reference) => reference,
            None => others(&groups, stratum),
        };
        let shown = is_shown(stratum) && !is_small(reference.0, config);
        let ratio = match shown {
            false => Err(format!("fewer than {} cases in a group", config.suppress_below)),
            true => compared(sums.group, reference),
        };
        let beyond = ratio.as_ref().is_ok_and(|ratio| {
            (ratio.value >= config.ratio_high || ratio.value <= config.ratio_low)
                && !ratio.interval.contains(1.0)
        });
        let is_higher = ratio.as_ref().is_ok_and(|ratio| ratio.value > 1.0);
        found.push(Disparity {
            stratum: stratum.clone(),
            group: shown.then_some(sums.group),
            reference: shown.then_some(reference),
            is_disparity: beyond,
            is_worse_off: beyond && is_higher == (config.direction == Direction::HigherIsWorse),
            ratio,
        });
    }
    Ok(found)
}

fn compared(group: (u64, u64), reference: (u64, u64)) -> Result<Comparison, String> {
    let proportion = |(events, people)| Proportion::of(events, people).map_err(|why| why.to_string());
    let (group, reference) = (proportion(group)?, proportion(reference)?);
    risk_ratio(group, reference, Confidence::P95).map_err(|why| why.to_string())
}

fn is_small(count: u64, config: &MeasureConfig) -> bool {
    count > 0 && count < config.suppress_below
}

/// What stands before the `=` of a stratum.
fn dimension(stratum: &str) -> &str {
    stratum.split_once('=').map_or("", |(name, _)| name)
}

/// Can it be shown beside the other groups of its dimension, so that no small one can be computed from the sum.
fn is_shown(groups: &BTreeMap<String, Sums>, stratum: &str, config: &MeasureConfig) -> bool {
    if config.suppress_below < 2 {
        return true;
    }
    let same = groups.iter().filter(|(other, _)| dimension(other) == dimension(stratum));
    let (names, counts): (Vec<&String>, Vec<u64>) = same.map(|(name, sums)| (name, sums.group.0)).unzip();
    let line = suppress_line(&counts, Limit::of(config.suppress_below));
    names.iter().zip(&line.cells).any(|(name, cell)| *name == stratum && matches!(cell, Cell::Shown(_)))
}

/// The other groups of the same dimension together.
fn others(groups: &BTreeMap<String, Sums>, stratum: &str) -> (u64, u64) {
    let others =
        groups.iter().filter(|(other, _)| *other != stratum && dimension(other) == dimension(stratum));
    others.fold((0, 0), |sum, (_, other)| (sum.0 + other.group.0, sum.1 + other.group.1))
}

/// Sums over the days of comparison. A row without a denominator says nothing of a proportion.
fn sums(
    conn: &Connection,
    tenant: &str,
    measure: &str,
    region: &str,
    config: &MeasureConfig,
) -> rusqlite::Result<BTreeMap<String, Sums>> {
    let mut statement = conn.prepare_cached(
        "SELECT stratum, sum(count), sum(denominator), count(*), count(reference_denominator), sum(reference_count), sum(reference_denominator)
         FROM surv_count
         WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND stratum <> '' AND denominator IS NOT NULL AND day > (
             SELECT max(day) FROM surv_count WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND stratum <> '') - ?4
         GROUP BY stratum",
    )?;
    let rows = statement.query_map(params![tenant, measure, region, config.disparity_days], |row| {
        let number =
            |at: usize| row.get::<_, Option<i64>>(at).map(|n| u64::try_from(n.unwrap_or(0)).unwrap_or(0));
        let has_reference = number(3)? == number(4)?;
        let reference = if has_reference { Some((number(5)?, number(6)?)) } else { None };
        Ok((row.get(0)?, Sums { group: (number(1)?, number(2)?), reference }))
    })?;
    rows.collect()
}
