//! The store beside the stream: Observations by policy, identities, merges, the change log.

use fhir::Kind;
use gate::Matter;
use stream::Observations;

use crate::house::{House, vitals};

const ANN: &str = r#"{"resourceType":"Patient","id":"ann","birthDate":"1950-03-14","identifier":[{"system":"urn:mrn","value":"17"}]}"#;

async fn observations(house: &House, text: &str) -> usize {
    let options = search::Options::new(true, vec![crate::house::BASE.to_owned()], house.gate.now());
    let query = search::parse(Some(Kind::named("Observation")), text, &options).unwrap().query;
    house.gate.search(&house.access(), &query, 100).await.unwrap().matches.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_become_observations_once_and_are_not_followed() {
    let house = House::with(|settings| {
        settings.observations = Observations::All;
        settings.follow_store = true;
    })
    .await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    let event =
        vitals("o1", "urn:mrn|17", 0, r#"{"heart_rate":72,"systolic":120,"diastolic":80,"temp_f":101.3}"#);
    house.publish(std::slice::from_ref(&event)).await;
    house.settle().await;
    house.until("SELECT count(*) FROM observation", 0).await;
    assert_eq!(observations(&house, "subject=Patient/ann").await, 3, "a pressure is one");
    assert_eq!(observations(&house, "_source=urn:salus:event:monitor:o1").await, 3);
    let pressure = "component-code-value-quantity=http://loinc.org|8480-6$120";
    assert_eq!(observations(&house, pressure).await, 1);
    house.publish(&[event]).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    house.settle().await;
    assert_eq!(observations(&house, "").await, 3);
    assert_eq!(house.count("SELECT count(*) FROM measured").await, 1, "the change log brings nothing back");
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn down_sampling_keeps_what_raised_and_what_cleared_an_alert() {
    let house = House::with(|settings| settings.downsample_secs = 86_400).await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    let rates = [("first", -900, 72), ("between", -890, 75), ("raises", -880, 151), ("again", -870, 152)];
    for (id, secs, rate) in
        rates.into_iter().chain([("eases", -860, 80), ("clears", -500, 81), ("after", -490, 82)])
    {
        house.publish(&[vitals(id, "Patient/ann", secs, &format!(r#"{{"heart_rate":{rate}}}"#))]).await;
        house.settle().await;
    }
    assert_eq!(
        house.count("SELECT count(*) FROM alert WHERE topic = 'heart-rate' AND ended_at IS NOT NULL").await,
        1
    );
    house.until("SELECT count(*) FROM observation", 0).await;
    house.until("SELECT count(*) FROM observation_of", 0).await;
    let mut kept = Vec::new();
    for id in ["first", "between", "raises", "again", "eases", "clears", "after"] {
        if observations(&house, &format!("_source=urn:salus:event:monitor:{id}")).await > 0 {
            kept.push(id);
        }
    }
    // With each value that moved an alert, the one before it is kept: the alert shows both. What came after the end is neither.
    assert_eq!(kept, ["first", "between", "raises", "again", "eases", "clears"]);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_to_the_store_is_a_stream() {
    let house = House::with(|settings| settings.follow_store = true).await;
    house.put(ANN).await;
    house.platform.start().unwrap();
    // The follower begins at the end of the log.
    house.until("SELECT count(*) FROM cursor WHERE name = 'store'", 1).await;
    house
        .put(
            r#"{"resourceType":"Observation","id":"k","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]},
                "subject":{"reference":"Patient/ann"},"effectiveDateTime":"2026-11-25T11:59:00Z",
                "valueQuantity":{"value":6.4,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}"#,
        )
        .await;
    house.until("SELECT count(*) FROM measured WHERE patient = 'Patient/ann' AND source = 'store'", 1).await;
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "Patient/ann").await.unwrap().unwrap();
    assert_eq!(board.values["potassium"].value, "6.4");
    house.settle().await;
    assert_eq!(observations(&house, "").await, 1, "it is not written back");
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_moves_what_is_known() {
    let mut house = House::new().await;
    house.platform.start().unwrap();
    house.publish(&[vitals("a", "urn:x|1", 0, r#"{"heart_rate":72,"spo2":91}"#)]).await;
    house.publish(&[vitals("b", "urn:x|2", 10, r#"{"heart_rate":80}"#)]).await;
    house.settle().await;
    let merge = vitals("m", "urn:x|2", 20, r#"{"moved":"merged","merged":["urn:x|1"]}"#)
        .replace("vital_signs", "patient_movement");
    assert_eq!(house.publish(&[merge]).await.rejected, []);
    house.settle().await;
    house.until("SELECT count(*) FROM patient_state", 1).await;
    // Later events of the old name are the other's, also after a restart.
    house.reopen().await;
    house.platform.start().unwrap();
    house.publish(&[vitals("c", "urn:x|1", 30, r#"{"heart_rate":90}"#)]).await;
    house.settle().await;
    let permit = house.permit(Matter::Alerts).await;
    let board = house.platform.latest(&permit, "urn:x|1").await.unwrap().unwrap();
    assert_eq!(
        (board.values["heart_rate"].value.as_str(), board.values["spo2"].value.as_str()),
        ("90", "91")
    );
    assert_eq!(house.count("SELECT count(*) FROM measured WHERE patient = 'urn:x|2'").await, 3);
    house.platform.stop().await;
}
