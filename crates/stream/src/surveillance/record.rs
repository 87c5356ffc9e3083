//! Writes down what an event says for surveillance: a count that was reported, a result that is a case, a day that was reported on.

use clinical::age::{Day, parse_day};
use event::{Data, Event, Measurement, PopulationCount, Status, Value};
use rusqlite::{Connection, OptionalExtension, params};

use super::close::heard;
use super::{Condition, Key, SurveillanceConfig};

const DAY_MICROS: i64 = 86_400_000_000;

/// Writes it down; gives the series that changed. The same event again changes nothing.
///
/// # Errors
/// The database fails.
pub fn record(
    conn: &Connection,
    tenant: &str,
    config: &SurveillanceConfig,
    event: &Event,
) -> rusqlite::Result<Vec<Key>> {
    match &event.data {
        Data::Population(count) => counted(conn, tenant, event, count),
        Data::Measurements(measurements) if !config.conditions.is_empty() => {
            heard(conn, tenant, config, event)?;
            let mut touched = Vec::new();
            for (index, measurement) in measurements.iter().enumerate() {
                for condition in &config.conditions {
                    let place = Place { conn, tenant, event, zone_minutes: config.zone_minutes };
                    if place.result(condition, measurement, index)? {
                        let key = place.key(&condition.measure);
                        if !touched.contains(&key) {
                            touched.push(key);
                        }
                    }
                }
            }
            Ok(touched)
        }
        _ => Ok(Vec::new()),
    }
}

/// A reported count. Of two for one day and source the one that speaks of the later time holds, and of the same time the one that came later.
fn counted(
    conn: &Connection,
    tenant: &str,
    event: &Event,
    count: &PopulationCount,
) -> rusqlite::Result<Vec<Key>> {
    let Some(day) = parse_day(&count.day).map(Day::epoch_days) else { return Ok(Vec::new()) };
    let region = event.region.clone().unwrap_or_default();
    let mut report = conn.prepare_cached(
        "INSERT INTO surv_report (tenant, measure, region, source, day) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?;
    let mut n_changed = 0;
    if count.days == 1 {
        n_changed += report.execute(params![tenant, count.measure, region, event.source, day])?;
    }
    if count.measure == "*" {
        return Ok(Vec::new());
    }
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let stratum = count.stratum.clone().unwrap_or_default();
    n_changed += conn
        .prepare_cached(
            "INSERT INTO surv_count (tenant, measure, region, stratum, days, day, source, count, denominator, reference_count,
                 reference_denominator, event, at, received_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT DO UPDATE SET count = excluded.count, denominator = excluded.denominator,
                 reference_count = excluded.reference_count, reference_denominator = excluded.reference_denominator,
                 event = excluded.event, at = excluded.at, received_at = excluded.received_at
             WHERE event <> excluded.event AND (excluded.at, excluded.received_at) >= (at, received_at)",
        )?
        .execute(params![
            tenant,
            count.measure,
            region,
            stratum,
            count.days,
            day,
            event.source,
            number(count.count),
            count.denominator.map(number),
            count.reference.map(|(events, _)| number(events)),
            count.reference.map(|(_, people)| number(people)),
            event.id,
            event.at.0,
            event.received_at.0
        ])?;
    let key = Key { measure: count.measure.clone(), region, stratum };
    Ok(if n_changed > 0 { vec![key] } else { Vec::new() })
}

/// Where a result is written down.
struct Place<'a> {
    conn: &'a Connection,
    tenant: &'a str,
    event: &'a Event,
    zone_minutes: i16,
}

impl Place<'_> {
    fn key(&self, measure: &str) -> Key {
        let region = self.event.region.clone().unwrap_or_default();
        Key { measure: measure.to_owned(), region, stratum: String::new() }
    }

    fn day(&self) -> i32 {
        let local = self.event.at.0 + i64::from(self.zone_minutes) * 60_000_000;
        i32::try_from(local.div_euclid(DAY_MICROS)).unwrap_or(0)
    }

    /// One result against one condition: is it of its tests, and is it a case. A correction that is none takes the case back.
    fn result(&self, condition: &Condition, measured: &Measurement, index: usize) -> rusqlite::Result<bool> {
        let Some(patient) = &self.event.patient else { return Ok(false) };
        let is_of_test =
            measured.loinc.as_deref().is_some_and(|loinc| condition.loincs.iter().any(|code| code == loinc));
        if !is_of_test || measured.is_unreadable() {
            return Ok(false);
        }
        let mut changed = self
            .conn
            .prepare_cached(
                "INSERT INTO surv_report (tenant, measure, region, source, day) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            )?
            .execute(params![self.tenant, condition.measure, self.key("").region, self.event.source, self.day()])?
            > 0;
        let name = measured.result.clone().unwrap_or_else(|| format!("{}#{index}", self.event.id));
        let result = format!("{}|{name}", self.event.source);
        let stands = !matches!(measured.status, Status::Cancelled | Status::EnteredInError);
        let is_case = stands && is_positive(condition, measured);
        changed |= if is_case {
            self.add(condition, &result, patient)?
        } else {
            self.take_back(condition, &result)?
        };
        Ok(changed)
    }

    fn add(&self, condition: &Condition, result: &str, patient: &str) -> rusqlite::Result<bool> {
        let (day, span) = (self.day(), i64::from(condition.once_in_days));
        let is_counted: bool = self
            .conn
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM surv_case WHERE tenant = ?1 AND measure = ?2 AND patient = ?3 AND counted = 1
                     AND result <> ?4 AND day > ?5 - ?6 AND day < ?5 + ?6)",
            )?
            .query_row(params![self.tenant, condition.measure, patient, result, day, span], |row| row.get(0))?;
        let n = self
            .conn
            .prepare_cached(
                "INSERT INTO surv_case (tenant, measure, result, region, day, patient, source, counted, event)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                self.tenant,
                condition.measure,
                result,
                self.key("").region,
                day,
                patient,
                self.event.source,
                !is_counted,
                self.event.id
            ])?;
        Ok(n > 0)
    }

    /// The case is none; another result of the same patient may take its place.
    fn take_back(&self, condition: &Condition, result: &str) -> rusqlite::Result<bool> {
        let gone: Option<(i32, String, bool)> = self
            .conn
            .prepare_cached(
                "DELETE FROM surv_case WHERE tenant = ?1 AND measure = ?2 AND result = ?3 RETURNING day, patient, counted",
            )?
            .query_row(params![self.tenant, condition.measure, result], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((day, patient, was_counted)) = gone else { return Ok(false) };
        if was_counted {
            self.conn
                .prepare_cached(
                    "UPDATE surv_case SET counted = 1 WHERE tenant = ?1 AND measure = ?2 AND result = (
                         SELECT result FROM surv_case WHERE tenant = ?1 AND measure = ?2 AND patient = ?3 AND counted = 0
                             AND day > ?4 - ?5 AND day < ?4 + ?5 ORDER BY day, result LIMIT 1)",
                )?
                .execute(params![self.tenant, condition.measure, patient, day, condition.once_in_days])?;
        }
        Ok(was_counted)
    }
}

fn is_positive(condition: &Condition, measured: &Measurement) -> bool {
    match &measured.value {
        Value::Text(text) => condition.values.iter().any(|value| value.eq_ignore_ascii_case(text.trim())),
        Value::Number(_) | Value::Absent(_) => false,
    }
}
