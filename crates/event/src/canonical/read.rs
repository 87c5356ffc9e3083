//! Reads the canonical form. Fast, because each event of a log is read here: nothing is checked twice that the door has checked.

use std::borrow::Cow;

use clinical::Number;
use fhir::json::{self, Limits};
use fhir::{Instant, Value as Json};

use super::reader::{Bad, Reader};
use super::{SCHEMA, instant};
use crate::{
    Comparator, Data, Device, Event, Kind, Measurement, Medication, Moved, Movement, PopulationCount,
    Refusal, Status, Value, Why,
};

type Read<T> = Result<T, Bad>;

/// Nested deeper than this, data is no event's.
const LIMITS: Limits = Limits { depth_max: 16, values_max: 20_000, number_chars_max: 64 };

pub(super) fn event(bytes: &[u8]) -> Read<Event> {
    let mut reader = Reader::new(bytes)?;
    let (mut id, mut source, mut kind, mut at, mut received_at, mut data) =
        (None, None, None, None, None, None);
    let mut event = empty();
    reader.object(|from, key| {
        match key {
            "schema" => event.schema = schema(from)?,
            "id" => id = Some(owned(from)?),
            "kind" => kind = Some(Kind::named(&from.string()?)),
            "patient" => event.patient = Some(owned(from)?),
            "encounter" => event.encounter = Some(owned(from)?),
            "at" => at = Some(time(from)?),
            "received_at" => received_at = Some(time(from)?),
            "birth_date" => event.birth_date = Some(owned(from)?),
            "device" => event.device = Some(device(from)?),
            "source" => source = Some(owned(from)?),
            "organization" => event.organization = Some(owned(from)?),
            "unit" => event.unit = Some(owned(from)?),
            "quality" => event.quality = Some(parsed(from)?),
            "privacy" => event.privacy = texts(from)?,
            "population" => event.population = texts(from)?,
            "region" => event.region = Some(owned(from)?),
            "measurements" => data = Some(Data::Measurements(measurements(from)?)),
            "medication" => data = Some(Data::Medication(medication(from)?)),
            "count" => data = Some(Data::Population(count(from)?)),
            "movement" => data = Some(Data::Movement(movement(from)?)),
            "data" => data = Some(raw(from)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    reader.end()?;
    event.id = needed(id, "id")?;
    event.source = needed(source, "source")?;
    event.kind = needed(kind, "kind")?;
    event.at = needed(at, "at")?;
    event.received_at = needed(received_at, "received_at")?;
    event.data = needed(data, "data")?;
    Ok(event)
}

fn empty() -> Event {
    Event {
        schema: 0,
        id: String::new(),
        kind: Kind::FhirChange,
        patient: None,
        encounter: None,
        at: Instant(0),
        received_at: Instant(0),
        birth_date: None,
        device: None,
        source: String::new(),
        organization: None,
        unit: None,
        data: Data::Measurements(Vec::new()),
        quality: None,
        privacy: Vec::new(),
        population: Vec::new(),
        region: None,
    }
}

fn needed<T>(value: Option<T>, name: &str) -> Read<T> {
    value.ok_or_else(|| Box::new(Refusal::at(format!("/{name}"), Why::Missing)))
}

fn unknown(key: &str) -> Bad {
    Box::new(Refusal::at(format!("/{key}"), Why::UnknownMember))
}

/// Brought up to today's version: only one was ever written here.
fn schema(from: &mut Reader<'_>) -> Read<u16> {
    match from.number()?.parse() {
        Ok(SCHEMA) => Ok(SCHEMA),
        _ => Err(Box::new(Refusal::at("/schema", Why::Schema { newest: SCHEMA }))),
    }
}

fn owned(from: &mut Reader<'_>) -> Read<String> {
    from.string().map(Cow::into_owned)
}

fn parsed<T: std::str::FromStr>(from: &mut Reader<'_>) -> Read<T> {
    let number = from.number()?.parse();
    number.map_err(|_| from.wrong("a number of its kind"))
}

fn time(from: &mut Reader<'_>) -> Read<Instant> {
    let text = from.string()?;
    instant::read(&text).or_else(|| Instant::parse(&text)).ok_or_else(|| from.wrong("an instant"))
}

fn texts(from: &mut Reader<'_>) -> Read<Vec<String>> {
    let mut texts = Vec::new();
    from.list(|from| {
        texts.push(owned(from)?);
        Ok(())
    })?;
    Ok(texts)
}

fn raw(from: &mut Reader<'_>) -> Read<Data> {
    match json::parse(from.raw()?.as_bytes(), &LIMITS) {
        Ok(Json::Object(object)) => Ok(Data::Json(object)),
        Ok(_) => Err(from.wrong("an object")),
        Err(error) => Err(Box::new(Refusal::at("/data", Why::Malformed(format!("not JSON: {error}"))))),
    }
}

fn device(from: &mut Reader<'_>) -> Read<Device> {
    let (mut id, mut calibrated_at) = (None, None);
    from.object(|from, key| {
        match key {
            "id" => id = Some(owned(from)?),
            "calibrated_at" => calibrated_at = Some(time(from)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    Ok(Device { id: needed(id, "device/id")?, calibrated_at })
}

fn measurements(from: &mut Reader<'_>) -> Read<Vec<Measurement>> {
    // A set of vital signs without growing.
    let mut measurements = Vec::with_capacity(6);
    from.list(|from| {
        measurements.push(measurement(from)?);
        Ok(())
    })?;
    Ok(measurements)
}

fn measurement(from: &mut Reader<'_>) -> Read<Measurement> {
    let (mut name, mut value) = (None, None);
    let mut measured = Measurement {
        name: "".into(),
        loinc: None,
        value: Value::Absent(String::new()),
        comparator: None,
        unit: None,
        sent: None,
        status: Status::Final,
        result: None,
        flags: Vec::new(),
    };
    from.object(|from, key| {
        match key {
            "name" => name = Some(from.string()?.into()),
            "loinc" => measured.loinc = Some(from.string()?.into()),
            "value" => {
                let number = number(from.number()?);
                value =
                    Some(Value::Number(number.ok_or_else(|| from.wrong("a number of at most 18 digits"))?));
            }
            "text" => value = Some(Value::Text(owned(from)?)),
            "absent" => value = Some(Value::Absent(owned(from)?)),
            "comparator" => {
                let sign = Comparator::of_sign(&from.string()?);
                measured.comparator = Some(sign.ok_or_else(|| from.wrong("a comparator"))?);
            }
            "unit" => measured.unit = Some(from.string()?.into()),
            "sent" => measured.sent = Some(owned(from)?),
            "status" => {
                let status = Status::named(&from.string()?);
                measured.status = status.ok_or_else(|| from.wrong("a status"))?;
            }
            "result" => measured.result = Some(owned(from)?),
            "flags" => measured.flags = texts(from)?,
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    measured.name = needed(name, "measurements/name")?;
    measured.value = needed(value, "measurements/value")?;
    Ok(measured)
}

/// Most values are a few digits.
fn number(text: &str) -> Option<Number> {
    if text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(|digits| Number::of(digits, 0));
    }
    Number::parse(text)
}

fn medication(from: &mut Reader<'_>) -> Read<Medication> {
    let (mut rxnorm, mut display, mut ingredients, mut status) = (None, None, Vec::new(), None);
    from.object(|from, key| {
        match key {
            "rxnorm" => rxnorm = Some(owned(from)?),
            "display" => display = Some(owned(from)?),
            "ingredients" => ingredients = texts(from)?,
            "status" => status = Some(owned(from)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    Ok(Medication { rxnorm, display, ingredients, status: needed(status, "medication/status")? })
}

fn count(from: &mut Reader<'_>) -> Read<PopulationCount> {
    let (mut measure, mut day, mut days, mut count) = (None, None, 1, None);
    let (mut denominator, mut stratum, mut reference) = (None, None, None);
    from.object(|from, key| {
        match key {
            "measure" => measure = Some(owned(from)?),
            "day" => day = Some(owned(from)?),
            "days" => days = parsed(from)?,
            "count" => count = Some(parsed(from)?),
            "denominator" => denominator = Some(parsed(from)?),
            "stratum" => stratum = Some(owned(from)?),
            "reference" => reference = Some(pair(from)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    Ok(PopulationCount {
        measure: needed(measure, "count/measure")?,
        day: needed(day, "count/day")?,
        days,
        count: needed(count, "count/count")?,
        denominator,
        stratum,
        reference,
    })
}

fn pair(from: &mut Reader<'_>) -> Read<(u64, u64)> {
    let (mut count, mut denominator) = (None, None);
    from.object(|from, key| {
        match key {
            "count" => count = Some(parsed(from)?),
            "denominator" => denominator = Some(parsed(from)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    Ok((needed(count, "count/reference/count")?, needed(denominator, "count/reference/denominator")?))
}

fn movement(from: &mut Reader<'_>) -> Read<Movement> {
    let (mut moved, mut bed, mut merged) = (None, None, Vec::new());
    from.object(|from, key| {
        match key {
            "moved" => {
                let name = from.string()?;
                moved = Moved::ALL.into_iter().find(|known| known.name() == name);
            }
            "bed" => bed = Some(owned(from)?),
            "merged" => merged = texts(from)?,
            _ => return Err(unknown(key)),
        }
        Ok(())
    })?;
    Ok(Movement { moved: needed(moved, "movement/moved")?, bed, merged })
}
