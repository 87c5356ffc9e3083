//! Which identifiers were appended lately: an index in memory over the table `log_seen`, bounded by a number of entries.
//!
//! The index maps half of the hash of tenant and identifier to the entry's number; the table confirms it. So a new event costs no look-up on disk, and
//! the table is only ever appended to.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::{Connection, OptionalExtension};

use super::slot::{Slot, corrupt};

const RECORD_BYTES: usize = 48;
const CRC_BYTES: usize = 4;

/// What is known of an entry that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Hash of tenant and identifier.
    pub(super) identity: u128,
    /// Hash of what the sender said.
    pub(super) content: u128,
    /// Where it is.
    pub(super) slot: Slot,
    /// Where in it.
    pub(super) offset: u64,
}

/// The index. Belongs to the writer's thread.
#[derive(Default)]
pub(super) struct Seen {
    window: usize,
    numbers: HashMap<u64, u64, BuildHasherDefault<AsIs>>,
    /// The index's keys in order; the last one is that of `next - 1`.
    order: VecDeque<u64>,
    /// The number of the next entry.
    next: u64,
    /// Those that are not in the table yet.
    fresh: Vec<Known>,
    /// Rows below this number were removed from the table.
    trimmed: u64,
}

impl Seen {
    /// Reads the last `window` entries of the table; `next` is the number of the next entry, which must follow them.
    pub(super) fn load(conn: &Connection, window: usize, next: u64) -> rusqlite::Result<Seen> {
        let begin = next.saturating_sub(window as u64);
        let from = floor(conn, begin)?.unwrap_or(begin);
        let sql = "SELECT first_seq, body FROM log_seen WHERE first_seq >= ?1 ORDER BY first_seq";
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([signed(from)])?;
        let mut seen = Seen { window, ..Seen::default() };
        let mut expected = None;
        while let Some(row) = rows.next()? {
            let mut number = row.get::<_, i64>(0)?.unsigned_abs();
            if expected.is_some_and(|expected| expected != number) {
                return Err(lost());
            }
            for record in records(row.get_ref(1)?.as_blob()?)? {
                if number >= begin {
                    seen.next = number;
                    seen.index(low(decode(record).identity));
                }
                number += 1;
            }
            expected = Some(number);
        }
        if expected.unwrap_or(0) != next {
            return Err(lost());
        }
        Ok(seen)
    }

    /// The entry with this identity, if it is among the last ones.
    pub(super) fn find(&self, conn: &Connection, identity: u128) -> rusqlite::Result<Option<Known>> {
        let Some(number) = self.numbers.get(&low(identity)) else { return Ok(None) };
        let fresh_from = self.next - self.fresh.len() as u64;
        let known = if *number >= fresh_from {
            usize::try_from(number - fresh_from).ok().and_then(|index| self.fresh.get(index)).copied()
        } else {
            read(conn, *number)?
        };
        let known = known.ok_or_else(lost)?;
        // Half a hash in common is not the same identifier.
        Ok((known.identity == identity).then_some(known))
    }

    /// Remembers an entry that is being appended.
    pub(super) fn push(&mut self, known: Known) {
        self.fresh.push(known);
        self.index(low(known.identity));
    }

    fn index(&mut self, key: u64) {
        self.numbers.insert(key, self.next);
        self.order.push_back(key);
        self.next += 1;
        if self.order.len() > self.window {
            let oldest = self.next - self.order.len() as u64;
            let key = self.order.pop_front().unwrap_or_default();
            if self.numbers.get(&key) == Some(&oldest) {
                self.numbers.remove(&key);
            }
        }
    }

    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Writes what was pushed as one row, and now and then removes rows that the window has left.
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let mut body = vec![0; CRC_BYTES];
        for known in &self.fresh {
            body.extend(known.identity.to_le_bytes());
            body.extend(known.content.to_le_bytes());
            body.extend(known.slot.0.to_le_bytes());
            body.extend(known.offset.to_le_bytes());
        }
        let crc = crc32c::crc32c(&body[CRC_BYTES..]);
        body[..CRC_BYTES].copy_from_slice(&crc.to_le_bytes());
        let first = self.next - self.fresh.len() as u64;
        conn.prepare_cached("INSERT INTO log_seen VALUES (?1, ?2)")?.execute((signed(first), body))?;
        self.fresh.clear();
        self.trim(conn)
    }

    fn trim(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let oldest = self.next - self.order.len() as u64;
        // Not with every commit: a sixteenth of the window at once.
        if oldest - self.trimmed > (self.window / 16) as u64 {
            let keep = floor(conn, oldest)?.unwrap_or(oldest);
            conn.prepare_cached("DELETE FROM log_seen WHERE first_seq < ?1")?.execute([signed(keep)])?;
            self.trimmed = oldest;
        }
        Ok(())
    }
}

fn lost() -> rusqlite::Error {
    corrupt("the table `log_seen` has lost a row")
}

/// The row that has the entry of this number.
fn floor(conn: &Connection, number: u64) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT max(first_seq) FROM log_seen WHERE first_seq <= ?1";
    let first: Option<i64> = conn.prepare_cached(sql)?.query_row([signed(number)], |row| row.get(0))?;
    Ok(first.map(i64::unsigned_abs))
}

fn read(conn: &Connection, number: u64) -> rusqlite::Result<Option<Known>> {
    let Some(first) = floor(conn, number)? else { return Ok(None) };
    let sql = "SELECT body FROM log_seen WHERE first_seq = ?1";
    let body: Option<Vec<u8>> =
        conn.prepare_cached(sql)?.query_row([signed(first)], |row| row.get(0)).optional()?;
    let body = body.unwrap_or_default();
    let index = usize::try_from(number - first).unwrap_or(usize::MAX);
    Ok(records(&body)?.nth(index).map(decode))
}

/// The records of a row whose checksum agrees.
fn records(body: &[u8]) -> rusqlite::Result<impl Iterator<Item = &[u8; RECORD_BYTES]>> {
    let damaged = || corrupt("a row of the table `log_seen` is damaged");
    let (crc, records) = body.split_first_chunk::<CRC_BYTES>().ok_or_else(damaged)?;
    let (records, rest) = records.as_chunks();
    if crc32c::crc32c(&body[CRC_BYTES..]) != u32::from_le_bytes(*crc) || !rest.is_empty() {
        return Err(damaged());
    }
    Ok(records.iter())
}

fn decode(record: &[u8; RECORD_BYTES]) -> Known {
    let part = |from: usize| record[from..from + 16].try_into().expect("three times sixteen bytes");
    let place = u128::from_le_bytes(part(32));
    #[allow(clippy::cast_possible_truncation, reason = "two numbers of 64 bits are taken apart")]
    let (slot, offset) = ((place as u64).cast_signed(), (place >> 64) as u64);
    let (identity, content) = (u128::from_le_bytes(part(0)), u128::from_le_bytes(part(16)));
    Known { identity, content, slot: Slot(slot), offset }
}

#[allow(clippy::cast_possible_truncation, reason = "half of a hash is meant")]
fn low(hash: u128) -> u64 {
    hash as u64
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The keys are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("../../migrations/log.sql")).unwrap();
        conn
    }

    fn known(n: u64) -> Known {
        let identity = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) | 1;
        Known { identity, content: u128::from(n) << 70, slot: Slot(7), offset: n }
    }

    /// Appends 0, 1, … in rows of different lengths.
    fn filled(conn: &Connection, window: usize, n: u64) -> Seen {
        let mut seen = Seen::load(conn, window, 0).unwrap();
        for number in 0..n {
            seen.push(known(number));
            if number % 7 == 0 || number % 5 == 0 {
                seen.write(conn).unwrap();
            }
        }
        seen.write(conn).unwrap();
        seen
    }

    #[test]
    fn the_last_ones_are_known_and_older_ones_are_not() {
        let conn = table();
        let seen = filled(&conn, 100, 1000);
        let again = Seen::load(&conn, 100, 1000).unwrap();
        for seen in [&seen, &again] {
            assert_eq!((seen.order.len(), seen.numbers.len(), seen.next), (100, 100, 1000));
            for number in 0..1000 {
                let found = seen.find(&conn, known(number).identity).unwrap();
                assert_eq!(found, (number >= 900).then(|| known(number)), "{number}");
            }
        }
        let rows: i64 = conn.query_row("SELECT count(*) FROM log_seen", [], |row| row.get(0)).unwrap();
        assert!(rows < 60, "{rows} rows are left");
    }

    #[test]
    fn half_a_hash_in_common_is_another_identifier() {
        let conn = table();
        let seen = filled(&conn, 100, 10);
        assert_eq!(seen.find(&conn, known(3).identity ^ (1 << 100)).unwrap(), None);
    }

    #[test]
    fn an_entry_of_the_same_commit_is_known() {
        let conn = table();
        let mut seen = Seen::load(&conn, 100, 0).unwrap();
        seen.push(known(1));
        assert_eq!(seen.find(&conn, known(1).identity).unwrap(), Some(known(1)));
    }

    #[test]
    fn a_damaged_row_is_reported() {
        let conn = table();
        let seen = filled(&conn, 100, 10);
        conn.execute(
            "UPDATE log_seen SET body = CAST(substr(body, 1, 20) || x'ff' || substr(body, 22) AS BLOB)",
            [],
        )
        .unwrap();
        assert!(Seen::load(&conn, 100, 10).is_err());
        assert!(seen.find(&conn, known(3).identity).is_err());
        conn.execute("DELETE FROM log_seen", []).unwrap();
        assert!(seen.find(&conn, known(3).identity).is_err());
    }
}
