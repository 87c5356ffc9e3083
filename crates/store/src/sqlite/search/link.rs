//! A reference parameter as a way between resources, forth and back: over references by row number, over canonical addresses by `url` and
//! `version` of what they name.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use fhir::Kind;
use search::ParamId;

use super::arm::Arm;
use super::cx::Cx;
use super::row_test;
use super::sets;
use super::sql::Sql;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;
use crate::sqlite::index::blob;
use crate::sqlite::index::row::{Row, Sort};

/// A parameter that is followed.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) p: u32,
    /// Types that a canonical address may lead to; empty when the parameter has references and no addresses.
    to: Vec<Addressed>,
    /// What addresses lead to: many resources name one questionnaire.
    known: RefCell<HashMap<Address, Rc<[i64]>>>,
}

/// Name of the `url`, and hash of the `version` when one is stated.
type Address = (u32, Option<i64>);

/// A type whose resources have canonical addresses.
#[derive(Debug)]
struct Addressed {
    t: u32,
    /// Number of the parameter `url`.
    url: u32,
    /// Number of the parameter `version`; `None` when no resource states one.
    version: Option<u32>,
}

impl Link {
    /// `None` when no resource has a value of the parameter.
    pub(super) fn of(cx: &Cx<'_>, param: ParamId) -> Option<Link> {
        let p = cx.p(param, Facet::Value)?;
        let mut to = Vec::new();
        if param.holds_addresses() {
            for kind in Kind::all().filter(|kind| param.def().leads_to(*kind)) {
                let Some((url, version)) = ParamId::canonical_of(kind) else { continue };
                if let (Some(t), Some(url)) = (cx.t(kind), cx.p(url, Facet::Value)) {
                    to.push(Addressed { t, url, version: cx.p(version, Facet::Value) });
                }
            }
        }
        Some(Link { p, to, known: RefCell::default() })
    }

    /// Rows that a resource with these index rows points at, there or not; perhaps one twice.
    pub(super) fn targets(&self, cx: &Cx<'_>, forward: &[u8]) -> Try<Vec<i64>> {
        let mut targets = cx.rows_of(forward, self.p)?;
        if !self.to.is_empty() {
            for (url, version) in self.stated(cx, forward)? {
                targets.extend_from_slice(&self.with_address(cx, url, version)?);
            }
        }
        Ok(targets)
    }

    /// Rows that point at a row, rising.
    pub(super) fn sources(&self, cx: &Cx<'_>, rid: i64) -> Try<Vec<i64>> {
        let mut sources = sets::pointing_at(cx, self.p, rid)?;
        for source in self.candidates(cx, rid)? {
            if self.points_at(cx, source, rid)? {
                sources.push(source);
            }
        }
        sets::sort(&mut sources);
        Ok(sources)
    }

    /// Rows that may point at a row by its canonical address: those of every version.
    pub(super) fn candidates(&self, cx: &Cx<'_>, rid: i64) -> Try<Vec<i64>> {
        let mut candidates = Vec::new();
        for url in self.addresses_of(cx, rid)? {
            candidates.extend(self.rows(cx, self.p, url)?);
        }
        Ok(candidates)
    }

    /// Does a row point at another one.
    pub(super) fn points_at(&self, cx: &Cx<'_>, source: i64, rid: i64) -> Try<bool> {
        Ok(self.targets(cx, &cx.forward(source)?)?.contains(&rid))
    }

    /// Ranges of the index with everything that points at a row, and more: of an address every version.
    pub(super) fn arms_to(&self, cx: &Cx<'_>, rid: i64) -> Try<Vec<Arm>> {
        let target = cx.target_of(rid)?;
        let mut arms =
            vec![Arm::new("ref", Sql::with("p = ? AND target = ?", [i64::from(self.p), target]), true)];
        for url in self.addresses_of(cx, rid)? {
            arms.push(Arm::new("uri", Sql::with("p = ? AND n = ?", [self.p, url]), true));
        }
        Ok(arms)
    }

    /// Names that are the `url` of a resource which the parameter can lead to.
    fn addresses_of(&self, cx: &Cx<'_>, rid: i64) -> Try<Vec<u32>> {
        if self.to.is_empty() {
            return Ok(Vec::new());
        }
        let t = cx.entry(rid)?.map(|entry| entry.t);
        match self.to.iter().find(|to| Some(to.t) == t) {
            Some(to) => names(&cx.forward(rid)?, to.url),
            None => Ok(Vec::new()),
        }
    }

    /// The addresses that a resource states. `url` is in the index beside each `url|1`; when it was
    /// stated by itself as well, `url|` says so. What has a `#` names a part of a resource and leads nowhere.
    fn stated(&self, cx: &Cx<'_>, forward: &[u8]) -> Try<Vec<Address>> {
        let ns = names(forward, self.p)?;
        let mut texts: Vec<(u32, Rc<str>)> = Vec::with_capacity(ns.len());
        for n in ns {
            texts.push((n, cx.name(n)?));
        }
        let numbers: HashMap<&str, u32> = texts.iter().map(|(n, text)| (&**text, *n)).collect();
        let with_version: HashSet<&str> =
            texts.iter().filter_map(|(_, text)| Some(text.split_once('|')?.0)).collect();
        let mut stated = Vec::with_capacity(texts.len());
        for (n, text) in texts.iter().filter(|(_, text)| !text.contains('#')) {
            match text.split_once('|') {
                Some((url, version)) => {
                    // An index that is being replaced may lack the `url` of some: they are not followed until then.
                    if let Some(url) = numbers.get(url) {
                        let version = Some(version).filter(|version| !version.is_empty());
                        stated.push((*url, version.map(|version| cx.hash().text(version))));
                    }
                }
                None if with_version.contains(&**text) => {}
                None => stated.push((*n, None)),
            }
        }
        Ok(stated)
    }

    /// All resources with this `url`, and this `version` when one is given.
    fn with_address(&self, cx: &Cx<'_>, url: u32, version: Option<i64>) -> Try<Rc<[i64]>> {
        if let Some(known) = self.known.borrow().get(&(url, version)) {
            return Ok(Rc::clone(known));
        }
        let mut found = Vec::new();
        for to in &self.to {
            if version.is_some() && to.version.is_none() {
                continue;
            }
            for rid in self.rows(cx, to.url, url)? {
                let fits = match (version, to.version) {
                    (Some(version), Some(p)) => has_token(&cx.forward(rid)?, p, version)?,
                    _ => true,
                };
                if fits {
                    found.push(rid);
                }
            }
        }
        let found: Rc<[i64]> = found.into();
        self.known.borrow_mut().insert((url, version), Rc::clone(&found));
        Ok(found)
    }

    /// Resources that have a name as a value of a parameter.
    fn rows(&self, cx: &Cx<'_>, p: u32, n: u32) -> Try<Vec<i64>> {
        let mut statement =
            cx.conn.prepare_cached("SELECT rid FROM uri WHERE p = ?1 AND n = ?2 ORDER BY rid")?;
        let rids = statement.query_map((p, n), |row| row.get(0))?;
        let rids: Vec<i64> = rids.collect::<rusqlite::Result<_>>()?;
        cx.spend(rids.len() as u64 + 1)?;
        Ok(rids)
    }
}

/// Names that a resource with these index rows has as values of a parameter.
fn names(forward: &[u8], p: u32) -> Try<Vec<u32>> {
    let mut names = Vec::new();
    for row in blob::find(forward, Sort::Uri, p) {
        if let Row::Uri { n, .. } = row.ok_or_else(row_test::unreadable)? {
            names.push(n);
        }
    }
    Ok(names)
}

fn has_token(forward: &[u8], p: u32, wanted: i64) -> Try<bool> {
    for row in blob::find(forward, Sort::Token, p) {
        if matches!(row.ok_or_else(row_test::unreadable)?, Row::Token { h, .. } if h == wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}
