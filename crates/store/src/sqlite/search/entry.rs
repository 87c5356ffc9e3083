//! The questions that are asked of the index: a page, one match, ids, how many.

use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::Connection;
use search::query::Test;
use search::{Branch, Filter, Query, Restriction, Restrictions, Summary, Total};

use super::cx::Cx;
use super::drive::{self, Drive};
use super::goal::Goal;
use super::{compile, include, page};
use crate::prepare::Found;
use crate::sqlite::Shared;
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::hash::id_text;
use crate::{Page, SearchPage, StoreLimits, Tenant};

/// One page of a search.
pub(crate) fn search(
    conn: &Connection,
    shared: &Shared,
    catalog: &Catalog,
    tenant: &Tenant,
    query: &Query,
    restrictions: &Restrictions,
    wanted: &Page<'_>,
) -> Try<SearchPage> {
    let needs_total = query.total != Total::None || query.summary == Summary::Count || wanted.count == 0;
    let Some(number) = catalog.tenant(tenant) else {
        return Ok(SearchPage { total: needs_total.then_some(0), ..SearchPage::default() });
    };
    let cx = Cx::new(conn, catalog, number, restrictions, &shared.config.limits, query.now);
    let goals = goals(&cx, query)?;
    let mut answer = SearchPage::default();
    if query.summary != Summary::Count && wanted.count > 0 {
        let cut = page::cut(&cx, &shared.planner.extractor, &goals, query, wanted)?;
        answer.matches = page::load(&cx, cut.rows.iter().map(|row| row.rid))?;
        if let (Some(last), Some(row), true) = (answer.matches.last(), cut.rows.last(), cut.more) {
            answer.next = Some(page::link(last, row, query, wanted));
        }
        if !query.includes.is_empty() {
            let rids: Vec<i64> = cut.rows.iter().map(|row| row.rid).collect();
            let included = include::included(&cx, &query.includes, &rids)?;
            answer.included = page::load(&cx, included.into_iter())?;
        }
    }
    if needs_total {
        let mut total = 0;
        for goal in &goals {
            total += Drive::choose(&cx, goal, usize::MAX / 2)?.count(&cx)?;
        }
        answer.total = Some(total);
    }
    Ok(answer)
}

/// The goals of a query's branches, each type once.
fn goals(cx: &Cx<'_>, query: &Query) -> Try<Vec<Goal>> {
    let known = query.branches.iter().filter(|branch| cx.t(branch.kind).is_some());
    let visible = known.filter(|branch| *cx.restriction(branch.kind) != Restriction::Nothing);
    visible.map(|branch| compile::goal(cx, branch)).collect()
}

/// Does a search have no match, one, or more.
pub(crate) fn find_one(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    query: &Query,
    restrictions: &Restrictions,
    limits: &StoreLimits,
) -> Try<Found> {
    let mut found = find_ids(conn, catalog, tenant, query, restrictions, limits, 2)?;
    Ok(match (found.pop(), found.pop()) {
        (None, _) => Found::None,
        (Some((kind, id)), None) => Found::One(kind, id),
        (Some(_), Some(_)) => Found::Many,
    })
}

/// Up to `max` matches by type and id.
pub(crate) fn find_ids(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    query: &Query,
    restrictions: &Restrictions,
    limits: &StoreLimits,
    max: usize,
) -> Try<Vec<(Kind, CompactString)>> {
    let Some(number) = catalog.tenant(tenant) else { return Ok(Vec::new()) };
    let cx = Cx::new(conn, catalog, number, restrictions, limits, query.now);
    let mut rids = Vec::new();
    for goal in goals(&cx, query)? {
        rids.extend(drive::first(&cx, &goal, 0, max - rids.len())?);
    }
    let mut names = Vec::with_capacity(rids.len());
    let mut statement = conn.prepare_cached("SELECT t, id FROM resource WHERE rid = ?1")?;
    for rid in rids {
        let (t, id) = statement.query_row([rid], |row| Ok((row.get::<_, u32>(0)?, id_text(row, 1)?)))?;
        let kind = cx.kind_of(t).ok_or_else(|| damaged(format!("row {rid} is of no known type")))?;
        names.push((kind, id));
    }
    Ok(names)
}

/// How many resources of a type the restrictions let through.
pub(crate) fn count_kind(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    kind: Kind,
    restrictions: &Restrictions,
    limits: &StoreLimits,
) -> Try<u64> {
    let Some(number) = catalog.tenant(tenant) else { return Ok(0) };
    let cx = Cx::new(conn, catalog, number, restrictions, limits, Instant(0));
    let goal = compile::restriction(&cx, kind)?;
    Drive::choose(&cx, &goal, usize::MAX / 2)?.count(&cx)
}

/// May the answer depend on resources of another type than the searched one.
pub(crate) fn touches_other_kinds(query: &Query) -> bool {
    query.branches.len() != 1 || query.branches.iter().any(branch_reaches)
}

fn branch_reaches(branch: &Branch) -> bool {
    branch.filters.iter().any(reaches)
}

fn reaches(filter: &Filter) -> bool {
    match filter {
        Filter::Chain { .. } | Filter::Has { .. } | Filter::List(_) | Filter::Relation { .. } => true,
        Filter::Value { test: Test::ReferenceHierarchy { .. }, .. } => true,
        Filter::Any(any) => any.iter().any(reaches),
        Filter::Id { .. } | Filter::LastUpdated(_) | Filter::Value { .. } | Filter::Missing { .. } => false,
    }
}
