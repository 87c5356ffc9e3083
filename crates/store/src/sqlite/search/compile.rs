//! A branch of a query becomes a goal. The restriction of the type is part of every goal, whichever way the query touches the type.

use fhir::Kind;
use search::{Branch, Filter, ParamId};

use super::cx::Cx;
use super::goal::{Chain, Goal, Has, Memo, Probe};
use super::link::Link;
use super::relation::RelationProbe;
use super::row_test::{Presence, RowTest};
use super::sets;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;

/// The goal of a branch.
pub(super) fn goal(cx: &Cx<'_>, branch: &Branch) -> Try<Goal> {
    let mut probes = Vec::with_capacity(branch.filters.len() + 1);
    for filter in &branch.filters {
        probes.push(probe(cx, branch.kind, filter)?);
    }
    if let Some(filter) = cx.restriction(branch.kind).filter(branch.kind) {
        probes.push(probe(cx, branch.kind, &filter)?);
    }
    Ok(Goal { t: cx.t(branch.kind), probes })
}

/// What the restriction alone allows of a type.
pub(super) fn restriction(cx: &Cx<'_>, kind: Kind) -> Try<Goal> {
    goal(cx, &Branch { kind, filters: Vec::new() })
}

fn probe(cx: &Cx<'_>, kind: Kind, filter: &Filter) -> Try<Probe> {
    Ok(match filter {
        Filter::Id { any_of, negated } => {
            let mut rids = Vec::with_capacity(any_of.len());
            for id in any_of {
                rids.extend(cx.rid(kind, id)?);
            }
            rids.sort_unstable();
            rids.dedup();
            Probe::Rids { rids, negated: *negated }
        }
        Filter::LastUpdated(any_of) => Probe::Updated(any_of.clone()),
        Filter::Value { param, test } => Probe::Rows(RowTest::compile(cx, *param, test)?),
        Filter::Missing { param, missing } => {
            Probe::Presence { of: Presence::of(cx, *param), missing: *missing }
        }
        Filter::Chain { param, any_of } => {
            let goals = any_of.iter().map(|branch| goal(cx, branch)).collect::<Try<Vec<Goal>>>()?;
            Probe::Chain(Chain { link: Link::of(cx, *param), any_of: goals, memo: Memo::default() })
        }
        Filter::Has { param, branch } => {
            let goal = Box::new(goal(cx, branch)?);
            Probe::Has(Has { link: Link::of(cx, *param), goal, memo: Memo::default() })
        }
        Filter::List(ids) => list(cx, ids)?,
        Filter::Relation { relation, any_of, negated } => {
            Probe::Relation(RelationProbe::compile(cx, kind, *relation, any_of, *negated)?)
        }
        Filter::Any(any) => Probe::Any(any.iter().map(|filter| probe(cx, kind, filter)).collect::<Try<_>>()?),
    })
}

/// Items of lists that the caller may see.
fn list(cx: &Cx<'_>, ids: &[compact_str::CompactString]) -> Try<Probe> {
    let kind = Kind::named("List");
    let mut rids = Vec::new();
    let items = ParamId::find(kind, "item").and_then(|param| cx.p(param, Facet::Value));
    if let Some(p) = items {
        let allowed = restriction(cx, kind)?;
        for id in ids {
            if let Some(rid) = cx.rid(kind, id)?
                && allowed.holds_of(cx, rid)?
            {
                rids.extend(cx.rows_of(&cx.forward(rid)?, p)?);
            }
        }
    }
    sets::sort(&mut rids);
    Ok(Probe::Rids { rids, negated: false })
}
