//! Which records name a patient: an index beside the ledger, brought up to date when nobody waits.
//!
//! Patients come in no order, so that an index written with each record would write a page per record: several times the record
//! itself. Sorted and many at once it costs little. What is not indexed yet is found by looking at the newest records one by one.

use rusqlite::{Connection, params};

/// Records that one step indexes: some milliseconds, for which new records wait.
pub(crate) const STEP_RECORDS: i64 = 2_048;
/// From so many records on that are not indexed, one step follows each commit, busy or not.
pub(crate) const BEHIND_RECORDS_MAX: u64 = 50_000;

/// Indexes the next records. True when there are more.
pub(crate) fn advance(conn: &Connection) -> rusqlite::Result<bool> {
    let done: i64 = conn.query_row("SELECT seq FROM audit_indexed", [], |row| row.get(0))?;
    let mut pairs: Vec<(String, i64)> = Vec::new();
    let (mut n_records, mut last) = (0, done);
    {
        let sql = "SELECT seq, patients FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![done, STEP_RECORDS])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            n_records += 1;
            let patients: String = row.get(1)?;
            pairs.extend(patients.split_ascii_whitespace().map(|patient| (patient.to_string(), last)));
        }
    }
    pairs.sort_unstable();
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO audit_patient (patient, seq) VALUES (?1, ?2)")?;
    for (patient, seq) in pairs {
        insert.execute(params![patient, seq])?;
    }
    conn.execute("UPDATE audit_indexed SET seq = ?1", [last])?;
    Ok(n_records == STEP_RECORDS)
}
