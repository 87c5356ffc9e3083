//! Resources and what becomes of them.

use fhir::json::Limits;
use fhir::{Instant, Resource};

use super::{Origin, events_of};
use crate::{Data, Event, Kind, Moved, SourceConfig, Value};

fn read(json: &str, is_update: bool) -> Result<Vec<Event>, String> {
    let resource = Resource::parse(json.as_bytes(), &Limits::default()).unwrap();
    let at = Instant::parse("2026-11-25T12:00:00Z").unwrap();
    let origin = Origin { source: "store", version: "3", is_update, written_at: at, now: at };
    events_of(&resource, origin, &SourceConfig::default()).map_err(|refusal| refusal.to_string())
}

fn shown(json: &str) -> String {
    let events = match read(json, false) {
        Ok(events) => events,
        Err(problem) => return problem,
    };
    let one = |event: &Event| {
        let measured = event.measurements().iter().map(|measured| {
            let value = match &measured.value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => text.clone(),
                Value::Absent(reason) => format!("({reason})"),
            };
            let sign = measured.comparator.map_or("", crate::Comparator::sign);
            format!(
                "{} {sign}{value}{}",
                measured.name,
                measured.unit.as_deref().map(|u| format!(" {u}")).unwrap_or_default()
            )
        });
        format!("{} {}: {}", event.kind, event.at, measured.collect::<Vec<String>>().join(", "))
    };
    events.iter().map(one).collect::<Vec<String>>().join("\n")
}

fn observation(rest: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"o1","status":"final","subject":{{"reference":"Patient/7"}},"effectiveDateTime":"2026-11-25T08:00:00+01:00",{rest}}}"#
    )
}

#[test]
fn observations() {
    let check = |rest: &str, expected: &str| assert_eq!(shown(&observation(rest)), expected);
    check(
        r#""code":{"coding":[{"system":"http://loinc.org","code":"2339-0"}]},"valueQuantity":{"value":6.3,"unit":"mmol/l","code":"mmol/L","comparator":"<"}"#,
        "lab_results 2026-11-25T07:00:00.000Z: glucose <113.501 mg/dL",
    );
    check(
        r#""category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},
           "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":181,"unit":"mmHg"}},
                        {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"dataAbsentReason":{"text":"not asked"}}]"#,
        "vital_signs 2026-11-25T07:00:00.000Z: systolic 181 mm[Hg], diastolic (not asked)",
    );
    check(
        r#""code":{"coding":[{"system":"http://loinc.org","code":"80288-4"}]},"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"300202002"}]}"#,
        "vital_signs 2026-11-25T07:00:00.000Z: consciousness V",
    );
    check(
        r#""code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]},"valueString":"high""#,
        "`Observation.valueString`: not a number",
    );
    check(
        r#""code":{"coding":[{"system":"urn:lab","code":"X"}]},"valueInteger":3"#,
        "lab_results 2026-11-25T07:00:00.000Z: urn:lab|X 3",
    );
}

#[test]
fn what_an_event_says_besides() {
    let json = observation(
        r#""meta":{"security":[{"code":"R"}]},"encounter":{"reference":"Encounter/9"},"device":{"reference":"Device/4"},
        "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":0},"interpretation":[{"coding":[{"code":"LL"}]}]"#,
    );
    let event = &read(&json, true).unwrap()[0];
    assert_eq!((event.id.as_str(), event.patient.as_deref()), ("Observation/o1/3", Some("Patient/7")));
    assert_eq!(
        (event.encounter.as_deref(), &event.privacy[..]),
        (Some("Encounter/9"), &["R".to_owned()][..])
    );
    let measured = &event.measurements()[0];
    assert_eq!(measured.status, crate::Status::Corrected);
    assert_eq!(measured.result.as_deref(), Some("Observation/o1|8867-4"));
    assert_eq!(measured.flags, ["interpretation:LL"]);
    let of_a_group = json.replace("Patient/7", "Group/7");
    assert!(read(&of_a_group, true).unwrap().is_empty());
    assert_eq!(Event::of_bytes(&event.to_bytes()).as_ref(), Ok(event));
}

#[test]
fn orders_movements_and_the_rest() {
    let rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm";
    let json = format!(
        r##"{{"resourceType":"MedicationRequest","id":"m1","status":"draft","intent":"order","subject":{{"reference":"Patient/7"}},
        "contained":[{{"resourceType":"Medication","id":"a","code":{{"text":"Warfarin","coding":[{{"system":"{rxnorm}","code":"855332"}}]}},
        "ingredient":[{{"itemCodeableConcept":{{"coding":[{{"system":"{rxnorm}","code":"11289"}}]}}}}]}}],"medicationReference":{{"reference":"#a"}}}}"##
    );
    let event = &read(&json, false).unwrap()[0];
    let Data::Medication(order) = &event.data else { panic!("an order") };
    assert_eq!((order.rxnorm.as_deref(), order.display.as_deref()), (Some("855332"), Some("Warfarin")));
    assert_eq!((&order.ingredients[..], order.status.as_str()), (&["11289".to_owned()][..], "draft"));
    let encounter = r#"{"resourceType":"Encounter","id":"e1","status":"in-progress","class":{"code":"IMP"},"subject":{"reference":"Patient/7"},
        "period":{"start":"2026-11-24T10:00:00Z"},"location":[{"location":{"reference":"Location/1","display":"Ward 3"}}]}"#;
    let event = &read(encounter, false).unwrap()[0];
    let Data::Movement(movement) = &event.data else { panic!("a movement") };
    assert_eq!((movement.moved, event.unit.as_deref()), (Moved::Admitted, Some("Ward 3")));
    assert_eq!(event.at.to_rfc3339_millis(), "2026-11-24T10:00:00.000Z");
    let event = &read(&encounter.replace("in-progress", "finished"), true).unwrap()[0];
    assert!(matches!(&event.data, Data::Movement(movement) if movement.moved == Moved::Discharged));
    let event = &read(r#"{"resourceType":"Patient","id":"7"}"#, false).unwrap()[0];
    assert_eq!((&event.kind, event.patient.as_deref()), (&Kind::FhirChange, Some("Patient/7")));
}
