//! Removes what is old and was read by every group, in transactions that do not hold up those who append.

use fhir::Instant;
use rusqlite::{Connection, OptionalExtension};

use super::slot::Slot;
use crate::log::Retention;

/// Rows that one transaction removes at most.
const ROWS_MAX: usize = 500;

const SECOND: i64 = 1_000_000;

/// What one transaction removed.
pub(super) struct Trimmed {
    /// The first offset that is left.
    pub(super) start: u64,
    pub(super) n_entries: u64,
    /// More may be removed.
    pub(super) has_more: bool,
}

/// Removes rows from the start of a slot, all of whose entries are below `slowest`; `None` when there is nothing to remove.
pub(super) fn trim(
    conn: &Connection,
    slot: Slot,
    slowest: u64,
    retention: Retention,
    now: Instant,
) -> rusqlite::Result<Option<Trimmed>> {
    let sql = "SELECT start_offset, n_bytes FROM log_slot WHERE slot = ?1";
    let state = conn
        .prepare_cached(sql)?
        .query_row([slot.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    let Some((start, n_bytes)) = state.optional()? else { return Ok(None) };
    let age = retention.age_secs_max.map(|secs| i64::try_from(secs).unwrap_or(i64::MAX / SECOND));
    let oldest = age.map_or(i64::MIN, |secs| now.0.saturating_sub(secs.saturating_mul(SECOND)));
    let bytes_max = retention.partition_bytes_max.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let mut rows = conn.prepare_cached(
        "SELECT id, n_entries, last_at, length(body) FROM log_batch WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = rows.query((slot.place(start.unsigned_abs()), slot.end_place(), ROWS_MAX))?;
    let (mut left_bytes, mut new_start, mut n_rows) = (n_bytes, start.unsigned_abs(), 0);
    while let Some(row) = rows.next()? {
        let (end, last_at) =
            (slot.offset(row.get(0)?) + row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, i64>(2)?);
        if end > slowest || (last_at >= oldest && left_bytes <= bytes_max) {
            break;
        }
        (left_bytes, new_start, n_rows) = (left_bytes - row.get::<_, i64>(3)?, end, n_rows + 1);
    }
    if n_rows == 0 {
        return Ok(None);
    }
    conn.prepare_cached("DELETE FROM log_batch WHERE id >= ?1 AND id < ?2")?
        .execute((slot.place(0), slot.place(new_start)))?;
    conn.prepare_cached("UPDATE log_slot SET start_offset = ?2, n_bytes = ?3 WHERE slot = ?1")?.execute((
        slot.0,
        new_start.cast_signed(),
        left_bytes,
    ))?;
    Ok(Some(Trimmed {
        start: new_start,
        n_entries: new_start - start.unsigned_abs(),
        has_more: n_rows == ROWS_MAX,
    }))
}
