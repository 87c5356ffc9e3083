//! Measurements of an event's data, in the three forms that senders use: a list, one result, or plain names with values.

use fhir::{Object, Value as Json};

use super::member::{below, object, one_of, only, text, texts};
use super::{Collected, Raw, Reading};
use crate::{Comparator, Data, Refusal, SourceConfig, Status, Why};

const LIST: &[&str] = &["measurements", "results", "observations", "vitals", "labs", "lab_results"];
const NAME: &[&str] = &["name", "code", "test", "test_code", "test_name", "lab_code"];
const LOINC: &[&str] = &["loinc", "loinc_code"];
const VALUE: &[&str] = &["value", "result_value", "text"];
const UNIT: &[&str] = &["unit", "units", "result_unit"];
/// Of a measurement, besides name, code, value and unit.
const REST: &[&str] = &["absent", "comparator", "status", "result", "result_id", "flags", "sent"];
/// Members of plain data that are no measures.
const BESIDE: &[&str] = &["status", "flags"];

/// The measurements of `data`.
pub(super) fn measurements_of(
    data: &Object,
    source: &SourceConfig,
    keep_unknown: bool,
    place: &str,
) -> Result<Data, Refusal> {
    let mut collected = Collected::new(source, keep_unknown);
    if let Some((list_place, list)) = one_of(data, LIST, place)? {
        only(data, &[LIST], place)?;
        add_list(list, &list_place, &mut collected)?;
    } else if data.keys().any(|name| VALUE.contains(&name) || name == "absent") {
        add_object(data, None, place, &mut collected)?;
    } else {
        add_plain(data, place, &mut collected)?;
    }
    collected.finish(place)
}

/// A list of measurements.
pub(super) fn add_list(list: &Json, place: &str, collected: &mut Collected<'_>) -> Result<(), Refusal> {
    let items = list.as_array().ok_or_else(|| Refusal::at(place, Why::Expected("a list")))?;
    for (index, item) in items.iter().enumerate() {
        let place = format!("{place}/{index}");
        add_object(object(item, &place)?, None, &place, collected)?;
    }
    Ok(())
}

/// Plain names with values: `{"heart_rate": 72, "temperature": {"value": 38.1, "unit": "Cel"}, "glucose": 5.1, "glucose_unit": "mmol/L"}`.
fn add_plain(data: &Object, place: &str, collected: &mut Collected<'_>) -> Result<(), Refusal> {
    let beside = Beside::of(data, place)?;
    let has_units = data.keys().any(|name| name.ends_with("_unit"));
    for (name, value) in data.iter() {
        let is_unit = name.strip_suffix("_unit").is_some_and(|measure| data.contains_key(measure));
        if BESIDE.contains(&name) || is_unit {
            continue;
        }
        let place = || below(place, name);
        if let Json::Object(one) = value {
            add_object(one, Some(name), &place(), collected)?;
            continue;
        }
        let unit = if has_units { data.get(&format!("{name}_unit")).and_then(Json::as_str) } else { None };
        if let Some((systolic, diastolic)) = pressures(name, value) {
            for (name, value) in [("systolic", systolic), ("diastolic", diastolic)] {
                let reading = beside.reading(name, Raw::Text(value), unit);
                collected.add(&reading, place)?;
            }
            continue;
        }
        collected.add(&beside.reading(name, raw_of(value), unit), place)?;
    }
    Ok(())
}

/// `120/80` of a pressure.
fn pressures<'a>(name: &str, value: &'a Json) -> Option<(&'a str, &'a str)> {
    let is_pressure = matches!(name.to_ascii_lowercase().as_str(), "blood_pressure" | "bp" | "nibp");
    value.as_str().filter(|_| is_pressure)?.split_once('/')
}

fn raw_of(value: &Json) -> Raw<'_> {
    match value {
        Json::Null => Raw::Absent("null"),
        Json::Bool(truth) => Raw::Bool(*truth),
        Json::Number(number) => Raw::Text(number.as_str()),
        Json::String(text) => Raw::Text(text),
        Json::Array(_) | Json::Object(_) => Raw::Unfit,
    }
}

/// What holds for all plain values of one event.
struct Beside {
    status: Status,
    flags: Vec<String>,
}

impl Beside {
    fn of(object: &Object, place: &str) -> Result<Beside, Refusal> {
        let status = match one_of(object, &["status"], place)? {
            None => Status::Final,
            Some((place, value)) => status_of(value, &place)?,
        };
        let flags = match one_of(object, &["flags"], place)? {
            None => Vec::new(),
            Some((place, value)) => texts(value, &place)?.iter().map(|flag| flag_of(flag)).collect(),
        };
        Ok(Beside { status, flags })
    }

    fn reading<'a>(&self, name: &'a str, raw: Raw<'a>, unit: Option<&'a str>) -> Reading<'a> {
        Reading { unit, status: self.status, flags: self.flags.clone(), ..Reading::of(name, raw) }
    }
}

fn status_of(value: &Json, place: &str) -> Result<Status, Refusal> {
    let known = value.as_str().and_then(Status::named);
    known.ok_or_else(|| {
        Refusal::at(place, Why::Expected("a status such as `final`, `corrected` or `entered-in-error`"))
    })
}

/// One spelling of each flag.
pub(super) fn flag_of(flag: &str) -> String {
    match flag.to_ascii_lowercase().as_str() {
        "hemolyzed" | "hemolysed" | "haemolyzed" | "haemolysed" => "haemolysed".to_owned(),
        "artifact" | "artefact" => "artefact".to_owned(),
        other => other.to_owned(),
    }
}

/// One measurement as an object; `name` when the name stands before it. What is wrong with one of its members makes it unreadable.
fn add_object(
    one: &Object,
    name: Option<&str>,
    place: &str,
    collected: &mut Collected<'_>,
) -> Result<(), Refusal> {
    let own = one_of(one, NAME, place)?.and_then(|(_, value)| value.as_str());
    let name = name.or(own);
    let loinc = one_of(one, LOINC, place)?.and_then(|(_, value)| value.as_str());
    let value = one_of(one, VALUE, place)?;
    let raw = value.as_ref().map_or(Raw::Unfit, |(_, value)| raw_of(value));
    let plain = Reading { loinc, ..Reading::of(name.unwrap_or_default(), raw) };
    let plain = Reading { name, ..plain };
    let value_place = value.as_ref().map_or_else(|| below(place, "value"), |(place, _)| place.clone());
    match whole_reading(one, &plain, place) {
        Ok(reading) => collected.add(&reading, || value_place),
        Err(refusal) => {
            collected.refuse(&plain, refusal);
            Ok(())
        }
    }
}

/// A reading with all that its object says.
fn whole_reading<'a>(one: &'a Object, plain: &Reading<'a>, place: &str) -> Result<Reading<'a>, Refusal> {
    only(one, &[NAME, LOINC, VALUE, UNIT, REST], place)?;
    let beside = Beside::of(one, place)?;
    let absent = one_of(one, &["absent"], place)?;
    let raw = match (&absent, one_of(one, VALUE, place)?) {
        (Some((place, _)), Some(_)) => return Err(Refusal::at(place.as_str(), Why::Twice)),
        (Some((place, value)), None) => {
            Raw::Absent(value.as_str().ok_or_else(|| Refusal::at(place.as_str(), Why::Expected("a text")))?)
        }
        (None, Some(_)) => plain.raw,
        (None, None) => return Err(Refusal::at(below(place, "value"), Why::Missing)),
    };
    let comparator = match one_of(one, &["comparator"], place)? {
        None => None,
        Some((place, value)) => {
            let sign = value.as_str().and_then(Comparator::of_sign);
            Some(sign.ok_or_else(|| Refusal::at(place, Why::Expected("`<`, `<=`, `>=` or `>`")))?)
        }
    };
    let unit = match one_of(one, UNIT, place)? {
        None | Some((_, Json::Null)) => None,
        Some((place, value)) => {
            Some(value.as_str().ok_or_else(|| Refusal::at(place, Why::Expected("a text")))?)
        }
    };
    let result = match one_of(one, &["result", "result_id"], place)? {
        None => None,
        Some((place, value)) => text(value, &place)?,
    };
    let sent = match one_of(one, &["sent"], place)? {
        None => None,
        Some((place, value)) => text(value, &place)?,
    };
    Ok(Reading {
        raw,
        comparator,
        unit,
        status: beside.status,
        result,
        flags: beside.flags,
        sent,
        ..plain.clone()
    })
}
