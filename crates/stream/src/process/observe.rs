//! What of an event becomes resources of the store, by policy; and measurements as Observations. Built with identifiers that do not change, queued
//! in the transaction of their event, written through the gate.

use event::{Comparator, Data, Event, Kind, Measurement, Status, Value as Said};
use fhir::json::Number;
use fhir::{Object, Resource, Value, json};

use super::board::Board;
use super::provenance::{encounter_of, id_of, meta_of, subject_of};
use super::{device, note, social};
use crate::settings::{Notes, Observations, Settings};

const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// Systolic and diastolic pressure of one event are one Observation.
const PRESSURE: (&str, &str) = ("blood_pressure", "85354-9");
/// One resource to be: of what in the event, and whether policy wants it whatever the rules say.
pub(crate) struct Wanted {
    what: What,
    pub(crate) is_kept: bool,
    /// Its event is of less quality than its source must have.
    is_poor: bool,
}

/// What of an event a resource is made of.
enum What {
    /// One measure by its short name, and its positions in the event's measurements.
    Measured {
        name: String,
        of: Vec<usize>,
    },
    Note(Notes),
    Answer(usize),
    Need(usize),
}

/// The flag of values that came with a quality below what their source must have.
pub(crate) const LOW_QUALITY: &str = "low quality";

/// Flags all that a poor event measured, for those who read it later.
pub(crate) fn flag_poor(event: &mut Event) {
    if let Data::Measurements(measurements) = &mut event.data {
        for measurement in measurements {
            measurement.flags.push(LOW_QUALITY.to_owned());
        }
    }
}

/// What of an event may become resources.
pub(crate) fn wanted(event: &Event, board: &mut Board, settings: &Settings, is_poor: bool) -> Vec<Wanted> {
    if event.source == "store" || event.patient.is_none() {
        return Vec::new();
    }
    let kept = |what| Wanted { what, is_kept: true, is_poor };
    match event.kind {
        Kind::VitalSigns | Kind::LabResults | Kind::DeviceData => measured(event, board, settings, is_poor),
        Kind::ClinicalNotes if settings.notes != Notes::None && event.note().is_some() => {
            vec![kept(What::Note(settings.notes))]
        }
        Kind::SocialDeterminants if settings.social => {
            let social = event.social().unwrap_or_default();
            let answers = (0..social.answers.len()).map(What::Answer);
            answers.chain((0..social.needs.len()).map(What::Need)).map(kept).collect()
        }
        _ => Vec::new(),
    }
}

fn measured(event: &Event, board: &mut Board, settings: &Settings, is_poor: bool) -> Vec<Wanted> {
    if settings.observations == Observations::None {
        return Vec::new();
    }
    let mut found: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, measurement) in event.measurements().iter().enumerate() {
        // Imputed values are nobody's measurement; what could not be read has no value.
        if measurement.is_unreadable() || measurement.flags.iter().any(|flag| flag == "imputed") {
            continue;
        }
        let name = match measurement.name.as_str() {
            "systolic" | "diastolic" => PRESSURE.0,
            name => name,
        };
        match found.iter_mut().find(|(known, _)| *known == name && name == PRESSURE.0) {
            Some((_, of)) => of.push(at),
            None => found.push((name, vec![at])),
        }
    }
    // Results of a laboratory are few and all kept.
    let samples = settings.observations == Observations::Downsample && event.kind != Kind::LabResults;
    let mut is_kept = |name: &str| {
        // A poor value must not take the place of a good one of the same interval.
        let slot = if is_poor { format!("{name} ({LOW_QUALITY})") } else { name.to_owned() };
        !samples || board.is_first(&slot, event.at, settings.downsample_secs)
    };
    let one = |(name, of): (&str, Vec<usize>)| {
        let is_kept = is_kept(name);
        Wanted { what: What::Measured { name: name.to_owned(), of }, is_kept, is_poor }
    };
    found.into_iter().map(one).collect()
}

/// The measurements that a resource is made of.
pub(crate) fn measurements_of<'e>(event: &'e Event, wanted: &Wanted) -> Vec<&'e Measurement> {
    match &wanted.what {
        What::Measured { of, .. } => of.iter().filter_map(|at| event.measurements().get(*at)).collect(),
        What::Note(_) | What::Answer(_) | What::Need(_) => Vec::new(),
    }
}

/// The resource, with its identifier; `None` when the event does not have what it was to be made of.
pub(crate) fn resource(tenant: &str, event: &Event, wanted: &Wanted) -> Option<(String, String)> {
    let is_poor = wanted.is_poor;
    match &wanted.what {
        What::Measured { name, .. } => Some(observation(tenant, event, name, wanted)),
        What::Note(policy) => Some(note::resource(tenant, event, &event.note()?, *policy, is_poor)),
        What::Answer(index) => {
            let answer = event.social()?.answers.into_iter().nth(*index)?;
            Some(social::observation(tenant, event, *index, &answer, is_poor))
        }
        What::Need(index) => {
            let need = event.social()?.needs.into_iter().nth(*index)?;
            Some(social::condition(tenant, event, *index, &need, is_poor))
        }
    }
}

/// The Observation of a measure, with its identifier.
fn observation(tenant: &str, event: &Event, name: &str, wanted: &Wanted) -> (String, String) {
    let measurements = measurements_of(event, wanted);
    let result = measurements.first().and_then(|measurement| measurement.result.as_deref());
    let id = id_of(tenant, event, result.map(|result| ("result", result)), name);
    let mut object = Object::new();
    object.insert("resourceType", "Observation".into());
    object.insert("id", id.clone().into());
    object.insert("meta", meta_of(event, wanted.is_poor));
    object.insert("status", status_of(&measurements).into());
    let category = if event.kind == Kind::LabResults { "laboratory" } else { "vital-signs" };
    object.insert("category", json!([{"coding": [{"system": CATEGORY, "code": category}]}]));
    if name == PRESSURE.0 {
        object.insert(
            "code",
            json!({"coding": [{"system": LOINC, "code": (PRESSURE.1)}], "text": "Blood pressure"}),
        );
    } else if let Some(measurement) = measurements.first() {
        object.insert("code", code_of(measurement));
    }
    object.insert("subject", subject_of(event.patient.as_deref().unwrap_or_default()));
    if let Some(encounter) = encounter_of(event) {
        object.insert("encounter", encounter);
    }
    object.insert("effectiveDateTime", event.at.to_rfc3339_millis().into());
    object.insert("issued", event.received_at.to_rfc3339_millis().into());
    if let Some(device) = device::reference_of(tenant, event) {
        object.insert("device", device);
    }
    if name == PRESSURE.0 {
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
    let mut flags: Vec<&str> =
        measurements.iter().flat_map(|measurement| &measurement.flags).map(String::as_str).collect();
    flags.sort_unstable();
    flags.dedup();
    if !flags.is_empty() {
        object.insert("note", json!([{"text": (flags.join(", "))}]));
    }
    (id, Value::from(object).to_text())
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

pub(crate) fn code_of(measurement: &Measurement) -> Value {
    let text = measurement.name.replace('_', " ");
    match &measurement.loinc {
        Some(code) => json!({"coding": [{"system": LOINC, "code": (code.as_str())}], "text": text}),
        None => json!({"text": text}),
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
        let wanted = wanted(event, board, &settings, false);
        wanted.iter().map(|one| (one.is_kept, resource("main", event, one).unwrap().1)).collect()
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
            let one = wanted(&event, &mut Board::default(), &Settings::default(), false);
            resource("main", &event, &one[0]).unwrap()
        };
        let (before, after) = (of("final"), of("corrected"));
        assert_eq!(before.0, after.0);
        assert!(after.1.contains(r#""status":"corrected""#));
    }
}
