//! Sample people: the list of patients, and one patient with a timeline.

use ui::facts::{Category, Event, Person, event_of, person_of};
use ui::parts::chip::Tone;
use ui::parts::empty::Notice;
use ui::parts::pager::Paging;
use ui::{patient, patients};

use super::{Sample, at, frame, resource, value};

pub(super) fn all() -> Vec<Sample> {
    let list = patients_view();
    let mut filtered = list.clone();
    filtered.filter = patients::Filter { name: "ng".into(), born: String::new(), sex: "female".into() };
    filtered.rows.truncate(2);
    filtered.paging = Paging { shown: 2, total: Some(2), first: None, next: None };
    let mut nobody = filtered.clone();
    nobody.rows.clear();
    nobody.problem = Some(Notice {
        tone: Tone::Critical,
        title: "`1960-13` is not a date".into(),
        text: "Write a year, a month or a day, with a prefix if you like: 1960, ge1960-05, lt2000-01-31."
            .into(),
    });
    let mut bare = list.clone();
    bare.rows.clear();
    let full = patient_view();
    let mut bare_patient = full.clone();
    bare_patient.person = Person::default();
    bare_patient.counts.clear();
    (bare_patient.days, bare_patient.older) = (Vec::new(), None);
    (bare_patient.problems, bare_patient.medications, bare_patient.latest) =
        (Vec::new(), Vec::new(), Vec::new());
    let mut crowded = full.clone();
    crowded.cut = Some("2026-10-14".into());
    crowded.days.truncate(1);
    vec![
        ("patient-crowded", patient::page(&crowded)),
        ("patients", patients::page(&list)),
        ("patients-filtered", patients::page(&filtered)),
        ("patients-wrong", patients::page(&nobody)),
        ("patients-empty", patients::page(&bare)),
        ("patient", patient::page(&full)),
        ("patient-empty", patient::page(&bare_patient)),
    ]
}

const NAMES: [(&str, &str, &str, &str, &str, &str); 12] = [
    ("Abara", "Chidi Emeka", "male", "1958-04-17", "Boston, Suffolk, MA 02118", "Black or African American"),
    ("Bianchi", "Lucia", "female", "1991-12-02", "Quincy, Norfolk, MA 02169", "White"),
    ("Castillo", "Mateo", "male", "2019-07-30", "Lawrence, Essex, MA 01840", "Other Race"),
    ("Dahl", "Ingrid Sofie", "female", "1937-01-09", "Salem, Essex, MA 01970", "White"),
    ("Eze", "Adaeze", "female", "1984", "", "Black or African American"),
    ("Fontaine", "Rémy", "male", "1972-10-21", "Springfield, Hampden, MA 01103", ""),
    ("Gupta", "Anika", "female", "2001-03-15", "Cambridge, Middlesex, MA 02139", "Asian"),
    ("Hassan", "Layla", "female", "1966-06-06", "Worcester, Worcester, MA 01608", "White"),
    ("Ivanov", "Pyotr", "male", "", "Lowell, Middlesex, MA 01852", "White"),
    ("Ng", "Mei Ling", "female", "1949-08-28", "Malden, Middlesex, MA 02148", "Asian"),
    ("Ng", "Wei", "female", "2026-06-11", "Malden, Middlesex, MA 02148", "Asian"),
    (
        "Okafor<script>alert(1)</script>",
        "Blessing",
        "other",
        "1995-05-05",
        "Brockton, Plymouth, MA 02301",
        "Black or African American",
    ),
];

fn patients_view() -> patients::View {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_string());
    let rows = NAMES.iter().enumerate().map(|(n, (family, given, sex, born, region, race))| patients::Row {
        id: format!("synth-{:04}", 100 + n),
        person: Person {
            name: Some(format!("{family}, {given}")),
            sex: said(sex),
            born: said(born),
            died: (n == 3).then(|| Some("2024-02-11".into())),
            region: said(region),
            race: said(race),
            ..Person::default()
        },
        updated: at("2026-11-25T12:41:00Z"),
    });
    patients::View {
        frame: frame(),
        filter: patients::Filter::default(),
        problem: None,
        rows: rows.collect(),
        paging: Paging {
            shown: 12,
            total: Some(500),
            first: None,
            next: Some("/patients?cursor=abc".into()),
        },
    }
}

fn event(kind: &str, id: &str, rest: &str) -> Event {
    event_of(&resource(&format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#))).expect("it has an id")
}

fn measure(id: &str, when: &str, name: &str, value: &str, unit: &str, flag: &str) -> Event {
    let flag = if flag.is_empty() {
        String::new()
    } else {
        format!(r#","interpretation":[{{"coding":[{{"code":"{flag}"}}]}}]"#)
    };
    let rest = format!(
        r#""status":"final","code":{{"text":"{name}"}},"effectiveDateTime":"{when}","valueQuantity":{{"value":{value},"unit":"{unit}"}}{flag}"#
    );
    event("Observation", id, &rest)
}

fn pressure(id: &str, when: &str, high: u32, low: u32) -> Event {
    let rest = format!(
        r#""status":"final","code":{{"text":"Blood pressure"}},"effectiveDateTime":"{when}","component":[
        {{"valueQuantity":{{"value":{high},"unit":"mm[Hg]"}}}},{{"valueQuantity":{{"value":{low},"unit":"mm[Hg]"}}}}]"#
    );
    event("Observation", id, &rest)
}

fn last_visit() -> Vec<Event> {
    let new = "2026-10-14T09:20:00-04:00";
    vec![
        event(
            "Encounter",
            "e3",
            &format!(
                r#""status":"finished","type":[{{"text":"Follow-up visit, diabetes clinic"}}],"period":{{"start":"{new}"}}"#
            ),
        ),
        event(
            "MedicationRequest",
            "m2",
            &format!(
                r#""status":"active","medicationCodeableConcept":{{"text":"Lisinopril 10 MG Oral Tablet"}},"authoredOn":"{new}""#
            ),
        ),
        event(
            "DiagnosticReport",
            "r1",
            &format!(
                r#""status":"final","code":{{"text":"Basic metabolic panel"}},"effectiveDateTime":"{new}""#
            ),
        ),
        measure("o1", new, "Hemoglobin A1c/Hemoglobin.total in Blood", "8.4", "%", "H"),
        measure("o2", new, "Body weight", "92.6", "kg", ""),
        measure("o3", new, "Glomerular filtration rate", "54", "mL/min/{1.73_m2}", "L"),
        measure("o4", new, "Potassium", "6.3", "mmol/L", "HH"),
        pressure("o5", new, 148, 91),
    ]
}

fn earlier() -> Vec<Event> {
    let old = "2025-11-03T10:05:00-05:00";
    vec![
        event(
            "Encounter",
            "e2",
            &format!(
                r#""status":"finished","type":[{{"text":"Emergency department visit"}}],"period":{{"start":"{old}"}}"#
            ),
        ),
        event(
            "Condition",
            "c2",
            r#""code":{"text":"Essential hypertension"},"clinicalStatus":{"coding":[{"code":"active"}]},"onsetDateTime":"2025-11-03""#,
        ),
        event(
            "Procedure",
            "p1",
            &format!(
                r#""status":"completed","code":{{"text":"Electrocardiographic procedure"}},"performedDateTime":"{old}""#
            ),
        ),
        pressure("o6", old, 171, 102),
        measure("o7", old, "Heart rate", "104", "/min", "H"),
        event(
            "Immunization",
            "i1",
            r#""status":"completed","vaccineCode":{"text":"Influenza, seasonal, injectable"},"occurrenceDateTime":"2025-09-20""#,
        ),
        event(
            "Condition",
            "c1",
            r#""code":{"text":"Diabetes mellitus type 2"},"clinicalStatus":{"coding":[{"code":"active"}]},"onsetDateTime":"2011-05""#,
        ),
        event(
            "MedicationRequest",
            "m1",
            r#""status":"stopped","medicationCodeableConcept":{"text":"Metformin 500 MG Oral Tablet"},"authoredOn":"2011-05-18""#,
        ),
        event(
            "AllergyIntolerance",
            "a1",
            r#""code":{"text":"Penicillin"},"clinicalStatus":{"coding":[{"code":"active"}]}"#,
        ),
    ]
}

fn patient_view() -> patient::View {
    let events: Vec<Event> = last_visit().into_iter().chain(earlier()).collect();
    let of = |ids: &[&str]| {
        events.iter().filter(|event| ids.contains(&event.id.as_str())).cloned().collect::<Vec<_>>()
    };
    let count = |category| events.iter().filter(|event| event.category == category).count() as u64;
    let patient = value(
        r#"{"resourceType":"Patient","id":"synth-0100","gender":"male","birthDate":"1958-04-17",
        "name":[{"use":"official","family":"Abara","given":["Chidi","Emeka"]}],
        "extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"text","valueString":"Black or African American"}]}],
        "identifier":[{"type":{"text":"Medical Record Number"},"value":"MR-558120"},{"system":"http://hl7.org/fhir/sid/us-ssn","value":"999-41-2207"}],
        "communication":[{"language":{"text":"English"}}],
        "address":[{"city":"Boston","district":"Suffolk County","state":"MA","postalCode":"02118"}]}"#,
    );
    patient::View {
        frame: frame(),
        id: "synth-0100".into(),
        person: person_of(&patient),
        updated: at("2026-10-14T15:02:11Z"),
        counts: Category::ALL.into_iter().map(|category| (category, count(category))).collect(),
        shown: None,
        problems: of(&["c1", "c2"]),
        medications: of(&["m2"]),
        latest: of(&["o1", "o3", "o4", "o5"]),
        days: patient::days_of(events),
        older: Some("/patients/synth-0100?until=2011-05-01".into()),
        cut: None,
    }
}
