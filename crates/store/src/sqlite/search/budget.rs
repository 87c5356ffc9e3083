//! The cost bound of one search: virtual-machine steps counted by SQLite's progress handler, so the same search on the same data always
//! stops at the same place, however busy the machine is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

/// Steps between two looks at the budget.
const STEPS_PER_TICK: i32 = 4_096;

/// Counts the steps of everything that runs on the connection while it lives; the statement that passes the bound is interrupted.
pub(super) struct Budget<'a> {
    conn: &'a Connection,
    ticks_left: Arc<AtomicU64>,
}

impl<'a> Budget<'a> {
    /// Starts counting.
    pub(super) fn start(conn: &'a Connection, steps_max: u64) -> Budget<'a> {
        let ticks_left = Arc::new(AtomicU64::new(steps_max.div_ceil(STEPS_PER_TICK as u64)));
        let counter = Arc::clone(&ticks_left);
        conn.progress_handler(
            STEPS_PER_TICK,
            Some(move || counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()),
        );
        Budget { conn, ticks_left }
    }

    /// Whether the bound was passed: an interrupted statement then means "too costly", not "broken".
    pub(super) fn is_spent(&self) -> bool {
        self.ticks_left.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        self.conn.progress_handler(0, None::<fn() -> bool>);
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use rusqlite::Connection;

    const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT count(*) FROM n";

    #[test]
    fn a_long_statement_stops_at_the_bound_and_the_connection_stays_usable() {
        let conn = Connection::open_in_memory().unwrap();
        let run = || conn.query_row(LONG, [], |row| row.get::<_, i64>(0));
        {
            let budget = Budget::start(&conn, 20_000);
            run().unwrap_err();
            assert!(budget.is_spent());
        }
        assert_eq!(run().unwrap(), 200_000);
        let budget = Budget::start(&conn, 1_000_000_000);
        assert_eq!(run().unwrap(), 200_000);
        assert!(!budget.is_spent());
    }
}
