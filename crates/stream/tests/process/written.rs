//! Alerts as resources of the store, when they are asked for.

use crate::house::{Configured, Ground, House, NOW, vitals};

const ANN: &str = r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14"}"#;

async fn asking(words: &[&str]) -> House {
    let alerts = stream::alert::Settings {
        fhir: words.iter().map(|word| (*word).to_owned()).collect(),
        ..stream::alert::Settings::default()
    };
    let house =
        House::configured(Configured { alerts, ..Configured::default() }, Ground::default(), |_| ()).await;
    house.put(ANN).await;
    house
}

/// Waits until the one resource of a type has a status; gives its text.
async fn until_status(house: &House, kind: &str, status: &str) -> String {
    let mut found = Vec::new();
    for _ in 0..12_000 {
        found = house.found(kind, "").await;
        if found.len() == 1 && found[0].contains(&format!(r#""status":"{status}""#)) {
            return found.remove(0);
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no {kind} is `{status}`: {found:?}");
}

fn version_of(text: &str) -> String {
    let value = fhir::json::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
    value.get("meta").unwrap().text("versionId").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_alert_is_a_flag_until_it_is_over() {
    let mut house = asking(&["founding/heart-rate"]).await;
    house.platform.start().unwrap();
    let raise = vitals("a", "Patient/ann", -900, r#"{"heart_rate":151}"#)
        .replace(r#""unit":"#, r#""privacy":["R"],"unit":"#);
    house.publish(&[raise]).await;
    let flag = until_status(&house, "Flag", "active").await;
    for part in [r#""reference":"Patient/ann""#, r#""code":"critical""#, r#""code":"R""#, "urn:salus:alert:"]
    {
        assert!(flag.contains(part), "{part} in {flag}");
    }
    assert!(!flag.contains("alert-state"), "what changes is no tag");
    // Other alerts of the same event are not asked for.
    assert!(house.count("SELECT count(*) FROM alert").await > 1);
    house.reopen().await;
    house.platform.start().unwrap();
    house.settle().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(house.found("Flag", "").await, std::slice::from_ref(&flag), "a restart writes nothing again");
    for (n, rate) in [(1, 80), (2, 81), (3, 80)] {
        house
            .publish(&[vitals(
                &format!("c{n}"),
                "Patient/ann",
                -900 + n * 300,
                &format!(r#"{{"heart_rate":{rate}}}"#),
            )])
            .await;
    }
    let over = until_status(&house, "Flag", "inactive").await;
    assert!(over.contains(r#""end":"#) && version_of(&over) == "2", "{over}");
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_that_was_never_true_is_entered_in_error_whatever_is_asked_by_then() {
    let mut house = asking(&["critical"]).await;
    house.platform.start().unwrap();
    let potassium = |id: &str, value: &str, status: &str| {
        format!(
            r#"{{"id":"{id}","kind":"lab_results","patient":"Patient/ann","at":"{NOW}","source":"lab",
                "data":{{"results":[{{"name":"potassium","value":{value},"unit":"mmol/L","result":"F1","status":"{status}"}}]}}}}"#
        )
    };
    house.publish(&[potassium("k1", "7.9", "final")]).await;
    until_status(&house, "Flag", "active").await;
    house.configured.alerts.fhir.clear();
    house.reopen().await;
    house.platform.start().unwrap();
    house.publish(&[potassium("k2", "4.1", "corrected")]).await;
    until_status(&house, "Flag", "entered-in-error").await;
    // New ones are not written any more.
    house.publish(&[vitals("v", "Patient/ann", 0, r#"{"heart_rate":151}"#)]).await;
    house.settle().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(house.found("Flag", "").await.len(), 1);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_stand_when_it_is_asked_for_are_written_and_orders_are_issues() {
    let mut house = asking(&[]).await;
    house
        .put(
            r#"{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/ann"},
                "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"855332"}]}}"#,
        )
        .await;
    house.platform.start().unwrap();
    let order = |id: &str, secs: i64, status: &str| {
        vitals(id, "Patient/ann", secs, &format!(r#"{{"rxnorm":"855332","status":"{status}"}}"#))
            .replace("vital_signs", "medication_orders")
    };
    let receipt = house.publish(&[order("MedicationRequest/m2/1", -60, "active")]).await;
    assert_eq!(receipt.rejected, []);
    house.settle().await;
    house.until("SELECT count(*) FROM alert WHERE topic LIKE 'duplicate-therapy%'", 1).await;
    assert_eq!(house.found("DetectedIssue", "").await.len(), 0);
    house.configured.alerts.fhir = vec!["medication/*".into()];
    house.reopen().await;
    house.platform.start().unwrap();
    let issue = until_status(&house, "DetectedIssue", "preliminary").await;
    assert!(issue.contains(r#""implicated":[{"reference":"MedicationRequest/m2"}]"#), "{issue}");
    house.publish(&[order("MedicationRequest/m2/2", -30, "entered-in-error")]).await;
    until_status(&house, "DetectedIssue", "entered-in-error").await;
    assert_eq!(house.found("Flag", "").await.len(), 0);
    house.platform.stop().await;
}
