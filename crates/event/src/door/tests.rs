//! What the door takes and what it refuses, with the place.

use fhir::Instant;
use proptest::prelude::*;

use crate::{Data, Event, Measurement, SourceConfig, Sources, Value};

const NOW: &str = "2026-11-25T12:00:00Z";

fn sources() -> Sources {
    let mut sources = Sources::default();
    let lab = SourceConfig {
        units: [("glucose".to_owned(), "mmol/L".to_owned())].into(),
        codes: [("KAL".to_owned(), "2823-3".to_owned())].into(),
        zone_minutes: Some(60),
        patient_system: Some("urn:mrn".to_owned()),
        ..SourceConfig::default()
    };
    sources.named.insert("lab".to_owned(), lab);
    sources
}

fn parse(json: &str) -> Result<Event, String> {
    let now = Instant::parse(NOW).unwrap();
    Event::parse(json.as_bytes(), &sources(), now)
        .map_err(|refusal| format!("{} {}", refusal.place, refusal.slug()))
}

fn shown(measured: &Measurement) -> String {
    let value = match &measured.value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Absent(reason) => format!("({})", reason.split(';').next().unwrap_or_default()),
    };
    let sign = measured.comparator.map_or("", crate::Comparator::sign);
    let unit = measured.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let sent = measured.sent.as_deref().map(|sent| format!(" <- {sent}")).unwrap_or_default();
    let flags: String = measured.flags.iter().map(|flag| format!(" #{flag}")).collect();
    format!("{} {sign}{value}{unit}{sent}{flags}", measured.name)
}

/// Data of vital signs → measurements, or what is refused.
#[track_caller]
fn check(kind: &str, data: &str, expected: &str) {
    check_of("monitor", kind, data, expected);
}

#[track_caller]
fn check_of(source: &str, kind: &str, data: &str, expected: &str) {
    let json = format!(
        r#"{{"id":"e1","kind":"{kind}","patient":"Patient/42","at":"2026-11-25T11:59:00Z","source":"{source}","data":{data}}}"#
    );
    let found = match parse(&json) {
        Ok(event) => event.measurements().iter().map(shown).collect::<Vec<String>>().join("; "),
        Err(problem) => format!("refused {problem}"),
    };
    assert_eq!(found, expected, "{data}");
}

/// An envelope, with `+` for the members that every event needs.
#[track_caller]
fn check_envelope(members: &str, expected: &str) {
    let needed = r#""id":"e1","kind":"vital_signs","patient":"42","at":"2026-11-25T11:59:00Z","source":"m","data":{"hr":70}"#;
    let found = match parse(&format!("{{{}}}", members.replace('+', needed))) {
        Ok(_) => "ok".to_owned(),
        Err(problem) => problem,
    };
    assert_eq!(found, expected, "{members}");
}

#[test]
fn plain_names_units_and_numbers_in_strings() {
    check("vital_signs", r#"{"heart_rate":131}"#, "heart_rate 131 /min");
    check("vital_signs", r#"{"HR":"125","SpO2":"88.5"}"#, "heart_rate 125 /min; spo2 88.5 %");
    check(
        "vital_signs",
        r#"{"bp_systolic":181,"bp_diastolic":null}"#,
        "systolic 181 mm[Hg]; diastolic (null)",
    );
    check("vital_signs", r#"{"bp":"182/95"}"#, "systolic 182 mm[Hg]; diastolic 95 mm[Hg]");
    check("vital_signs", r#"{"systolic":{"value":16,"unit":"kPa"}}"#, "systolic 120.0099 mm[Hg] <- 16 kPa");
    check("vital_signs", r#"{"temp_f":101.3}"#, "temperature 38.5000 Cel <- 101.3 [degF]");
    check(
        "vital_signs",
        r#"{"temperature":98.6,"temperature_unit":"F"}"#,
        "temperature 37.0000 Cel <- 98.6 F",
    );
    check("vital_signs", r#"{"avpu":"Voice","on_oxygen":true}"#, "consciousness \"V\"; breathing \"oxygen\"");
    check("lab_results", r#"{"test":"K","value":7.9,"unit":"mmol/L"}"#, "potassium 7.9 mmol/L");
    check(
        "lab_results",
        r#"{"loinc":"2823-3","value":"7.9","unit":"meq/L"}"#,
        "potassium 7.9000 mmol/L <- 7.9 meq/L",
    );
    check("lab_results", r#"{"GLU":{"value":22.5,"unit":"mmol/L"}}"#, "glucose 405.360 mg/dL <- 22.5 mmol/L");
    check("lab_results", r#"{"HGB":{"value":68,"unit":"g/L"}}"#, "haemoglobin 6.8000 g/dL <- 68 g/L");
    check(
        "lab_results",
        r#"{"results":[{"name":"creatinine","value":">10","unit":"mg/dL"}]}"#,
        "creatinine >10 mg/dL",
    );
    check("lab_results", r#"{"code":"TSH","value":"2.1","unit":"mU/L"}"#, "TSH 2.1 mU/L #unmapped");
    check("lab_results", r#"{"loinc":"5196-1","value":"POSITIVE"}"#, "5196-1 \"POSITIVE\"");
    check("device_data", r#"{"hr":70,"battery":80}"#, "heart_rate 70 /min; battery 80 #unmapped");
}

#[test]
fn what_a_source_does_not_say_is_configured() {
    check_of("lab", "lab_results", r#"{"glucose":5}"#, "glucose 90.080 mg/dL <- 5 mmol/L");
    check_of("lab", "lab_results", r#"{"KAL":{"value":4,"unit":"mmol/L"}}"#, "potassium 4 mmol/L");
    check("lab_results", r#"{"glucose":5}"#, "refused /data/glucose missing-unit");
}

#[test]
fn impossible_values_are_for_the_rules_and_absurd_ones_are_refused() {
    check("vital_signs", r#"{"heart_rate":0,"spo2":0}"#, "heart_rate 0 /min; spo2 0 %");
    check("vital_signs", r#"{"heart_rate":1000000000}"#, "refused /data/heart_rate absurd");
    check("vital_signs", r#"{"spo2":-1}"#, "refused /data/spo2 absurd");
    check(
        "vital_signs",
        r#"{"temperature":{"value":98.6,"unit":"Cel"}}"#,
        "refused /data/temperature/value absurd",
    );
    check("vital_signs", r#"{"heart_rate":"NaN"}"#, "refused /data/heart_rate not-a-number");
    check("vital_signs", r#"{"heart_rate":[70]}"#, "refused /data/heart_rate wrong-type");
    check("vital_signs", r#"{"hart_rate":70}"#, "refused /data/hart_rate unknown-name");
    check("vital_signs", r#"{"temperature":37}"#, "refused /data/temperature missing-unit");
    check("lab_results", r#"{"K":{"value":7,"unit":"mg/dL"}}"#, "refused /data/K/value unknown-unit");
    check(
        "lab_results",
        r#"{"K":{"value":7,"unit":"mmol/L","colour":1}}"#,
        "refused /data/K/colour unknown-member",
    );
    check("lab_results", r#"{"loinc":"2823-4","value":7}"#, "refused /data/value wrong-type");
    check("vital_signs", "{}", "refused /data nothing");
    check("vital_signs", "[]", "refused /data wrong-type");
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    check(
        "vital_signs",
        r#"{"heart_rate":30,"temperature":38}"#,
        "heart_rate 30 /min; temperature (`/data/temperature`: the unit is missing) <- 38 #unreadable",
    );
    check(
        "lab_results",
        r#"{"results":[{"name":"K","value":7,"unit":"mmol/L"},{"name":"K","value":"haem","result":"A|1"}]}"#,
        "potassium 7 mmol/L; potassium (`/data/results/1/value`: not a number) <- haem #unreadable",
    );
}

#[test]
fn envelopes() {
    check_envelope("+", "ok");
    check_envelope(r#"+,"schema":1"#, "ok");
    check_envelope(r#"+,"schema":2"#, "/schema schema");
    check_envelope(r#"+,"colour":"red""#, "/colour unknown-member");
    check_envelope(r#"+,"patient_id":"43""#, "/patient_id twice");
    check_envelope(r#"+,"schema":1,"ward":"W1""#, "/ward unknown-member");
    check_envelope(r#"+,"ward":"W1","quality_score":0.5,"privacy_level":"R""#, "ok");
    check_envelope(r#"+,"quality":1.5"#, "/quality wrong-type");
    check_envelope(r#"+,"birth_date":"1950-13-01""#, "/birth_date wrong-type");
    check_envelope(r#"+,"device":{"id":"D1","calibrated_at":"2026-11-01T00:00:00Z"}"#, "ok");
    check_envelope(r#""id":"e","source":"m""#, "/kind missing");
    check_envelope(r#""id":"e","kind":"Vital Signs","source":"m""#, "/kind wrong-type");
    check_envelope(
        r#""id":"e","kind":"vital_signs","source":"m","at":"2026-11-25T11:59:00Z","data":{}"#,
        "/patient missing",
    );
    check_envelope(r#"+,"measurements":[]"#, "/measurements twice");
    check_envelope("+,+", " malformed");
    check_envelope("", "/source missing");
}

#[test]
fn times() {
    let check = |source: &str, at: &str, expected: &str| {
        let json = format!(
            r#"{{"event_id":7,"event_type":"vital_signs","patient_id":"9","timestamp":"{at}","source_system":"{source}","data":{{"hr":70}}}}"#
        );
        let found = parse(&json).map_or_else(|problem| problem, |event| event.at.to_rfc3339_millis());
        assert_eq!(found, expected, "{at}");
    };
    check("m", "2026-11-25T11:59:00.123456+01:00", "2026-11-25T10:59:00.123Z");
    check("m", "2026-11-25T11:59:00", "/timestamp no-offset");
    check("lab", "2026-11-25T11:59:00", "2026-11-25T10:59:00.000Z");
    check("m", "2026-11-25", "/timestamp wrong-type");
    check("m", "2026-11-25T12:05:00Z", "2026-11-25T12:05:00.000Z");
    check("m", "2026-11-25T12:05:01Z", "/timestamp future");
    check("m", "2026-11-26T11:00:00Z", "/timestamp future");
    check("m", "2025-11-25T11:00:00Z", "2025-11-25T11:00:00.000Z");
}

#[test]
fn other_data() {
    let read = |kind: &str, patient: &str, data: &str| {
        parse(&format!(
            r#"{{"id":"e","kind":"{kind}","patient":{patient},"at":"2026-11-25T11:59:00Z","source":"lab","data":{data}}}"#
        ))
    };
    let event =
        read("population_health", r#""POPULATION""#, r#"{"measure":"influenza","cases":"3"}"#).unwrap();
    let Data::Population(count) = &event.data else { panic!("a count") };
    assert_eq!((count.day.as_str(), count.count, count.days, &event.patient), ("2026-11-25", 3, 1, &None));
    assert_eq!(event.key("t"), "t\u{1f}population:influenza@");
    let problem = |kind: &str, data: &str| read(kind, "null", data).unwrap_err();
    assert_eq!(problem("population_health", r#"{"measure":"x"}"#), "/data/count missing");
    assert_eq!(problem("population_health", r#"{"measure":"x","count":-1}"#), "/data/count wrong-type");
    assert_eq!(
        problem("population_health", r#"{"measure":"x","count":2,"denominator":1}"#),
        "/data/denominator wrong-type"
    );
    assert_eq!(problem("medication_orders", r#"{"rxnorm":"1"}"#), "/patient missing");
    let event = read("medication_orders", r#""17""#, r#"{"rxnorm":"855332","drug":"warfarin"}"#).unwrap();
    assert_eq!(event.patient.as_deref(), Some("urn:mrn|17"));
    let Data::Medication(order) = &event.data else { panic!("an order") };
    assert_eq!((order.rxnorm.as_deref(), order.status.as_str()), (Some("855332"), "active"));
    let event = read("genomics", "null", r#"{"x":1.50}"#).unwrap();
    assert_eq!(event.kind.name(), "genomics");
    assert!(String::from_utf8(event.to_bytes()).unwrap().contains("1.50"));
    let merge = r#"{"moved":"merged","merged":["urn:mrn|1"]}"#;
    assert!(matches!(read("patient_movement", r#""2""#, merge).unwrap().data, Data::Movement(_)));
    assert_eq!(
        read("patient_movement", r#""2""#, r#"{"moved":"merged"}"#).unwrap_err(),
        "/data/merged wrong-type"
    );
}

#[test]
fn nothing_of_a_value_prints() {
    let json = r#"{"id":"e","kind":"vital_signs","patient":"SECRET-1","at":"2026-11-25T11:59:00Z","source":"m","data":{"hr":"SECRET-2"}}"#;
    let now = Instant::parse(NOW).unwrap();
    let refusal = Event::parse(json.as_bytes(), &Sources::default(), now).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("SECRET"));
    let event = Event::parse(json.replace("SECRET-2", "71").as_bytes(), &Sources::default(), now).unwrap();
    assert!(!format!("{event:?} {:?}", event.measurements()).contains("SECRET"));
}

/// JSON of any shape.
fn json() -> impl Strategy<Value = String> {
    let names = "heart_rate|K|value|unit|loinc|status|flags|results|measurements|bp|x";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|truth| truth.to_string()),
        any::<f32>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(|n| n.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        prop_oneof!["[<>=]{0,2}[0-9.eE+-]{0,24}", "mmol/L|final|2823-3|[a-z]{0,6}"]
            .prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let member = (names, inner.clone()).prop_map(|(name, value)| format!("{name:?}:{value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    /// Every data has an answer, and what is taken is kept and read again.
    #[test]
    fn any_data_has_an_answer(kind in "vital_signs|lab_results|device_data|population_health|medication_orders|x", data in json()) {
        let patient = if kind == "population_health" { "null" } else { "\"7\"" };
        let text = format!(
            r#"{{"id":"e","kind":"{kind}","patient":{patient},"at":"2026-11-25T11:59:00Z","source":"m","data":{data}}}"#
        );
        if let Ok(event) = parse(&text) {
            prop_assert_eq!(Event::of_bytes(&event.to_bytes()), Ok(event.clone()));
            let now = Instant::parse(NOW).unwrap();
            let again = Event::parse(&event.to_bytes(), &sources(), now);
            prop_assert_eq!(again, Ok(event));
        }
    }
}
