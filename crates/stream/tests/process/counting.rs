//! Counts of populations when only time passes: a day that ends without an event is zero where somebody counts, and unknown where nobody does.

use gate::Matter;
use stream::surveillance::{
    Condition, Detector, Key, MeasureConfig, SilentDay, SurveillanceConfig, last_day,
};

use crate::house::{Ground, House, NOW};

const DAY: i64 = 86_400;

fn config(silent_day: SilentDay) -> SurveillanceConfig {
    let condition = Condition {
        measure: "flu".to_owned(),
        loincs: vec!["92142-9".to_owned()],
        values: vec!["detected".to_owned()],
        once_in_days: 14,
    };
    let default = MeasureConfig {
        detectors: vec![Detector::Simple],
        suppress_below: 0,
        silent_day,
        ..MeasureConfig::default()
    };
    SurveillanceConfig { default, conditions: vec![condition], ..SurveillanceConfig::default() }
}

async fn house(silent_day: SilentDay) -> House {
    let house = House::on(Ground { surveillance: config(silent_day), ..Ground::default() }, |_| ()).await;
    house.platform.start().unwrap();
    house
}

/// A result of the laboratory at noon of a day, counted from the day of the test.
async fn result(house: &House, id: &str, patient: &str, day: i64, data: &str) {
    let at = fhir::Instant(fhir::Instant::parse(NOW).unwrap().0 + day * DAY * 1_000_000);
    let event = format!(
        r#"{{"id":"{id}","kind":"lab_results","patient":"{patient}","at":"{at}","source":"lab","region":"R1","data":{{"results":[{data}]}}}}"#
    );
    let receipt = house.publish(&[event]).await;
    assert_eq!((receipt.accepted, receipt.rejected.len()), (1, 0), "{:?}", receipt.rejected);
    house.settle().await;
}

const FLU: &str = r#"{"loinc":"92142-9","value":"detected"}"#;
const NO_FLU: &str = r#"{"loinc":"92142-9","value":"not detected"}"#;
const POTASSIUM: &str = r#"{"loinc":"2823-3","value":4.1,"unit":"mmol/L"}"#;

/// Lets a day go by, and waits until it is closed.
async fn next_day(house: &House) {
    house.clock.advance_micros(DAY * 1_000_000);
    let last = last_day(house.platform.surveillance(), house.gate.now());
    for _ in 0..12_000 {
        let closed =
            house.count("SELECT coalesce(max(seq), 0) FROM cursor WHERE name = 'surveillance'").await;
        if closed == i64::from(last) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the day was never closed");
}

/// The counts of the last days of the series, as the page has them; `None` is unknown.
async fn counts(house: &House, n: usize) -> Vec<Option<u64>> {
    let permit = house.permit(Matter::Surveillance).await;
    let key = Key { measure: "flu".to_owned(), region: "R1".to_owned(), stratum: String::new() };
    let seen = house.platform.counts_as_seen(&permit, key, Detector::Simple, n).await.unwrap();
    seen.points.iter().map(|point| point.observed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laboratory_that_was_heard_has_found_none() {
    let house = house(SilentDay::Unknown).await;
    result(&house, "a", "Patient/a", 0, FLU).await;
    next_day(&house).await;
    // It sends something else: no influenza that day. The day after it sends nothing at all.
    result(&house, "b", "Patient/b", 1, POTASSIUM).await;
    next_day(&house).await;
    next_day(&house).await;
    result(&house, "c", "Patient/c", 3, NO_FLU).await;
    next_day(&house).await;
    assert_eq!(counts(&house, 9).await, [Some(1), Some(0), None, Some(0)]);
    // What comes late for the silent day shows that it was heard after all.
    result(&house, "late", "Patient/d", 2, POTASSIUM).await;
    next_day(&house).await;
    assert_eq!(counts(&house, 9).await, [Some(1), Some(0), Some(0), Some(0)]);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_month_of_days_without_an_event_a_single_case_is_an_outbreak_that_ends_by_time() {
    let house = house(SilentDay::Zero).await;
    result(&house, "a", "Patient/a", 0, NO_FLU).await;
    for _ in 0..40 {
        next_day(&house).await;
    }
    assert_eq!(counts(&house, 99).await, [Some(0); 40], "each of them was closed");
    result(&house, "case", "Patient/b", 40, FLU).await;
    house
        .until("SELECT count(*) FROM alert WHERE subject = 'population:flu@R1' AND ended_at IS NULL", 1)
        .await;
    for _ in 0..4 {
        next_day(&house).await;
    }
    house.until("SELECT count(*) FROM alert WHERE ended_at IS NOT NULL", 1).await;
    assert_eq!(house.count("SELECT count(*) FROM alert").await, 1);
    house.platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_and_is_not_zero() {
    let mut house = house(SilentDay::Unknown).await;
    result(&house, "a", "Patient/a", 0, NO_FLU).await;
    for _ in 0..4 {
        next_day(&house).await;
    }
    let told = "SELECT count(*) FROM unjudged WHERE subject = 'population:flu@R1' AND reason LIKE '%nobody has counted since 2026-11-25'";
    house.until(told, 1).await;
    assert_eq!(counts(&house, 9).await, [Some(0)]);
    // A restart closes the days that passed meanwhile.
    house.platform.stop().await;
    house.clock.advance_micros(2 * DAY * 1_000_000);
    house.reopen().await;
    house.platform.start().unwrap();
    result(&house, "b", "Patient/b", 6, POTASSIUM).await;
    next_day(&house).await;
    assert_eq!(counts(&house, 9).await[..7], [Some(0), None, None, None, None, None, Some(0)]);
    house.platform.stop().await;
}
