//! A story of a test: events in the order of the file, and the findings that must follow.

use event::{Data, Event, Kind, Measurement, Medication, Value};
use fhir::Instant;

use super::{Bed, Expected, START, StepData, Test, TestValue};
use crate::model::Rule;
use crate::{Finding, RuleSet, What};

/// What is not as expected.
pub(super) fn run(set: &RuleSet, rule: &Rule, test: &Test, expected: &[Expected]) -> Option<String> {
    let mut bed = Bed::new(set, rule, &test.patient);
    let mut last = START;
    for (number, step) in test.steps.iter().enumerate() {
        let at = START + step.at.micros();
        let id = step.id.clone().unwrap_or_else(|| format!("e{number}"));
        let mut event = event(set, &step.data, &id, at);
        event.quality = step.quality;
        event.unit = step.unit.clone().or_else(|| test.patient.ward.clone());
        let found = set.on_event(&mut bed.state, &bed.subject, &event);
        bed.keep(found);
        last = last.max(at);
    }
    if let Some(until) = test.until {
        bed.pass(last + until.micros());
    }
    let respond = bed.found.iter().rev().find_map(|finding| finding.respond_within_mins);
    if test.respond_last.is_some() && respond != test.respond_last {
        return Some(format!("respond within {:?} min expected, found {respond:?}", test.respond_last));
    }
    let wants_notes = expected.contains(&Expected::NotEvaluated);
    let found: Vec<Expected> = bed.found.iter().filter_map(|finding| kind_of(finding, wants_notes)).collect();
    let words = |list: &[Expected]| {
        let words: Vec<String> = list
            .iter()
            .map(|one| match one {
                Expected::Raise(severity) => format!("raise {}", severity.name()),
                Expected::Clear => "clear".to_owned(),
                Expected::Retract => "retract".to_owned(),
                Expected::NotEvaluated => "not evaluated".to_owned(),
            })
            .collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
    };
    (found != expected).then(|| format!("{} expected, found {}", words(expected), words(&found)))
}

fn kind_of(finding: &Finding, wants_notes: bool) -> Option<Expected> {
    match finding.what {
        What::Raise(severity) => Some(Expected::Raise(severity)),
        // The end of a note, when nothing was open.
        What::Clear => (!finding.opening.is_empty()).then_some(Expected::Clear),
        What::Retract => Some(Expected::Retract),
        What::NotEvaluated(_) => wants_notes.then_some(Expected::NotEvaluated),
    }
}

/// The event of a step.
pub(super) fn event(set: &RuleSet, data: &[StepData], id: &str, at: i64) -> Event {
    let measured = |step: &StepData| match step {
        StepData::Measured { measure, value, unit, status, result, flags } => {
            let known = set.measure(measure).map(|indexed| &indexed.measure);
            let usual = known.and_then(|known| known.unit.clone());
            let (value, comparator) = match value {
                TestValue::Number(number, comparator) => (Value::Number(*number), *comparator),
                TestValue::Text(text) if text == "absent" => (Value::Absent("test".to_owned()), None),
                TestValue::Text(text) => (Value::Text(text.clone()), None),
            };
            Some(Measurement {
                name: measure.as_str().into(),
                loinc: None,
                value,
                comparator,
                unit: match unit.as_deref() {
                    Some("none") => None,
                    Some(unit) => Some(unit.into()),
                    None => usual.map(Into::into),
                },
                sent: None,
                status: status.unwrap_or_default(),
                result: result.clone(),
                flags: flags.clone(),
            })
        }
        StepData::Order { .. } => None,
    };
    let order = data.iter().find_map(|step| match step {
        StepData::Order { rxnorm, ingredients, status } => Some(Data::Medication(Medication {
            rxnorm: rxnorm.clone(),
            display: None,
            ingredients: ingredients.clone(),
            status: status.clone(),
        })),
        StepData::Measured { .. } => None,
    });
    let kind = if order.is_some() { Kind::MedicationOrders } else { Kind::VitalSigns };
    Event {
        schema: 1,
        id: id.to_owned(),
        kind,
        patient: Some("Patient/test".to_owned()),
        encounter: None,
        at: Instant(at),
        received_at: Instant(at),
        birth_date: None,
        device: None,
        source: "test".to_owned(),
        organization: None,
        unit: None,
        data: order.unwrap_or_else(|| Data::Measurements(data.iter().filter_map(measured).collect())),
        quality: None,
        privacy: Vec::new(),
        population: Vec::new(),
        region: None,
    }
}
