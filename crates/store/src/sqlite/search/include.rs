//! `_include`, `_revinclude`, `:iterate`: what comes along with the matches of a page, each once, in bounded rounds.

use std::collections::{HashMap, HashSet};

use fhir::Kind;
use search::{Include, ParamId};

use super::compile;
use super::cx::Cx;
use super::goal::Goal;
use super::link::Link;
use super::row_test::kind_of;
use crate::StoreError;
use crate::sqlite::failure::Try;

/// Follows the includes of one page.
struct Follow<'a> {
    cx: &'a Cx<'a>,
    /// What the caller may see of each type.
    allowed: HashMap<u32, Goal>,
    seen: HashSet<i64>,
    included: Vec<i64>,
}

/// An include, and the parameters that it follows.
struct Way<'a> {
    include: &'a Include,
    /// With the type whose parameter it is.
    links: Vec<(Kind, Link)>,
}

/// Rows that come along with the matches.
pub(super) fn included(cx: &Cx<'_>, includes: &[Include], matches: &[i64]) -> Try<Vec<i64>> {
    let mut follow =
        Follow { cx, allowed: HashMap::new(), seen: matches.iter().copied().collect(), included: Vec::new() };
    let ways: Vec<Way<'_>> = includes.iter().map(|include| Way::of(cx, include)).collect();
    let mut fresh = matches.to_vec();
    for round in 0..=cx.limits.include_rounds_max {
        let mut next = Vec::new();
        for way in ways.iter().filter(|way| round == 0 || way.include.iterate) {
            for rid in &fresh {
                follow.step(way, *rid, &mut next)?;
            }
        }
        fresh = next;
        if fresh.is_empty() {
            break;
        }
    }
    Ok(follow.included)
}

impl<'a> Way<'a> {
    fn of(cx: &Cx<'_>, include: &'a Include) -> Way<'a> {
        let params: Vec<ParamId> = match include.param {
            Some(param) => vec![param],
            None => cx.reference_params().into_iter().map(|(param, _)| param).collect(),
        };
        let params =
            params.into_iter().filter(|param| include.source.is_none_or(|kind| kind_of(*param) == kind));
        let links = params.filter_map(|param| Some((kind_of(param), Link::of(cx, param)?)));
        Way { include, links: links.collect() }
    }
}

impl Follow<'_> {
    fn step(&mut self, way: &Way<'_>, rid: i64, next: &mut Vec<i64>) -> Try<()> {
        let include = way.include;
        let Some(kind) = self.cx.entry(rid)?.and_then(|entry| self.cx.kind_of(entry.t)) else {
            return Ok(());
        };
        let is_forward = !include.reverse;
        if is_forward && include.source.is_some_and(|source| source != kind) {
            return Ok(());
        }
        if !is_forward && include.target.is_some_and(|target| target != kind) {
            return Ok(());
        }
        let forward = if is_forward { self.cx.forward(rid)? } else { Vec::new() };
        for (_, link) in way.links.iter().filter(|(of, _)| !is_forward || *of == kind) {
            let others =
                if is_forward { link.targets(self.cx, &forward)? } else { link.sources(self.cx, rid)? };
            for other in others {
                let wanted = include.target.filter(|_| is_forward);
                if !self.seen.contains(&other) && self.may_come(other, wanted)? {
                    self.seen.insert(other);
                    self.included.push(other);
                    next.push(other);
                }
            }
        }
        let count_max = self.cx.limits.included_max;
        if self.included.len() > count_max {
            return Err(StoreError::TooManyIncluded { count_max }.into());
        }
        Ok(())
    }

    /// Is it there, of the wanted type, and may the caller see it.
    fn may_come(&mut self, rid: i64, wanted: Option<Kind>) -> Try<bool> {
        let Some(entry) = self.cx.entry(rid)? else { return Ok(false) };
        let Some(kind) = self.cx.kind_of(entry.t) else { return Ok(false) };
        if !entry.is_live || wanted.is_some_and(|wanted| wanted != kind) {
            return Ok(false);
        }
        if !self.allowed.contains_key(&entry.t) {
            self.allowed.insert(entry.t, compile::restriction(self.cx, kind)?);
        }
        self.allowed[&entry.t].holds_of(self.cx, rid)
    }
}
