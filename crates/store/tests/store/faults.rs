//! What goes wrong outside: a full disk, a newer database, another program's file.

use std::sync::Arc;

use rusqlite::Connection;
use store::{Action, Store, StoreConfig, StoreError, WriteOp};
use testkit::{DataFolder, Fault, FixedClock, LossyDisk};

use crate::house::{BASE, House, op, resource};

fn patient(n: usize) -> WriteOp {
    let text = format!(r#"{{"resourceType":"Patient","id":"p{n}","name":[{{"family":"F{n}"}}]}}"#);
    op(Action::Update { resource: resource(&text), if_match: None })
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_half_written() {
    let disk = LossyDisk::new();
    let house = House::with(|config| config.vfs = Some(disk.vfs().to_owned()));
    house.ask(true, (0..10).map(patient).collect()).await.unwrap();
    for n in 0..40 {
        disk.fail_after(n, Fault::Full);
        let answer = house.ask(true, (10..30).map(patient).collect()).await;
        if disk.heal() {
            assert_eq!(answer.err(), Some(StoreError::Full), "after {n} changes");
            assert_eq!(house.find("Patient?name=f").await.len(), 10);
        }
    }
    house.ask(true, (10..30).map(patient).collect()).await.unwrap();
    assert_eq!(house.find("Patient?name=f").await.len(), 30);
    house.check().await;
}

#[tokio::test]
async fn an_error_at_any_step_leaves_index_versions_and_log_in_agreement() {
    let disk = LossyDisk::new();
    let house = House::with(|config| config.vfs = Some(disk.vfs().to_owned()));
    for n in 0..60 {
        disk.fail_once_after(n, Fault::Broken);
        let answer = house.ask(true, vec![patient(n as usize), patient(n as usize + 1)]).await;
        let failed = disk.heal();
        assert!(answer.is_ok() || failed, "{answer:?}");
    }
    house.check().await;
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let folder = {
        let house = House::new();
        house.ask(true, vec![patient(1)]).await.unwrap();
        house.store.close().await.unwrap();
        house.folder
    };
    let open = || {
        Store::open(StoreConfig::new(folder.path(), BASE), Arc::new(FixedClock::at("2026-01-01T00:00:00Z")))
            .err()
    };
    let set_version = |version: i64| {
        let conn = Connection::open(folder.join("salus.db")).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    };
    set_version(7);
    assert_eq!(open(), Some(StoreError::NewerVersion { found: 7, known: 2 }));
    // An older one is brought up to date.
    set_version(1);
    assert_eq!(open(), None);
    let conn = Connection::open(folder.join("salus.db")).unwrap();
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 2);
    drop(conn);
    std::fs::write(folder.join("FORMAT"), "9\n").unwrap();
    assert_eq!(open(), Some(StoreError::NewerVersion { found: 9, known: 1 }));
}

#[tokio::test]
async fn another_programs_file_is_refused() {
    let folder = DataFolder::new();
    let conn = Connection::open(folder.join("salus.db")).unwrap();
    conn.execute_batch("CREATE TABLE note (text TEXT)").unwrap();
    drop(conn);
    let opened =
        Store::open(StoreConfig::new(folder.path(), BASE), Arc::new(FixedClock::at("2026-01-01T00:00:00Z")));
    assert!(matches!(opened.err(), Some(StoreError::Corrupt { .. })));
}
