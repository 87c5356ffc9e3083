//! The ledger: append-only, and nothing is answered without it.

use std::sync::Arc;

use fhir::Kind;
use gate::{AuditQuery, GateError, Role};
use rusqlite::Connection;
use testkit::{Fault, LossyDisk};

use crate::house::{House, of};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn records_cannot_be_changed_or_removed() {
    let house = House::new();
    house.put(PATIENT).await;
    house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await.unwrap();
    let conn = Connection::open(house.folder.path().join("govern.db")).unwrap();
    until_indexed(&conn);
    for sql in [
        "UPDATE audit SET principal = 'nobody'",
        "DELETE FROM audit",
        "UPDATE audit_patient SET patient = 'x'",
        "DELETE FROM audit_patient",
    ] {
        let refused = conn.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("the audit ledger is append-only"), "{sql}: {refused}");
    }
    assert_eq!(house.last_record().await, "read done Patient 1 by token:clinician for TREAT");
}

/// The index of patients is brought up to date when nobody has appended for a moment.
fn until_indexed(conn: &Connection) {
    for _ in 0..2_400 {
        let n: i64 = conn.query_row("SELECT count(*) FROM audit_patient", [], |row| row.get(0)).unwrap();
        if n > 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("patients are not indexed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patients_records_are_found_before_and_after_they_are_indexed() {
    let house = House::new();
    house.put(PATIENT).await;
    house.put(r#"{"resourceType":"Patient","id":"11"}"#).await;
    let conn = Connection::open(house.folder.path().join("govern.db")).unwrap();
    for round in 1..=2 {
        for id in ["1", "11"] {
            house.gate.read(&of(Role::Clinician), Kind::PATIENT, id).await.unwrap();
        }
        for id in ["1", "11"] {
            let query = AuditQuery { patient: Some(id.into()), max: 10, ..AuditQuery::default() };
            let entries = house.gate.audit(&of(Role::Auditor), query).await.unwrap();
            assert_eq!(entries.len(), round, "round {round}, patient {id}");
            assert!(entries.iter().all(|entry| entry.record.patients == [id]));
        }
        until_indexed(&conn);
    }
}

#[tokio::test]
async fn records_of_many_readers_share_commits_and_none_is_lost() {
    let house = House::new();
    house.put(PATIENT).await;
    let gate = Arc::new(house.gate.clone());
    let readers = (0..200).map(|_| {
        let gate = Arc::clone(&gate);
        tokio::spawn(async move { gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await.unwrap() })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    let query = AuditQuery { patient: Some("1".into()), max: 1_000, ..AuditQuery::default() };
    let entries = house.gate.audit(&of(Role::Auditor), query).await.unwrap();
    assert_eq!(entries.len(), 200);
    assert!(entries.is_sorted_by_key(|entry| entry.seq));
}

#[tokio::test]
async fn a_reader_that_goes_away_is_recorded_all_the_same() {
    let house = House::new();
    house.put(PATIENT).await;
    for _ in 0..20 {
        let (gate, access) = (house.gate.clone(), of(Role::Clinician));
        let reader = tokio::spawn(async move { gate.read(&access, Kind::PATIENT, "1").await.map(drop) });
        tokio::task::yield_now().await;
        reader.abort();
        let _ = reader.await;
    }
    // The ledger goes on, whoever started its last commit.
    house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await.unwrap();
    assert_eq!(house.last_record().await, "read done Patient 1 by token:clinician for TREAT");
}

#[tokio::test]
async fn an_answer_is_withheld_when_the_ledger_fails() {
    for fault in [Fault::Full, Fault::Broken] {
        let disk = LossyDisk::new();
        let house = House::with(|config| config.store.vfs = Some(disk.vfs().to_string()));
        house.put(PATIENT).await;
        disk.fail_after(0, fault);
        let withheld = house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await;
        assert!(matches!(withheld, Err(GateError::Ledger(_))), "{withheld:?}");
        let withheld = house.gate.counts(&of(Role::Clinician)).await;
        assert!(matches!(withheld, Err(GateError::Ledger(_))), "{withheld:?}");
        assert!(disk.heal());
        assert!(house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await.is_ok());
    }
}

#[tokio::test]
async fn what_was_answered_is_recorded_after_loss_of_power() {
    let disk = LossyDisk::new();
    let house = House::with(|config| config.store.vfs = Some(disk.vfs().to_string()));
    house.put(PATIENT).await;
    for _ in 0..5 {
        house.gate.read(&of(Role::Clinician), Kind::PATIENT, "1").await.unwrap();
    }
    let (folder, clock) = (house.folder, house.clock);
    disk.crash();
    drop(house.gate);
    let mut config = gate::GateConfig::new(folder.path(), "http://h/fhir");
    config.store.vfs = Some(disk.vfs().to_string());
    let gate = gate::Gate::open(config, Arc::new(clock)).unwrap();
    let query = AuditQuery { patient: Some("1".into()), max: 1_000, ..AuditQuery::default() };
    assert_eq!(gate.audit(&of(Role::Auditor), query).await.unwrap().len(), 5);
}
