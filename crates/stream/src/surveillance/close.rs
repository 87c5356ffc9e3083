//! The end of a day, though no event came: days on which nothing was counted become zero where that is known, and every series is looked at again.

use std::collections::BTreeSet;

use event::{Event, Kind};
use fhir::Instant;
use rusqlite::{Connection, params};

use super::series::Key;
use super::{SilentDay, SurveillanceConfig, list};

const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MICROS: i64 = 1_440 * MINUTE_MICROS;
/// A day is closed so long after its end: what was on its way has come.
const GRACE_MICROS: i64 = 30 * MINUTE_MICROS;
/// Days that are closed again each day: what came later may show that somebody was counting.
const DAYS_AGAIN: i32 = 3;
/// Whoever has counted in so many days is expected to count.
const EXPECTED_DAYS: i32 = 28;
/// A source has sent results of whatever kind: under no measure's name.
const ANY: &str = "";

/// The newest day that is over, in the zone of the configuration.
pub fn last_day(config: &SurveillanceConfig, now: Instant) -> i32 {
    let local = now.0 - GRACE_MICROS + i64::from(config.zone_minutes) * MINUTE_MICROS;
    i32::try_from(local.div_euclid(DAY_MICROS)).unwrap_or(0) - 1
}

/// Remembers that a laboratory was heard that day: what it did not find, it did not find.
///
/// # Errors
/// The database fails.
pub(super) fn heard(
    conn: &Connection,
    tenant: &str,
    config: &SurveillanceConfig,
    event: &Event,
) -> rusqlite::Result<()> {
    if event.kind != Kind::LabResults {
        return Ok(());
    }
    let local = event.at.0 + i64::from(config.zone_minutes) * MINUTE_MICROS;
    let region = event.region.as_deref().unwrap_or_default();
    conn.prepare_cached(
        "INSERT INTO surv_report (tenant, measure, region, source, day) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![tenant, ANY, region, event.source, local.div_euclid(DAY_MICROS)])?;
    Ok(())
}

/// Closes the days up to `last`, of all tenants: whoever counts a measure and was heard that day, or whose silence means zero, has counted
/// none. Gives the series to be looked at. Again, it changes nothing.
///
/// # Errors
/// The database fails.
pub fn close(
    conn: &Connection,
    config: &SurveillanceConfig,
    last: i32,
) -> rusqlite::Result<Vec<(String, Key)>> {
    let mut counting = conn.prepare_cached(
        "SELECT DISTINCT tenant, measure, region, source FROM surv_report WHERE measure NOT IN ('', '*') AND day > ?1 - ?2 AND day <= ?1",
    )?;
    let counting: Vec<[String; 4]> = counting
        .query_map(params![last, EXPECTED_DAYS], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })?
        .collect::<rusqlite::Result<_>>()?;
    for [tenant, measure, region, source] in &counting {
        let is_result = config.conditions.iter().any(|condition| condition.measure == *measure);
        let is_zero = config.of(measure).silent_day == SilentDay::Zero;
        if !is_result && !is_zero {
            continue;
        }
        for day in last - DAYS_AGAIN + 1..=last {
            conn.prepare_cached(
                "INSERT INTO surv_report (tenant, measure, region, source, day)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE (?6 OR EXISTS (
                     SELECT 1 FROM surv_report WHERE tenant = ?1 AND measure = '' AND region = ?3 AND source = ?4 AND day = ?5))
                 AND EXISTS (SELECT 1 FROM surv_report WHERE tenant = ?1 AND measure = ?2 AND region = ?3 AND source = ?4 AND day < ?5)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![tenant, measure, region, source, day, is_zero])?;
        }
    }
    let mut keys: BTreeSet<(String, Key)> = BTreeSet::new();
    let tenants: BTreeSet<&String> = counting.iter().map(|row| &row[0]).collect();
    for tenant in tenants {
        keys.extend(list(conn, tenant)?.into_iter().map(|listed| (tenant.clone(), listed.key)));
    }
    // Where there was never a case, there is a series of zeros.
    keys.extend(
        counting
            .into_iter()
            .map(|[tenant, measure, region, _]| (tenant, Key { measure, region, stratum: String::new() })),
    );
    Ok(keys.into_iter().collect())
}
