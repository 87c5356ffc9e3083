//! Reads entries of one partition, kinds merged in the order in which they were appended; checks every one of them.

use std::collections::VecDeque;

use event::Kind;
use rusqlite::{Connection, OptionalExtension};

use super::record::{self, FORMAT_PLAIN};
use super::slot::Slot;
use crate::log::{Entry, FetchLimits, LogError, Position};

/// What is read next of one kind.
struct Cursor {
    kind: Kind,
    slot: Slot,
    /// The offset that comes after those in `ready`.
    next: u64,
    end: u64,
    ready: VecDeque<Entry>,
    /// Stands after what is ready.
    damage: Option<LogError>,
}

/// Entries from the given offsets on, up to the limits.
pub(super) fn fetch(
    conn: &Connection,
    partition: u32,
    from: &[(Kind, u64)],
    limits: FetchLimits,
) -> rusqlite::Result<Result<Vec<Entry>, LogError>> {
    let mut cursors = Vec::with_capacity(from.len());
    for (kind, offset) in from {
        match Cursor::open(conn, kind, partition, *offset)? {
            Ok(cursor) => cursors.extend(cursor),
            Err(error) => return Ok(Err(error)),
        }
    }
    let (mut entries, mut n_bytes) = (Vec::new(), 0);
    while entries.len() < limits.n_max {
        for cursor in &mut cursors {
            cursor.fill(conn)?;
        }
        if let Some(damage) = cursors.iter_mut().filter(|c| c.ready.is_empty()).find_map(|c| c.damage.take())
        {
            // What was read before it is given first; the next call begins with the damage.
            return Ok(if entries.is_empty() { Err(damage) } else { Ok(entries) });
        }
        let earliest =
            cursors.iter_mut().filter(|c| !c.ready.is_empty()).min_by_key(|c| c.ready[0].appended_at);
        let Some(entry) = earliest.and_then(|cursor| cursor.ready.pop_front()) else { break };
        n_bytes += entry.append.n_bytes();
        if n_bytes > limits.bytes_max && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(Ok(entries))
}

impl Cursor {
    /// `None` when the kind was never appended.
    fn open(
        conn: &Connection,
        kind: &Kind,
        partition: u32,
        offset: u64,
    ) -> rusqlite::Result<Result<Option<Cursor>, LogError>> {
        let sql = "SELECT id FROM log_topic WHERE kind = ?1";
        let topic: Option<i64> =
            conn.prepare_cached(sql)?.query_row([kind.name()], |row| row.get(0)).optional()?;
        let slot = Slot::of(topic.unwrap_or(0), partition);
        let sql = "SELECT start_offset, end_offset FROM log_slot WHERE slot = ?1";
        let ends = conn
            .prepare_cached(sql)?
            .query_row([slot.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let (start, end) = ends.optional()?.unwrap_or((0, 0));
        let (start, end) = (start.unsigned_abs(), end.unsigned_abs());
        if offset < start || offset > end {
            let position = Position { kind: kind.clone(), partition, offset };
            return Ok(Err(LogError::OutOfRange { position, start, end }));
        }
        let (kind, ready, damage) = (kind.clone(), VecDeque::new(), None);
        Ok(Ok((offset < end).then_some(Cursor { kind, slot, next: offset, end, ready, damage })))
    }

    /// Reads the next row when nothing is ready.
    fn fill(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if !self.ready.is_empty() || self.damage.is_some() || self.next >= self.end {
            return Ok(());
        }
        let sql =
            "SELECT id, n_entries, body FROM log_batch WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query((self.slot.place(0), self.slot.place(self.next)))?;
        let Some(row) = rows.next()? else {
            self.damage = Some(self.corrupt(self.next, "it is missing"));
            return Ok(());
        };
        let first = self.slot.offset(row.get(0)?);
        let n = row.get::<_, i64>(1)?.unsigned_abs();
        let body = row.get_ref(2)?.as_blob()?;
        if first.saturating_add(n) <= self.next {
            self.damage = Some(self.corrupt(self.next, "it is missing"));
            return Ok(());
        }
        self.decode(first, n, body);
        Ok(())
    }

    /// Takes the entries of a row from `next` on.
    fn decode(&mut self, first: u64, n: u64, body: &[u8]) {
        let Some((&FORMAT_PLAIN, mut rest)) = body.split_first() else {
            self.damage = Some(self.corrupt(self.next, "its format is not known"));
            return;
        };
        for offset in first..first + n {
            let Some(record) = record::split(rest) else {
                self.damage = Some(self.corrupt(offset.max(self.next), "its row is cut off"));
                return;
            };
            rest = record.rest;
            if offset < self.next {
                continue;
            }
            match record.decode(&self.kind, self.slot, offset) {
                Ok(entry) => self.ready.push_back(entry),
                Err(why) => {
                    self.damage = Some(self.corrupt(offset, why));
                    return;
                }
            }
            self.next = offset + 1;
        }
    }

    fn corrupt(&self, offset: u64, why: &'static str) -> LogError {
        let position = Position { kind: self.kind.clone(), partition: self.slot.partition(), offset };
        LogError::Corrupt { position, why }
    }
}
