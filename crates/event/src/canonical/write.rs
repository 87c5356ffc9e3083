//! Writes the canonical form: what is absent is left out, members have one order.

use std::io::Write as _;

use fhir::{Instant, Value as Json};

use super::{SCHEMA, instant};
use crate::{Data, Event, Measurement, Medication, Movement, PopulationCount, Status, Value};

/// Writes an object member by member.
struct Writer<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Writer<'o> {
    fn new(out: &'o mut Vec<u8>) -> Writer<'o> {
        out.push(b'{');
        Writer { out, is_first: true }
    }

    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.is_first { b"\"" } else { b",\"" });
        self.is_first = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    fn text(&mut self, key: &str, text: &str) {
        string(text, self.key(key));
    }

    fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        if !texts.is_empty() {
            list(texts, self.key(key), |text, out| string(text, out));
        }
    }

    fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        write!(self.key(key), "{number}").expect("memory takes it");
    }

    fn instant(&mut self, key: &str, at: Instant) {
        let out = self.key(key);
        out.push(b'"');
        instant::write(at, out);
        out.push(b'"');
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

fn list<T>(items: &[T], out: &mut Vec<u8>, item: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, one) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        item(one, out);
    }
    out.push(b']');
}

/// A JSON string.
fn string(text: &str, out: &mut Vec<u8>) {
    let is_plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if is_plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    Json::String(text.into()).write(out);
}

/// The event; `received_at` is no part of its content.
pub(super) fn event(event: &Event, with_receipt: bool, out: &mut Vec<u8>) {
    let mut to = Writer::new(out);
    to.number("schema", SCHEMA);
    to.text("id", &event.id);
    to.text("kind", event.kind.name());
    to.maybe("patient", event.patient.as_deref());
    to.maybe("encounter", event.encounter.as_deref());
    to.instant("at", event.at);
    if with_receipt {
        to.instant("received_at", event.received_at);
    }
    to.maybe("birth_date", event.birth_date.as_deref());
    if let Some(device) = &event.device {
        let mut inner = Writer::new(to.key("device"));
        inner.text("id", &device.id);
        if let Some(at) = device.calibrated_at {
            inner.instant("calibrated_at", at);
        }
        inner.end();
    }
    to.text("source", &event.source);
    to.maybe("organization", event.organization.as_deref());
    to.maybe("unit", event.unit.as_deref());
    if let Some(quality) = event.quality {
        to.number("quality", quality);
    }
    to.texts("privacy", &event.privacy);
    to.texts("population", &event.population);
    to.maybe("region", event.region.as_deref());
    match &event.data {
        Data::Measurements(measurements) => list(measurements, to.key("measurements"), measurement),
        Data::Medication(order) => medication(order, to.key("medication")),
        Data::Population(counted) => count(counted, to.key("count")),
        Data::Movement(moved) => movement(moved, to.key("movement")),
        Data::Json(object) => Json::Object(object.clone()).write(to.key("data")),
    }
    to.end();
}

fn measurement(measured: &Measurement, out: &mut Vec<u8>) {
    let mut to = Writer::new(out);
    to.text("name", &measured.name);
    to.maybe("loinc", measured.loinc.as_deref());
    match &measured.value {
        Value::Number(number) => to.number("value", number),
        Value::Text(text) => to.text("text", text),
        Value::Absent(reason) => to.text("absent", reason),
    }
    to.maybe("comparator", measured.comparator.map(crate::Comparator::sign));
    to.maybe("unit", measured.unit.as_deref());
    to.maybe("sent", measured.sent.as_deref());
    if measured.status != Status::Final {
        to.text("status", measured.status.name());
    }
    to.maybe("result", measured.result.as_deref());
    to.texts("flags", &measured.flags);
    to.end();
}

fn medication(order: &Medication, out: &mut Vec<u8>) {
    let mut to = Writer::new(out);
    to.maybe("rxnorm", order.rxnorm.as_deref());
    to.maybe("display", order.display.as_deref());
    to.texts("ingredients", &order.ingredients);
    to.text("status", &order.status);
    to.end();
}

fn count(counted: &PopulationCount, out: &mut Vec<u8>) {
    let mut to = Writer::new(out);
    to.text("measure", &counted.measure);
    to.text("day", &counted.day);
    to.number("days", counted.days);
    to.number("count", counted.count);
    if let Some(denominator) = counted.denominator {
        to.number("denominator", denominator);
    }
    to.maybe("stratum", counted.stratum.as_deref());
    if let Some((count, denominator)) = counted.reference {
        let mut inner = Writer::new(to.key("reference"));
        inner.number("count", count);
        inner.number("denominator", denominator);
        inner.end();
    }
    to.end();
}

fn movement(moved: &Movement, out: &mut Vec<u8>) {
    let mut to = Writer::new(out);
    to.text("moved", moved.moved.name());
    to.maybe("bed", moved.bed.as_deref());
    to.texts("merged", &moved.merged);
    to.end();
}
