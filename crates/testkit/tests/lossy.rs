//! The lossy disk proves itself: SQLite keeps its promises on it, and is seen to break them when it is told not to sync.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use testkit::{Fault, LossyDisk};

const N_WRITES: i64 = 100;

fn open(disk: &LossyDisk, synchronous: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags_and_vfs("/t.db", flags, disk.vfs())?;
    conn.busy_timeout(Duration::ZERO)?;
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    assert_eq!(mode, "wal");
    conn.pragma_update(None, "synchronous", synchronous)?;
    // Copies the log into the file often, so that this is interrupted too.
    conn.pragma_update(None, "wal_autocheckpoint", 20)?;
    Ok(conn)
}

/// Writes 1, 2, … one transaction each, until a write fails or `n` are acknowledged; returns how many were.
fn write(conn: &Connection, from: i64, n: i64) -> i64 {
    if conn.execute_batch("CREATE TABLE IF NOT EXISTS t (x INTEGER PRIMARY KEY, filler)").is_err() {
        return 0;
    }
    let written = (from..from + n)
        .take_while(|x| conn.execute("INSERT INTO t VALUES (?1, zeroblob(300 + ?1 % 7 * 900))", [x]).is_ok());
    i64::try_from(written.count()).unwrap()
}

/// How many rows there are, all of them being 1, 2, …; a table that was never written has none.
fn rows(disk: &LossyDisk) -> i64 {
    let conn = open(disk, "FULL").unwrap();
    let check: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    if tables == 0 {
        return 0;
    }
    let (count, last): (i64, i64) = conn
        .query_row("SELECT count(*), coalesce(max(x), 0) FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(count, last, "rows are missing in the middle");
    count
}

#[test]
fn what_was_acknowledged_survives_a_crash() {
    let disk = LossyDisk::new();
    let mut acknowledged = 0;
    for _ in 0..5 {
        let conn = open(&disk, "FULL").unwrap();
        acknowledged += write(&conn, acknowledged + 1, N_WRITES);
        disk.crash();
        drop(conn);
        assert_eq!(rows(&disk), acknowledged);
    }
    assert_eq!(acknowledged, 5 * N_WRITES);
}

#[test]
fn what_was_acknowledged_survives_a_torn_crash() {
    for seed in 0..50 {
        let disk = LossyDisk::new();
        let conn = open(&disk, "FULL").unwrap();
        let acknowledged = write(&conn, 1, 1 + i64::try_from(seed).unwrap());
        // One more write is on its way.
        disk.fail_after(seed % 4, Fault::Broken);
        let begun = write(&conn, acknowledged + 1, 1);
        disk.crash_torn(seed);
        drop(conn);
        let found = rows(&disk);
        assert!(
            (acknowledged + begun..=acknowledged + 1).contains(&found),
            "seed {seed}: {acknowledged} became {found}"
        );
    }
}

#[test]
fn without_syncs_acknowledged_writes_are_lost() {
    let disk = LossyDisk::new();
    let conn = open(&disk, "OFF").unwrap();
    assert_eq!(write(&conn, 1, N_WRITES), N_WRITES);
    disk.crash();
    drop(conn);
    assert!(rows(&disk) < N_WRITES, "nothing was lost: the disk is not lossy");
}

#[test]
fn a_closed_database_survives_as_it_was() {
    let disk = LossyDisk::new();
    let conn = open(&disk, "FULL").unwrap();
    write(&conn, 1, N_WRITES);
    conn.close().unwrap();
    assert_eq!(rows(&disk), N_WRITES);
    disk.crash();
    assert_eq!(rows(&disk), N_WRITES);
}

#[test]
fn whichever_change_fails_nothing_acknowledged_is_lost() {
    for (fault, expected) in [(Fault::Full, ErrorCode::DiskFull), (Fault::Broken, ErrorCode::SystemIoFailure)]
    {
        let mut n_failed = 0;
        for n in 0.. {
            let disk = LossyDisk::new();
            let conn = open(&disk, "FULL").unwrap();
            let before = write(&conn, 1, 10);
            disk.fail_after(n, fault);
            let acknowledged = before + write(&conn, before + 1, 30);
            let error = conn.execute("INSERT INTO t VALUES (0, 1)", []);
            if !disk.heal() {
                break;
            }
            n_failed += 1;
            assert_eq!(error.unwrap_err().sqlite_error_code(), Some(expected));
            // The same connection goes on.
            let after = write(&conn, acknowledged + 1, 5);
            assert_eq!(after, 5, "change {n}, {fault:?}");
            disk.crash();
            drop(conn);
            assert_eq!(rows(&disk), acknowledged + after, "change {n}, {fault:?}");
        }
        assert!(n_failed > 50, "{n_failed}");
    }
}

#[test]
fn two_connections_share_the_log() {
    let disk = LossyDisk::new();
    let (a, b) = (open(&disk, "FULL").unwrap(), open(&disk, "FULL").unwrap());
    write(&a, 1, 3);
    b.execute_batch("BEGIN").unwrap();
    let count =
        |conn: &Connection| conn.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(&b), 3);
    write(&a, 4, 2);
    assert_eq!((count(&a), count(&b)), (5, 3));
    b.execute_batch("COMMIT; BEGIN IMMEDIATE").unwrap();
    assert_eq!(count(&b), 5);
    assert_eq!(write(&a, 6, 1), 0, "the other one writes");
}
