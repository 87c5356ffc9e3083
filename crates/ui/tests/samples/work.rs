//! Sample work with resources: overview, search, one resource in all its parts.

use fhir::Value;
use ui::facts::summary_of;
use ui::overview::{self, Band, Change, ChangeOp, Pyramid};
use ui::parts::pager::Paging;
use ui::resource::{self, Compared, Part, Version};
use ui::search::{self, Param, Problem, Results, Row};

use super::{Sample, at, frame, now, value};

pub(super) fn all() -> Vec<Sample> {
    let full = overview_view();
    let mut empty = full.clone();
    empty.counts = Some(Vec::new());
    let mut hidden = full.clone();
    hidden.counts = None;
    let mut closed = full.clone();
    (closed.pyramid, closed.changes) = (None, None);
    let found = search_view();
    let mut start = found.clone();
    (start.kind, start.results, start.request, start.params, start.pairs) =
        (None, None, None, Vec::new(), Vec::new());
    let mut wrong = found.clone();
    wrong.results = None;
    wrong.pairs.push(("color".into(), "red".into()));
    wrong.problems = vec![Problem {
        what: "unknown search parameter `color` of `Observation`".into(),
        todo: "Did you mean `code`? All parameters are listed below.".into(),
    }];
    let mut nothing = found.clone();
    nothing.results = Some(Results { rows: Vec::new(), paging: Paging::default(), took_millis: 1 });
    let part = |part| resource::page(&resource_view(part));
    vec![
        ("overview", overview::page(&full)),
        ("overview-empty", overview::page(&empty)),
        ("overview-hidden", overview::page(&hidden)),
        ("overview-closed", overview::page(&closed)),
        ("search", search::page(&found)),
        ("search-start", search::page(&start)),
        ("search-wrong", search::page(&wrong)),
        ("search-nothing", search::page(&nothing)),
        ("resource-tree", part(Part::Tree(observation("8.4")))),
        ("resource-json", part(Part::Json(observation("8.4")))),
        ("resource-versions", part(Part::Versions(versions(), None))),
        ("resource-compared", part(Part::Compared(compared()))),
    ]
}

const COUNTS: [(&str, u64); 19] = [
    ("Observation", 58_114),
    ("Claim", 21_703),
    ("ExplanationOfBenefit", 18_332),
    ("Encounter", 18_329),
    ("DiagnosticReport", 9_871),
    ("Procedure", 8_420),
    ("Immunization", 5_966),
    ("Condition", 4_214),
    ("MedicationRequest", 3_371),
    ("Patient", 500),
    ("CarePlan", 1_502),
    ("CareTeam", 1_502),
    ("Goal", 912),
    ("Organization", 187),
    ("Practitioner", 187),
    ("AllergyIntolerance", 96),
    ("Coverage", 500),
    ("Device", 31),
    ("ImagingStudy", 4),
];

fn overview_view() -> overview::View {
    let female = [14, 13, 15, 16, 17, 16, 15, 18, 17, 15, 16, 18, 17, 14, 11, 9, 6, 4, 2, 1, 1];
    let male = [15, 14, 14, 17, 16, 17, 16, 16, 18, 16, 15, 16, 15, 12, 9, 7, 4, 2, 1, 0, 0];
    let bands = female.iter().zip(male).enumerate().map(|(n, (female, male))| Band {
        label: if n == 20 { "100+".into() } else { format!("{}–{}", n * 5, n * 5 + 4) },
        female: *female,
        male,
        other: u64::from(n == 5),
        unknown: u64::from(n == 8),
    });
    let change = |minute: u32, op, kind: &str, id: &str, version, who: &str| Change {
        at: at(&format!("2026-11-25T13:{minute:02}:00Z")),
        op,
        kind: kind.into(),
        id: id.into(),
        version,
        who: (!who.is_empty()).then(|| who.into()),
        purpose: (!who.is_empty()).then(|| "HOPERAT".into()),
    };
    overview::View {
        frame: frame(),
        counts: Some(COUNTS.iter().map(|(kind, n)| (kind.to_string(), *n)).collect()),
        pyramid: Some(Pyramid { bands: bands.collect(), unknown_age: 3, as_of: "2026-11-25".into() }),
        changes: Some(vec![
            change(16, ChangeOp::Updated, "Patient", "synth-0104", 2, "token:lab-interface"),
            change(
                14,
                ChangeOp::Created,
                "Observation",
                "0192f3a1-77c2-7f00-9a1c-2b7f3a4d9c10",
                1,
                "token:lab-interface",
            ),
            change(
                11,
                ChangeOp::Deleted,
                "Observation",
                "0192f3a1-11c2-7f00-9a1c-2b7f3a4d9c11",
                3,
                "local:ada",
            ),
            change(2, ChangeOp::Created, "Encounter", "synth-0100-e3", 1, ""),
        ]),
        fhir_base: "http://127.0.0.1:8080/fhir".into(),
    }
}

fn observation(number: &str) -> Value {
    value(&format!(
        r#"{{"resourceType":"Observation","id":"o1","meta":{{"versionId":"3","lastUpdated":"2026-11-25T13:02:00.000Z"}},
        "status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}}]}}],
        "code":{{"coding":[{{"system":"http://loinc.org","code":"4548-4","display":"Hemoglobin A1c/Hemoglobin.total in Blood"}}],"text":"Hemoglobin A1c"}},
        "subject":{{"reference":"Patient/synth-0100","display":"Abara, Chidi"}},"encounter":{{"reference":"Encounter/e3"}},
        "performer":[{{"reference":"https://elsewhere.example/fhir/Practitioner/9"}},{{"reference":"javascript:alert(1)"}}],
        "effectiveDateTime":"2026-10-14T09:20:00-04:00","valueQuantity":{{"value":{number},"unit":"%","system":"http://unitsofmeasure.org","code":"%"}},
        "note":[{{"text":"<b>not bold</b> & \"quoted\""}}],"referenceRange":[{{"high":{{"value":5.70,"unit":"%"}}}}]}}"#
    ))
}

fn search_view() -> search::View {
    let row = |id: &str, number: &str, is_included| Row {
        kind: "Observation".into(),
        id: id.into(),
        summary: summary_of(&fhir::Resource::from_value(observation(number)).expect("a resource")),
        updated: at("2026-11-25T13:02:00Z"),
        is_included,
    };
    let param = |name: &str, kind: &str, looks_at: &str| Param {
        name: name.into(),
        kind: kind.into(),
        looks_at: looks_at.into(),
    };
    search::View {
        frame: frame(),
        kind: Some("Observation".into()),
        kinds: COUNTS
            .iter()
            .map(|(kind, n)| (kind.to_string(), *n))
            .chain([("Account".to_string(), 0)])
            .collect(),
        params: vec![
            param("code", "token", "Observation.code"),
            param("date", "date", "Observation.effective"),
            param("patient", "reference", "Observation.subject.where(resolve() is Patient)"),
            param("value-quantity", "quantity", "(Observation.value as Quantity)"),
        ],
        pairs: vec![
            ("code".into(), "http://loinc.org|4548-4".into()),
            ("value-quantity".into(), "gt8||%".into()),
        ],
        problems: Vec::new(),
        results: Some(Results {
            rows: vec![row("o1", "8.4", false), row("o17", "11.20", false), row("o35", "9.1", true)],
            paging: Paging {
                shown: 3,
                total: Some(61),
                first: Some("/search?h=1".into()),
                next: Some("/search?h=1&cursor=x".into()),
            },
            took_millis: 3,
        }),
        request: Some("GET /fhir/Observation?code=http://loinc.org|4548-4&value-quantity=gt8||%25".into()),
    }
}

fn versions() -> Vec<Version> {
    let version = |version, time: &str, is_deletion, who: Option<&str>| Version {
        version,
        at: at(time),
        is_deletion,
        who: who.map(String::from),
    };
    vec![
        version(3, "2026-11-25T13:02:00Z", false, Some("token:lab-interface")),
        version(2, "2026-11-20T08:00:00Z", true, Some("local:ada")),
        version(1, "2026-10-14T13:30:00Z", false, None),
    ]
}

fn compared() -> Compared {
    let [after, _, before]: [Version; 3] = versions().try_into().ok().expect("three versions");
    let mut older = observation("8.40");
    older.as_object_mut().expect("an object").remove("note");
    Compared { before, after, changes: ui::json::diff(&older, &observation("8.4")) }
}

fn resource_view(part: Part) -> resource::View {
    let compares = matches!(part, Part::Compared(_));
    resource::View {
        frame: frame(),
        kind: "Observation".into(),
        id: "o1".into(),
        version: if compares { 3 } else { 2 },
        updated: if compares { now() } else { at("2026-11-25T13:02:00Z") },
        is_current: compares,
        summary: summary_of(&fhir::Resource::from_value(observation("8.4")).expect("a resource")),
        part,
        fhir_base: "http://127.0.0.1:8080/fhir".into(),
    }
}
