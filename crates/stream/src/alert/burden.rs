//! The burden of alarms: how many, how many were answered, overridden, and how long it took.

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension, params};

use super::policy::Policy;

const DAY_MICROS: f64 = 86_400_000_000.0;

/// What alerts asked of people in a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Burden {
    /// Alerts that were opened.
    pub alerts: u64,
    /// Of those, critical or high at their worst.
    pub urgent: u64,
    /// Of those, answered by a person: acknowledged or ended.
    pub acknowledged: u64,
    /// Of those, ended by a person as not useful.
    pub overridden: u64,
    /// Of those, never true.
    pub retracted: u64,
    /// Of those, escalated at least once.
    pub escalated: u64,
    /// Half of those that were acknowledged were so within this time.
    pub median_secs: Option<f64>,
    /// Beds of the unit (or of all) times days; `None` when no beds are configured.
    pub bed_days: Option<f64>,
}

impl Burden {
    /// Alerts per bed and day.
    pub fn per_bed_day(&self) -> Option<f64> {
        self.bed_days.filter(|days| *days > 0.0).map(|days| self.alerts as f64 / days)
    }

    /// Share that a person answered; `None` without alerts.
    pub fn share_acknowledged(&self) -> Option<f64> {
        (self.alerts > 0).then(|| self.acknowledged as f64 / self.alerts as f64)
    }

    /// Share that a person ended as not useful; `None` without alerts.
    pub fn share_overridden(&self) -> Option<f64> {
        (self.alerts > 0).then(|| self.overridden as f64 / self.alerts as f64)
    }
}

/// The burden of alerts about patients that were opened from `from` on and before `to`, of one unit or of all.
///
/// # Errors
/// The database fails.
pub fn burden(
    conn: &Connection,
    policy: &Policy,
    tenant: &str,
    unit: Option<&str>,
    (from, to): (Instant, Instant),
) -> rusqlite::Result<Burden> {
    const OF: &str =
        "FROM alert WHERE tenant = ?1 AND raised_at >= ?2 AND raised_at < ?3 AND (?4 IS NULL OR unit = ?4)
       AND subject NOT LIKE 'population:%'";
    let by_person = "EXISTS (SELECT 1 FROM alert_change AS c WHERE c.alert = key AND c.what IN ('acknowledged', 'resolved', 'overridden', 'snoozed')
       AND c.by NOT LIKE 'rule:%' AND c.by NOT LIKE 'service:alerts')";
    let escalated = "EXISTS (SELECT 1 FROM alert_change AS c WHERE c.alert = key AND c.what = 'escalated')";
    let sql = format!(
        "SELECT count(*), total(peak >= 3), total({by_person}), total(is_overridden), total(state = 'retracted'), total({escalated}) {OF}"
    );
    let values = params![tenant, from.0, to.0, unit];
    let counted = |number: f64| number as u64;
    let mut found = conn.prepare_cached(&sql)?.query_row(values, |row| {
        Ok(Burden {
            alerts: row.get(0)?,
            urgent: counted(row.get(1)?),
            acknowledged: counted(row.get(2)?),
            overridden: counted(row.get(3)?),
            retracted: counted(row.get(4)?),
            escalated: counted(row.get(5)?),
            median_secs: None,
            bed_days: None,
        })
    })?;
    found.median_secs = median(conn, OF, tenant, unit, (from, to))?;
    let beds: u32 = match unit {
        Some(unit) => policy.beds.get(unit).copied().unwrap_or(0),
        None => policy.beds.values().sum(),
    };
    let days = (to.0 - from.0).max(0) as f64 / DAY_MICROS;
    found.bed_days = (beds > 0).then(|| f64::from(beds) * days);
    Ok(found)
}

/// The middle of the times to acknowledgement; of an even number, the mean of the two in the middle.
fn median(
    conn: &Connection,
    of: &str,
    tenant: &str,
    unit: Option<&str>,
    (from, to): (Instant, Instant),
) -> rusqlite::Result<Option<f64>> {
    let acknowledged = format!("{of} AND acknowledged_at IS NOT NULL");
    let n: i64 = conn
        .prepare_cached(&format!("SELECT count(*) {acknowledged}"))?
        .query_row(params![tenant, from.0, to.0, unit], |row| row.get(0))?;
    if n == 0 {
        return Ok(None);
    }
    let sql = format!(
        "SELECT avg(took) FROM (SELECT acknowledged_at - raised_at AS took {acknowledged} ORDER BY took LIMIT ?5 OFFSET ?6)"
    );
    let micros: Option<f64> = conn
        .prepare_cached(&sql)?
        .query_row(params![tenant, from.0, to.0, unit, 2 - n % 2, (n - 1) / 2], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(micros.map(|micros| micros / 1_000_000.0))
}
