//! Referential integrity, when it is configured.

use fhir::Kind;
use search::Restrictions;
use std::sync::Arc;
use store::{Action, PermitAll, ReferenceProblem, StoreError, WriteOp, WriteOutcome};

use crate::house::{House, only_patient, op, resource};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p"}"#;

fn observation(id: &str, patient: &str) -> WriteOp {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{patient}"}}}}"#
    );
    op(Action::Update { resource: resource(&text), if_match: None })
}

fn strict() -> House {
    House::with(|config| config.referential_integrity = true)
}

#[tokio::test]
async fn what_is_referred_to_must_exist() {
    let house = strict();
    let unknown = |entry| StoreError::Reference {
        entry,
        target: "Patient/p".into(),
        problem: ReferenceProblem::Unknown,
    };
    for reference in ["Patient/p", "http://localhost/fhir/Patient/p/_history/3"] {
        let mut answer = house.ask(false, vec![observation("o", reference)]).await.unwrap();
        assert_eq!(answer.results.remove(0).err(), Some(unknown(0)));
    }
    let put = || op(Action::Update { resource: resource(PATIENT), if_match: None });
    let both = vec![observation("o", "Patient/p"), put()];
    let mut each = house.ask(false, both.clone()).await.unwrap().results;
    assert_eq!(each.remove(0).err(), Some(unknown(0)));
    house.delete("Patient/p").await.unwrap();
    assert_eq!(
        house.ask(true, vec![put(), observation("o", "Patient/q")]).await.err(),
        Some(StoreError::Reference {
            entry: 1,
            target: "Patient/q".into(),
            problem: ReferenceProblem::Unknown
        })
    );
    house.ask(true, both).await.unwrap();
    let elsewhere = house.ask(true, vec![observation("o2", "http://other/fhir/Patient/p")]).await;
    assert!(elsewhere.is_ok());
    house.check().await;
}

#[tokio::test]
async fn what_is_referred_to_is_not_deleted() {
    let house = strict();
    house.put(PATIENT).await;
    house.ask(true, vec![observation("o", "Patient/p")]).await.unwrap();
    let referenced = |by: &[&str]| StoreError::Referenced {
        kind: Kind::PATIENT,
        id: "p".into(),
        by: by.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(house.delete("Patient/p").await, Err(referenced(&["Observation/o"])));
    let delete =
        |kind: &str, id: &str| op(Action::Delete { kind: Kind::named(kind), id: id.into(), if_match: None });
    // Who may not see the one that refers does not learn its name.
    let ask = house.ask_as(false, vec![delete("Patient", "p")], Arc::new(PermitAll), only_patient("other"));
    assert_eq!(ask.await.unwrap().results.remove(0), Err(referenced(&[])));
    let both = vec![delete("Patient", "p"), delete("Observation", "o")];
    let answer = house.ask_as(true, both, Arc::new(PermitAll), Restrictions::all()).await.unwrap();
    assert!(answer.results.iter().all(|result| result.as_ref().unwrap().outcome == WriteOutcome::Deleted));
    house.check().await;
}
