//! Observations and their components become measurements.

use fhir::Value as Json;

use super::coded::{LOINC, SNOMED, code_of, text_of};
use super::{Made, reference};
use crate::door::{Collected, Raw, Reading};
use crate::{Comparator, Device, Event, Kind, Refusal, Status, measure_of_loinc};

/// Levels of consciousness in SNOMED CT.
const LEVELS: [(&str, &str); 5] =
    [("248234008", "A"), ("130987000", "C"), ("300202002", "V"), ("450847001", "P"), ("422768004", "U")];

pub(super) fn events(made: &Made<'_>) -> Result<Vec<Event>, Refusal> {
    let observation = made.value();
    if reference(observation, "subject", "Patient/").is_none() {
        return Ok(Vec::new());
    }
    let components = observation.get("component").map_or(&[][..], Json::items);
    let mut collected = Collected::new(made.config, true);
    let has_value = value_name(observation).is_some() || observation.get("dataAbsentReason").is_some();
    if has_value || components.is_empty() {
        add(made, observation, "Observation", &mut collected)?;
    }
    for (index, component) in components.iter().enumerate() {
        add(made, component, &format!("Observation.component[{index}]"), &mut collected)?;
    }
    let at = made.time(&[
        &["effectiveDateTime"],
        &["effectiveInstant"],
        &["effectivePeriod", "end"],
        &["effectivePeriod", "start"],
        &["issued"],
    ]);
    let data = collected.finish("Observation")?;
    let mut event = made.event(kind_of(observation), at, data);
    event.device = reference(observation, "device", "Device/").map(|id| Device { id, calibrated_at: None });
    Ok(vec![event])
}

/// By its category; without one by what is measured.
fn kind_of(observation: &Json) -> Kind {
    let categories = observation.get("category").map_or(&[][..], Json::items).iter();
    let codes = categories.flat_map(|category| category.get("coding").map_or(&[][..], Json::items));
    for code in codes.filter_map(|coding| coding.text("code")) {
        match code {
            "vital-signs" => return Kind::VitalSigns,
            "laboratory" => return Kind::LabResults,
            _ => {}
        }
    }
    let components = observation.get("component").map_or(&[][..], Json::items);
    let measured = std::iter::once(observation).chain(components);
    let mut measures = measured.filter_map(|part| measure_of_loinc(code_of(part.get("code")?, LOINC)?));
    if measures.any(|measure| measure.is_vital) { Kind::VitalSigns } else { Kind::LabResults }
}

fn value_name(part: &Json) -> Option<&str> {
    part.as_object()?.keys().find(|name| name.starts_with("value"))
}

fn add(made: &Made<'_>, part: &Json, place: &str, collected: &mut Collected<'_>) -> Result<(), Refusal> {
    let code = part.get("code");
    let loinc = code.and_then(|code| code_of(code, LOINC));
    let first = code.and_then(|code| code.get("coding")).and_then(|codings| codings.items().first());
    let local = first.and_then(|coding| {
        let code = coding.text("code")?;
        let is_mapped = made.config.codes.contains_key(code);
        Some(if is_mapped {
            code.to_owned()
        } else {
            format!("{}|{code}", coding.text("system").unwrap_or("local"))
        })
    });
    let name = local.as_deref().or_else(|| code.and_then(|code| code.text("text")));
    let mut reading = Reading::of("", Raw::Absent("no value"));
    reading.loinc = loinc;
    reading.name = name.filter(|_| loinc.is_none());
    reading.status = status_of(made);
    reading.flags = flags_of(part);
    let id = made.resource.reference();
    reading.result = Some(format!("{id}|{}", loinc.or(name).unwrap_or_default()));
    let value = value_of(part, &mut reading);
    collected.add(&reading, || format!("{place}.{value}"))
}

/// Puts the value in the reading; gives the element's name.
fn value_of<'a>(part: &'a Json, reading: &mut Reading<'a>) -> &'a str {
    let Some(name) = value_name(part) else {
        if let Some(reason) = part.get("dataAbsentReason").and_then(text_of) {
            reading.raw = Raw::Absent(reason);
        }
        return "value";
    };
    let Some(value) = part.get(name) else { return name };
    reading.raw = match (name, value) {
        ("valueQuantity", quantity) => {
            reading.unit = quantity.text("code").or_else(|| quantity.text("unit"));
            reading.comparator = quantity.text("comparator").and_then(Comparator::of_sign);
            quantity
                .get("value")
                .and_then(Json::as_number)
                .map_or(Raw::Unfit, |number| Raw::Text(number.as_str()))
        }
        ("valueCodeableConcept", concept) => {
            let level =
                code_of(concept, SNOMED).and_then(|code| LEVELS.iter().find(|(known, _)| *known == code));
            let text = level.map(|(_, letter)| *letter).or_else(|| text_of(concept));
            text.map_or(Raw::Unfit, Raw::Text)
        }
        (_, Json::Bool(truth)) => Raw::Bool(*truth),
        (_, Json::Number(number)) => Raw::Text(number.as_str()),
        (_, Json::String(text)) => Raw::Text(text),
        _ => Raw::Absent("not a single value"),
    };
    name
}

/// A final result that was said before is a correction.
fn status_of(made: &Made<'_>) -> Status {
    match made.value().text("status").and_then(Status::named) {
        Some(Status::Final) if made.origin.is_update => Status::Corrected,
        Some(status) => status,
        None => Status::Preliminary,
    }
}

fn flags_of(part: &Json) -> Vec<String> {
    let interpretations = part.get("interpretation").map_or(&[][..], Json::items).iter();
    let codings = interpretations.flat_map(|concept| concept.get("coding").map_or(&[][..], Json::items));
    let codes =
        codings.filter_map(|coding| coding.text("code")).filter(|code| *code != "N" && code.len() <= 8);
    codes.map(|code| format!("interpretation:{code}")).collect()
}
