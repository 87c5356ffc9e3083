//! The state machine of a rule: condition met, sustained, open, over, calm. Knows no measures and no text.

use clinical::Number;

use crate::Severity;
use crate::limit::Verdict;
use crate::model::{Row, Rule};
use crate::state::{Calm, Episode, Open, RowState, room_for_one};

/// An open alert whose condition goes on is said again this often, so that its last value is fresh.
pub(crate) const SAY_AGAIN_MICROS: i64 = 60_000_000;
const RESTS_MAX: usize = 8;

/// What a rule says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Raise { severity: Severity, opening: String, key: u8 },
    Clear { opening: String },
    Retract { opening: String },
}

/// A value that a rule is judged on.
pub(crate) struct Fact<'a> {
    pub(crate) at: i64,
    pub(crate) value: Number,
    /// The event that brought it.
    pub(crate) event: &'a str,
    /// Hashes of the results that it rests on.
    pub(crate) rests: &'a [u64],
    /// A result that was corrected or withdrawn: what rests on it is over at once.
    pub(crate) correction: Option<u64>,
}

/// Verdicts of one row: raise and clear.
pub(crate) type Verdicts = (Verdict, Verdict);

/// What changed in the rows.
#[derive(Default)]
struct Change {
    /// Worst row that became active.
    newly: Option<(Severity, u8)>,
    /// An active row has a worse value than ever in this episode.
    worse: bool,
    /// Some active row's condition is met now.
    met: bool,
}

fn is_worse(key: u8, value: Number, than: Number) -> bool {
    if key < 8 { value > than } else { value < than }
}

fn row_of(rule: &Rule, key: u8) -> Option<&Row> {
    rule.rows().iter().find(|row| row.key() == key)
}

/// The next instant at which something happens without an event.
pub(crate) fn due(rule: &Rule, episode: &Episode) -> Option<i64> {
    let rows = episode.rows.iter().filter_map(|state| {
        let row = row_of(rule, state.key)?;
        if state.active {
            state.clear_since.map(|since| since.saturating_add(row.clear_micros()))
        } else {
            Some(state.since.saturating_add(row.sustained_micros()))
        }
    });
    let held = episode.open.is_none() && episode.rows.iter().any(|row| row.active);
    let calm = episode.calm.as_ref().filter(|_| held).map(|calm| calm.until);
    rows.chain(calm).min()
}

/// Time has come to `at`: sustained rows become active, rows that were clear long enough are over.
pub(crate) fn on_due(rule: &Rule, episode: &mut Episode, at: i64) -> Option<Act> {
    let mut change = Change::default();
    pass(rule, &mut episode.rows, at, &mut change);
    conclude(rule, episode, at, &change, None, None)
}

fn pass(rule: &Rule, rows: &mut Vec<RowState>, at: i64, change: &mut Change) {
    rows.retain_mut(|state| {
        // A row that the new version of a rule does not have is over.
        let Some(row) = row_of(rule, state.key) else { return false };
        if !state.active && at.saturating_sub(state.since) >= row.sustained_micros() {
            activate(state, row, change);
        }
        let clear = state.clear_since.filter(|_| state.active);
        clear.is_none_or(|since| at.saturating_sub(since) < row.clear_micros())
    });
}

fn activate(state: &mut RowState, row: &Row, change: &mut Change) {
    state.active = true;
    change.newly = change.newly.max(Some((row.severity, state.key)));
}

/// Judges a value: rows become pending, active, clear. `verdicts` has one entry per row.
fn judge(rule: &Rule, rows: &mut Vec<RowState>, fact: &Fact<'_>, verdicts: &[Verdicts], change: &mut Change) {
    for (row, (raise, clear)) in rule.rows().iter().zip(verdicts) {
        let key = row.key();
        let place = rows.iter().position(|state| state.key == key);
        match (raise, place) {
            (Verdict::Met, place) => {
                let place = place.unwrap_or_else(|| {
                    room_for_one(rows);
                    rows.push(RowState {
                        key,
                        active: false,
                        since: fact.at,
                        clear_since: None,
                        worst: fact.value,
                        event: fact.event.to_owned(),
                    });
                    rows.len() - 1
                });
                let state = &mut rows[place];
                state.clear_since = None;
                if is_worse(key, fact.value, state.worst) {
                    state.worst = fact.value;
                    change.worse |= state.active;
                }
                // Time alone brings no new value.
                change.met |= state.active && !fact.event.is_empty();
                if !state.active && fact.at.saturating_sub(state.since) >= row.sustained_micros() {
                    activate(state, row, change);
                }
            }
            (_, None) => {}
            (_, Some(place)) if !rows[place].active => {
                if *raise == Verdict::NotMet {
                    rows.remove(place);
                }
            }
            (_, Some(place)) if *clear == Verdict::Met => {
                let since = *rows[place].clear_since.get_or_insert(fact.at);
                if fact.at.saturating_sub(since) >= row.clear_micros() {
                    rows.remove(place);
                }
            }
            (_, Some(place)) => rows[place].clear_since = None,
        }
    }
}

/// The rule after a value.
pub(crate) fn on_fact(
    rule: &Rule,
    episode: &mut Episode,
    fact: &Fact<'_>,
    verdicts: &[Verdicts],
) -> Option<Act> {
    let mut change = Change::default();
    judge(rule, &mut episode.rows, fact, verdicts, &mut change);
    rename(episode);
    let rested = fact.correction.is_some_and(|gone| withdraw(episode, gone));
    if rested {
        // What is not met without the corrected result is over now: there is no time to wait for.
        let met = |key| {
            rule.rows()
                .iter()
                .zip(verdicts)
                .any(|(row, (raise, _))| row.key() == key && *raise == Verdict::Met)
        };
        episode.rows.retain(|state| met(state.key));
        change.met = true;
        change.worse = true;
    }
    let opening = fact.correction.map(|_| fact.event).filter(|event| !event.is_empty());
    let act = conclude(rule, episode, fact.at, &change, fact.correction.filter(|_| rested), opening);
    support(episode, fact, verdicts);
    act
}

/// Takes a result from what an open alert rests on.
fn withdraw(episode: &mut Episode, result: u64) -> bool {
    let Some(open) = &mut episode.open else { return false };
    let n_before = open.rests.len();
    open.rests.retain(|rest| *rest != result);
    open.rests.len() < n_before
}

/// Remembers what an open alert rests on: the first results and the latest.
fn support(episode: &mut Episode, fact: &Fact<'_>, verdicts: &[Verdicts]) {
    let Some(open) = &mut episode.open else { return };
    if !verdicts.iter().any(|(raise, _)| *raise == Verdict::Met) {
        return;
    }
    for result in fact.rests.iter().filter(|result| **result != 0) {
        if !open.rests.contains(result) {
            if open.rests.len() == RESTS_MAX {
                open.rests.remove(RESTS_MAX / 2);
            }
            open.rests.push(*result);
        }
    }
}

/// Opens, raises, closes.
fn conclude(
    rule: &Rule,
    episode: &mut Episode,
    at: i64,
    change: &Change,
    retracting: Option<u64>,
    opening: Option<&str>,
) -> Option<Act> {
    let severity_of = |state: &RowState| row_of(rule, state.key).map(|row| (row.severity, state.key));
    let active = episode.rows.iter().filter(|state| state.active);
    let worst = active.clone().filter_map(severity_of).max();
    let Some((severity, key)) = worst else { return close(rule, episode, at, retracting) };
    // A milder row of the same direction that follows a worse one says nothing new.
    let newly = change.newly.filter(|(new, new_key)| *new >= severity || new_key / 8 != key / 8);
    let key = newly.map_or(key, |(_, key)| key);
    if let Some(open) = &mut episode.open {
        let again = change.met && at.saturating_sub(open.said_at) >= SAY_AGAIN_MICROS;
        if newly.is_none() && !change.worse && !again {
            return None;
        }
        open.said_at = open.said_at.max(at);
        open.severity = open.severity.max(severity);
        active.for_each(|state| note_worst(&mut open.worst, state));
        return Some(Act::Raise { severity, opening: open.opening.clone(), key });
    }
    if is_held(rule, episode, at) {
        return None;
    }
    let first = active.clone().min_by_key(|state| state.since);
    // What a correction or a late value opens has their name: the first event may name an alert that is over.
    let opening = opening.or(first.map(|state| state.event.as_str())).unwrap_or_default().to_owned();
    let opening = unused(opening, &episode.ended);
    let mut worst = Vec::new();
    active.for_each(|state| note_worst(&mut worst, state));
    episode.calm = None;
    episode.open =
        Some(Box::new(Open { opening: opening.clone(), severity, said_at: at, rests: Vec::new(), worst }));
    Some(Act::Raise { severity, opening, key })
}

fn note_worst(list: &mut Vec<(u8, Number)>, state: &RowState) {
    match list.iter_mut().find(|(key, _)| *key == state.key) {
        Some((key, worst)) if is_worse(*key, state.worst, *worst) => *worst = state.worst,
        Some(_) => {}
        None => list.push((state.key, state.worst)),
    }
}

/// One event can bring a value, its opposite and the value again: each alert has a name of its own.
fn unused(opening: String, ended: &[String]) -> String {
    if !ended.contains(&opening) {
        return opening;
    }
    let numbered = (2..).map(|n| format!("{opening}#{n}"));
    numbered.into_iter().find(|name| !ended.contains(name)).unwrap_or(opening)
}

/// What waits to be raised must not get the name of an alert that is over.
fn rename(episode: &mut Episode) {
    for row in episode.rows.iter_mut().filter(|row| episode.ended.contains(&row.event)) {
        row.event = unused(std::mem::take(&mut row.event), &episode.ended);
    }
}

fn close(rule: &Rule, episode: &mut Episode, at: i64, retracting: Option<u64>) -> Option<Act> {
    let open = episode.open.take()?;
    episode.ended.push(open.opening.clone());
    rename(episode);
    if retracting.is_some() {
        return Some(Act::Retract { opening: open.opening });
    }
    if let Some(span) = rule.refractory {
        episode.calm = Some(Box::new(Calm { until: at.saturating_add(span.micros()), rows: open.worst }));
    }
    Some(Act::Clear { opening: open.opening })
}

/// Within the refractory time, unless it is worse than before or in the arrest range.
fn is_held(rule: &Rule, episode: &Episode, at: i64) -> bool {
    let Some(calm) = episode.calm.as_ref().filter(|calm| calm.until > at) else { return false };
    episode.rows.iter().filter(|state| state.active).all(|state| {
        let known = calm.rows.iter().find(|(key, _)| *key == state.key);
        let immediate = row_of(rule, state.key).is_some_and(|row| row.immediate);
        !immediate && known.is_some_and(|(key, worst)| !is_worse(*key, state.worst, *worst))
    })
}

/// Judges a series of values anew, because one came late or was corrected: `facts` with their verdicts in the order of time. Rows that were
/// active before `from` stay so until a value says otherwise.
pub(crate) fn on_series(
    rule: &Rule,
    episode: &mut Episode,
    facts: &[(Fact<'_>, Vec<Verdicts>)],
    correction: Option<u64>,
    (from, now): (i64, i64),
    opening: Option<&str>,
) -> Vec<Act> {
    let rested = correction.is_some_and(|gone| withdraw(episode, gone));
    let before = std::mem::take(&mut episode.rows);
    let was_active: Vec<u8> = before.iter().filter(|state| state.active).map(|state| state.key).collect();
    let mut rows: Vec<RowState> =
        before.iter().filter(|state| state.active && state.since < from).cloned().collect();
    let (mut flashed, mut change) = (None, Change::default());
    for (fact, verdicts) in facts {
        let mut step = Change::default();
        pass(rule, &mut rows, fact.at, &mut step);
        judge(rule, &mut rows, fact, verdicts, &mut step);
        if let Some(newly) = step.newly
            && !was_active.contains(&newly.1)
        {
            flashed = flashed.max(Some((newly, opening.unwrap_or(fact.event).to_owned())));
        }
        change.worse |= step.worse && correction.is_some();
    }
    pass(rule, &mut rows, now, &mut Change::default());
    change.worse |= rested;
    change.newly = rows
        .iter()
        .filter(|row| row.active && !was_active.contains(&row.key))
        .fold(None, |newly, state| newly.max(row_of(rule, state.key).map(|row| (row.severity, state.key))));
    let ends_active = rows.iter().any(|row| row.active);
    // A row that was there keeps its name; one that was not has the name of what brought it: its first value may have the name of an alert that is over.
    for row in &mut rows {
        match (before.iter().find(|old| old.key == row.key), opening) {
            (Some(old), _) => row.event.clone_from(&old.event),
            (None, Some(opening)) => opening.clone_into(&mut row.event),
            (None, None) => {}
        }
    }
    episode.rows = rows;
    let mut acts = Vec::new();
    if let (Some(((severity, key), opening)), false, None) = (flashed, ends_active, &episode.open) {
        // In the order of time it would have been raised and over: both are said.
        let opening = unused(opening, &episode.ended);
        episode.ended.push(opening.clone());
        acts.push(Act::Raise { severity, opening: opening.clone(), key });
        acts.push(Act::Clear { opening });
    }
    rename(episode);
    acts.extend(conclude(rule, episode, now, &change, correction.filter(|_| rested), opening));
    for (fact, verdicts) in facts {
        support(episode, fact, verdicts);
    }
    acts
}
