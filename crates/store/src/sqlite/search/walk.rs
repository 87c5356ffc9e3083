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
use crate::sqlite::index::row::WIDTH_OPEN;

/// Entries after which a page that is not full is gathered and sorted instead: matches are rarer than thought.
const WALKED_MAX: usize = 20_000;

/// An index in the order of a key: several ranges that are merged.
pub(super) struct Walk {
    key: SortKey,
    /// The parameter whose values these are; `None`: a resource has one value only.
    of: Option<(SearchType, u32)>,
    ranges: Vec<Sql>,
    read: fn(&Row<'_>) -> rusqlite::Result<SortValue>,
}

impl Walk {
    /// For a page behind `start`; `None` when no index has this order.
    pub(super) fn of(cx: &Cx<'_>, goal: &Goal, key: SortKey, start: Option<&Ranked>) -> Try<Option<Walk>> {
        let start = start.and_then(|start| start.values.first());
        match key.by {
            SortBy::Id => Ok(None),
            SortBy::LastUpdated => match goal.t {
                Some(t) => Walk::by_time(cx, t, key, start).map(Some),
                None => Ok(None),
            },
            SortBy::Param(param) => {
                let Some(p) = cx.p(param, Facet::Value) else { return Ok(None) };
                Ok(match param.def().ty {
                    SearchType::Date => Some(Walk::by_date(p, key, start)),
                    SearchType::String => Some(Walk::by_text(p, key, start)),
                    _ => None,
                })
            }
        }
    }

    /// The change log is in the order of time.
    fn by_time(cx: &Cx<'_>, t: u32, key: SortKey, start: Option<&SortValue>) -> Try<Walk> {
        let mut sql = Sql::with(
            "SELECT r.updated, l.rid FROM latest AS l JOIN resource AS r ON r.rid = l.rid WHERE l.t = ?",
            [t],
        );
        if let Some(SortValue::Int(at)) = start {
            let seq = seq_of_time(cx, if key.descending { at.saturating_add(1) } else { *at })?;
            sql = sql.and(Sql::with(if key.descending { "l.seq < ?" } else { "l.seq >= ?" }, [seq]));
        }
        let sql = sql.and_text(" ORDER BY l.seq ").and_text(direction(key));
        Ok(Walk { key, of: None, ranges: vec![sql], read: |row| Ok(SortValue::Int(row.get(0)?)) })
    }

    /// Periods by their start, one range for each width class.
    fn by_date(p: u32, key: SortKey, start: Option<&SortValue>) -> Walk {
        let of_class = |class: i64| {
            let mut sql = Sql::with("SELECT lo, rid FROM date WHERE p = ? AND w = ?", [i64::from(p), class]);
            if let Some(SortValue::Int(at)) = start {
                sql = sql.and(Sql::with(if key.descending { "lo <= ?" } else { "lo >= ?" }, [*at]));
            }
            sql.and_text(" ORDER BY lo ").and_text(direction(key))
        };
        let ranges = (0..=WIDTH_OPEN).map(of_class).collect();
        Walk { key, of: Some((SearchType::Date, p)), ranges, read: |row| Ok(SortValue::Int(row.get(0)?)) }
    }

    fn by_text(p: u32, key: SortKey, start: Option<&SortValue>) -> Walk {
        let mut sql = Sql::with("SELECT text, rid FROM string WHERE p = ?", [p]);
        if let Some(SortValue::Text(text)) = start {
            sql = sql.and(Sql::with(if key.descending { "text <= ?" } else { "text >= ?" }, [text.clone()]));
        }
        let sql = sql.and_text(" ORDER BY text ").and_text(direction(key));
        Walk {
            key,
            of: Some((SearchType::String, p)),
            ranges: vec![sql],
            read: |row| Ok(SortValue::Text(row.get(0)?)),
        }
    }

    /// Up to `count` matches behind `start`, in order; `None` when the index ends before the page is full (what has no value would come
    /// next) or the walk is long.
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
        let mut n_walked = 0;
        while let Some(ranked) = self.next(&mut streams)? {
            cx.spend(1)?;
            n_walked += 1;
            if n_walked > WALKED_MAX {
                return Ok(None);
            }
            if ties.is_over(&ranked) {
                ties.release(&keys, start, &mut found);
                if found.len() >= count {
                    found.truncate(count);
                    return Ok(Some(found));
                }
            }
            // Of several values the first in this direction is the one that counts. Behind a start it may be one that an earlier page had.
            if seen.is_new(ranked.rid)
                && (start.is_none() || self.is_first_of_row(cx, &ranked)?)
                && goal.holds_of(cx, ranked.rid)?
            {
                ties.rows.push(ranked);
            }
        }
        Ok(None)
    }

    fn is_first_of_row(&self, cx: &Cx<'_>, ranked: &Ranked) -> Try<bool> {
        let Some(of) = self.of else { return Ok(true) };
        Ok(ranked.values.first() == Some(&sort::indexed_value(cx, &self.key, of, ranked.rid)?))
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

fn direction(key: SortKey) -> &'static str {
    if key.descending { "DESC" } else { "ASC" }
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
