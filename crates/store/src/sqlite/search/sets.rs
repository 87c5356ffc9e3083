//! Sets of row numbers that a filter is about: lists sorted, each number once.

use std::collections::HashSet;

use compact_str::CompactString;
use fhir::Kind;
use search::ParamId;

use super::compile;
use super::cx::Cx;
use super::goal::Goal;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;

/// Row numbers that came before.
#[derive(Default)]
pub(super) struct Seen(HashSet<i64>);

impl Seen {
    /// Remembers a number. True: it was not there.
    pub(super) fn is_new(&mut self, rid: i64) -> bool {
        self.0.insert(rid)
    }
}

/// Sorts, and leaves each number once.
pub(super) fn sort(rids: &mut Vec<i64>) {
    rids.sort_unstable();
    rids.dedup();
}

/// What references point at when they point at the starting points or all below (or above) them along the hierarchy of their type. What the caller may not see is not passed
/// through.
pub(super) fn hierarchy(cx: &Cx<'_>, any_of: &[(Kind, CompactString)], below: bool) -> Try<Vec<i64>> {
    let mut all = Vec::new();
    for (kind, id) in any_of {
        let Some(start) = cx.rid(*kind, id)? else { continue };
        let param = ParamId::hierarchy_of(*kind).and_then(|param| cx.p(param, Facet::Value));
        let allowed = compile::restriction(cx, *kind)?;
        let mut seen = vec![start];
        let mut next = 0;
        while let (Some(rid), Some(p)) = (seen.get(next).copied(), param) {
            next += 1;
            for other in step(cx, &allowed, p, rid, below)? {
                if !seen.contains(&other) {
                    seen.push(other);
                }
            }
        }
        all.extend(seen);
    }
    let mut all = all.into_iter().map(|rid| cx.target_of(rid)).collect::<Try<Vec<i64>>>()?;
    sort(&mut all);
    Ok(all)
}

/// One step down to what points here and may be seen, or, from a resource that may be seen, up to what it points at.
fn step(cx: &Cx<'_>, allowed: &Goal, p: u32, rid: i64, below: bool) -> Try<Vec<i64>> {
    let mut others = Vec::new();
    if below {
        for other in pointing_at(cx, p, rid)? {
            if allowed.holds_of(cx, other)? {
                others.push(other);
            }
        }
    } else if allowed.holds_of(cx, rid)? {
        for other in cx.rows_of(&cx.forward(rid)?, p)? {
            if cx.entry(other)?.is_some_and(|entry| Some(entry.t) == allowed.t) {
                others.push(other);
            }
        }
    }
    Ok(others)
}

/// Rows that point at a row by a parameter.
pub(super) fn pointing_at(cx: &Cx<'_>, p: u32, rid: i64) -> Try<Vec<i64>> {
    let mut statement =
        cx.conn.prepare_cached("SELECT rid FROM ref WHERE p = ?1 AND target = ?2 ORDER BY rid")?;
    let rids = statement.query_map((p, cx.target_of(rid)?), |row| row.get(0))?;
    let rids: Vec<i64> = rids.collect::<rusqlite::Result<_>>()?;
    cx.spend(rids.len() as u64 + 1)?;
    Ok(rids)
}
