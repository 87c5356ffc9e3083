//! Events for tests and benchmarks.

#![allow(dead_code, reason = "each test and benchmark uses some of it")]

use clinical::Number;
use event::{Data, Event, Kind, Measurement, Status, Value};
use fhir::Instant;
use rules::Subject;

/// 2026-06-15T12:00:00Z.
pub(crate) const START: i64 = 1_781_524_800_000_000;
pub(crate) const SECOND: i64 = 1_000_000;

pub(crate) fn adult() -> Subject {
    Subject { birth_date: Some("1960-01-01".to_owned()), ..Subject::default() }
}

/// A number or a word in the unit of its measure.
pub(crate) fn measured(name: &str, value: &str) -> Measurement {
    let measure = event::measures().iter().find(|measure| measure.name == name);
    let unit = measure.map(|measure| measure.unit).filter(|unit| !unit.is_empty());
    Measurement {
        name: name.into(),
        loinc: measure.and_then(|measure| measure.loincs.first()).map(|code| (*code).into()),
        value: Number::parse(value).map_or_else(|| Value::Text(value.to_owned()), Value::Number),
        comparator: None,
        unit: unit.map(Into::into),
        sent: None,
        status: Status::Final,
        result: None,
        flags: Vec::new(),
    }
}

pub(crate) fn event(id: &str, at: i64, measurements: Vec<Measurement>) -> Event {
    Event {
        schema: 1,
        id: id.to_owned(),
        kind: Kind::VitalSigns,
        patient: Some("Patient/1".to_owned()),
        encounter: None,
        at: Instant(at),
        received_at: Instant(at),
        birth_date: None,
        device: None,
        source: "monitor".to_owned(),
        organization: None,
        unit: Some("W3".to_owned()),
        data: Data::Measurements(measurements),
        quality: None,
        privacy: Vec::new(),
        population: Vec::new(),
        region: None,
    }
}
