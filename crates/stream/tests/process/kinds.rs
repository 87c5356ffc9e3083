//! The kinds without rules of their own: notes, social circumstances, devices; quality and labels of events.

use event::{SourceConfig, Sources};
use gate::Matter;
use stream::{DeadQuery, Notes};

use crate::house::{Configured, Ground, House, NOW};

const ANN: &str = r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14"}"#;
/// Nothing but the DocumentReference may have it.
const SECRET: &str = "zabriskie";

fn event(id: &str, kind: &str, secs: i64, rest: &str) -> String {
    let at = fhir::Instant(fhir::Instant::parse(NOW).unwrap().0 + secs * 1_000_000);
    format!(r#"{{"id":"{id}","kind":"{kind}","patient":"Patient/ann","at":"{at}","source":"ehr",{rest}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_a_document_that_is_found_and_its_text_is_nowhere_else() {
    let house = House::new().await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    let note = |id: &str, text: &str| {
        let data = format!(
            r#""privacy":["R"],"data":{{"document":"N1","type":"34117-2","text":"{text}","codes":["snomed|22253000"]}}"#
        );
        event(id, "clinical_notes", 0, &data)
    };
    let text = format!("Complains of {SECRET}. Heart rate 190, potassium 9.");
    assert_eq!(house.publish(&[note("n1", &text)]).await.accepted, 1);
    house.settle().await;
    let query = "patient=Patient/ann&type=http://loinc.org|34117-2&date=2026-11-25&category=clinical-note&_security=R&_source=urn:salus:event:ehr:n1";
    let found = house.until_found("DocumentReference", query, 1).await;
    assert!(found[0].contains("\"data\":") && !found[0].contains(SECRET), "the text is in the attachment");
    // What amends the document is its next version.
    house.publish(&[note("n2", "Slept well.")]).await;
    house.until_found("DocumentReference", "_source=urn:salus:event:ehr:n2&event=22253000", 1).await;
    assert_eq!(house.found("DocumentReference", "").await.len(), 1);
    // No rule has read a heart rate of 190 out of it.
    for table in
        ["SELECT count(*) FROM alert", "SELECT count(*) FROM unjudged", "SELECT count(*) FROM measured"]
    {
        assert_eq!(house.count(table).await, 0, "{table}");
    }
    // Refused notes: neither the answer nor a list has any of it.
    let bad = [
        event("b1", "clinical_notes", 0, &format!(r#""data":{{"text":["{SECRET}"]}}"#)),
        event("b2", "clinical_notes", 0, &format!(r#""data":{{"text":"{SECRET}","status":"{SECRET}"}}"#)),
        event(
            "b3",
            "clinical_notes",
            0,
            &format!(r#""measurements":[{{"name":"heart_rate","value":"{SECRET}"}}]"#),
        ),
        format!("{{\"text\":\"{SECRET}"),
    ];
    let receipt = house.publish(&bad).await;
    assert_eq!(receipt.rejected.len(), bad.len());
    let permit = house.permit(Matter::Streams).await;
    let letters = house.platform.dead_letters(&permit, DeadQuery::default()).await.unwrap();
    assert_eq!(letters.len(), bad.len());
    assert!(!format!("{receipt:?} {letters:?}").contains(SECRET));
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_leaves_the_text_or_the_note_out() {
    for (notes, documents) in [(Notes::WithoutText, 1), (Notes::None, 0)] {
        let house = House::with(|settings| settings.notes = notes).await;
        house.platform.start().unwrap();
        house
            .publish(&[event("n1", "clinical_notes", 0, r#""data":{"type":"34117-2","text":"Well."}"#)])
            .await;
        house.settle().await;
        let found = house.until_found("DocumentReference", "", documents).await;
        assert!(found.iter().all(|text| !text.contains("\"data\":")), "{found:?}");
        house.platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn social_needs_are_counted_where_the_population_is() {
    let house = House::new().await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    let in_need = "_has:Condition:subject:sdoh-category=food-insecurity";
    assert_eq!(house.found("Patient", in_need).await.len(), 0);
    let data = r#""data":{"answers":[{"question":"88122-7","answer":"LA28397-0","positive":true},{"question":"93030-5","answer":"LA32-8","positive":false}],
        "needs":[{"code":["Z59.41","733423003"],"verified":"confirmed","result":"F1"}]}"#;
    assert_eq!(house.publish(&[event("s1", "social_determinants", 0, data)]).await.accepted, 1);
    house.settle().await;
    house.until_found("Patient", in_need, 1).await;
    house.until_found("Patient", "_has:Observation:subject:sdoh-category=transportation-insecurity", 1).await;
    for (kind, query, n) in [
        ("Observation", "sdoh-category=food-insecurity&category=sdoh&category=survey", 1),
        ("Observation", "category=sdoh&patient=Patient/ann", 2),
        ("Condition", "sdoh-category=food-insecurity&clinical-status=active&category=problem-list-item", 1),
    ] {
        assert_eq!(house.found(kind, query).await.len(), n, "{kind}?{query}");
    }
    // The need is over: the same Condition says so.
    let over = r#""data":{"code":["Z59.41"],"verified":"confirmed","status":"resolved","until":"2026-11-25","result":"F1"}"#;
    house.publish(&[event("s2", "social_determinants", 5, over)]).await;
    house.until_found("Condition", "clinical-status=resolved&sdoh-category=food-insecurity", 1).await;
    assert_eq!(house.found("Condition", "").await.len(), 1);
    let wrong = event("s3", "social_determinants", 6, r#""data":{"need":"Z59.41","category":"poverty"}"#);
    assert!(house.publish(&[wrong]).await.rejected[0].reason.starts_with("`/data/category`"));
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_kept_with_their_calibration_and_readings_are_sampled() {
    let house = House::with(|settings| settings.downsample_secs = 3_600).await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    let read = |id: &str, secs: i64, calibrated: &str, spo2: u32| {
        let rest =
            format!(r#""device":{{"id":"SN-1","calibrated_at":"{calibrated}"}},"data":{{"spo2":{spo2}}}"#);
        event(id, "device_data", secs, &rest)
    };
    let (before, after) = ("2026-11-01T08:00:00Z", "2026-11-25T11:00:00Z");
    house
        .publish(&[read("d1", -300, before, 97), read("d2", -290, before, 96), read("d3", -280, after, 97)])
        .await;
    house.settle().await;
    let kept = house.until_found("Observation", "code=http://loinc.org|59408-5", 1).await;
    assert!(
        kept[0].contains("urn:salus:device-calibrated-at") && kept[0].contains("2026-11-01T08:00:00.000Z")
    );
    assert_eq!(house.found("Device", "").await.len(), 1);
    let device = house.found("Device", "identifier=SN-1").await.remove(0);
    let id = fhir::json::parse(device.as_bytes(), &fhir::json::Limits::default()).unwrap();
    let id = id.text("id").unwrap().to_owned();
    assert_eq!(house.found("Observation", &format!("device=Device/{id}")).await.len(), 1);
    // A reading that raises an alert is kept whatever the interval says, and brings the newer calibration.
    house.publish(&[read("d4", -60, after, 80)]).await;
    house.until_found("Observation", "_source=urn:salus:event:ehr:d4", 1).await;
    let metric = house.until_found("DeviceMetric", &format!("source=Device/{id}"), 1).await;
    assert!(metric[0].contains("2026-11-25T11:00:00.000Z"), "{}", metric[0]);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_little_quality_is_kept_and_flagged_and_raises_nothing() {
    let mut sources = Sources::default();
    sources.named.insert("ehr".into(), SourceConfig { quality_min: Some(0.8), ..SourceConfig::default() });
    let house =
        House::configured(Configured { sources, ..Configured::default() }, Ground::default(), |_| ()).await;
    house.put(ANN).await;
    house
        .put(
            r#"{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/ann"},
                "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"855332"}]}}"#,
        )
        .await;
    house.platform.start().unwrap();
    // Above the half that rules ask for when nobody says otherwise: the source's own limit holds.
    let rate = |id: &str, secs: i64, quality: &str| {
        event(
            id,
            "vital_signs",
            secs,
            &format!(r#""privacy":["restricted"],"quality":{quality},"data":{{"heart_rate":190}}"#),
        )
    };
    let order = event("o1", "medication_orders", -200, r#""quality":0.7,"data":{"rxnorm":"855332"}"#);
    house.publish(&[rate("p1", -300, "0.7"), order]).await;
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM alert").await, 0);
    assert!(house.count("SELECT count(*) FROM unjudged WHERE reason LIKE '%quality%'").await >= 2);
    house
        .until_found(
            "Observation",
            "_tag=urn:salus:quality|low&_source=urn:salus:event:ehr:p1&_security=R",
            1,
        )
        .await;
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/ann").await.unwrap().unwrap();
    assert_eq!(board.values["heart_rate"].flags, ["low quality"]);
    // A good value of the same interval is kept beside it, and alerted on.
    house.publish(&[rate("p2", -290, "0.9")]).await;
    house.settle().await;
    assert!(house.count("SELECT count(*) FROM alert WHERE topic = 'heart-rate'").await == 1);
    house.until_found("Observation", "_source=urn:salus:event:ehr:p2", 1).await;
    assert_eq!(house.found("Observation", "_tag=urn:salus:quality|low").await.len(), 1);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_refuses_is_a_letter_that_can_be_written_again() {
    let house = House::new().await;
    house.platform.start().unwrap();
    // A unit that is no code of FHIR.
    let data = format!(r#""data":{{"question":"63512-8","answer":4,"unit":"{SECRET}  persons"}}"#);
    house.publish(&[event("s1", "social_determinants", 0, &data)]).await;
    house.until("SELECT count(*) FROM dead_letter WHERE state = 'open' AND door = 'observations'", 1).await;
    let permit = house.permit(Matter::Streams).await;
    let letters = house.platform.dead_letters(&permit, DeadQuery::default()).await.unwrap();
    assert!(
        letters[0].event.as_deref().is_some_and(|event| event.starts_with("Observation/")),
        "{letters:?}"
    );
    assert!(!format!("{letters:?}").contains(SECRET));
    let change = house.permit(Matter::ReplayDeadLetter).await;
    assert_eq!(house.platform.replay_dead_letters(&change, vec![letters[0].id]).await.unwrap(), 1);
    house.until("SELECT count(*) FROM dead_letter WHERE state = 'replayed'", 1).await;
    house.until("SELECT count(*) FROM dead_letter WHERE state = 'open'", 1).await;
    house.platform.stop().await;
}
