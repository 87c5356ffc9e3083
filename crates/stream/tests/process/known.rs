//! Whom a name means: every tenant's change log is followed, and what is kept under an identifier becomes the Patient's when the store knows it.

use std::sync::Arc;

use fhir::Resource;
use gate::{Access, Action, Matter, Principal, Tenant};

use crate::house::{House, vitals};

const ANN: &str = r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14","identifier":[{"system":"urn:mrn","value":"17"}]}"#;

fn of(tenant: &str) -> Access {
    let principal = Principal::service("test", Tenant::new(tenant));
    Access::new(Arc::new(principal), None, "r1").unwrap()
}

async fn put(house: &House, tenant: &str, text: &str) {
    let resource = Resource::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap();
    house.gate.write_one(&of(tenant), Action::Update { resource, if_match: None }).await.unwrap();
}

fn potassium(id: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"2823-3"}}]}},
            "subject":{{"reference":"Patient/ann"}},"effectiveDateTime":"2026-11-25T11:59:00Z",
            "valueQuantity":{{"value":6.4,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tenant_is_followed_from_where_it_was() {
    let mut house = House::with(|settings| settings.follow_store = true).await;
    // What was there before is no news.
    put(&house, "north", &potassium("old")).await;
    house.platform.start().unwrap();
    house.until("SELECT count(*) FROM cursor WHERE name = 'store'", 1).await;
    for tenant in ["main", "north", "south"] {
        put(&house, tenant, &potassium("k")).await;
    }
    house.until("SELECT count(DISTINCT tenant) FROM measured WHERE source = 'store'", 3).await;
    house.until("SELECT count(*) FROM cursor WHERE name LIKE 'store:%'", 3).await;
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 3);
    house.platform.stop().await;
    put(&house, "north", &potassium("later")).await;
    put(&house, "west", &potassium("first")).await;
    house.reopen().await;
    house.platform.start().unwrap();
    house.until("SELECT count(*) FROM measured WHERE tenant = 'north'", 2).await;
    house.until("SELECT count(*) FROM measured WHERE tenant = 'west'", 1).await;
    house.settle().await;
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 5, "each once");
    house.platform.stop().await;
}

/// Whose state, live alerts and values there are.
async fn is_all_of(house: &House, patient: &str) -> bool {
    let of = patient.to_owned();
    let others = house.platform.database().read(move |conn| {
        conn.query_row(
            "SELECT (SELECT count(*) FROM patient_state WHERE patient <> ?1) + (SELECT count(*) FROM measured WHERE patient <> ?1)
                  + (SELECT count(*) FROM alert WHERE subject <> ?1 AND ended_at IS NULL)",
            [of],
            |row| row.get::<_, i64>(0),
        )
    });
    others.await.unwrap() == 0
}

async fn until_all_of(house: &House, patient: &str) {
    for _ in 0..12_000 {
        if is_all_of(house, patient).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("something is not of `{patient}`");
}

const MOVES: &str = "SELECT coalesce(sum(next), 0) FROM position WHERE kind = 'patient_movement'";

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_that_the_change_log_tells_of_takes_over_once() {
    let mut house = House::with(|settings| settings.follow_store = true).await;
    house.platform.start().unwrap();
    house.until("SELECT count(*) FROM cursor WHERE name = 'store'", 1).await;
    house.publish(&[vitals("a", "urn:mrn|17", 0, r#"{"heart_rate":151,"spo2":97}"#)]).await;
    house.settle().await;
    assert!(is_all_of(&house, "urn:mrn|17").await);
    house.put(ANN).await;
    until_all_of(&house, "Patient/ann").await;
    let live = "SELECT count(*) FROM alert WHERE topic = 'heart-rate' AND ended_at IS NULL";
    assert_eq!(house.count(live).await, 1, "it goes on under the other name");
    // Further changes and events change nothing more; the name is not retired.
    house.put(&ANN.replace("1950-03-14", "1950-03-15")).await;
    house.publish(&[vitals("b", "urn:mrn|17", 10, r#"{"heart_rate":150}"#)]).await;
    house.settle().await;
    house.reopen().await;
    house.platform.start().unwrap();
    house.publish(&[vitals("c", "urn:mrn|17", 20, r#"{"heart_rate":149}"#)]).await;
    house.settle().await;
    until_all_of(&house, "Patient/ann").await;
    assert_eq!((house.count(MOVES).await, house.count("SELECT count(*) FROM merged").await), (1, 0));
    assert_eq!(house.count(live).await, 1);
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/ann").await.unwrap().unwrap();
    assert_eq!(
        (board.values["heart_rate"].value.as_str(), board.values["spo2"].value.as_str()),
        ("149", "97")
    );
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_that_is_found_when_somebody_asks_takes_over_too() {
    let house = House::new().await;
    house.publish(&[vitals("a", "urn:mrn|17", 0, r#"{"heart_rate":151}"#)]).await;
    house.platform.start().unwrap();
    house.settle().await;
    house.put(ANN).await;
    // The answer that there is none is remembered for half a minute.
    house.clock.advance_micros(31_000_000);
    house.publish(&[vitals("b", "urn:mrn|17", 30, r#"{"heart_rate":152}"#)]).await;
    until_all_of(&house, "Patient/ann").await;
    house.settle().await;
    assert_eq!(house.count(MOVES).await, 1);
    house.platform.stop().await;
}
