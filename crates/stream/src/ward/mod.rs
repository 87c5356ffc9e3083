//! The ward as people look at it: last values, scores and where each value came from. Reads `stream.db`; wants a permit of the gate.

mod read;
mod score;

use std::collections::BTreeMap;

use clinical::age::{parse_day, years_on};
use event::{Event, Kind};
use fhir::Instant;
use gate::{Matter, Permit};

pub use crate::process::board::Latest;
pub use read::{Bed, Measured};
pub use score::{FRESH_MICROS, Outcome, Parameter, Person, Scored, score};

use crate::log::{Entry, FetchLimits, LogError};
use crate::{Platform, StreamError};

/// An event as it stands in the log. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// When it was appended.
    pub appended_at: Instant,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Whom it is about, when it can be read.
    pub patient: Option<String>,
    /// As it is kept.
    pub text: String,
}

/// Scores of the last hours are taken at so many instants, so far apart.
const HISTORY: (i64, i64) = (24, 3_600_000_000);
/// Events in which the values of one instant are looked for.
const EVENTS_OF_INSTANT_MAX: usize = 24;

impl Platform {
    /// Patients with readings, of a ward or of all.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn beds(
        &self,
        permit: &Permit,
        unit: Option<String>,
        max: usize,
    ) -> Result<Vec<Bed>, StreamError> {
        let tenant = looking(permit)?;
        Ok(self.database().read(move |conn| read::beds(conn, &tenant, unit.as_deref(), max)).await?)
    }

    /// These patients, as far as they have readings.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn beds_of(&self, permit: &Permit, subjects: &[String]) -> Result<Vec<Bed>, StreamError> {
        let (tenant, subjects) = (looking(permit)?, subjects.to_vec());
        let found = self.database().read(move |conn| {
            let beds = subjects.iter().map(|subject| read::bed(conn, &tenant, subject));
            beds.collect::<rusqlite::Result<Vec<Option<Bed>>>>()
        });
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Patients whose readings changed behind a place, in order.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn beds_after(&self, permit: &Permit, after: i64, max: usize) -> Result<Vec<Bed>, StreamError> {
        let tenant = looking(permit)?;
        Ok(self.database().read(move |conn| read::beds_after(conn, &tenant, after, max)).await?)
    }

    /// The end of the sequence of changes of readings.
    ///
    /// # Errors
    /// The database fails.
    pub async fn last_bed(&self) -> Result<i64, StreamError> {
        Ok(self.database().read(read::last).await?)
    }

    /// Wards with patients.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn units(&self, permit: &Permit) -> Result<Vec<String>, StreamError> {
        let tenant = looking(permit)?;
        Ok(self.database().read(move |conn| read::units(conn, &tenant)).await?)
    }

    /// What was measured since an instant, from at most so many events, the oldest first; and whether there was more.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn measured(
        &self,
        permit: &Permit,
        subject: &str,
        since: Instant,
        events_max: usize,
    ) -> Result<(Vec<Measured>, bool), StreamError> {
        let (tenant, subject) = (looking(permit)?, subject.to_owned());
        let until = Instant(i64::MAX);
        let found = self
            .database()
            .read(move |conn| read::measured(conn, &tenant, &subject, (since, until), events_max));
        Ok(found.await?)
    }

    /// Where the event of a value stands in the log.
    ///
    /// # Errors
    /// The permit is not for patients, or the database fails.
    pub async fn position_of(
        &self,
        permit: &Permit,
        subject: &str,
        at: Instant,
        source: &str,
        event: &str,
    ) -> Result<Option<String>, StreamError> {
        let (tenant, subject) = (looking(permit)?, subject.to_owned());
        let (source, event) = (source.to_owned(), event.to_owned());
        let found =
            self.database().read(move |conn| read::position_of(conn, &tenant, &subject, at, &source, &event));
        Ok(found.await?)
    }

    /// An event as it stands in the log, `vital_signs:3:1042`; `None` when there is none of this tenant.
    ///
    /// # Errors
    /// The permit is for something else, or the log cannot be read.
    pub async fn raw_event(&self, permit: &Permit, position: &str) -> Result<Option<RawEvent>, StreamError> {
        if permit.matter() != Matter::OpenDeadLetter {
            return Err(StreamError::Invalid("the permit is for something else".to_owned()));
        }
        let mut parts = position.splitn(3, ':');
        let place = (|| {
            let kind = Kind::named(parts.next()?);
            Some((kind, parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u64>().ok()?))
        })();
        let Some((kind, partition, offset)) = place else { return Ok(None) };
        let limits = FetchLimits { n_max: 1, ..FetchLimits::default() };
        let entries = match self.inner.log.fetch(partition, &[(kind, offset)], limits).await {
            Ok(entries) => entries,
            Err(LogError::OutOfRange { .. }) => return Ok(None),
            Err(error) => return Err(StreamError::Unavailable(error.to_string())),
        };
        let ours = |entry: &Entry| {
            entry.position.offset == offset && entry.append.tenant() == permit.tenant().as_str()
        };
        Ok(entries.into_iter().find(ours).map(|entry| RawEvent {
            appended_at: entry.appended_at,
            patient: Event::of_bytes(&entry.append.body).ok().and_then(|event| event.patient),
            headers: entry.append.headers,
            text: String::from_utf8_lossy(&entry.append.body).into_owned(),
        }))
    }

    /// NEWS2 of a patient now.
    ///
    /// # Errors
    /// The permit is not for patients, or the store does not answer.
    pub async fn scored(&self, permit: &Permit, bed: &Bed) -> Result<Scored, StreamError> {
        let tenant = looking(permit)?;
        let now = self.now();
        Ok(score(&bed.values, self.person(&tenant, &bed.subject, now).await?, now))
    }

    /// Totals of NEWS2 at each hour of the last day, the oldest first; hours without a total are left out.
    ///
    /// # Errors
    /// The permit is not for patients, the store or the database does not answer.
    pub async fn score_history(
        &self,
        permit: &Permit,
        subject: &str,
    ) -> Result<Vec<(Instant, u8)>, StreamError> {
        let (tenant, now) = (looking(permit)?, self.now());
        let person = self.person(&tenant, subject, now).await?;
        let subject = subject.to_owned();
        let found = self.database().read(move |conn| {
            let mut totals = Vec::new();
            for hour in (1..=HISTORY.0).rev() {
                let at = Instant(now.0 - hour * HISTORY.1);
                let span = (Instant(at.0 - FRESH_MICROS), at);
                let (values, _) = read::measured(conn, &tenant, &subject, span, EVENTS_OF_INSTANT_MAX)?;
                if let Outcome::Total { points, .. } = score(&latest_of(values), person, at).outcome {
                    totals.push((at, points));
                }
            }
            Ok(totals)
        });
        Ok(found.await?)
    }

    async fn person(&self, tenant: &str, subject: &str, now: Instant) -> Result<Person, StreamError> {
        let known = self.facts(tenant, subject).await?.subject();
        let age_years = known.birth_date.as_deref().and_then(|born| age_on(born, now));
        Ok(Person {
            subject: clinical::Subject { age_years, sex: None, pregnancy: known.pregnancy },
            is_scale_two: known.spo2_target_88_92,
        })
    }
}

/// Completed years; of a year or month alone the youngest that is possible, so that nobody is taken for an adult who may be none.
fn age_on(born: &str, now: Instant) -> Option<u16> {
    let born = match born.len() {
        4 => parse_day(&format!("{born}-12-31"))?,
        7 => parse_day(&format!("{born}-01"))?.plus_days(30)?,
        _ => parse_day(born.get(..10)?)?,
    };
    years_on(born, parse_day(now.to_rfc3339_millis().get(..10)?)?)
}

/// The last of each measure.
fn latest_of(values: Vec<Measured>) -> BTreeMap<String, Latest> {
    let latest = |one: Measured| {
        let is_absent = one.flags.iter().any(|flag| flag == event::UNREADABLE);
        let value = Latest {
            value: one.value,
            is_absent,
            unit: one.unit,
            at: one.at.0,
            event: one.event,
            source: one.source,
            flags: one.flags,
        };
        (one.name, value)
    };
    values.into_iter().map(latest).collect()
}

fn looking(permit: &Permit) -> Result<String, StreamError> {
    if matches!(permit.matter(), Matter::Alerts | Matter::ChangeAlert | Matter::DecisionSupport) {
        return Ok(permit.tenant().to_string());
    }
    Err(StreamError::Invalid("the permit is for something else".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inexact_birth_date_gives_the_youngest_age() {
        let now = Instant::parse("2026-11-25T12:00:00Z").unwrap();
        let check = |born: &str, expected: Option<u16>| assert_eq!(age_on(born, now), expected, "{born}");
        check("2010-11-25", Some(16));
        check("2010-11-26", Some(15));
        check("2010-11", Some(15));
        check("2010", Some(15));
        check("2009", Some(16));
        check("x", None);
    }
}
