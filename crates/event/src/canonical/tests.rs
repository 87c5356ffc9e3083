//! What is written is read back, by the log's reader and by the door; the content's hash knows what is content.

use clinical::Number;
use fhir::Instant;
use fhir::json::{Limits, Value as Json, parse};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::{
    Comparator, Data, Device, Event, Kind, Measurement, Medication, Moved, Movement, PopulationCount, SCHEMA,
    Sources, Status, Value,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{1,12}", "[ -~\u{e4}\u{1f600}\n\"\\\\]{0,12}"]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-999_999_999_i64..999_999_999, 0u8..6)
            .prop_map(|(digits, scale)| Value::Number(Number::of(digits, scale))),
        text().prop_map(Value::Text),
        text().prop_map(Value::Absent),
    ]
}

fn measurement() -> impl Strategy<Value = Measurement> {
    let comparator = prop_oneof![
        Just(Comparator::Less),
        Just(Comparator::LessOrEqual),
        Just(Comparator::GreaterOrEqual),
        Just(Comparator::Greater)
    ];
    let status = prop_oneof![
        Just(Status::Final),
        Just(Status::Preliminary),
        Just(Status::Corrected),
        Just(Status::Cancelled),
        Just(Status::EnteredInError)
    ];
    let texts = (text(), of(text()), of(text()), of(text()), of(text()), vec(text(), 0..3));
    (texts, value(), of(comparator), status).prop_map(|(texts, value, comparator, status)| {
        let (name, loinc, unit, sent, result, flags) = texts;
        let (name, loinc, unit) = (name.into(), loinc.map(Into::into), unit.map(Into::into));
        Measurement { name, loinc, value, comparator, unit, sent, status, result, flags }
    })
}

fn data() -> impl Strategy<Value = Data> {
    let count = (text(), 0u64..1_000_000, of(0u64..1_000_000), of(text()), of((0u64..99, 0u64..99)));
    prop_oneof![
        vec(measurement(), 0..5).prop_map(Data::Measurements),
        (of(text()), of(text()), vec(text(), 0..3), text()).prop_map(
            |(rxnorm, display, ingredients, status)| {
                Data::Medication(Medication { rxnorm, display, ingredients, status })
            }
        ),
        count.prop_map(|(measure, count, denominator, stratum, reference)| {
            let (day, days) = ("2026-11-25".to_owned(), 7);
            Data::Population(PopulationCount { measure, day, days, count, denominator, stratum, reference })
        }),
        (0usize..6, of(text()), vec(text(), 0..3)).prop_map(|(moved, bed, merged)| {
            Data::Movement(Movement { moved: Moved::ALL[moved], bed, merged })
        }),
        Just(Data::Json(
            parse(br#"{"a":[1.50,"]}",{"b":null}],"c":"\"\\"}"#, &Limits::default())
                .ok()
                .as_ref()
                .and_then(Json::as_object)
                .cloned()
                .unwrap_or_default()
        )),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let kind =
        prop_oneof![Just("vital_signs"), Just("lab_results"), Just("population_health"), Just("else.where")];
    let micros = 0i64..4_000_000_000_000_000;
    let needed = (text(), kind, micros.clone(), micros.clone(), text(), data());
    let whom = (of(text()), of(text()), of(text()), of((text(), of(micros))));
    let rest = (of(text()), of(text()), of(0.0..1.0f64), vec(text(), 0..3), vec(text(), 0..3), of(text()));
    (needed, whom, rest).prop_map(|(needed, whom, rest)| {
        let (id, kind, at, received_at, source, data) = needed;
        let (patient, encounter, birth_date, device) = whom;
        let (organization, unit, quality, privacy, population, region) = rest;
        let device = device.map(|(id, at)| Device { id, calibrated_at: at.map(Instant) });
        let (kind, at, received_at) = (Kind::named(kind), Instant(at), Instant(received_at));
        Event {
            schema: SCHEMA,
            id,
            kind,
            patient,
            encounter,
            at,
            received_at,
            birth_date,
            device,
            source,
            organization,
            unit,
            data,
            quality,
            privacy,
            population,
            region,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(event in event()) {
        let bytes = event.to_bytes();
        prop_assert!(parse(&bytes, &Limits::default()).is_ok());
        let back = Event::of_bytes(&bytes);
        prop_assert!(back.as_ref() == Ok(&event), "{back:?} {}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..64), cut in 0usize..400, event in event()) {
        let _ = Event::of_bytes(&bytes);
        let whole = event.to_bytes();
        if cut < whole.len() {
            prop_assert!(Event::of_bytes(&whole[..cut]).is_err());
        }
    }

    #[test]
    fn receipt_is_not_content(event in event(), later in 0i64..1_000_000) {
        let again = Event { received_at: Instant(event.received_at.0 + later), ..event.clone() };
        prop_assert_eq!(again.content_hash(), event.content_hash());
        let other = Event { source: format!("{}x", event.source), ..event.clone() };
        prop_assert_ne!(other.content_hash(), event.content_hash());
    }
}

#[test]
fn the_door_reads_what_the_log_keeps() {
    let sent = br#"{"id":"e","kind":"lab_results","patient":"Patient/1","at":"2026-11-25T08:00:00Z","source":"lab",
        "data":{"results":[{"test":"K","value":">7.9","unit":"mmol/L","status":"corrected","result_id":"A1","flags":["hemolyzed"]},
        {"loinc":"2345-7","value":5,"unit":"mmol/L"},{"name":"TSH","value":"2.1","unit":"mU/L"},{"name":"K","value":"x"}]}}"#;
    let now = Instant::parse("2026-11-25T08:00:01Z").unwrap();
    let event = Event::parse(sent, &Sources::default(), now).unwrap();
    let again = Event::parse(&event.to_bytes(), &Sources::default(), now).unwrap();
    assert!(again == event);
    assert_eq!(event.unreadable().count(), 1);
}

#[test]
fn a_newer_version_is_refused() {
    let refusal = Event::of_bytes(br#"{"schema":2,"id":"e"}"#).unwrap_err();
    assert_eq!((refusal.slug(), refusal.place.as_str()), ("schema", "/schema"));
}
