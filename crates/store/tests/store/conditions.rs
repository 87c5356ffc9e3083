//! Conditional operations, alone and against each other.

use std::sync::Arc;

use fhir::Kind;
use store::{Action, ReferenceProblem, StoreError, WriteOp, WriteOutcome};

use crate::house::{House, name, op, resource, text};

fn patient(value: &str) -> String {
    format!(r#"{{"resourceType":"Patient","identifier":[{{"system":"s","value":"{value}"}}]}}"#)
}

fn create(house: &House, value: &str) -> WriteOp {
    let query = house.query(&format!("Patient?identifier=s|{value}"));
    op(Action::Create { resource: resource(&patient(value)), if_none_exist: Some(query) })
}

#[tokio::test]
async fn a_conditional_create_creates_once() {
    let house = House::new();
    let ask = async || house.ask(false, vec![create(&house, "1")]).await.unwrap().results.remove(0);
    let first = ask().await.unwrap();
    assert_eq!(first.outcome, WriteOutcome::Created);
    let second = ask().await.unwrap();
    assert_eq!((second.outcome, &second.stored), (WriteOutcome::Matched, &first.stored));
    house.create(&patient("1")).await;
    assert_eq!(ask().await, Err(StoreError::MultipleMatches { kind: Kind::PATIENT }));
    house.check().await;
}

#[tokio::test]
async fn one_transaction_with_one_condition_twice_creates_once() {
    let house = House::new();
    let answer =
        house.ask(true, vec![create(&house, "1"), create(&house, "1"), create(&house, "2")]).await.unwrap();
    let outcomes: Vec<_> = answer.results.iter().map(|result| result.as_ref().unwrap().outcome).collect();
    assert_eq!(outcomes, [WriteOutcome::Created, WriteOutcome::Matched, WriteOutcome::Created]);
    assert_eq!(answer.results[0].as_ref().unwrap().stored, answer.results[1].as_ref().unwrap().stored);
    house.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_conditional_creates_leave_one_resource() {
    let house = Arc::new(House::new());
    for round in 0..8 {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    let op = create(&house, &format!("round-{round}"));
                    house.ask(round % 2 == 0, vec![op]).await.unwrap().results.remove(0).unwrap()
                })
            })
            .collect();
        let mut created = 0;
        for task in tasks {
            created += u32::from(task.await.unwrap().outcome == WriteOutcome::Created);
        }
        assert_eq!(created, 1);
        assert_eq!(house.find(&format!("Patient?identifier=s|round-{round}")).await.len(), 1);
    }
    house.check().await;
}

#[tokio::test]
async fn a_conditional_update_updates_creates_or_refuses() {
    let house = House::new();
    let query = house.query("Patient?identifier=s|1");
    let ask = |text: &str, if_match| {
        house.one(Action::ConditionalUpdate { resource: resource(text), query: query.clone(), if_match })
    };
    let created = ask(&patient("1"), None).await.unwrap();
    assert_eq!(created.outcome, WriteOutcome::Created);
    let id = created.stored.id.clone();
    let active = patient("1").replace("\"identifier\"", "\"active\":true,\"identifier\"");
    let updated = ask(&active, Some(1)).await.unwrap();
    assert_eq!(
        (updated.outcome, &updated.stored.id, updated.stored.version),
        (WriteOutcome::Updated, &id, 2)
    );
    assert_eq!(ask(&active, None).await.unwrap().outcome, WriteOutcome::Unchanged);
    let conflict =
        StoreError::VersionConflict { kind: Kind::PATIENT, id: id.clone(), expected: 1, stored: Some(2) };
    assert_eq!(ask(&active, Some(1)).await, Err(conflict));
    let other = active.replace("\"active\"", "\"id\":\"other\",\"active\"");
    assert_eq!(ask(&other, None).await, Err(StoreError::IdMismatch { kind: Kind::PATIENT }));
    let own = house.one(Action::ConditionalUpdate {
        resource: resource(&patient("2").replace("\"identifier\"", "\"id\":\"own\",\"identifier\"")),
        query: house.query("Patient?identifier=s|2"),
        if_match: None,
    });
    assert_eq!(own.await.unwrap().stored.id, "own");
    house.check().await;
}

#[tokio::test]
async fn a_conditional_delete_deletes_one_or_many_when_asked() {
    let house = House::with(|config| config.limits.conditional_delete_max = 3);
    let ask = |value: &str, many| {
        house.one(Action::ConditionalDelete {
            query: house.query(&format!("Patient?identifier=s|{value}")),
            many,
        })
    };
    assert_eq!(ask("1", false).await.unwrap().outcome, WriteOutcome::NothingToDelete);
    for value in ["1", "2", "2", "3", "3", "3", "3"] {
        house.create(&patient(value)).await;
    }
    assert_eq!(ask("1", false).await.unwrap().outcome, WriteOutcome::Deleted);
    assert_eq!(ask("2", false).await, Err(StoreError::MultipleMatches { kind: Kind::PATIENT }));
    assert_eq!(ask("2", true).await.unwrap().outcome, WriteOutcome::Deleted);
    assert_eq!(ask("3", true).await, Err(StoreError::TooManyMatches { kind: Kind::PATIENT, count_max: 3 }));
    assert_eq!(house.find("Patient").await.len(), 4);
    house.check().await;
}

#[tokio::test]
async fn conditional_references_are_resolved() {
    let house = House::new();
    let stored = house.create(&patient("1")).await;
    let observation = |value: &str| {
        let text = format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient?identifier=s|{value}"}}}}"#
        );
        vec![op(Action::Create { resource: resource(&text), if_none_exist: None })]
    };
    let answer = house.ask(true, observation("1")).await.unwrap().results.remove(0).unwrap();
    assert!(text(&answer.stored).contains(&format!(r#""reference":"{}""#, name(&stored))));
    let error = |problem| StoreError::Reference { entry: 0, target: "Patient".into(), problem };
    assert_eq!(house.ask(true, observation("2")).await.err(), Some(error(ReferenceProblem::NoMatch)));
    house.create(&patient("1")).await;
    assert_eq!(house.ask(true, observation("1")).await.err(), Some(error(ReferenceProblem::ManyMatches)));
    assert_eq!(
        house.ask(true, observation("1&color=red")).await.err(),
        Some(error(ReferenceProblem::BadCondition))
    );
    house.check().await;
}
