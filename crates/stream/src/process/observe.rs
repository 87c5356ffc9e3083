//! Measurements become Observations: built with identifiers that do not change, queued in the transaction of their event, written through the gate.

use event::{Comparator, Event, Kind, Measurement, Status, Value as Said};
use fhir::json::Number;
use fhir::{Object, Resource, Value, json};
use uuid::Uuid;

use super::board::Board;
use crate::settings::{Observations, Settings};

/// Of all identifiers of Observations that streams write.
const NAMESPACE: Uuid = uuid::uuid!("1a0c6b1e-83c5-5d0a-9a40-5f0f0b7f6c21");
const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// Systolic and diastolic pressure of one event are one Observation.
const PRESSURE: (&str, &str) = ("blood_pressure", "85354-9");
/// What the change log says of its author, when streams wrote it.
pub(crate) const PRINCIPAL: &str = "service:stream";

/// One Observation to be: the measurements of it, and whether policy wants it whatever the rules say.
pub(crate) struct Wanted {
    /// Short name of the measure.
    name: String,
    /// Positions in the event's measurements.
    of: Vec<usize>,
    pub(crate) is_kept: bool,
}

/// What of an event may become Observations.
pub(crate) fn wanted(event: &Event, board: &mut Board, settings: &Settings) -> Vec<Wanted> {
    let is_store = event.source == "store";
    let is_measured = matches!(event.kind, Kind::VitalSigns | Kind::LabResults | Kind::DeviceData);
    if settings.observations == Observations::None || is_store || !is_measured || event.patient.is_none() {
        return Vec::new();
    }
    let measurements = event.measurements();
    let mut wanted: Vec<Wanted> = Vec::new();
    for (at, measurement) in measurements.iter().enumerate() {
        // Imputed values are nobody's measurement; what could not be read has no value.
        if measurement.is_unreadable() || measurement.flags.iter().any(|flag| flag == "imputed") {
            continue;
        }
        let name = match measurement.name.as_str() {
            "systolic" | "diastolic" => PRESSURE.0,
            name => name,
        };
        match wanted.iter_mut().find(|one| one.name == name && name == PRESSURE.0) {
            Some(one) => one.of.push(at),
            None => wanted.push(Wanted { name: name.to_owned(), of: vec![at], is_kept: true }),
        }
    }
    // Results of a laboratory are few and all kept.
    if settings.observations == Observations::Downsample && event.kind != Kind::LabResults {
        for one in &mut wanted {
            one.is_kept = board.is_first(&one.name, event.at, settings.downsample_secs);
        }
    }
    wanted
}

/// The Observation, with its identifier.
pub(crate) fn resource(tenant: &str, event: &Event, wanted: &Wanted) -> (String, String) {
    let all = event.measurements();
    let measurements: Vec<&Measurement> = wanted.of.iter().filter_map(|at| all.get(*at)).collect();
    let result = measurements.first().and_then(|measurement| measurement.result.as_deref());
    let id = id_of(tenant, event, &wanted.name, result);
    let mut object = Object::new();
    object.insert("resourceType", "Observation".into());
    object.insert("id", id.clone().into());
    object.insert("meta", json!({"source": (source_of(event))}));
    object.insert("status", status_of(&measurements).into());
    let category = if event.kind == Kind::LabResults { "laboratory" } else { "vital-signs" };
    object.insert("category", json!([{"coding": [{"system": CATEGORY, "code": category}]}]));
    if wanted.name == PRESSURE.0 {
        object.insert(
            "code",
            json!({"coding": [{"system": LOINC, "code": (PRESSURE.1)}], "text": "Blood pressure"}),
        );
    } else if let Some(measurement) = measurements.first() {
        object.insert("code", code_of(measurement));
    }
    object.insert("subject", subject_of(event.patient.as_deref().unwrap_or_default()));
    if let Some(encounter) = event.encounter.as_deref().filter(|text| text.starts_with("Encounter/")) {
        object.insert("encounter", json!({"reference": encounter}));
    }
    object.insert("effectiveDateTime", event.at.to_rfc3339_millis().into());
    object.insert("issued", event.received_at.to_rfc3339_millis().into());
    if let Some(device) = &event.device {
        object.insert("device", json!({"display": (device.id.as_str())}));
    }
    if wanted.name == PRESSURE.0 {
        let parts = measurements.iter().map(|measurement| {
            let mut part = Object::new();
            part.insert("code", code_of(measurement));
            add_value(&mut part, measurement);
            Value::from(part)
        });
        object.insert("component", parts.collect::<Vec<Value>>().into());
    } else if let Some(measurement) = measurements.first() {
        add_value(&mut object, measurement);
    }
    let flags: Vec<&str> =
        measurements.iter().flat_map(|measurement| &measurement.flags).map(String::as_str).collect();
    if !flags.is_empty() {
        object.insert("note", json!([{"text": (flags.join(", "))}]));
    }
    (id, Value::from(object).to_text())
}

/// The same for the same measure of the same event; a correction has the identifier of what it corrects.
fn id_of(tenant: &str, event: &Event, name: &str, result: Option<&str>) -> String {
    let of = result.map_or_else(|| format!("event\0{}", event.id), |result| format!("result\0{result}"));
    Uuid::new_v5(&NAMESPACE, [tenant, &event.source, &of, name].join("\0").as_bytes()).to_string()
}

/// The event as a URI.
fn source_of(event: &Event) -> String {
    let part = |text: &str| super::identity::encoded(text).replace('|', "%7C").replace('/', "%2F");
    format!("urn:salus:event:{}:{}", part(&event.source), part(&event.id))
}

fn status_of(measurements: &[&Measurement]) -> &'static str {
    // Several parts are as good as the least of them.
    let status = |wanted: Status| measurements.iter().any(|measurement| measurement.status == wanted);
    match () {
        () if status(Status::EnteredInError) => "entered-in-error",
        () if status(Status::Cancelled) => "cancelled",
        () if status(Status::Preliminary) => "preliminary",
        () if status(Status::Corrected) => "corrected",
        () => "final",
    }
}

fn code_of(measurement: &Measurement) -> Value {
    let text = measurement.name.replace('_', " ");
    match &measurement.loinc {
        Some(code) => json!({"coding": [{"system": LOINC, "code": (code.as_str())}], "text": text}),
        None => json!({"text": text}),
    }
}

fn subject_of(patient: &str) -> Value {
    match patient.split_once('|') {
        Some((system, value)) => json!({"identifier": {"system": system, "value": value}}),
        None => json!({"reference": patient}),
    }
}

fn add_value(object: &mut Object, measurement: &Measurement) {
    match &measurement.value {
        Said::Number(number) => {
            let mut quantity = Object::new();
            if let Some(number) = Number::parse(&trimmed(&number.to_string())) {
                quantity.insert("value", number.into());
            }
            if let Some(comparator) = measurement.comparator {
                quantity.insert("comparator", sign_of(comparator).into());
            }
            if let Some(unit) = &measurement.unit {
                quantity.insert("unit", unit.as_str().into());
                quantity.insert("system", UCUM.into());
                quantity.insert("code", unit.as_str().into());
            }
            object.insert("valueQuantity", quantity.into());
        }
        Said::Text(text) => {
            object.insert("valueString", text.as_str().into());
        }
        Said::Absent(reason) => {
            object.insert("dataAbsentReason", json!({"text": (reason.as_str())}));
        }
    }
}

fn sign_of(comparator: Comparator) -> &'static str {
    comparator.sign()
}

/// A conversion leaves zeros that nobody measured: `38.5000`.
fn trimmed(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, part)) => {
            let part = part.trim_end_matches('0');
            if part.is_empty() { format!("{whole}.0") } else { format!("{whole}.{part}") }
        }
        None => text.to_owned(),
    }
}

/// The resource of a text that [`resource`] made.
pub(crate) fn parsed(text: &str) -> Result<Resource, String> {
    Resource::parse(text.as_bytes(), &fhir::json::Limits::default())
        .map_err(|issues| issues.first().map_or_else(String::new, |issue| issue.diagnostics.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Sources;
    use fhir::Instant;

    fn event(kind: &str, data: &str) -> Event {
        let text = format!(
            r#"{{"id":"e 1","kind":"{kind}","patient":"Patient/42","at":"2026-11-25T08:00:00Z","source":"mon/1","data":{data}}}"#
        );
        let now = Instant::parse("2026-11-25T08:00:01Z").unwrap();
        Event::parse(text.as_bytes(), &Sources::default(), now).unwrap()
    }

    fn made(event: &Event, policy: Observations, board: &mut Board) -> Vec<(bool, String)> {
        let settings = Settings { observations: policy, ..Settings::default() };
        let wanted = wanted(event, board, &settings);
        wanted.iter().map(|one| (one.is_kept, resource("main", event, one).1)).collect()
    }

    #[test]
    fn a_pressure_is_one_observation_that_is_valid() {
        let event =
            event("vital_signs", r#"{"systolic":182,"diastolic":101,"temp_f":101.3,"consciousness":"A"}"#);
        let made = made(&event, Observations::All, &mut Board::default());
        assert_eq!(made.len(), 3);
        for (_, text) in &made {
            let resource = parsed(text).unwrap();
            assert_eq!(resource.kind().name(), "Observation");
            assert!(text.contains("urn:salus:event:mon%2F1:e%201"), "{text}");
        }
        assert!(made[0].1.contains("85354-9") && made[0].1.contains("8480-6"), "{}", made[0].1);
        assert!(made[1].1.contains(r#""value":38.5,"#), "{}", made[1].1);
    }

    #[test]
    fn policy_decides_and_the_same_event_has_the_same_identifier() {
        let vitals = event("vital_signs", r#"{"heart_rate":80}"#);
        let mut board = Board::default();
        assert!(made(&vitals, Observations::None, &mut board).is_empty());
        assert!(made(&vitals, Observations::Downsample, &mut board)[0].0);
        assert!(!made(&vitals, Observations::Downsample, &mut board)[0].0);
        let labs = event(
            "lab_results",
            r#"{"results":[{"name":"potassium","value":6.4,"unit":"mmol/L","result":"F1"}]}"#,
        );
        let [(first, one), (second, two)] = [
            made(&labs, Observations::Downsample, &mut board),
            made(&labs, Observations::Downsample, &mut board),
        ]
        .map(|mut made| made.remove(0));
        assert!(first && second && one == two);
    }

    #[test]
    fn a_correction_has_the_identifier_of_what_it_corrects() {
        let of = |status: &str| {
            let data = format!(
                r#"{{"results":[{{"name":"potassium","value":6.4,"unit":"mmol/L","result":"F1","status":"{status}"}}]}}"#
            );
            let mut event = event("lab_results", &data);
            status.clone_into(&mut event.id);
            let one = wanted(&event, &mut Board::default(), &Settings::default());
            resource("main", &event, &one[0])
        };
        let (before, after) = (of("final"), of("corrected"));
        assert_eq!(before.0, after.0);
        assert!(after.1.contains(r#""status":"corrected""#));
    }
}
