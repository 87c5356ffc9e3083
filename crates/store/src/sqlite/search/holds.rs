//! Does a goal hold of a row: the rows of the resource are fetched once, every filter looks at them.

use std::cell::OnceCell;

use super::cx::{Cx, Entry};
use super::goal::{Chain, Goal, Has, Memo, Probe};
use super::test::date;
use crate::sqlite::failure::Try;

/// A candidate, with what was fetched of it so far.
pub(super) struct Candidate<'a> {
    pub(super) rid: i64,
    cx: &'a Cx<'a>,
    forward: OnceCell<Vec<u8>>,
    entry: OnceCell<Option<Entry>>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(cx: &'a Cx<'a>, rid: i64) -> Candidate<'a> {
        Candidate { rid, cx, forward: OnceCell::new(), entry: OnceCell::new() }
    }

    /// All its index rows.
    pub(super) fn forward(&self) -> Try<&[u8]> {
        if let Some(rows) = self.forward.get() {
            return Ok(rows);
        }
        let rows = self.cx.forward(self.rid)?;
        Ok(self.forward.get_or_init(|| rows))
    }

    /// Its type and time.
    pub(super) fn entry(&self) -> Try<Option<Entry>> {
        if let Some(entry) = self.entry.get() {
            return Ok(*entry);
        }
        let entry = self.cx.entry(self.rid)?;
        Ok(*self.entry.get_or_init(|| entry))
    }
}

impl Goal {
    /// Is there a resource of the type at this row, and does the goal hold of it.
    pub(super) fn holds_of(&self, cx: &Cx<'_>, rid: i64) -> Try<bool> {
        let candidate = Candidate::new(cx, rid);
        match candidate.entry()? {
            Some(entry) if entry.is_live && Some(entry.t) == self.t => self.holds(cx, &candidate),
            _ => Ok(false),
        }
    }

    /// Do all probes hold; the type is right.
    pub(super) fn holds(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<bool> {
        for probe in &self.probes {
            if !probe.holds(cx, candidate)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Probe {
    pub(super) fn holds(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<bool> {
        match self {
            Probe::Rows(test) => test.holds(candidate.forward()?),
            Probe::Presence { of, missing } => Ok(of.holds(candidate.forward()?) != *missing),
            Probe::Rids { rids, negated } => Ok(rids.binary_search(&candidate.rid).is_ok() != *negated),
            Probe::Updated(any_of) => {
                // When a version was written is one microsecond.
                let updated = candidate.entry()?.map(|entry| entry.updated.0);
                Ok(updated.is_some_and(|lo| any_of.iter().any(|operand| date::passes(operand, lo, lo + 1))))
            }
            Probe::Chain(chain) => chain.holds(cx, candidate),
            Probe::Has(has) => has.holds(cx, candidate.rid),
            Probe::Relation(probe) => probe.holds(cx, candidate),
            Probe::Any(any) => {
                for probe in any {
                    if probe.holds(cx, candidate)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

impl Chain {
    fn holds(&self, cx: &Cx<'_>, candidate: &Candidate<'_>) -> Try<bool> {
        let Some(link) = &self.link else { return Ok(false) };
        for target in link.targets(cx, candidate.forward()?)? {
            if remembered(&self.memo, target, || self.any_holds(cx, target))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any_holds(&self, cx: &Cx<'_>, target: i64) -> Try<bool> {
        for goal in &self.any_of {
            if goal.holds_of(cx, target)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Has {
    fn holds(&self, cx: &Cx<'_>, rid: i64) -> Try<bool> {
        let Some(link) = &self.link else { return Ok(false) };
        let mut statement = cx.conn.prepare_cached("SELECT rid FROM ref WHERE p = ?1 AND target = ?2")?;
        let mut rows = statement.query((link.p, cx.target_of(rid)?))?;
        while let Some(row) = rows.next()? {
            let source = row.get(0)?;
            cx.spend(1)?;
            if remembered(&self.memo, source, || self.goal.holds_of(cx, source))? {
                return Ok(true);
            }
        }
        for source in link.candidates(cx, rid)? {
            if remembered(&self.memo, source, || self.goal.holds_of(cx, source))?
                && link.points_at(cx, source, rid)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn remembered(memo: &Memo, rid: i64, ask: impl FnOnce() -> Try<bool>) -> Try<bool> {
    if let Some(known) = memo.borrow().get(&rid) {
        return Ok(*known);
    }
    let holds = ask()?;
    memo.borrow_mut().insert(rid, holds);
    Ok(holds)
}
