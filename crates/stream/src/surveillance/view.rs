//! What the page of surveillance shows: the series there are, and one of them as a detector sees it.

use rusqlite::{Connection, params};

use super::detect::{Options, points};
use super::series::{day_text, load};
use super::{Detector, Key, Point, Resolution, SurveillanceConfig};

/// A series there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub key: Key,
    /// Days or weeks with a count.
    pub n_points: u64,
    /// The newest, `YYYY-MM-DD`.
    pub last: String,
    /// An outbreak or a disparity of it is open.
    pub is_flagged: bool,
}

/// A series as a detector sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Days or weeks.
    pub resolution: Resolution,
    /// The oldest first. A count that is too small to be shown is `None`, and so is what would tell it.
    pub points: Vec<Point>,
    /// Counts from 1 to below this are not shown; 0 shows all.
    pub suppressed_below: u64,
}

/// All series of a tenant.
///
/// # Errors
/// The database fails.
pub fn list(conn: &Connection, tenant: &str) -> rusqlite::Result<Vec<Listed>> {
    let mut statement = conn.prepare_cached(
        "SELECT measure, region, stratum, count(DISTINCT day), max(day), EXISTS (
             SELECT 1 FROM surv_episode e WHERE e.tenant = ?1 AND e.measure = s.measure AND e.region = s.region AND e.stratum = s.stratum)
         FROM (SELECT measure, region, stratum, day FROM surv_count WHERE tenant = ?1
               UNION ALL SELECT measure, region, '', day FROM surv_case WHERE tenant = ?1 AND counted = 1) s
         GROUP BY measure, region, stratum ORDER BY measure, region, stratum",
    )?;
    let rows = statement.query_map(params![tenant], |row| {
        let key = Key { measure: row.get(0)?, region: row.get(1)?, stratum: row.get(2)? };
        let n_points = u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0);
        Ok(Listed { key, n_points, last: day_text(row.get(4)?), is_flagged: row.get(5)? })
    })?;
    rows.collect()
}

/// The last `n_points_max` points of a series, as a detector sees them.
///
/// # Errors
/// The database fails.
pub fn look(
    conn: &Connection,
    tenant: &str,
    config: &SurveillanceConfig,
    key: &Key,
    detector: Detector,
    n_points_max: usize,
) -> rusqlite::Result<Shown> {
    let measure = config.of(&key.measure);
    let daily = load(conn, tenant, key, Resolution::Day)?;
    let resolution = match detector.takes(Resolution::Day) && !daily.counts.is_empty() {
        true => Resolution::Day,
        false => Resolution::Week,
    };
    let series = match resolution {
        Resolution::Day => daily,
        Resolution::Week => load(conn, tenant, key, Resolution::Week)?,
    };
    let n_left_out = series.counts.len().saturating_sub(n_points_max);
    let from = series.first + i32::try_from(n_left_out).unwrap_or(i32::MAX / 7) * resolution.days();
    let mut points = points(detector, &series, resolution, &Options::of(measure), from);
    points.drain(..n_left_out);
    for point in &mut points {
        if point.observed.is_some_and(|count| count > 0 && count < measure.suppress_below) {
            // Count and statistic would tell each other.
            (point.observed, point.statistic) = (None, None);
        }
    }
    Ok(Shown { resolution, points, suppressed_below: measure.suppress_below })
}
