//! Patches: worked out on the stored version inside the transaction, whatever comes between.

use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Issue, IssueType, Kind, Resource, Value};
use search::Restrictions;
use store::{Action, Amendment, StoreError, WriteOp, WriteOutcome};

use crate::house::{House, name, op, text};
use crate::transaction::{ByFamily, post};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true,"multipleBirthInteger":0}"#;

/// Adds one to a number: what is lost when somebody else's write comes between reading and writing.
fn one_more() -> Amendment {
    Amendment::new(Vec::new(), |stored: &Resource| {
        let number = stored.object().get("multipleBirthInteger").and_then(Value::as_number);
        let Some(number) = number.and_then(fhir::json::Number::as_i64) else {
            return Err(vec![Issue::error(IssueType::Processing, "patch", "no number is there")]);
        };
        let mut new = stored.clone();
        new.object_mut().insert("multipleBirthInteger", Value::from(number + 1));
        Ok(new)
    })
}

fn patch(id: &str, amendment: Amendment, if_match: Option<u64>) -> WriteOp {
    op(Action::Patch { kind: Kind::PATIENT, id: id.into(), amendment, if_match })
}

fn refer(text: &'static str) -> Amendment {
    Amendment::new(vec![CompactString::from(text)], move |stored: &Resource| {
        let mut new = stored.clone();
        new.object_mut().insert("managingOrganization", fhir::json!({"reference": text}));
        Ok(new)
    })
}

#[tokio::test]
async fn concurrent_patches_lose_nothing() {
    let house = Arc::new(House::new());
    house.put(PATIENT).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move { house.ask(false, vec![patch("p", one_more(), None)]).await })
        })
        .collect();
    for task in tasks {
        let answer = task.await.unwrap().unwrap();
        assert_eq!(answer.results[0].as_ref().unwrap().outcome, WriteOutcome::Updated);
    }
    let body = text(&house.read("Patient/p").await.unwrap());
    assert!(body.contains(r#""multipleBirthInteger":64"#), "{body}");
    assert!(body.contains(r#""versionId":"65""#), "{body}");
    house.check().await;
}

#[tokio::test]
async fn entries_of_a_batch_see_what_the_earlier_ones_did() {
    let house = House::new();
    house.put(PATIENT).await;
    let ops = || vec![patch("p", one_more(), None), patch("p", one_more(), None)];
    let answer = house.ask(false, ops()).await.unwrap();
    let versions: Vec<u64> =
        answer.results.iter().map(|result| result.as_ref().unwrap().stored.version).collect();
    assert_eq!(versions, [2, 3]);
    assert!(text(&house.read("Patient/p").await.unwrap()).contains(r#""multipleBirthInteger":2"#));
    assert_eq!(house.ask(true, ops()).await.err(), Some(StoreError::SameTwice { first: 0, second: 1 }));
    house.check().await;
}

#[tokio::test]
async fn what_cannot_be_patched_is_told_apart() {
    let house = House::new();
    house.put(PATIENT).await;
    house.put(r#"{"resourceType":"Patient","id":"n"}"#).await;
    let ask = async |op: WriteOp| house.ask(false, vec![op]).await.unwrap().results.remove(0);
    let unknown = |id: &str| Err(StoreError::NotFound { kind: Kind::PATIENT, id: id.into() });
    assert_eq!(ask(patch("x", one_more(), None)).await, unknown("x"));
    let conflict = |id: &str, stored| {
        Err(StoreError::VersionConflict { kind: Kind::PATIENT, id: id.into(), expected: 9, stored })
    };
    assert_eq!(ask(patch("x", one_more(), Some(9))).await, conflict("x", None));
    assert_eq!(ask(patch("p", one_more(), Some(9))).await, conflict("p", Some(1)));
    // The wrong version counts more than what is wrong with the patch.
    assert_eq!(ask(patch("n", one_more(), Some(9))).await, conflict("n", Some(1)));
    assert!(matches!(ask(patch("n", one_more(), None)).await, Err(StoreError::Unfit(_))));
    house.delete("Patient/n").await.unwrap();
    assert_eq!(ask(patch("n", one_more(), None)).await, unknown("n"));
    let found = |text: &str| {
        let (kind, query) = (Kind::PATIENT, house.query(text));
        op(Action::ConditionalPatch { kind, query, amendment: one_more(), if_match: None })
    };
    assert_eq!(ask(found("Patient?gender=male")).await, Err(StoreError::NoMatch { kind: Kind::PATIENT }));
    assert_eq!(ask(found("Patient?active=true")).await.unwrap().stored.version, 2);
    house.put(&PATIENT.replace("\"p\"", "\"q\"")).await;
    let many = Err(StoreError::MultipleMatches { kind: Kind::PATIENT });
    assert_eq!(ask(found("Patient?active=true")).await, many);
    house.check().await;
}

#[tokio::test]
async fn what_is_hidden_is_not_told_by_what_is_wrong_with_the_patch() {
    let house = House::new();
    house.put(r#"{"resourceType":"Patient","id":"h","name":[{"text":"hidden"}]}"#).await;
    for if_match in [None, Some(1)] {
        let mut answers = Vec::new();
        for id in ["h", "x"] {
            let ops = vec![patch(id, one_more(), if_match)];
            let mut answer = house.ask_as(false, ops, Arc::new(ByFamily), Restrictions::all()).await.unwrap();
            answers.push(format!("{:?}", answer.results.remove(0)).replace(&format!("{id:?}"), "id"));
        }
        assert_eq!(answers[0], answers[1]);
    }
    house.put(PATIENT).await;
    let forbidden = Amendment::new(Vec::new(), |stored: &Resource| {
        let mut new = stored.clone();
        new.object_mut().insert("name", fhir::json!([{"text": "forbidden"}]));
        Ok(new)
    });
    let ops = vec![patch("p", forbidden, None)];
    let mut answer = house.ask_as(false, ops, Arc::new(ByFamily), Restrictions::all()).await.unwrap();
    assert_eq!(answer.results.remove(0), Err(StoreError::Forbidden("no".into())));
    house.check().await;
}

#[tokio::test]
async fn only_references_that_a_patch_sends_are_resolved() {
    let house = House::new();
    house
        .put(r#"{"resourceType":"Patient","id":"p","generalPractitioner":[{"reference":"Organization/o"}]}"#)
        .await;
    house.put(r#"{"resourceType":"Organization","id":"o"}"#).await;
    // The created one was sent with the id of another one that is stored: who was stored before does not mean the new one.
    let create = || post("urn:uuid:o", r#"{"resourceType":"Organization","id":"o","name":"new"}"#);
    let answer = house.ask(true, vec![create(), patch("p", refer("urn:uuid:o"), None)]).await.unwrap();
    let new = name(&answer.results[0].as_ref().unwrap().stored);
    let body = text(&house.read("Patient/p").await.unwrap());
    assert!(body.contains(&format!(r#""managingOrganization":{{"reference":"{new}"}}"#)), "{body}");
    assert!(body.contains(r#"{"reference":"Organization/o"}"#), "{body}");
    let nobody = house.ask(true, vec![patch("p", refer("urn:uuid:x"), None)]).await.err();
    assert!(matches!(nobody, Some(StoreError::Reference { entry: 0, .. })), "{nobody:?}");
    house
        .put(r#"{"resourceType":"Organization","id":"c","identifier":[{"system":"urn:s","value":"1"}]}"#)
        .await;
    let condition = patch("p", refer("Organization?identifier=urn:s|1"), None);
    house.ask(true, vec![condition]).await.unwrap();
    let body = text(&house.read("Patient/p").await.unwrap());
    assert!(body.contains(r#""managingOrganization":{"reference":"Organization/c"}"#), "{body}");
    house.check().await;
}

#[tokio::test]
async fn a_patch_takes_labels_away_and_an_update_does_not() {
    let house = House::new();
    let labelled = r#"{"resourceType":"Patient","id":"p","meta":{"tag":[{"system":"urn:s","code":"t"}]}}"#;
    house.put(labelled).await;
    house.put(r#"{"resourceType":"Patient","id":"p","active":true}"#).await;
    assert_eq!(house.find("Patient?_tag=t").await, ["Patient/p"]);
    let bare = Amendment::new(Vec::new(), |stored: &Resource| {
        let mut new = stored.clone();
        new.object_mut().remove("meta");
        Ok(new)
    });
    house.ask(false, vec![patch("p", bare, None)]).await.unwrap();
    assert_eq!(house.find("Patient?_tag=t").await, [""; 0]);
    house.check().await;
}
