//! Chooses what drives a search, and runs it: rows in rising order from the most selective source, every other filter probed by row.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rusqlite::{CachedStatement, Rows, params_from_iter};
use search::query::DateOperand;

use super::arm::{Arm, Arms};
use super::cx::Cx;
use super::goal::{Goal, Probe};
use super::holds::Candidate;
use super::link::Link;
use super::sets;
use super::sql::Sql;
use super::test::date;
use super::walk::seq_of_time;
use crate::sqlite::failure::{Failure, Try};

/// Resources that a chain may lead over to be driven from its far end.
const FAR_END_MAX: usize = 1_000;
/// Ordered ranges that are merged; of more all rows are gathered and sorted.
const MERGED_MAX: usize = 32;

/// Where candidates come from.
enum Source {
    /// Every resource of the type.
    Live,
    /// Ranges of the index.
    Arms(Arms),
    /// These rows.
    Rids(Vec<i64>),
}

/// How a goal is run.
pub(super) struct Drive<'g> {
    goal: &'g Goal,
    source: Source,
    /// The probe that drives and need not be asked again.
    settled: Option<usize>,
    /// Candidates may be of another type, or gone.
    unsure: bool,
    /// How many candidates there may be, counted up to `many_rows`; `None`: not counted.
    n: Option<u64>,
}

/// Looks at one match; false ends the run.
pub(super) type Visit<'v> = dyn FnMut(i64) -> Try<bool> + 'v;

/// The first matches behind `after`, in rising order, at most `wanted`.
pub(super) fn first(cx: &Cx<'_>, goal: &Goal, after: i64, wanted: usize) -> Try<Vec<i64>> {
    let mut found: Vec<i64> = Vec::new();
    let mut after = after;
    if wanted == 0 {
        return Ok(found);
    }
    // Every source rises, so one can go on where another one stopped.
    let mut walk = |drive: &Drive<'_>, length: Length| {
        let stopped = drive.walk(cx, after, length, &mut |rid| {
            found.push(rid);
            Ok(found.len() < wanted)
        })?;
        after = stopped.unwrap_or(after);
        Ok::<_, Failure>(stopped.is_none() || found.len() >= wanted)
    };
    let is_done = match Drive::at_once(cx, goal)? {
        At::Once(drive) => walk(&drive, Length::Whole)?,
        At::Trial(drive) => walk(&drive, Length::Trial)?,
        At::Unknown => false,
    };
    if !is_done {
        walk(&Drive::among_many(cx, goal, wanted)?, Length::Whole)?;
    }
    Ok(found)
}

/// How far candidates are walked through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    /// To their end.
    Whole,
    /// As long as enough of them match.
    Trial,
}

/// What is known before rows are counted in earnest.
enum At<'g> {
    /// This one drives.
    Once(Drive<'g>),
    /// Worth a trial: it may be as good as any.
    Trial(Drive<'g>),
    Unknown,
}

impl<'g> Drive<'g> {
    /// Chooses for a caller who wants about `wanted` matches.
    pub(super) fn choose(cx: &Cx<'_>, goal: &'g Goal, wanted: usize) -> Try<Drive<'g>> {
        match Drive::at_once(cx, goal)? {
            At::Once(drive) => Ok(drive),
            At::Trial(_) | At::Unknown => Drive::among_many(cx, goal, wanted),
        }
    }

    fn at_once(cx: &Cx<'_>, goal: &'g Goal) -> Try<At<'g>> {
        if goal.is_never() {
            let source = Source::Rids(Vec::new());
            return Ok(At::Once(Drive { goal, source, settled: None, unsure: false, n: Some(0) }));
        }
        // The only filter drives whatever it lists, unless that has to be sorted first.
        if let [probe] = goal.probes.as_slice()
            && let Some(source) = source_of(cx, goal.t, probe, cx.limits.few_rows)?
            && source.is_ordered()
        {
            return Ok(At::Once(Drive::by(goal, 0, source)));
        }
        Ok(match Drive::best(cx, goal, cx.limits.few_rows)? {
            Some(drive) if drive.n.is_some_and(|n| n < cx.limits.few_rows) => At::Once(drive),
            Some(drive) if drive.source.is_ordered() => At::Trial(drive),
            // A wide range: what it holds must be fetched and sorted, or is met everywhere.
            Some(_) => At::Trial(Drive::live(goal)),
            None => At::Unknown,
        })
    }

    fn among_many(cx: &Cx<'_>, goal: &'g Goal, wanted: usize) -> Try<Drive<'g>> {
        let Some(best) = Drive::best(cx, goal, cx.limits.many_rows)? else { return Ok(Drive::live(goal)) };
        let is_live_better = match best.n {
            Some(n) if n >= cx.limits.many_rows && !best.source.is_ordered() => {
                live_is_cheaper(cx, goal, n, wanted)?
            }
            _ => false,
        };
        Ok(if is_live_better { Drive::live(goal) } else { best })
    }

    /// The probe with the fewest rows, counted up to `max`; of two that are equal an ordered one.
    fn best(cx: &Cx<'_>, goal: &'g Goal, max: u64) -> Try<Option<Drive<'g>>> {
        let mut best: Option<((u64, bool), Drive<'g>)> = None;
        for (at, probe) in goal.probes.iter().enumerate() {
            let Some(source) = source_of(cx, goal.t, probe, max)? else { continue };
            let (n, drive) = Drive::by(goal, at, source).counted(cx, max)?;
            let cost = (n, !drive.source.is_ordered());
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, drive));
            }
        }
        Ok(best.map(|(_, drive)| drive))
    }

    /// Driven by the type's own rows.
    fn live(goal: &'g Goal) -> Drive<'g> {
        Drive { goal, source: Source::Live, settled: None, unsure: false, n: None }
    }

    /// Driven by the probe at `at`.
    fn by(goal: &'g Goal, at: usize, source: Source) -> Drive<'g> {
        let unsure =
            matches!(source, Source::Rids(_)) || matches!(goal.probes[at], Probe::Any(_) | Probe::Updated(_));
        let is_exact = matches!(&source, Source::Arms(arms) if arms.exact);
        Drive { goal, source, settled: is_exact.then_some(at), unsure, n: None }
    }

    /// Counts the candidates up to `max`. Rows that must be sorted anyway are fetched while they are counted.
    fn counted(mut self, cx: &Cx<'_>, max: u64) -> Try<(u64, Drive<'g>)> {
        let n = match &self.source {
            Source::Live => u64::MAX,
            Source::Rids(rids) => rids.len() as u64,
            Source::Arms(arms) if self.source.is_ordered() => arms.count(cx, max)?,
            Source::Arms(arms) => match gathered(cx, &arms.arms, 0, max)? {
                None => max,
                Some(rids) => {
                    let n = rids.len() as u64;
                    self.source = Source::Rids(rids);
                    n
                }
            },
        };
        self.n = Some(n);
        Ok((n, self))
    }

    /// Are there many candidates: an index in the wanted order may be better.
    pub(super) fn is_broad(&self, cx: &Cx<'_>) -> Try<bool> {
        let n = match (self.n, &self.source) {
            (Some(n), _) => n,
            (None, Source::Live) => u64::MAX,
            (None, Source::Arms(arms)) => arms.count(cx, cx.limits.many_rows)?,
            (None, Source::Rids(rids)) => rids.len() as u64,
        };
        Ok(n >= cx.limits.many_rows)
    }

    /// Visits all matches behind `after`, in rising order.
    pub(super) fn run(&self, cx: &Cx<'_>, after: i64, visit: &mut Visit<'_>) -> Try<()> {
        self.walk(cx, after, Length::Whole, visit).map(drop)
    }

    /// Visits matches behind `after`; the last candidate when a trial ended with it and there may be more.
    fn walk(&self, cx: &Cx<'_>, after: i64, length: Length, visit: &mut Visit<'_>) -> Try<Option<i64>> {
        let (mut n_left, mut stopped) = (cx.limits.tried_rows, None);
        let mut check = |rid: i64| {
            cx.spend(1)?;
            let passes = self.passes(cx, rid)?;
            if length == Length::Trial {
                n_left = if passes { n_left + 4 } else { n_left.saturating_sub(1) };
                stopped = (n_left == 0).then_some(rid);
            }
            let goes_on = if passes { visit(rid)? } else { true };
            Ok(goes_on && stopped.is_none())
        };
        match &self.source {
            Source::Live => {
                let t = i64::from(self.goal.t.unwrap_or(0));
                merged(cx, &[Arm::new("live", Sql::with("t = ?", [t]), true)], after, &mut check)
            }
            Source::Rids(rids) => {
                let from = rids.partition_point(|rid| *rid <= after);
                all(&rids[from..], &mut check)
            }
            Source::Arms(arms) if self.source.is_ordered() => merged(cx, &arms.arms, after, &mut check),
            Source::Arms(arms) => {
                all(&gathered(cx, &arms.arms, after, u64::MAX)?.unwrap_or_default(), &mut check)
            }
        }?;
        Ok(stopped)
    }

    /// How many matches there are.
    pub(super) fn count(&self, cx: &Cx<'_>) -> Try<u64> {
        let settled = self.goal.probes.iter().enumerate().all(|(at, _)| Some(at) == self.settled);
        match (&self.source, self.goal.t) {
            (Source::Live, Some(t)) if self.goal.probes.is_empty() => cx.n_live(t),
            (Source::Arms(arms), _) if settled && arms.arms.len() == 1 => arms.arms[0].count_distinct(cx),
            (Source::Rids(rids), _) if settled && !self.unsure => Ok(rids.len() as u64),
            _ => {
                let mut n = 0;
                self.run(cx, 0, &mut |_| {
                    n += 1;
                    Ok(true)
                })?;
                Ok(n)
            }
        }
    }

    fn passes(&self, cx: &Cx<'_>, rid: i64) -> Try<bool> {
        let candidate = Candidate::new(cx, rid);
        if self.unsure
            && !candidate.entry()?.is_some_and(|entry| entry.is_live && Some(entry.t) == self.goal.t)
        {
            return Ok(false);
        }
        for (at, probe) in self.goal.probes.iter().enumerate() {
            if Some(at) != self.settled && !probe.holds(cx, &candidate)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Source {
    /// Candidates come in rising order without being fetched and sorted first.
    fn is_ordered(&self) -> bool {
        match self {
            Source::Live | Source::Rids(_) => true,
            Source::Arms(arms) => arms.is_ordered() && arms.arms.len() <= MERGED_MAX,
        }
    }
}

/// An unordered source must be gathered whole before its first row is known; walking the type meets the matches one by one.
fn live_is_cheaper(cx: &Cx<'_>, goal: &Goal, n: u64, wanted: usize) -> Try<bool> {
    let Some(t) = goal.t else { return Ok(false) };
    let n_live = cx.n_live(t)?;
    let walked = n_live.saturating_mul(wanted as u64 + 1) / n.max(1);
    Ok(walked < n)
}

/// Candidates of a probe, when it can drive. The far end of a chain is only looked at when it may be worth it.
fn source_of(cx: &Cx<'_>, t: Option<u32>, probe: &Probe, max: u64) -> Try<Option<Source>> {
    Ok(match probe {
        Probe::Rows(test) => test.arms().map(Source::Arms),
        Probe::Rids { rids, negated: false } => Some(Source::Rids(rids.clone())),
        Probe::Chain(chain) if max > cx.limits.few_rows => match &chain.link {
            Some(link) => match far_end(cx, &chain.any_of)? {
                Some(rows) => Some(Source::Arms(pointing_at(cx, link, &rows)?)),
                None => None,
            },
            None => None,
        },
        Probe::Has(has) if max > cx.limits.few_rows => match &has.link {
            Some(link) => match far_end(cx, std::slice::from_ref(&*has.goal))? {
                Some(sources) => Some(Source::Rids(pointed_at(cx, link, &sources)?)),
                None => None,
            },
            None => None,
        },
        Probe::Any(any) => any_of(cx, t, any, max)?,
        Probe::Updated(any_of) => t.map(|t| updated(cx, t, any_of)).transpose()?.map(Source::Arms),
        Probe::Rids { negated: true, .. }
        | Probe::Presence { .. }
        | Probe::Relation(_)
        | Probe::Chain(_)
        | Probe::Has(_) => None,
    })
}

/// Times as ranges of the change log, which is in the order of time. Deletions are among them.
fn updated(cx: &Cx<'_>, t: u32, any_of: &[DateOperand]) -> Try<Arms> {
    let mut arms = Vec::with_capacity(any_of.len());
    for operand in any_of {
        let (from, to) = date::starts(operand, 0);
        let mut range = Sql::with("t = ?", [t]);
        if let Some(from) = from {
            range = range.and(Sql::with("seq >= ?", [seq_of_time(cx, from)?]));
        }
        if let Some(to) = to {
            range = range.and(Sql::with("seq < ?", [seq_of_time(cx, to)?]));
        }
        arms.push(Arm::new("latest", range, false));
    }
    Ok(Arms::inexact(arms))
}

/// Ranges of what points at rows.
fn pointing_at(cx: &Cx<'_>, link: &Link, rows: &[i64]) -> Try<Arms> {
    let mut arms = Vec::with_capacity(rows.len());
    for rid in rows {
        arms.extend(link.arms_to(cx, *rid)?);
    }
    Ok(Arms::inexact(arms))
}

/// What rows point at.
fn pointed_at(cx: &Cx<'_>, link: &Link, rows: &[i64]) -> Try<Vec<i64>> {
    let mut rids = Vec::new();
    for rid in rows {
        rids.extend(link.targets(cx, &cx.forward(*rid)?)?);
    }
    sets::sort(&mut rids);
    Ok(rids)
}

/// One of several probes holds: all of their candidates together, when each has some.
fn any_of(cx: &Cx<'_>, t: Option<u32>, any: &[Probe], max: u64) -> Try<Option<Source>> {
    let (mut arms, mut rids) = (Vec::new(), Vec::new());
    for probe in any {
        match source_of(cx, t, probe, max)? {
            Some(Source::Arms(more)) => arms.extend(more.arms),
            Some(Source::Rids(more)) => rids.extend(more),
            Some(Source::Live) | None => return Ok(None),
        }
    }
    if arms.is_empty() {
        sets::sort(&mut rids);
        return Ok(Some(Source::Rids(rids)));
    }
    // A row number by itself is a range, too.
    arms.extend(rids.into_iter().map(|rid| Arm::new("resource", Sql::with("rid = ?", [rid]), true)));
    Ok(Some(Source::Arms(Arms::inexact(arms))))
}

/// All rows of which one of the goals holds, when there are not too many.
fn far_end(cx: &Cx<'_>, goals: &[Goal]) -> Try<Option<Vec<i64>>> {
    let mut rids = Vec::new();
    for goal in goals {
        // Walking a whole type at the far end is what this is to avoid.
        let drive = Drive::choose(cx, goal, FAR_END_MAX)?;
        if matches!(drive.source, Source::Live) && !is_small(cx, goal)? {
            return Ok(None);
        }
        drive.run(cx, 0, &mut |rid| {
            rids.push(rid);
            Ok(rids.len() <= FAR_END_MAX)
        })?;
        if rids.len() > FAR_END_MAX {
            return Ok(None);
        }
    }
    sets::sort(&mut rids);
    Ok(Some(rids))
}

fn is_small(cx: &Cx<'_>, goal: &Goal) -> Try<bool> {
    match goal.t {
        None => Ok(true),
        Some(t) => Ok(cx.n_live(t)? <= cx.limits.many_rows),
    }
}

fn all(rids: &[i64], visit: &mut Visit<'_>) -> Try<()> {
    for rid in rids {
        if !visit(*rid)? {
            break;
        }
    }
    Ok(())
}

/// All rows of ranges in any order, sorted, each once; `None` when there are `max` or more.
fn gathered(cx: &Cx<'_>, arms: &[Arm], after: i64, max: u64) -> Try<Option<Vec<i64>>> {
    let mut rids = Vec::new();
    for arm in arms {
        let sql = arm.select(after);
        let mut statement = cx.conn.prepare_cached(sql.as_str())?;
        let mut rows = statement.query(params_from_iter(sql.args()))?;
        let before = rids.len();
        while let Some(row) = rows.next()? {
            rids.push(row.get(0)?);
            if rids.len() as u64 >= max {
                return Ok(None);
            }
            if (rids.len() - before) % 4_096 == 0 {
                cx.spend(4_096)?;
            }
        }
    }
    sets::sort(&mut rids);
    Ok(Some(rids))
}

/// Rows of ordered ranges, merged as they come.
fn merged(cx: &Cx<'_>, arms: &[Arm], after: i64, visit: &mut Visit<'_>) -> Try<()> {
    let sql: Vec<Sql> = arms.iter().map(|arm| arm.select(after)).collect();
    let mut statements: Vec<CachedStatement<'_>> =
        sql.iter().map(|sql| cx.conn.prepare_cached(sql.as_str())).collect::<rusqlite::Result<_>>()?;
    let mut streams: Vec<Rows<'_>> = Vec::with_capacity(statements.len());
    for (statement, sql) in statements.iter_mut().zip(&sql) {
        streams.push(statement.query(params_from_iter(sql.args()))?);
    }
    let mut heads: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::with_capacity(streams.len());
    for (at, stream) in streams.iter_mut().enumerate() {
        if let Some(row) = stream.next()? {
            heads.push(Reverse((row.get(0)?, at)));
        }
    }
    let mut last = None;
    while let Some(Reverse((rid, at))) = heads.pop() {
        if let Some(row) = streams[at].next()? {
            heads.push(Reverse((row.get(0)?, at)));
        }
        // The same resource comes from several ranges, or with several systems.
        if last.replace(rid) != Some(rid) && !visit(rid)? {
            break;
        }
    }
    Ok(())
}
