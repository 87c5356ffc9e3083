//! Several operations at once: all or nothing, or each on its own.

use std::sync::Arc;

use fhir::{Kind, Resource};
use search::Restrictions;
use store::{Action, Decide, Op, ReferenceProblem, StoreError, Verdict, WriteOp, WriteOutcome};

use crate::house::{House, name, op, resource, text};

pub(crate) fn post(full_url: &str, text: &str) -> WriteOp {
    WriteOp {
        full_url: Some(full_url.into()),
        action: Action::Create { resource: resource(text), if_none_exist: None },
    }
}

fn put(text: &str) -> WriteOp {
    op(Action::Update { resource: resource(text), if_match: None })
}

fn delete(kind: &str, id: &str) -> WriteOp {
    op(Action::Delete { kind: Kind::named(kind), id: id.into(), if_match: None })
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","active":true}"#;

fn observation(reference: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{reference}"}}}}"#
    )
}

#[tokio::test]
async fn entries_refer_to_each_other_in_any_order() {
    let house = House::new();
    let ops = vec![
        post("urn:uuid:o", &observation("urn:uuid:p")),
        post("urn:uuid:p", r#"{"resourceType":"Patient"}"#),
        post("http://other/fhir/Observation/7", &observation("Patient/8")),
        post("http://other/fhir/Patient/8", r#"{"resourceType":"Patient"}"#),
    ];
    let answer = house.ask(true, ops).await.unwrap();
    let stored: Vec<_> = answer.results.into_iter().map(|result| result.unwrap().stored).collect();
    assert!(text(&stored[0]).contains(&format!(r#""reference":"{}""#, name(&stored[1]))));
    assert!(text(&stored[2]).contains(&format!(r#""reference":"{}""#, name(&stored[3]))));
    assert_eq!(house.find(&format!("Observation?patient={}", stored[1].id)).await, [name(&stored[0])]);
    let changes = house.store.changes(0, 10).await.unwrap();
    assert_eq!((changes.len() as u64, changes.last().unwrap().seq), (4, answer.seq));
    house.check().await;
}

#[tokio::test]
async fn a_failure_names_its_entry_and_leaves_nothing() {
    let house = House::new();
    house.put(PATIENT).await;
    let before = house.store.changes(0, 100).await.unwrap();
    let stale = op(Action::Update { resource: resource(PATIENT), if_match: Some(7) });
    let answer = house.ask(true, vec![post("urn:uuid:o", &observation("Patient/p")), stale.clone()]).await;
    let conflict =
        StoreError::VersionConflict { kind: Kind::PATIENT, id: "p".into(), expected: 7, stored: Some(1) };
    assert_eq!(answer.err(), Some(StoreError::InEntry { entry: 1, error: Box::new(conflict.clone()) }));
    let broken = vec![put(PATIENT), post("urn:uuid:o", &observation("urn:uuid:nobody"))];
    let reference = StoreError::Reference {
        entry: 1,
        target: "urn:uuid:nobody".into(),
        problem: ReferenceProblem::NoEntry,
    };
    assert_eq!(house.ask(true, broken).await.err(), Some(reference));
    let twice = vec![put(PATIENT), delete("Patient", "p")];
    assert_eq!(house.ask(true, twice).await.err(), Some(StoreError::SameTwice { first: 0, second: 1 }));
    assert_eq!(house.store.changes(0, 100).await.unwrap(), before);
    assert_eq!(house.find("Observation").await, [""; 0]);

    // The same as a batch: what can be done is done.
    let answer = house
        .ask(false, vec![put(&PATIENT.replace("true", "false")), stale, delete("Patient", "p")])
        .await
        .unwrap();
    let outcomes: Vec<_> =
        answer.results.into_iter().map(|result| result.map(|written| written.outcome)).collect();
    let conflict =
        StoreError::VersionConflict { kind: Kind::PATIENT, id: "p".into(), expected: 7, stored: Some(2) };
    assert_eq!(outcomes, [Ok(WriteOutcome::Updated), Err(conflict), Ok(WriteOutcome::Deleted)]);
    house.check().await;
}

#[tokio::test]
async fn deletes_come_first_and_answers_keep_the_order() {
    let house = House::new();
    house.put(r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"s","value":"1"}]}"#).await;
    let query = house.query("Patient?identifier=s|1");
    let create = Action::Create {
        resource: resource(r#"{"resourceType":"Patient","identifier":[{"system":"s","value":"1"}]}"#),
        if_none_exist: Some(query),
    };
    let answer = house.ask(true, vec![op(create), delete("Patient", "p")]).await.unwrap();
    let outcomes: Vec<_> = answer.results.iter().map(|result| result.as_ref().unwrap().outcome).collect();
    // The condition is looked up before the transaction begins: what it deletes is still there then.
    assert_eq!(outcomes, [WriteOutcome::Matched, WriteOutcome::Deleted]);
    house.check().await;
}

#[tokio::test]
async fn a_deleted_reference_target_and_a_forward_reference_keep_their_rows() {
    let house = House::new();
    house.put(&observation("Patient/later").replace("\"status\"", "\"id\":\"o\",\"status\"")).await;
    assert_eq!(house.read("Patient/later").await, None);
    assert_eq!(house.find("Observation?subject=Patient/later").await, ["Observation/o"]);
    assert_eq!(house.find("Observation?subject:Patient.active=true").await, [""; 0]);
    house.put(&PATIENT.replace("\"p\"", "\"later\"")).await;
    assert_eq!(house.find("Observation?subject:Patient.active=true").await, ["Observation/o"]);
    house.delete("Patient/later").await.unwrap();
    assert_eq!(house.find("Observation?subject:Patient.active=true").await, [""; 0]);
    house.check().await;
}

/// Hides or forbids by what is stored and what would be.
pub(crate) struct ByFamily;

impl Decide for ByFamily {
    fn decide(&self, _: Op, _: Kind, _: &str, stored: Option<&Resource>, new: Option<&Resource>) -> Verdict {
        let says = |resource: Option<&Resource>, word: &str| {
            resource.is_some_and(|resource| resource.value().to_text().contains(word))
        };
        match () {
            () if says(stored, "hidden") => Verdict::Hidden,
            () if says(new, "forbidden") => Verdict::Forbid("no".into()),
            () => Verdict::Permit,
        }
    }

    fn decide_look(&self, _: Kind, _: &str, stored: &Resource) -> Verdict {
        if stored.value().to_text().contains("hidden") { Verdict::Hidden } else { Verdict::Permit }
    }
}

#[tokio::test]
async fn the_decision_sees_both_versions() {
    let house = House::new();
    house.put(r#"{"resourceType":"Patient","id":"h","name":[{"text":"hidden"}]}"#).await;
    let ask = |ops: Vec<WriteOp>, atomic| house.ask_as(atomic, ops, Arc::new(ByFamily), Restrictions::all());
    let mut one = ask(vec![put(r#"{"resourceType":"Patient","id":"h","name":[{"text":"mine"}]}"#)], false)
        .await
        .unwrap();
    assert_eq!(one.results.remove(0), Err(StoreError::NotFound { kind: Kind::PATIENT, id: "h".into() }));
    let mut gone = ask(vec![delete("Patient", "h")], false).await.unwrap();
    let gone = gone.results.remove(0).unwrap();
    let mut never = ask(vec![delete("Patient", "x")], false).await.unwrap();
    let mut never = never.results.remove(0).unwrap();
    never.stored.id = "h".into();
    assert_eq!(gone, never, "a hidden resource is as good as none");
    let forbidden = || post("urn:uuid:f", r#"{"resourceType":"Patient","name":[{"text":"forbidden"}]}"#);
    let mut answer = ask(vec![forbidden()], false).await.unwrap();
    assert_eq!(answer.results.remove(0), Err(StoreError::Forbidden("no".into())));
    assert_eq!(
        ask(vec![put(PATIENT), forbidden()], true).await.err(),
        Some(StoreError::Forbidden("entry 1: no".into()))
    );
    assert_eq!(house.find("Patient").await, ["Patient/h"]);
    house.check().await;
}
