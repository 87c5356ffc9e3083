//! Changes of the index that wait to be written together: one pass over each table per commit.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, params};

use super::row::Row;
use super::{blob, tables};

/// What one write changes in the index.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    pub(crate) rid: i64,
    pub(crate) t: u32,
    /// Rows per generation.
    pub(crate) rows: Vec<RowsOf>,
    /// +1: the resource is there now and was not; -1: the other way.
    pub(crate) live: i64,
    /// Position of the version that was the latest, if there was one.
    pub(crate) seq_before: Option<i64>,
    /// Position of the version that is; 0 when only index rows change.
    pub(crate) seq: i64,
}

/// What changes in one generation.
#[derive(Debug, Default)]
pub(crate) struct RowsOf {
    pub(crate) g: u32,
    pub(crate) remove: Vec<Row>,
    pub(crate) add: Vec<Row>,
    /// All rows there are then; `None` to keep none.
    pub(crate) all: Option<Vec<u8>>,
}

/// Changes in the order they came, some of them written already.
#[derive(Default)]
pub(crate) struct Deltas {
    all: Vec<Delta>,
    n_written: usize,
    waiting: HashSet<i64>,
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    n: usize,
    n_written: usize,
}

impl RowsOf {
    /// The difference between what is indexed and what shall be.
    pub(crate) fn between(g: u32, before: &[Row], after: Vec<Row>) -> RowsOf {
        let all = (!after.is_empty()).then(|| blob::encode(&after));
        if before.is_empty() {
            return RowsOf { g, remove: Vec::new(), add: after, all };
        }
        let remove = before.iter().filter(|row| after.binary_search(row).is_err()).cloned().collect();
        let add = after.into_iter().filter(|row| before.binary_search(row).is_err()).collect();
        RowsOf { g, remove, add, all }
    }
}

impl Deltas {
    pub(crate) fn push(&mut self, delta: Delta) {
        self.waiting.insert(delta.rid);
        self.all.push(delta);
    }

    /// Does a change of this resource wait: then it must be written before the index is asked about it.
    pub(crate) fn waits(&self, rid: i64) -> bool {
        self.waiting.contains(&rid)
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { n: self.all.len(), n_written: self.n_written }
    }

    /// Forgets what came after the mark. What was written after it was rolled back and waits again.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.all.truncate(mark.n);
        self.n_written = self.n_written.min(mark.n_written);
        self.waiting = self.all[self.n_written..].iter().map(|delta| delta.rid).collect();
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.n_written = 0;
        self.waiting.clear();
    }

    /// Writes what waits.
    pub(crate) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let waiting = &self.all[self.n_written..];
        if waiting.is_empty() {
            return Ok(());
        }
        write_rows(conn, waiting)?;
        write_places(conn, waiting)?;
        self.n_written = self.all.len();
        self.waiting.clear();
        Ok(())
    }
}

fn write_rows(conn: &Connection, deltas: &[Delta]) -> rusqlite::Result<()> {
    let removed = deltas.iter().flat_map(|delta| {
        delta.rows.iter().flat_map(move |rows| rows.remove.iter().map(move |row| (row, delta.rid)))
    });
    tables::delete(conn, removed)?;
    let added = deltas.iter().flat_map(|delta| {
        delta.rows.iter().flat_map(move |rows| rows.add.iter().map(move |row| (row, delta.rid)))
    });
    tables::insert(conn, added)?;
    let mut put = conn.prepare_cached("INSERT OR REPLACE INTO fwd VALUES (?1, ?2, ?3)")?;
    let mut drop = conn.prepare_cached("DELETE FROM fwd WHERE g = ?1 AND rid = ?2")?;
    for delta in deltas {
        for rows in &delta.rows {
            match &rows.all {
                Some(all) => put.execute(params![rows.g, delta.rid, all])?,
                None => drop.execute(params![rows.g, delta.rid])?,
            };
        }
    }
    Ok(())
}

/// Which resources there are, which version of each is the latest, and how many there are.
fn write_places(conn: &Connection, deltas: &[Delta]) -> rusqlite::Result<()> {
    let mut counts: BTreeMap<u32, i64> = BTreeMap::new();
    let mut enter = conn.prepare_cached("INSERT OR IGNORE INTO live VALUES (?1, ?2)")?;
    let mut leave = conn.prepare_cached("DELETE FROM live WHERE t = ?1 AND rid = ?2")?;
    let mut latest = conn.prepare_cached("INSERT OR REPLACE INTO latest VALUES (?1, ?2, ?3)")?;
    let mut earlier = conn.prepare_cached("DELETE FROM latest WHERE t = ?1 AND seq = ?2")?;
    for delta in deltas.iter().filter(|delta| delta.seq > 0) {
        match delta.live {
            1 => drop(enter.execute(params![delta.t, delta.rid])?),
            -1 => drop(leave.execute(params![delta.t, delta.rid])?),
            _ => {}
        }
        if delta.live != 0 {
            *counts.entry(delta.t).or_default() += delta.live;
        }
        if let Some(seq) = delta.seq_before {
            earlier.execute(params![delta.t, seq])?;
        }
        latest.execute(params![delta.t, delta.seq, delta.rid])?;
    }
    let mut count = conn.prepare_cached("UPDATE kind SET n = n + ?2 WHERE t = ?1")?;
    for (t, change) in counts {
        count.execute(params![t, change])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(h: i64) -> Row {
        Row::Token { p: 1, h, sys: 0 }
    }

    #[test]
    fn only_the_difference_is_written() {
        let rows = RowsOf::between(1, &[token(1), token(2)], vec![token(2), token(3)]);
        assert_eq!((rows.remove, rows.add), (vec![token(1)], vec![token(3)]));
        let rows = RowsOf::between(1, &[token(1)], vec![]);
        assert_eq!((rows.remove, rows.all), (vec![token(1)], None));
    }

    #[test]
    fn what_was_rolled_back_waits_again() {
        let mut deltas = Deltas::default();
        deltas.push(Delta { rid: 1, ..Delta::default() });
        let mark = deltas.mark();
        deltas.push(Delta { rid: 2, ..Delta::default() });
        deltas.n_written = 2;
        deltas.waiting.clear();
        deltas.rewind(mark);
        assert_eq!((deltas.all.len(), deltas.n_written), (1, 0));
        assert!(deltas.waits(1) && !deltas.waits(2));
    }
}
