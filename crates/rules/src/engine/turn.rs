//! One call of the engine: the state it changes, what it found out about the person, and what it said.

use std::sync::Arc;

use clinical::news2::News2;
use clinical::{NotComputed, Subject as Person};
use event::Event;
use fhir::Instant;

use super::machine::{self, Act, Fact, Verdicts};
use super::measured::{POOR, verdicts_of};
use crate::applies::{Birth, Unknown, person_of};
use crate::expression::{Expression, Known, LIST_MAX, World};
use crate::hash::key;
use crate::limit::Verdict;
use crate::model::{Body, CODED, Condition, Rule};
use crate::state::{Entry, Origin};
use crate::{Finding, PatientState, RuleSet, Subject};

pub(super) struct Turn<'a> {
    pub(super) set: &'a RuleSet,
    pub(super) state: &'a mut PatientState,
    pub(super) subject: &'a Subject,
    pub(super) at: Instant,
    pub(super) event: Option<&'a Event>,
    pub(super) out: Vec<Finding>,
    /// Bits of computed measures and expressions whose inputs changed.
    pub(super) derived: u64,
    pub(super) whens: u64,
    /// A result that was corrected or withdrawn in this event.
    pub(super) correction: Option<u64>,
    /// NEWS2 for an age of inputs: while computed measures are judged.
    pub(super) news2: Option<(i64, Result<News2, NotComputed>)>,
    origin: Option<Arc<Origin>>,
    person: Option<Person>,
    knows_person: Option<bool>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        set: &'a RuleSet,
        state: &'a mut PatientState,
        subject: &'a Subject,
        at: Instant,
        event: Option<&'a Event>,
    ) -> Turn<'a> {
        Turn {
            set,
            state,
            subject,
            at,
            event,
            out: Vec::new(),
            derived: 0,
            whens: 0,
            correction: None,
            news2: None,
            origin: None,
            person: None,
            knows_person: None,
        }
    }

    pub(super) fn end(self) -> Vec<Finding> {
        if !self.state.episodes.is_empty() {
            self.state.tidy();
        }
        self.out
    }

    /// The event that brings values.
    pub(super) fn origin(&mut self, event: &Event) -> Arc<Origin> {
        let origin = self.origin.get_or_insert_with(|| {
            Arc::new(Origin { event: event.id.clone(), source: event.source.clone() })
        });
        Arc::clone(origin)
    }

    pub(super) fn person(&mut self) -> Person {
        *self.person.get_or_insert_with(|| person_of(self.subject, self.at))
    }

    /// Age and ward are known, so that no rule has to ask.
    pub(super) fn knows_person(&mut self) -> bool {
        *self.knows_person.get_or_insert_with(|| {
            Birth::of(self.subject).is_some_and(Birth::is_exact)
                && self.event.is_some_and(|event| event.unit.is_some())
        })
    }

    pub(super) fn applies(&self, rule: &Rule) -> Result<bool, Unknown> {
        let (kind, ward) =
            self.event.map_or((None, None), |event| (Some(&event.kind), event.unit.as_deref()));
        if kind.is_some_and(|kind| !rule.kinds.is_empty() && !rule.kinds.contains(kind)) {
            return Ok(false);
        }
        rule.applies.judge(self.subject, ward, self.at)
    }

    /// Everything that was due until `now`, in the order of time.
    pub(super) fn pass_time(&mut self, now: i64) {
        if self.state.expiry > now && self.state.episodes.is_empty() {
            return;
        }
        // Each pass settles at least one row or expiry; the bound is for states that are not from here.
        for _ in 0..10_000 {
            if !self.pass_one(now) {
                return;
            }
            self.state.tidy();
        }
    }

    fn pass_one(&mut self, now: i64) -> bool {
        let dues = self.state.episodes.iter().enumerate().filter_map(|(place, episode)| {
            let (_, rule) = self.set.rule_of(episode.rule)?;
            machine::due(rule, episode).map(|at| (at, place))
        });
        let next = dues.min().filter(|(at, _)| *at <= now);
        let expiry = self.state.expiry;
        if expiry <= now && next.is_none_or(|(at, _)| expiry <= at) {
            self.expire(expiry);
            return true;
        }
        let Some((at, place)) = next else { return false };
        let Some((_, rule)) = self.set.rule_of(self.state.episodes[place].rule) else { return false };
        self.at_time(at, |turn| {
            turn.drop_unmet(rule, place);
            let act = machine::on_due(rule, &mut turn.state.episodes[place], at);
            if let Some(act) = act {
                turn.support(place, rule);
                turn.say_act(rule, place, Instant(at), None, act);
            }
        });
        true
    }

    /// As if the call were at this time, without an event: what was due is said as it was then.
    fn at_time(&mut self, at: i64, work: impl FnOnce(&mut Self)) {
        let before = (self.at, self.event.take(), self.person.take(), self.knows_person.take());
        self.at = Instant(at);
        self.news2 = None;
        work(self);
        self.news2 = None;
        (self.at, self.event, self.person, self.knows_person) = before;
    }

    /// What waits for its time and is not met goes: the rule may have another limit since its value came, and time alone must not raise it.
    fn drop_unmet(&mut self, rule: &Rule, place: usize) {
        let episode = &self.state.episodes[place];
        // Codes are known while their event is judged, and not later.
        if episode.rows.iter().all(|row| row.active) || rule.reads_codes() {
            return;
        }
        let verdicts = match &rule.body {
            Body::Limits { .. } => {
                let track = self.state.track(episode.measure);
                let read = |entry: &&Entry| rule.reads_all || entry.is_usable();
                match track.and_then(|track| track.entries.iter().rev().find(read)) {
                    Some(entry) => verdicts_of(rule, entry.number, entry.comparator),
                    // Computed values are not remembered.
                    None => return,
                }
            }
            Body::When(row) => {
                let Condition::When(raise) = &row.raise else { return };
                let at = Instant(self.state.newest);
                let bed = Bed { set: self.set, state: self.state, subject: self.subject, at, event: None };
                vec![(raise.judge(&bed).unwrap_or(Verdict::Unknown), Verdict::Unknown)]
            }
            Body::Order { .. } => return,
        };
        let is_unmet = |key| {
            let mut rows = rule.rows().iter().zip(&verdicts);
            rows.any(|(row, (raise, _))| row.key() == key && *raise == Verdict::NotMet)
        };
        self.state.episodes[place].rows.retain(|row| row.active || !is_unmet(row.key));
    }

    /// What an alert that time opened rests on: the latest values of what its rule looks at.
    fn support(&mut self, place: usize, rule: &Rule) {
        let rests = self.rests_of(rule);
        if let Some(open) = &mut self.state.episodes[place].open
            && open.rests.is_empty()
        {
            open.rests = rests;
        }
    }

    /// An input became too old: what is computed is computed again.
    fn expire(&mut self, at: i64) {
        self.state.expiry = i64::MAX;
        self.at_time(at, |turn| {
            turn.derived = u64::MAX;
            turn.computed();
            turn.derived = 0;
        });
    }

    /// Lets a rule judge one fact and says what follows.
    pub(super) fn judge(
        &mut self,
        rule: &Rule,
        about: u64,
        measure: u64,
        fact: &Fact<'_>,
        verdicts: &[Verdicts],
    ) {
        let hash = key(&rule.name);
        let place = match self.state.episode(hash, about) {
            Some(place) => place,
            None if verdicts.iter().all(|(raise, _)| *raise != Verdict::Met) => return,
            None => self.state.episode_or_new(hash, about, measure),
        };
        let act = machine::on_fact(rule, &mut self.state.episodes[place], fact, verdicts);
        if let Some(act) = act {
            let event = self.event.map(|event| event.id.clone());
            self.say_act(rule, place, Instant(fact.at), event, act);
        }
    }

    /// The rule could not be judged: said once per reason.
    pub(super) fn note(&mut self, rule: &Rule, measure: u64, reason: &str) {
        self.note_as(rule, measure, key(reason), &|_| reason.to_owned());
    }

    pub(super) fn note_as(
        &mut self,
        rule: &Rule,
        measure: u64,
        reason: u64,
        words: &dyn Fn(&Turn<'_>) -> String,
    ) {
        let place = self.state.episode_or_new(key(&rule.name), 0, measure);
        if self.state.episodes[place].note == reason {
            return;
        }
        self.state.episodes[place].note = reason;
        let words = words(self);
        self.say_note(rule, place, words);
    }

    /// The rule can be judged again: said when it could not before, nothing is open, and no alert is about to say it.
    pub(super) fn unnote(&mut self, rule: &Rule, verdicts: &[Verdicts]) {
        let Some(place) = self.state.episode(key(&rule.name), 0) else { return };
        let episode = &mut self.state.episodes[place];
        let met = verdicts.iter().any(|(raise, _)| *raise == Verdict::Met);
        if std::mem::take(&mut episode.note) != 0 && !met && episode.open.is_none() {
            let event = self.event.map(|event| event.id.clone());
            let opening = String::new();
            self.say_act(rule, place, self.at, event, Act::Clear { opening });
        }
    }

    /// All rules with an expression whose inputs changed.
    pub(super) fn expressions(&mut self) {
        let set = self.set;
        for (bit, place) in set.whens.iter().enumerate() {
            if self.whens & (1 << bit) == 0 {
                continue;
            }
            let rule = &set.rules[usize::from(*place)];
            let is_poor = |event: &Event| set.is_poor(event);
            if rule.reads_codes() && !self.event.is_some_and(has_codes) {
                continue;
            }
            match self.applies(rule) {
                Ok(true) if rule.reads_codes() && self.event.is_some_and(is_poor) => self.note(rule, 0, POOR),
                Ok(true) => self.expression(rule),
                Ok(false) => {}
                Err(unknown) => self.note(rule, 0, unknown.reason()),
            }
        }
    }

    fn expression(&mut self, rule: &Rule) {
        let [row] = rule.rows() else { return };
        let (Condition::When(raise), Condition::When(clear)) = (&row.raise, &row.clear) else { return };
        let at = self.state.newest.max(self.at.0);
        let judge = |expression: &Expression| {
            expression.judge(&Bed {
                set: self.set,
                state: self.state,
                subject: self.subject,
                at: Instant(at),
                event: self.event,
            })
        };
        let verdicts = match (judge(raise), judge(clear)) {
            (Ok(raise), clear) => [(raise, clear.unwrap_or(Verdict::Unknown))],
            (Err(reason), _) => {
                self.note(rule, 0, &reason);
                [(Verdict::Unknown, Verdict::Unknown)]
            }
        };
        if verdicts[0].0 != Verdict::Unknown {
            self.unnote(rule, &verdicts);
        }
        let rests = self.rests_of(rule);
        let event = self.event.map_or("", |event| event.id.as_str());
        let fact =
            Fact { at, value: clinical::Number::from(0), event, rests: &rests, correction: self.correction };
        self.judge(rule, 0, 0, &fact, &verdicts);
    }

    /// Results behind the latest values that a rule looks at.
    pub(super) fn rests_of(&self, rule: &Rule) -> Vec<u64> {
        let names = self.inputs_of(rule);
        let latest = names.iter().filter_map(|name| self.state.latest(key(name)));
        latest.map(|entry| entry.result).filter(|result| *result != 0).collect()
    }
}

/// What an expression sees.
struct Bed<'a> {
    set: &'a RuleSet,
    state: &'a PatientState,
    subject: &'a Subject,
    at: Instant,
    event: Option<&'a Event>,
}

/// Is it of a kind that says something in codes.
pub(super) fn has_codes(event: &Event) -> bool {
    CODED.contains(&event.kind)
}

impl Bed<'_> {
    fn known(&self, measure: &str, entry: &Entry) -> Option<(Known, i64)> {
        if entry.comparator.is_some() {
            return None;
        }
        let words = &self.set.measure(measure)?.measure.words;
        let value = match usize::try_from(entry.number.parts().0).ok().and_then(|place| words.get(place)) {
            Some(word) => Known::Word(word.clone()),
            None => Known::Number(entry.number.to_f64()),
        };
        Some((value, (self.at.0 - entry.at) / 60_000_000))
    }
}

impl World for Bed<'_> {
    fn latest(&self, measure: &str) -> Option<(Known, i64)> {
        self.known(measure, self.state.latest(key(measure))?)
    }

    fn history(&self, measure: &str) -> Vec<(Known, i64)> {
        let Some(track) = self.state.track(key(measure)) else { return Vec::new() };
        let usable = track.entries.iter().filter(|entry| entry.is_usable()).take(LIST_MAX);
        usable.filter_map(|entry| self.known(measure, entry)).collect()
    }

    fn age_years(&self) -> Option<i64> {
        person_of(self.subject, self.at).age_years.map(i64::from)
    }

    fn facts(&self) -> [bool; 3] {
        let pregnant = self.subject.pregnancy == clinical::Pregnancy::PregnantOrPostPartum;
        [pregnant, self.subject.dialysis, self.subject.spo2_target_88_92]
    }

    fn codes(&self) -> Vec<String> {
        let codes = self.event.map(Event::codes).unwrap_or_default();
        codes.into_iter().map(|coding| format!("{}|{}", coding.system, coding.code)).collect()
    }
}
