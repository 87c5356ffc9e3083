//! Where the log ends, and how a batch is added to it, inside a transaction of the writer's thread.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use event::Kind;
use fhir::{Clock, Instant};
use rusqlite::{Connection, OptionalExtension};

use super::queue::{Prepared, Request};
use super::record::{self, FORMAT_PLAIN};
use super::seen::{Known, Seen};
use super::slot::{PARTITIONS_MAX, Slot, TOPICS_MAX, corrupt};
use crate::log::{Appended, LogError, Novelty, Position};

/// A row is begun anew at this length: a reader takes whole rows.
const ROW_BYTES_MAX: usize = 256 * 1024;

/// What the writer remembers between batches. It may be ahead of the file after a commit failed; then it is read again.
pub(super) struct Tail {
    clock: Arc<dyn Clock>,
    window: usize,
    /// Time of the last entry.
    last_at: i64,
    ends: HashMap<Slot, u64>,
    topics: HashMap<Kind, i64>,
    kinds: HashMap<i64, Kind>,
    seen: Seen,
}

/// A row that is being filled.
struct Row {
    slot: Slot,
    first: u64,
    n: u64,
    body: Vec<u8>,
}

/// One partition of a topic and its offsets: start and end.
pub(super) type SlotEnds = (Kind, u32, u64, u64);

/// The number of partitions that the file was made with; a new file gets `asked`.
pub(super) fn n_partitions(conn: &Connection, asked: u32) -> rusqlite::Result<u32> {
    let asked = asked.clamp(1, PARTITIONS_MAX);
    conn.execute("INSERT INTO log_state VALUES (1, ?1, 0, 0) ON CONFLICT DO NOTHING", [asked])?;
    let stored: u32 = conn.query_row("SELECT n_partitions FROM log_state", [], |row| row.get(0))?;
    if (1..=PARTITIONS_MAX).contains(&stored) {
        Ok(stored)
    } else {
        Err(corrupt("the number of partitions is damaged"))
    }
}

/// All slots of the file.
pub(super) fn slots(conn: &Connection) -> rusqlite::Result<Vec<SlotEnds>> {
    let kinds = kinds(conn)?;
    let mut rows =
        conn.prepare_cached("SELECT slot, start_offset, end_offset FROM log_slot ORDER BY slot")?;
    let rows =
        rows.query_map([], |row| Ok((Slot(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (slot, start, end) = row?;
        let kind = kinds.get(&slot.topic()).ok_or_else(|| corrupt("a topic has lost its name"))?;
        check_ends(conn, slot, start.unsigned_abs(), end.unsigned_abs())?;
        found.push((kind.clone(), slot.partition(), start.unsigned_abs(), end.unsigned_abs()));
    }
    Ok(found)
}

/// Compares the offsets of each slot with its rows: a damaged number must not hide entries, or write over them.
fn check_ends(conn: &Connection, slot: Slot, start: u64, end: u64) -> rusqlite::Result<()> {
    let row = |order: &str| {
        let sql = format!(
            "SELECT id, n_entries FROM log_batch WHERE id >= ?1 AND id < ?2 ORDER BY id {order} LIMIT 1"
        );
        let places = (slot.place(0), slot.end_place());
        let row =
            conn.prepare_cached(&sql)?.query_row(places, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
        row.map(|(place, n)| (slot.offset(place), n.unsigned_abs())).optional()
    };
    let first = row("ASC")?.map_or(end, |(first, _)| first);
    let after_last = row("DESC")?.map_or(start, |(first, n)| first + n);
    if (first, after_last) == (start, end) {
        Ok(())
    } else {
        Err(corrupt("the ends of a partition do not agree with its rows"))
    }
}

fn kinds(conn: &Connection) -> rusqlite::Result<HashMap<i64, Kind>> {
    let mut rows = conn.prepare_cached("SELECT id, kind FROM log_topic")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, Kind::named(row.get_ref(1)?.as_str()?))))?;
    rows.collect()
}

impl Tail {
    pub(super) fn load(conn: &Connection, clock: Arc<dyn Clock>, window: usize) -> rusqlite::Result<Tail> {
        let (next, last_at) = state(conn)?;
        let kinds = kinds(conn)?;
        let topics: HashMap<Kind, i64> = kinds.iter().map(|(id, kind)| (kind.clone(), *id)).collect();
        let slots = slots(conn)?;
        let ends =
            slots.into_iter().map(|(kind, partition, _, end)| (Slot::of(topics[&kind], partition), end));
        let ends = ends.collect();
        let seen = Seen::load(conn, window, next)?;
        Ok(Tail { clock, window, last_at, ends, topics, kinds, seen })
    }

    /// Reads the file again when a commit failed since: what was acknowledged is what is on disk, and nothing else.
    fn refresh(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if state(conn)? != (self.seen.next(), self.last_at) {
            *self = Tail::load(conn, Arc::clone(&self.clock), self.window)?;
        }
        Ok(())
    }

    /// Adds what was asked for; one answer per request, and the ends that have moved.
    pub(super) fn write(
        &mut self,
        conn: &Connection,
        requests: &[Request],
    ) -> rusqlite::Result<(Vec<Answer>, Vec<SlotEnds>)> {
        self.refresh(conn)?;
        let mut rows = BTreeMap::new();
        let mut full = Vec::new();
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let mut answer = Ok(Vec::with_capacity(request.entries.len()));
            for prepared in &request.entries {
                let appended = self.add(conn, prepared, request.finds_duplicates, &mut rows, &mut full)?;
                match (appended, &mut answer) {
                    (Ok(appended), Ok(all)) => all.push(appended),
                    (Err(error), _) => answer = Err(error),
                    (Ok(_), Err(_)) => {}
                }
            }
            answers.push(answer);
        }
        full.extend(rows.into_values());
        let moved = self.finish(conn, &full)?;
        Ok((answers, moved))
    }

    fn add(
        &mut self,
        conn: &Connection,
        prepared: &Prepared,
        finds_duplicates: bool,
        rows: &mut BTreeMap<Slot, Row>,
        full: &mut Vec<Row>,
    ) -> rusqlite::Result<Result<Appended, LogError>> {
        if finds_duplicates && let Some(known) = self.seen.find(conn, prepared.identity)? {
            return Ok(Ok(self.earlier(known, prepared.content)));
        }
        let Some(topic) = self.topic(conn, &prepared.kind)? else {
            return Ok(Err(LogError::KindsFull { n_max: TOPICS_MAX }));
        };
        let slot = Slot::of(topic, prepared.partition);
        let end = self.ends.entry(slot).or_default();
        let offset = *end;
        *end += 1;
        // Rises with every entry, also when the clock does not.
        self.last_at = self.clock.now().0.max(self.last_at + 1);
        let begin = || Row { slot, first: offset, n: 0, body: vec![FORMAT_PLAIN] };
        let row = rows.entry(slot).or_insert_with(begin);
        if row.body.len() > ROW_BYTES_MAX {
            full.push(std::mem::replace(row, begin()));
        }
        record::push(&mut row.body, &prepared.encoded, Instant(self.last_at), slot, offset);
        row.n += 1;
        self.seen.push(Known { identity: prepared.identity, content: prepared.content, slot, offset });
        let position = Position { kind: prepared.kind.clone(), partition: prepared.partition, offset };
        Ok(Ok(Appended { position, novelty: Novelty::New }))
    }

    fn earlier(&self, known: Known, content: u128) -> Appended {
        let kind = self.kinds.get(&known.slot.topic()).cloned().unwrap_or(Kind::Other(String::new()));
        let position = Position { kind, partition: known.slot.partition(), offset: known.offset };
        let novelty = if known.content == content { Novelty::Duplicate } else { Novelty::Conflict };
        Appended { position, novelty }
    }

    /// The topic of a kind, made when it is new; `None` when there are too many.
    fn topic(&mut self, conn: &Connection, kind: &Kind) -> rusqlite::Result<Option<i64>> {
        if let Some(topic) = self.topics.get(kind) {
            return Ok(Some(*topic));
        }
        if self.topics.len() >= TOPICS_MAX {
            return Ok(None);
        }
        let sql = "INSERT INTO log_topic (kind) VALUES (?1) RETURNING id";
        let topic: i64 = conn.prepare_cached(sql)?.query_row([kind.name()], |row| row.get(0))?;
        self.topics.insert(kind.clone(), topic);
        self.kinds.insert(topic, kind.clone());
        Ok(Some(topic))
    }

    fn finish(&mut self, conn: &Connection, rows: &[Row]) -> rusqlite::Result<Vec<SlotEnds>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut insert = conn.prepare_cached("INSERT INTO log_batch VALUES (?1, ?2, ?3, ?4)")?;
        let mut slot_end = conn.prepare_cached(
            "INSERT INTO log_slot VALUES (?1, 0, ?2, ?3) ON CONFLICT (slot) DO UPDATE
             SET end_offset = excluded.end_offset, n_bytes = n_bytes + excluded.n_bytes",
        )?;
        let mut moved = Vec::with_capacity(rows.len());
        for Row { slot, first, n, body } in rows {
            insert.execute((slot.place(*first), n.cast_signed(), self.last_at, body))?;
            let n_bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
            slot_end.execute((slot.0, (first + n).cast_signed(), n_bytes))?;
            moved.push((self.kinds[&slot.topic()].clone(), slot.partition(), 0, first + n));
        }
        self.seen.write(conn)?;
        conn.prepare_cached("UPDATE log_state SET next_seq = ?1, last_at = ?2")?
            .execute((self.seen.next().cast_signed(), self.last_at))?;
        Ok(moved)
    }
}

/// What a request is answered.
pub(super) type Answer = Result<Vec<Appended>, LogError>;

/// The number of the next entry and the time of the last one.
fn state(conn: &Connection) -> rusqlite::Result<(u64, i64)> {
    let sql = "SELECT next_seq, last_at FROM log_state";
    let state = conn.prepare_cached(sql)?.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let (next, last_at) = state.optional()?.ok_or_else(|| corrupt("the log has lost its state"))?;
    Ok((next.unsigned_abs(), last_at))
}
