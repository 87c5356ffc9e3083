//! Data of a population and of a medication order: counts, codes.

use clinical::age::{Day, parse_day};
use fhir::{Instant, Object};

use super::member::{object, one_of, only, text, texts, whole};
use crate::{Medication, Moved, Movement, PopulationCount, Refusal, Why};

const MEASURE: &[&str] = &["measure", "metric", "metric_name", "condition", "disease"];
const DAY: &[&str] = &["day", "date", "week_start"];
const DAYS: &[&str] = &["days"];
const COUNT: &[&str] = &["count", "cases", "events", "numerator"];
const DENOMINATOR: &[&str] = &["denominator", "population_size", "at_risk"];
const STRATUM: &[&str] = &["stratum", "group"];
const REFERENCE: &[&str] = &["reference"];

const DAY_MICROS: i64 = 86_400_000_000;

/// A count. Without a day it is of the day (UTC) on which it happened.
pub(super) fn count_of(data: &Object, at: Instant, place: &str) -> Result<PopulationCount, Refusal> {
    only(data, &[MEASURE, DAY, DAYS, COUNT, DENOMINATOR, STRATUM, REFERENCE], place)?;
    let missing = |name: &str| Refusal::at(format!("{place}/{name}"), Why::Missing);
    let texts = |names: &[&str]| match one_of(data, names, place)? {
        Some((place, value)) => text(value, &place),
        None => Ok(None),
    };
    let number = |names: &[&str]| match one_of(data, names, place)? {
        Some((place, value)) => whole(value, &place),
        None => Ok(None),
    };
    let day = match texts(DAY)? {
        Some(day) if parse_day(&day).is_some() => day,
        Some(_) => {
            return Err(Refusal::at(format!("{place}/day"), Why::Expected("a day such as `2026-11-25`")));
        }
        None => day_of(at).ok_or_else(|| missing("day"))?,
    };
    let days = match number(DAYS)? {
        None | Some(1) => 1,
        Some(7) => 7,
        Some(_) => return Err(Refusal::at(format!("{place}/days"), Why::Expected("1 or 7"))),
    };
    let (count, denominator) = (number(COUNT)?.ok_or_else(|| missing("count"))?, number(DENOMINATOR)?);
    let reference = match one_of(data, REFERENCE, place)? {
        None => None,
        Some((place, value)) => Some(reference_of(object(value, &place)?, &place)?),
    };
    for (name, pair) in [("denominator", denominator.map(|n| (count, n))), ("reference", reference)] {
        if pair.is_some_and(|(events, people)| events > people) {
            let why = Why::Expected("a denominator that is at least the count");
            return Err(Refusal::at(format!("{place}/{name}"), why));
        }
    }
    let measure = texts(MEASURE)?.ok_or_else(|| missing("measure"))?;
    Ok(PopulationCount { measure, day, days, count, denominator, stratum: texts(STRATUM)?, reference })
}

fn reference_of(reference: &Object, place: &str) -> Result<(u64, u64), Refusal> {
    only(reference, &[COUNT, DENOMINATOR], place)?;
    let number = |names: &[&str]| match one_of(reference, names, place)? {
        Some((place, value)) => whole(value, &place)?.ok_or_else(|| Refusal::at(place, Why::Missing)),
        None => Err(Refusal::at(format!("{place}/{}", names[0]), Why::Missing)),
    };
    Ok((number(COUNT)?, number(DENOMINATOR)?))
}

/// The day of an instant in UTC.
fn day_of(at: Instant) -> Option<String> {
    let days = i32::try_from(at.0.div_euclid(DAY_MICROS)).ok()?;
    let (year, month, day) = Day::of_epoch_days(days)?.ymd();
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

const RXNORM: &[&str] = &["rxnorm", "medication_code", "code"];
const DISPLAY: &[&str] = &["display", "medication", "medication_name", "drug", "name"];
const INGREDIENTS: &[&str] = &["ingredients"];
const STATUS: &[&str] = &["status", "order_status"];

/// An order of medication; without a status it is `active`.
pub(super) fn medication_of(data: &Object, place: &str) -> Result<Medication, Refusal> {
    only(data, &[RXNORM, DISPLAY, INGREDIENTS, STATUS], place)?;
    let one = |names: &[&str]| match one_of(data, names, place)? {
        Some((place, value)) => text(value, &place),
        None => Ok(None),
    };
    let (rxnorm, display) = (one(RXNORM)?, one(DISPLAY)?);
    if rxnorm.is_none() && display.is_none() {
        return Err(Refusal::at(format!("{place}/rxnorm"), Why::Missing));
    }
    if rxnorm.as_deref().is_some_and(|code| !is_rxnorm(code)) {
        return Err(Refusal::at(format!("{place}/rxnorm"), Why::Expected("an RxNorm code: digits")));
    }
    let ingredients = match one_of(data, INGREDIENTS, place)? {
        Some((place, value)) => texts(value, &place)?,
        None => Vec::new(),
    };
    let status = one(STATUS)?.unwrap_or_else(|| "active".to_owned());
    Ok(Medication { rxnorm, display, ingredients, status })
}

/// Is it in the form of an RxNorm code.
pub(super) fn is_rxnorm(code: &str) -> bool {
    (1..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// A movement.
pub(super) fn movement_of(data: &Object, place: &str) -> Result<Movement, Refusal> {
    only(data, &[&["moved", "bed", "merged"]], place)?;
    let one = |name: &str| match one_of(data, &[name], place)? {
        Some((place, value)) => text(value, &place),
        None => Ok(None),
    };
    let wrong = || {
        Why::Expected(
            "`admitted`, `transferred`, `discharged`, `updated`, `cancelled`, `merged` or `identified`",
        )
    };
    let moved = one("moved")?.ok_or_else(|| Refusal::at(format!("{place}/moved"), Why::Missing))?;
    let moved = Moved::ALL.into_iter().find(|known| known.name() == moved);
    let moved = moved.ok_or_else(|| Refusal::at(format!("{place}/moved"), wrong()))?;
    let merged = match one_of(data, &["merged"], place)? {
        Some((place, value)) => texts(value, &place)?,
        None => Vec::new(),
    };
    if moved.joins() == merged.is_empty() {
        let why = Why::Expected(
            "the patients that were merged, when and only when `moved` is `merged` or `identified`",
        );
        return Err(Refusal::at(format!("{place}/merged"), why));
    }
    let merged =
        merged.iter().map(|patient| super::canonical_patient(patient, None)).collect::<Result<_, _>>();
    let merged = merged.map_err(|why| Refusal::at(format!("{place}/merged"), why))?;
    Ok(Movement { moved, bed: one("bed")?, merged })
}
