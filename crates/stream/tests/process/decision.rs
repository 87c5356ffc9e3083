//! Feedback about a suggestion: kept beside the card, and refused when the card had no such suggestion.

use fhir::json::{Limits, parse};
use stream::decision::{Card, DecisionError};

use crate::house::House;

const DRAFT: &str = r#"{"resourceType":"MedicationRequest","id":"d1","status":"draft","intent":"order","subject":{"reference":"Patient/1"},
    "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"723"}]}}"#;

async fn cards(house: &House) -> Vec<Card> {
    let request = format!(
        r#"{{"hook":"order-sign","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context":{{"userId":"Practitioner/a","patientId":"1","draftOrders":{DRAFT}}},
        "prefetch":{{"patient":{{"resourceType":"Patient","id":"1","birthDate":"1950"}},"allergies":null,"medications":{}}}}}"#,
        DRAFT.replace("draft", "active").replace("d1", "m")
    );
    let body = parse(request.as_bytes(), &Limits::default()).unwrap();
    house.platform.decide(&house.access(), "salus-order-sign", &body, None).await.unwrap()
}

async fn accept(house: &House, card: &str, suggestion: &str) -> Result<usize, DecisionError> {
    let text = format!(
        r#"{{"feedback":[{{"card":"{card}","outcome":"accepted","acceptedSuggestions":[{{"id":"{suggestion}"}}],"outcomeTimestamp":"2026-11-25T12:00:00Z"}}]}}"#
    );
    let body = parse(text.as_bytes(), &Limits::default()).unwrap();
    house.platform.feedback(&house.access(), "salus-order-sign", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_that_was_taken_is_kept_with_its_card() {
    let house = House::new().await;
    let (first, second) = (cards(&house).await.remove(0), cards(&house).await.remove(0));
    assert_eq!((first.suggestions.len(), second.suggestions.len()), (1, 1), "{}", first.document);
    let (card, taken) = (first.uuid.to_string(), first.suggestions[0].to_string());
    assert_eq!(first.document["suggestions"][0]["uuid"], taken.as_str());
    assert_eq!(accept(&house, &card, &taken).await.unwrap(), 1);
    let other = accept(&house, &card, &second.suggestions[0].to_string()).await.unwrap_err();
    assert!(
        matches!(&other, DecisionError::UnknownCard(why) if why.contains("has no suggestion")),
        "{other}"
    );
    let kept = "SELECT count(*) FROM decision_feedback f JOIN decision_card c ON c.uuid = f.card
        WHERE f.outcome = 'accepted' AND f.suggestions = c.suggestions AND c.rule = 'medication/duplicate'";
    assert_eq!(house.count(kept).await, 1);
    assert_eq!(house.count("SELECT count(*) FROM decision_feedback").await, 1);
    house.platform.stop().await;
}
