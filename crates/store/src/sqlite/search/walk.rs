//! Sorted pages without sorting: an index that is in the order of the only sort key is walked until the page is full.
//!
//! Worth it when most of what is walked matches; a selective filter is better gathered and sorted.

use fhir::definitions::SearchType;
use rusqlite::{CachedStatement, Row, Rows, params_from_iter};
use search::{SortBy, SortKey};

use super::cx::Cx;
use super::goal::Goal;
use super::sets::Seen;
use super::sort::{self, Ranked, SortValue};
use super::sql::Sql;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;

/// An index in the order of a key: several ranges that are merged.
pub(super) struct Walk {
    key: SortKey,
    ranges: Vec<Sql>,
    read: fn(&Row<'_>) -> rusqlite::Result<SortValue>,
}

impl Walk {
    /// For a page behind `start`; `None` when no index has this order.
    pub(super) fn of(cx: &Cx<'_>, goal: &Goal, key: SortKey, start: Option<&Ranked>) -> Option<Walk> {
        let order = if key.descending { "DESC" } else { "ASC" };
        let compared = if key.descending { "<=" } else { ">=" };
        let start = start.and_then(|start| start.values.first());
        match key.by {
            SortBy::Id => None,
            SortBy::LastUpdated => {
                let mut sql = Sql::with(
                    "SELECT r.updated, l.rid FROM latest AS l JOIN resource AS r ON r.rid = l.rid WHERE l.t = ?",
                    [goal.t?],
                );
                if let Some(SortValue::Int(at)) = start {
                    // Positions rise with time: the walk begins with the first position of that time.
                    let seq =
                        seq_of_time(cx, if key.descending { at.saturating_add(1) } else { *at }).ok()?;
                    let bound = if key.descending { "l.seq < ?" } else { "l.seq >= ?" };
                    sql = sql.and(Sql::with(bound, [seq]));
                }
                let sql = sql.and_text(&format!(" ORDER BY l.seq {order}"));
                Some(Walk { key, ranges: vec![sql], read: |row| Ok(SortValue::Int(row.get(0)?)) })
            }
            SortBy::Param(param) => {
                let p = cx.p(param, Facet::Value)?;
                let (column, table, classes): (_, _, &[i64]) = match param.def().ty {
                    SearchType::Date => ("lo", "date", &[0, 1, 2]),
                    SearchType::String => ("text", "string", &[]),
                    _ => return None,
                };
                let of_class = |class: Option<&i64>| {
                    let mut sql = Sql::text(&format!("SELECT {column}, rid FROM {table} WHERE "))
                        .and_sql(Sql::with("p = ?", [p]));
                    if let Some(class) = class {
                        sql = sql.and(Sql::with("w = ?", [*class]));
                    }
                    match start {
                        Some(SortValue::Int(at)) => {
                            sql = sql.and(Sql::with(&format!("{column} {compared} ?"), [*at]))
                        }
                        Some(SortValue::Text(text)) => {
                            sql = sql.and(Sql::with(&format!("{column} {compared} ?"), [text.clone()]));
                        }
                        Some(SortValue::Bytes(_) | SortValue::Missing) | None => {}
                    }
                    sql.and_text(&format!(" ORDER BY {column} {order}"))
                };
                let ranges = if classes.is_empty() {
                    vec![of_class(None)]
                } else {
                    classes.iter().map(|c| of_class(Some(c))).collect()
                };
                let read: fn(&Row<'_>) -> rusqlite::Result<SortValue> = match table {
                    "date" => |row| Ok(SortValue::Int(row.get(0)?)),
                    _ => |row| Ok(SortValue::Text(row.get(0)?)),
                };
                Some(Walk { key, ranges, read })
            }
        }
    }

    /// Up to `count` matches behind `start`, in order; `None` when the index ends before the page is full, because what has no value
    /// would come next.
    pub(super) fn run(
        &self,
        cx: &Cx<'_>,
        goal: &Goal,
        start: Option<&Ranked>,
        count: usize,
    ) -> Try<Option<Vec<Ranked>>> {
        let keys = [self.key];
        let mut statements: Vec<CachedStatement<'_>> = Vec::with_capacity(self.ranges.len());
        for sql in &self.ranges {
            statements.push(cx.conn.prepare_cached(sql.as_str())?);
        }
        let mut streams: Vec<Stream<'_>> = Vec::with_capacity(statements.len());
        for (statement, sql) in statements.iter_mut().zip(&self.ranges) {
            let rows = statement.query(params_from_iter(sql.args()))?;
            streams.push(Stream { rows, head: None });
        }
        for stream in &mut streams {
            stream.step(self.read)?;
        }
        let (mut found, mut ties, mut seen) = (Vec::new(), Ties::default(), Seen::default());
        while let Some(ranked) = self.next(&mut streams)? {
            cx.spend(1)?;
            if ties.is_over(&ranked) {
                ties.release(&keys, start, &mut found);
                if found.len() >= count {
                    found.truncate(count);
                    return Ok(Some(found));
                }
            }
            // Of several values the first in this direction is the one that counts.
            if seen.is_new(ranked.rid) && goal.holds_of(cx, ranked.rid)? {
                ties.rows.push(ranked);
            }
        }
        Ok(None)
    }

    /// The first of all streams.
    fn next(&self, streams: &mut [Stream<'_>]) -> Try<Option<Ranked>> {
        let keys = [self.key];
        let mut first: Option<usize> = None;
        for at in 0..streams.len() {
            let Some(head) = &streams[at].head else { continue };
            let is_before = first
                .and_then(|first| streams[first].head.as_ref())
                .is_none_or(|best| sort::compare(&keys, head, best).is_lt());
            if is_before {
                first = Some(at);
            }
        }
        let Some(first) = first else { return Ok(None) };
        let head = streams[first].head.take();
        streams[first].step(self.read)?;
        Ok(head)
    }
}

/// A range that is being walked.
struct Stream<'s> {
    rows: Rows<'s>,
    head: Option<Ranked>,
}

impl Stream<'_> {
    fn step(&mut self, read: fn(&Row<'_>) -> rusqlite::Result<SortValue>) -> rusqlite::Result<()> {
        self.head = match self.rows.next()? {
            Some(row) => Some(Ranked { values: vec![read(row)?], rid: row.get(1)? }),
            None => None,
        };
        Ok(())
    }
}

/// Matches with the same value: among them the order of rows counts.
#[derive(Default)]
struct Ties {
    rows: Vec<Ranked>,
}

impl Ties {
    /// Does another value begin.
    fn is_over(&self, next: &Ranked) -> bool {
        self.rows.first().is_some_and(|first| first.values != next.values)
    }

    fn release(&mut self, keys: &[SortKey], start: Option<&Ranked>, found: &mut Vec<Ranked>) {
        self.rows.sort_by(|a, b| sort::compare(keys, a, b));
        let is_behind =
            |ranked: &Ranked| start.is_none_or(|start| sort::compare(keys, ranked, start).is_gt());
        found.extend(self.rows.drain(..).filter(is_behind));
    }
}

/// The first position of the change log whose time is not before `at`.
pub(super) fn seq_of_time(cx: &Cx<'_>, at: i64) -> Try<i64> {
    let last: i64 =
        cx.conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM log")?.query_row([], |row| row.get(0))?;
    let sql = "SELECT q.at FROM log AS l JOIN request AS q ON q.request = l.request WHERE l.seq >= ?1 ORDER BY l.seq LIMIT 1";
    let mut statement = cx.conn.prepare_cached(sql)?;
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        cx.spend(1)?;
        let time: i64 = statement.query_row([middle], |row| row.get(0))?;
        if time < at { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
