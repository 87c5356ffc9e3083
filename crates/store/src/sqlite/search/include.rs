//! `_include`, `_revinclude`, `:iterate`: what comes along with the matches of a page, each once, in bounded rounds.

use std::collections::{HashMap, HashSet};

use fhir::Kind;
use search::{Include, ParamId};

use super::compile;
use super::cx::Cx;
use super::goal::Goal;
use super::row_test::kind_of;
use super::sets::pointing_at;
use crate::StoreError;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;

/// Follows the includes of one page.
struct Follow<'a> {
    cx: &'a Cx<'a>,
    /// What the caller may see of each type.
    allowed: HashMap<u32, Goal>,
    seen: HashSet<i64>,
    included: Vec<i64>,
}

/// Rows that come along with the matches.
pub(super) fn included(cx: &Cx<'_>, includes: &[Include], matches: &[i64]) -> Try<Vec<i64>> {
    let mut follow =
        Follow { cx, allowed: HashMap::new(), seen: matches.iter().copied().collect(), included: Vec::new() };
    let mut fresh = matches.to_vec();
    for round in 0..=cx.limits.include_rounds_max {
        let mut next = Vec::new();
        for include in includes.iter().filter(|include| round == 0 || include.iterate) {
            for rid in &fresh {
                follow.step(include, *rid, &mut next)?;
            }
        }
        fresh = next;
        if fresh.is_empty() {
            break;
        }
    }
    Ok(follow.included)
}

impl Follow<'_> {
    fn step(&mut self, include: &Include, rid: i64, next: &mut Vec<i64>) -> Try<()> {
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
        for p in self.params(include, is_forward.then_some(kind)) {
            let others =
                if is_forward { self.cx.rows_of(&forward, p)? } else { pointing_at(self.cx, p, rid)? };
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

    /// Numbers of the parameters that an include follows; `of`: only those of this type.
    fn params(&self, include: &Include, of: Option<Kind>) -> Vec<u32> {
        match include.param {
            Some(param) => self.cx.p(param, Facet::Value).into_iter().collect(),
            None => {
                let wanted = |param: ParamId| of.or(include.source).is_none_or(|kind| kind_of(param) == kind);
                self.cx
                    .reference_params()
                    .into_iter()
                    .filter(|(param, _)| wanted(*param))
                    .map(|(_, p)| p)
                    .collect()
            }
        }
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
