//! One page: matches by rising row number or by `_sort`, from behind the resource that the link names.

use search::{Extractor, Query};

use super::cursor::{self, Binding, Position};
use super::cx::Cx;
use super::drive::{self, Drive};
use super::goal::Goal;
use super::sort::{self, Ranked};
use super::walk::Walk;
use crate::sqlite::failure::{Failure, Try};
use crate::sqlite::read::current::ByRid;
use crate::{Page, StoreError, Stored};

/// Rows of a page and whether more follow.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) rows: Vec<Ranked>,
    pub(super) more: bool,
}

/// Where a page starts.
struct Start {
    rid: i64,
    position: Position,
}

/// The rows of a page.
pub(super) fn cut(
    cx: &Cx<'_>,
    extractor: &Extractor,
    goals: &[Goal],
    query: &Query,
    page: &Page<'_>,
) -> Try<Cut> {
    let start = start_of(cx, query, page)?;
    let count = page.count as usize;
    let mut rows = if query.sort.is_empty() {
        in_order(cx, goals, start.map_or(0, |start| start.rid), count + 1)?
    } else {
        sorted(cx, extractor, goals, query, start, count + 1)?
    };
    let more = rows.len() > count;
    rows.truncate(count);
    Ok(Cut { rows, more })
}

/// The link to the page behind `last`.
pub(super) fn link(last: &Stored, ranked: &Ranked, query: &Query, page: &Page<'_>) -> String {
    let position =
        Position { kind: last.kind.name().into(), id: last.id.to_string(), values: ranked.values.clone() };
    cursor::seal(&position, binding(query, page))
}

fn binding<'a>(query: &'a Query, page: &Page<'a>) -> Binding<'a> {
    Binding { secret: page.cursor_secret, principal: page.principal, canonical: &query.canonical }
}

fn start_of(cx: &Cx<'_>, query: &Query, page: &Page<'_>) -> Try<Option<Start>> {
    let Some(text) = &query.cursor else { return Ok(None) };
    let wrong = || Failure::Store(StoreError::Cursor);
    let position = cursor::open(text, binding(query, page)).ok_or_else(wrong)?;
    let kind = fhir::Kind::parse(&position.kind).ok_or_else(wrong)?;
    // A deleted resource keeps its row number, so a link behind it still works.
    let rid = cx.rid(kind, &position.id)?.ok_or_else(wrong)?;
    if position.values.len() != query.sort.len() {
        return Err(wrong());
    }
    Ok(Some(Start { rid, position }))
}

/// The first rows behind `after`, of all goals together.
fn in_order(cx: &Cx<'_>, goals: &[Goal], after: i64, count: usize) -> Try<Vec<Ranked>> {
    let mut rids: Vec<i64> = Vec::new();
    for goal in goals {
        rids.extend(drive::first(cx, goal, after, count)?);
    }
    rids.sort_unstable();
    rids.dedup();
    rids.truncate(count);
    Ok(rids.into_iter().map(|rid| Ranked { values: Vec::new(), rid }).collect())
}

fn sorted(
    cx: &Cx<'_>,
    extractor: &Extractor,
    goals: &[Goal],
    query: &Query,
    start: Option<Start>,
    count: usize,
) -> Try<Vec<Ranked>> {
    let keys = &query.sort;
    let start = start.map(|start| Ranked { values: start.position.values, rid: start.rid });
    let mut rows: Vec<Ranked> = Vec::new();
    for goal in goals {
        let drive = Drive::choose(cx, goal, usize::MAX / 2)?;
        if drive.is_broad(cx)?
            && let [key] = keys.as_slice()
            && let Some(walk) = Walk::of(cx, goal, *key, start.as_ref())?
            && let Some(found) = walk.run(cx, goal, start.as_ref(), count)?
        {
            rows.extend(found);
            continue;
        }
        drive.run(cx, 0, &mut |rid| {
            let ranked = Ranked { values: sort::values(cx, extractor, keys, rid)?, rid };
            let is_behind = start.as_ref().is_none_or(|start| sort::compare(keys, &ranked, start).is_gt());
            if is_behind {
                rows.push(ranked);
            }
            // Only the first rows are wanted: the others are dropped from time to time.
            if rows.len() >= count * 2 + 1_024 {
                rows.select_nth_unstable_by(count, |a, b| sort::compare(keys, a, b));
                rows.truncate(count);
            }
            Ok(true)
        })?;
    }
    rows.sort_by(|a, b| sort::compare(keys, a, b));
    rows.dedup_by(|a, b| a.rid == b.rid);
    rows.truncate(count);
    Ok(rows)
}

/// The resources of rows.
pub(super) fn load(cx: &Cx<'_>, rids: impl Iterator<Item = i64>) -> Try<Vec<Stored>> {
    let mut all = Vec::new();
    let mut by_rid = ByRid::prepare(cx.conn)?;
    for rid in rids {
        all.extend(by_rid.get(cx.catalog, rid)?);
    }
    Ok(all)
}
