//! The change log, summed up per resource.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::sqlite::read::current::{Current, op_number};

/// What the log says of a resource.
struct Summary {
    seq: i64,
    version: i64,
    op: u8,
    /// Are the versions 1, 2, 3, ...
    in_order: bool,
}

/// What the log says of all resources.
pub(super) struct Log(HashMap<i64, Summary>);

/// Reads all of it.
pub(super) fn read(conn: &Connection) -> rusqlite::Result<Log> {
    let mut log: HashMap<i64, Summary> = HashMap::new();
    let mut statement = conn.prepare(
        "SELECT l.seq, l.rid, l.version, l.op, q.request IS NULL OR a.actor IS NULL FROM log AS l
         LEFT JOIN request AS q ON q.request = l.request LEFT JOIN actor AS a ON a.actor = q.actor ORDER BY l.seq",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, rid, version, op): (i64, i64, i64, u8) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let has_author = !row.get::<_, bool>(4)?;
        let summary = log.entry(rid).or_insert(Summary { seq: 0, version: 0, op: 0, in_order: true });
        summary.in_order &= version == summary.version + 1 && has_author;
        (summary.seq, summary.version, summary.op) = (seq, version, op);
    }
    Ok(Log(log))
}

impl Log {
    /// Does the log end with the current version.
    pub(super) fn agrees(&self, current: &Current) -> bool {
        self.0.get(&current.rid).is_some_and(|summary| {
            summary.in_order
                && summary.seq == current.seq
                && summary.version == current.version.cast_signed()
                && summary.op == op_number(current.op)
        })
    }
}
