//! What a batch does, worked out before the transaction: decodes, drops duplicates, lets the rules judge. Touches no table.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use event::{Data, Event, Kind, Lateness, Sources};
use fhir::Instant;
use rules::{Finding, PatientState, RuleSet};

use super::board::Board;
use super::facts::Facts;
use super::observe::{self, Wanted};
use crate::log::{Entry, Position};
use crate::settings::{Poison, Settings};

/// Tenant and canonical patient.
pub(crate) type Key = (String, String);

/// What is known of one patient while a batch is planned.
#[derive(Clone, Default)]
pub(crate) struct Held {
    pub(crate) state: PatientState,
    pub(crate) board: Board,
    /// The version that is stored; 0 when nothing is.
    pub(crate) version: i64,
}

/// One entry to be processed, and the dead letter that it was, if it was one.
pub(crate) struct Work {
    pub(crate) entry: Entry,
    pub(crate) letter: Option<i64>,
}

/// An entry whose event was read, or why not.
pub(crate) struct Decoded {
    pub(crate) work: Arc<Work>,
    pub(crate) tenant: String,
    pub(crate) event: Result<Event, Cause>,
}

/// Why something is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) word: String,
    pub(crate) place: String,
    pub(crate) message: String,
}

/// What is needed of tables and of the store to plan a batch.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) held: HashMap<Key, Held>,
    pub(crate) facts: HashMap<Key, Arc<Facts>>,
    /// Keys whose events are held back, with the letter that they wait for.
    pub(crate) parked: HashSet<String>,
    /// Content by tenant and identifier, where the log does not know duplicates.
    pub(crate) seen: HashMap<(String, String), u128>,
}

/// One step of a batch.
pub(crate) enum Effect {
    /// An event that was processed.
    Event(Box<Processed>),
    /// One that could not be.
    Dead {
        decoded: Box<Decoded>,
        cause: Cause,
        /// Hold back what follows of its key.
        parks: bool,
    },
    /// Time passed for a patient.
    Time { key: Key, findings: Vec<Finding> },
}

/// An event and what follows of it.
pub(crate) struct Processed {
    pub(crate) tenant: String,
    pub(crate) event: Event,
    pub(crate) position: Position,
    pub(crate) letter: Option<i64>,
    pub(crate) lateness: Lateness,
    pub(crate) findings: Vec<Finding>,
    pub(crate) wanted: Vec<Wanted>,
    /// Its quality is below what its source must have: kept and flagged, not alerted on.
    pub(crate) is_poor: bool,
    /// Names that are merged into the event's patient.
    pub(crate) merged: Vec<String>,
    /// Identifier and content, to be remembered where the log does not.
    pub(crate) seen: Option<(String, u128)>,
}

/// What a batch does.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) effects: Vec<Effect>,
    /// Patients that were touched.
    pub(crate) held: HashMap<Key, Held>,
    /// Names whose rows go, with the version that was read.
    pub(crate) gone: Vec<(Key, i64)>,
    pub(crate) next: BTreeMap<(Kind, u32), u64>,
    pub(crate) n_entries: u64,
    pub(crate) late: u64,
    pub(crate) too_late: u64,
    pub(crate) duplicates: u64,
    /// When the oldest and the newest entry were appended.
    pub(crate) appended: Option<(Instant, Instant)>,
}

/// An entry at which the rules broke: everything is planned anew without it.
pub(crate) struct Broke(pub(crate) Position);

/// What does not change from batch to batch.
pub(crate) struct Ground<'a> {
    pub(crate) rules: &'a RuleSet,
    pub(crate) sources: &'a Sources,
    pub(crate) settings: &'a Settings,
    /// Entries that broke something before.
    pub(crate) poison: &'a HashMap<Position, Cause>,
    /// The log does not know duplicates.
    pub(crate) dedups: bool,
}

/// Reads entries.
pub(crate) fn decode(works: &[Arc<Work>]) -> Vec<Decoded> {
    let read = |work: &Arc<Work>| {
        let work = Arc::clone(work);
        let tenant = work.entry.append.tenant().to_owned();
        let event = Event::of_bytes(&work.entry.append.body).map_err(|refusal| Cause {
            word: refusal.slug().to_owned(),
            message: refusal.why.to_string(),
            place: refusal.place,
        });
        Decoded { work, tenant, event }
    };
    works.iter().map(read).collect()
}

/// Plans a batch.
pub(crate) fn plan(ground: &Ground<'_>, decoded: Vec<Decoded>, known: Known) -> Result<Batch, Broke> {
    let mut planner = Planner { ground, known, batch: Batch::default() };
    for one in decoded {
        planner.one(one)?;
    }
    Ok(planner.batch)
}

struct Planner<'a> {
    ground: &'a Ground<'a>,
    known: Known,
    batch: Batch,
}

impl Planner<'_> {
    fn one(&mut self, decoded: Decoded) -> Result<(), Broke> {
        let entry = &decoded.work.entry;
        let position = entry.position.clone();
        if decoded.work.letter.is_none() {
            self.batch.next.insert((position.kind.clone(), position.partition), position.offset + 1);
            let at = entry.appended_at;
            self.batch.appended =
                Some(self.batch.appended.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        self.batch.n_entries += 1;
        if let Some(cause) = self.ground.poison.get(&position) {
            let (cause, parks) = (cause.clone(), self.ground.settings.poison == Poison::Park);
            self.dead(decoded, cause, parks);
            return Ok(());
        }
        if self.known.parked.contains(&entry.append.key) {
            let message =
                "it waits behind an event of the same patient that could not be processed".to_owned();
            let cause = Cause { word: "parked".to_owned(), place: entry.append.key.clone(), message };
            self.dead(decoded, cause, false);
            return Ok(());
        }
        if let Err(cause) = &decoded.event {
            let (cause, parks) = (cause.clone(), self.ground.settings.poison == Poison::Park);
            self.dead(decoded, cause, parks);
            return Ok(());
        }
        if self.ground.dedups && decoded.work.letter.is_none() {
            let append = &decoded.work.entry.append;
            let name = (decoded.tenant.clone(), append.id.clone());
            match self.known.seen.get(&name) {
                Some(content) if *content == append.content => {
                    self.batch.duplicates += 1;
                    return Ok(());
                }
                Some(_) => {
                    let message = "this source has sent another event with the same id".to_owned();
                    let cause = Cause { word: "conflict".to_owned(), place: "/id".to_owned(), message };
                    self.dead(decoded, cause, false);
                    return Ok(());
                }
                None => drop(self.known.seen.insert(name, append.content)),
            }
        }
        self.judged(decoded).map_err(|()| Broke(position))
    }

    fn dead(&mut self, decoded: Decoded, cause: Cause, parks: bool) {
        if parks {
            self.known.parked.insert(decoded.work.entry.append.key.clone());
        }
        self.batch.effects.push(Effect::Dead { decoded: Box::new(decoded), cause, parks });
    }

    /// Lets the rules judge an event; an error when they break.
    fn judged(&mut self, decoded: Decoded) -> Result<(), ()> {
        let Decoded { work, tenant, event } = decoded;
        let Ok(event) = event else { return Ok(()) };
        let lateness = event.lateness(self.ground.sources);
        match lateness {
            Lateness::OnTime => {}
            Lateness::Late => self.batch.late += 1,
            Lateness::TooLate => self.batch.too_late += 1,
        }
        let seen = self.ground.dedups.then(|| (work.entry.append.id.clone(), work.entry.append.content));
        let mut done = Processed {
            tenant,
            position: work.entry.position.clone(),
            letter: work.letter,
            lateness,
            findings: Vec::new(),
            wanted: Vec::new(),
            is_poor: self.ground.rules.is_poor(&event),
            merged: Vec::new(),
            seen,
            event,
        };
        if let Some(patient) = &done.event.patient {
            let key = (done.tenant.clone(), patient.clone());
            let mut held = self.take(&key);
            let facts = self.known.facts.get(&key).cloned().unwrap_or_default();
            if let Data::Movement(movement) = &done.event.data
                && movement.moved.joins()
            {
                done.merged = movement.merged.iter().filter(|from| *from != patient).cloned().collect();
                for from in done.merged.clone() {
                    done.findings.extend(self.merge(&done, &mut held, &facts, &from)?);
                }
            }
            if lateness != Lateness::TooLate {
                let subject = facts.subject_for(&done.event);
                let (rules, event) = (self.ground.rules, &done.event);
                // The state may be half changed by a panic: it is dropped with the plan.
                let judged =
                    catch_unwind(AssertUnwindSafe(|| rules.on_event(&mut held.state, &subject, event)));
                done.findings.extend(judged.map_err(drop)?);
            }
            if done.is_poor {
                observe::flag_poor(&mut done.event);
            }
            held.board.take(&done.event);
            done.wanted = observe::wanted(&done.event, &mut held.board, self.ground.settings, done.is_poor);
            self.batch.held.insert(key, held);
        }
        self.batch.effects.push(Effect::Event(Box::new(done)));
        Ok(())
    }

    /// What is known of `from` goes into the patient of the event.
    fn merge(
        &mut self,
        done: &Processed,
        held: &mut Held,
        facts: &Facts,
        from: &str,
    ) -> Result<Vec<Finding>, ()> {
        let from_key = (done.tenant.clone(), from.to_owned());
        let other = self.take(&from_key);
        if other.version > 0 {
            self.batch.gone.push((from_key, other.version));
        }
        held.board.join(other.board);
        let (rules, subject, state) = (self.ground.rules, facts.subject_for(&done.event), &mut held.state);
        let event = &done.event;
        let merged = catch_unwind(AssertUnwindSafe(|| rules.on_merge(&other.state, state, &subject, event)));
        merged.map_err(drop)
    }

    fn take(&mut self, key: &Key) -> Held {
        let touched = self.batch.held.remove(key);
        touched.or_else(|| self.known.held.remove(key)).unwrap_or_default()
    }
}

/// What the rules say because time has passed.
pub(crate) fn pass_time(rules: &RuleSet, mut known: Known, now: Instant) -> Batch {
    let mut batch = Batch::default();
    for (key, mut held) in known.held.drain() {
        let subject = known.facts.get(&key).map(|facts| facts.subject()).unwrap_or_default();
        let judged = catch_unwind(AssertUnwindSafe(|| rules.on_time(&mut held.state, &subject, now)));
        let Ok(findings) = judged else {
            tracing::error!("the rules broke when time passed for a patient: its timers stand still");
            continue;
        };
        batch.effects.push(Effect::Time { key: key.clone(), findings });
        batch.held.insert(key, held);
    }
    batch
}
