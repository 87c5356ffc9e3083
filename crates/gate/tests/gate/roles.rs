//! Each role and each action: allowed or not, and the record it leaves.

use fhir::Kind;
use gate::{
    Access, Action, AuditQuery, Gate, GateError, HistoryOf, HistoryQuery, Matter, Principal, Role, Roles,
    ScanQuery, Scopes, Subject, Tenant, TokenRequest,
};

use crate::house::{House, of, query, resource};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","active":true}"#;

/// What is tried, by name.
const ACTIONS: [&str; 27] = [
    "read",
    "vread",
    "search",
    "history",
    "create",
    "update",
    "delete",
    "counts",
    "changes",
    "export",
    "audit",
    "token-list",
    "check",
    "metrics",
    "pipeline-read",
    "pipeline-run",
    "quarantine-open",
    "quarantine-change",
    "alert-read",
    "alert-change",
    "event-publish",
    "stream-read",
    "dead-letter-open",
    "dead-letter-replay",
    "surveillance-read",
    "decision-support",
    "rules-change",
];

async fn attempt(gate: &Gate, role: Role, action: &str) -> Result<(), GateError> {
    let access = of(role);
    let patient = Kind::PATIENT;
    match action {
        "read" => gate.read(&access, patient, "1").await.map(drop),
        "vread" => gate.vread(&access, patient, "1", 1).await.map(drop),
        "search" => gate.search(&access, &query("Patient", "active=true"), 10).await.map(drop),
        "history" => {
            let of = HistoryOf::Instance(patient, "1".into());
            gate.history(&access, of, HistoryQuery::default()).await.map(drop)
        }
        "create" => {
            let action = Action::Create { resource: resource(PATIENT), if_none_exist: None };
            gate.write_one(&access, action).await.map(drop)
        }
        "update" => gate
            .write_one(&access, Action::Update { resource: resource(PATIENT), if_match: None })
            .await
            .map(drop),
        "delete" => {
            let action = Action::Delete { kind: patient, id: "nobody".into(), if_match: None };
            gate.write_one(&access, action).await.map(drop)
        }
        "counts" => gate.counts(&access).await.map(drop),
        "changes" => gate.changes(&access, 0, 10).await.map(drop),
        "export" => {
            let query = ScanQuery { kinds: vec![patient], since: None, after: None, count: 10 };
            gate.scan(&access, query).await.map(drop)
        }
        "audit" => gate.audit(&access, AuditQuery { max: 1, ..AuditQuery::default() }).await.map(drop),
        "token-list" => gate.list_tokens(&access).await.map(drop),
        "check" => gate.check(&access).await.map(drop),
        "metrics" => gate.permit_metrics(&access).await,
        "pipeline-read" => permit(gate, &access, Matter::Pipelines).await,
        "pipeline-run" => permit(gate, &access, Matter::RunPipeline).await,
        "quarantine-open" => permit(gate, &access, Matter::OpenQuarantine).await,
        "quarantine-change" => permit(gate, &access, Matter::ChangeQuarantine).await,
        "alert-read" => permit(gate, &access, Matter::Alerts).await,
        "alert-change" => permit(gate, &access, Matter::ChangeAlert).await,
        "event-publish" => permit(gate, &access, Matter::PublishEvents).await,
        "stream-read" => permit(gate, &access, Matter::Streams).await,
        "dead-letter-open" => permit(gate, &access, Matter::OpenDeadLetter).await,
        "dead-letter-replay" => permit(gate, &access, Matter::ReplayDeadLetter).await,
        "surveillance-read" => permit(gate, &access, Matter::Surveillance).await,
        "decision-support" => permit(gate, &access, Matter::DecisionSupport).await,
        "rules-change" => permit(gate, &access, Matter::ChangeRules).await,
        other => panic!("no action `{other}`"),
    }
}

async fn permit(gate: &Gate, access: &Access, matter: Matter) -> Result<(), GateError> {
    let permit = gate.permit(access, Subject::new(matter, "quarantine/17")).await?;
    assert_eq!((permit.matter(), permit.principal()), (matter, access.principal.id.as_str()));
    Ok(())
}

/// What each role may do. Counts are answered to everybody, with what the caller may see, which can be nothing.
fn allowed(role: Role) -> Vec<&'static str> {
    let words = match role {
        Role::Service => {
            "read vread search history create update delete counts changes export metrics pipeline-read pipeline-run \
             quarantine-open quarantine-change alert-read alert-change event-publish stream-read dead-letter-open \
             dead-letter-replay surveillance-read decision-support rules-change"
        }
        Role::Clinician => {
            "read vread search history create update delete counts changes export alert-read alert-change event-publish \
             stream-read dead-letter-open surveillance-read decision-support"
        }
        Role::Engineer => {
            "read vread search history create update counts changes export check metrics pipeline-read pipeline-run \
             quarantine-open quarantine-change event-publish stream-read dead-letter-open dead-letter-replay surveillance-read \
             rules-change"
        }
        Role::Analyst => "read vread search history counts changes export surveillance-read",
        Role::Steward => {
            "read vread search history counts changes export pipeline-read quarantine-open stream-read dead-letter-open \
             surveillance-read"
        }
        Role::PrivacyOfficer => {
            "read vread search history counts changes export audit pipeline-read quarantine-open dead-letter-open"
        }
        Role::SecurityOfficer => "counts audit token-list metrics",
        Role::Auditor => "counts audit metrics",
        Role::Admin => {
            "counts token-list check metrics pipeline-read pipeline-run quarantine-change stream-read dead-letter-replay \
             rules-change"
        }
    };
    words.split_whitespace().collect()
}

#[tokio::test]
async fn each_role_may_do_what_it_may_and_nothing_else() {
    let house = House::new();
    house.put(PATIENT).await;
    for role in Role::all() {
        for action in ACTIONS {
            let before = house.audit().await.len();
            let outcome = attempt(&house.gate, role, action).await;
            let expected = allowed(role).contains(&action);
            match (&outcome, expected) {
                (Ok(()), true) | (Err(GateError::Forbidden(_)), false) => {}
                (outcome, _) => panic!("{role} {action}: expected {expected}, found {outcome:?}"),
            }
            check_record(&house, role, action, expected, before).await;
        }
    }
}

/// The record of what was done or refused. A write that was done is in the change log, metrics tell of no data.
async fn check_record(house: &House, role: Role, action: &str, allowed: bool, before: usize) {
    let entries = house.audit().await;
    // The look before is a record by now.
    let new: Vec<_> = entries[before + 1..].iter().map(|entry| &entry.record).collect();
    let write = matches!(action, "create" | "update" | "delete");
    if allowed && (write || action == "metrics") {
        assert!(new.is_empty(), "{role} {action}: {new:?}");
        return;
    }
    assert_eq!(new.len(), 1, "{role} {action}: {new:?}");
    let name = match action {
        "create" | "update" | "delete" => "write",
        "counts" => "count",
        other => other,
    };
    let outcome = if allowed { "done" } else { "denied" };
    assert_eq!((new[0].action.name(), new[0].outcome.name()), (name, outcome), "{role} {action}");
    assert_eq!(new[0].principal, format!("token:{role}"));
    assert_eq!(new[0].detail.is_some(), !allowed || matches!(action, "search" | "export"), "{role} {action}");
}

#[tokio::test]
async fn a_refused_batch_leaves_one_record() {
    let house = House::new();
    let ops = (0..50).map(|n| gate::WriteOp {
        full_url: None,
        action: Action::Update {
            resource: resource(&format!(r#"{{"resourceType":"Patient","id":"{n}"}}"#)),
            if_match: None,
        },
    });
    let answer = house.gate.write(&of(Role::Analyst), false, ops.collect()).await.unwrap();
    assert!(answer.results.iter().all(|result| matches!(result, Err(GateError::Forbidden(_)))));
    let entries = house.audit().await;
    assert_eq!(entries.len(), 1);
    assert!(
        entries[0].record.detail.as_ref().unwrap().ends_with("(and 49 more)"),
        "{:?}",
        entries[0].record.detail
    );
    assert!(house.gate.changes(&of(Role::Service), 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_write_that_breaks_rules_is_recorded_and_changes_nothing() {
    let house = House::new();
    let wrong = r#"{"resourceType":"Patient","id":"1","color":"red"}"#;
    let refused = house.put_as(&of(Role::Clinician), wrong).await;
    assert!(matches!(refused, Err(GateError::Invalid(_))), "{refused:?}");
    assert_eq!(house.last_record().await, "write failed   by token:clinician for TREAT");
    let unknown = house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await;
    assert!(matches!(unknown, Err(GateError::NotFound { .. })));
    assert_eq!(house.last_record().await, "read not-found Patient 1 by token:clinician for TREAT");
}

#[tokio::test]
async fn a_write_is_recorded_by_the_change_log() {
    let house = House::new();
    house.put_as(&of(Role::Clinician), PATIENT).await.unwrap();
    let changes = house.gate.changes(&of(Role::Service), 0, 10).await.unwrap();
    let author = &changes[0].author;
    assert_eq!((author.principal.as_str(), author.purpose.as_str()), ("token:clinician", "TREAT"));
    assert_eq!((author.request.as_str(), author.decision.as_str()), ("r-1", "role clinician"));
}

#[tokio::test]
async fn tokens_are_made_by_those_who_manage_them() {
    let house = House::new();
    let request = TokenRequest {
        role: Role::Analyst,
        name: "n".into(),
        scopes: None,
        patient: None,
        expires: "1d".into(),
    };
    assert!(house.gate.create_token(&of(Role::Admin), &request).await.is_ok());
    assert_eq!(house.last_record().await, "token-create done   by token:admin for HSYSADMIN");
    for role in [Role::Service, Role::Clinician, Role::Auditor] {
        let refused = house.gate.create_token(&of(role), &request).await;
        assert!(matches!(refused, Err(GateError::Forbidden(_))), "{role}");
    }
}

#[tokio::test]
async fn a_narrow_token_does_not_get_the_rest_through_a_pipeline() {
    let house = House::new();
    let narrowed = |scopes: &str, roles: Roles| {
        let narrow = Principal {
            roles,
            scopes: Scopes::parse(scopes).unwrap(),
            ..Principal::service("loader", Tenant::main())
        };
        Access::new(std::sync::Arc::new(narrow), None, "r-1").unwrap()
    };
    let loader = narrowed("system/Observation.cruds", Roles::one(Role::Service));
    assert!(permit(&house.gate, &loader, Matter::Pipelines).await.is_ok());
    for matter in [Matter::RunPipeline, Matter::OpenQuarantine, Matter::ChangeQuarantine] {
        let refused = permit(&house.gate, &loader, matter).await;
        assert!(matches!(refused, Err(GateError::Forbidden(_))), "{matter:?}");
    }
    assert_eq!(
        house.last_record().await,
        "quarantine-change denied  quarantine/17 by service:loader for HOPERAT"
    );
    // An admin who is also a clinician reads patients, and opens no quarantine by that.
    let both = narrowed("user/*.cruds metrics", Roles::of(&[Role::Clinician, Role::Admin]).unwrap());
    assert!(permit(&house.gate, &both, Matter::RunPipeline).await.is_ok());
    assert!(permit(&house.gate, &both, Matter::OpenQuarantine).await.is_err());
}
