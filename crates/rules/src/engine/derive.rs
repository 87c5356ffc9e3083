//! Computed measures: NEWS2, qSOFA, MEWS, SIRS, AKI stage, artefacts. Inputs have a bounded age; what is missing makes the value a bound.

use clinical::aki::{Aki, aki};
use clinical::news2::{Breathing, Consciousness, News2, Scale, Vitals, news2};
use clinical::quantity::{PulsePerMin, RespirationsPerMin, Spo2Percent, SystolicMmHg, TemperatureCelsius};
use clinical::{NotComputed, Number, mews, qsofa, sirs};
use event::Comparator;
use fhir::Instant;

use super::machine::Fact;
use super::measured::verdicts_of;
use super::turn::Turn;
use crate::hash::key;
use crate::limit::Verdict;
use crate::model::{Derive, Measure, Rule};
use crate::set::Indexed;
use crate::span::Span;
use crate::state::{ARTEFACT, Entry};
use crate::{Finding, PatientState, RuleSet, Subject};

const RESPIRATORY_RATE: u64 = key("respiratory_rate");
const SPO2: u64 = key("spo2");
const BREATHING: u64 = key("breathing");
const SYSTOLIC: u64 = key("systolic");
const HEART_RATE: u64 = key("heart_rate");
const CONSCIOUSNESS: u64 = key("consciousness");
const TEMPERATURE: u64 = key("temperature");
const DIASTOLIC: u64 = key("diastolic");
const MEAN_PRESSURE: u64 = key("mean_pressure");
const PACO2: u64 = key("paco2");
const WHITE_CELLS: u64 = key("white_cells");
const BANDS: u64 = key("bands");
const CREATININE: u64 = key("creatinine");

/// A computed value; with missing inputs it is at least this.
pub(super) struct Computed {
    pub(super) number: Number,
    pub(super) comparator: Option<Comparator>,
}

impl Computed {
    fn points(points: u8, n_missing: usize) -> Computed {
        let comparator = (n_missing > 0).then_some(Comparator::GreaterOrEqual);
        Computed { number: Number::of(i64::from(points), 0), comparator }
    }
}

/// What there is of the inputs of a computed measure.
struct Inputs {
    oldest: Option<i64>,
    /// Bits of [`Derive::inputs`].
    missing: u64,
}

/// Hashes of the names of inputs, in the order of [`Derive::inputs`].
fn keys_of(derive: Derive) -> &'static [u64] {
    match derive {
        Derive::News2 | Derive::News2Red => {
            &[RESPIRATORY_RATE, SPO2, BREATHING, SYSTOLIC, HEART_RATE, CONSCIOUSNESS, TEMPERATURE]
        }
        Derive::Qsofa => &[RESPIRATORY_RATE, CONSCIOUSNESS, SYSTOLIC],
        Derive::Mews => &[SYSTOLIC, HEART_RATE, RESPIRATORY_RATE, TEMPERATURE, CONSCIOUSNESS],
        Derive::Sirs => &[TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, PACO2, WHITE_CELLS, BANDS],
        Derive::AkiStage => &[CREATININE],
        Derive::Artefact => {
            &[HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, DIASTOLIC, MEAN_PRESSURE, TEMPERATURE]
        }
    }
}

/// A hash of why a measure was not evaluated.
fn note_of(indexed: &Indexed, why: u64) -> u64 {
    (indexed.key ^ why.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1)
}

fn why_of(reason: NotComputed) -> u64 {
    match reason {
        NotComputed::Missing { .. } => 0,
        NotComputed::AgeUnknown { .. } => 1,
        NotComputed::TooYoung { .. } => 2,
        NotComputed::OutOfRange { .. } => 3,
        NotComputed::Pregnant => 4,
        NotComputed::NotSteady => 5,
    }
}

impl Turn<'_> {
    /// Computes what the event touched.
    pub(super) fn computed(&mut self) {
        let set = self.set;
        self.news2 = None;
        if self.derived != 0 {
            for (bit, place) in set.derived.iter().enumerate() {
                if self.derived & (1 << bit) != 0 {
                    self.derive(&set.measures[usize::from(*place)]);
                }
            }
        }
        if self.whens != 0 {
            self.expressions();
        }
    }

    /// The latest usable value of an input that is not too old; a bound is no input.
    fn input(&self, measure: &Measure, input: u64) -> Option<&Entry> {
        let entry = self.state.latest(input).filter(|entry| entry.comparator.is_none())?;
        let age = self.now().saturating_sub(entry.at);
        measure.inputs_within.is_none_or(|within| age <= within.micros()).then_some(entry)
    }

    fn now(&self) -> i64 {
        self.state.newest.max(self.at.0)
    }

    fn derive(&mut self, indexed: &Indexed) {
        let (set, measure) = (self.set, &indexed.measure);
        let Some(derive) = measure.derive.filter(|_| !indexed.rules.is_empty()) else { return };
        let mut inputs = self.inputs(derive, measure);
        if derive == Derive::Artefact {
            inputs.oldest = self.artefacts(measure).map(|entry| entry.at).min();
        }
        let has_episode = self.state.episodes.iter().any(|episode| episode.measure == indexed.key);
        if inputs.oldest.is_none() && !has_episode {
            return;
        }
        if let (Some(oldest), Some(within)) = (inputs.oldest, measure.inputs_within) {
            let expiry = oldest.saturating_add(within.micros()).saturating_add(1);
            self.state.expiry = self.state.expiry.min(expiry);
        }
        let computed = self.compute(derive, measure);
        let note = match &computed {
            Ok(_) => note_of(indexed, inputs.missing),
            Err(reason) => note_of(indexed, u64::MAX - why_of(*reason)),
        };
        if self.correction.is_none() && self.is_settled(indexed, &computed, has_episode, note) {
            return;
        }
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            match (self.applies(rule), &computed) {
                (Ok(false), _) => {}
                (Err(unknown), _) => self.note(rule, indexed.key, unknown.reason()),
                (Ok(true), Err(reason)) => {
                    self.note_as(rule, indexed.key, note, &|_| reason.to_string());
                    if self.correction.is_some() {
                        self.judge_computed(rule, indexed, &Computed::points(0, 1), note);
                    }
                }
                (Ok(true), Ok(computed)) => self.judge_computed(rule, indexed, computed, note),
            }
        }
    }

    /// Nothing is raised at this value and everything about it was said: the way of most events.
    fn is_settled(
        &self,
        indexed: &Indexed,
        computed: &Result<Computed, NotComputed>,
        has_episode: bool,
        note: u64,
    ) -> bool {
        let (is_quiet, is_whole) = match computed {
            Ok(found) => (indexed.quiet.1.is_none_or(|high| found.number < high), found.comparator.is_none()),
            Err(_) => (true, false),
        };
        if !is_quiet || is_whole {
            return is_quiet && !has_episode;
        }
        let episodes = self.state.episodes.iter().filter(|episode| episode.measure == indexed.key);
        let said = episodes
            .clone()
            .filter(|episode| episode.note == note && episode.open.is_none() && episode.rows.is_empty());
        said.count() == indexed.rules.len() && episodes.count() == indexed.rules.len()
    }

    fn judge_computed(&mut self, rule: &Rule, indexed: &Indexed, computed: &Computed, note: u64) {
        let verdicts = verdicts_of(rule, computed.number, computed.comparator);
        let met = verdicts.iter().any(|(raise, _)| *raise == Verdict::Met);
        if !met && verdicts.iter().any(|(raise, _)| *raise == Verdict::Unknown) {
            let at_least = computed.number;
            self.note_as(rule, indexed.key, note, &|turn| {
                let missing = turn.missing(&indexed.measure);
                let labels: Vec<&str> = missing.iter().map(|name| turn.label(name)).collect();
                format!("missing or too old: {}; at least {at_least} of what is there", labels.join(", "))
            });
        } else {
            self.unnote(rule, &verdicts);
        }
        let rests: Vec<u64> = if met || self.correction.is_some() { self.rests_of(rule) } else { Vec::new() };
        let event = self.event.map_or("", |event| event.id.as_str());
        let at = self.now();
        let fact = Fact { at, value: computed.number, event, rests: &rests, correction: self.correction };
        self.judge(rule, 0, indexed.key, &fact, &verdicts);
    }

    /// Which inputs are there and not too old.
    fn inputs(&self, derive: Derive, measure: &Measure) -> Inputs {
        let mut found = Inputs { oldest: None, missing: 0 };
        for (bit, input) in keys_of(derive).iter().enumerate() {
            match self.input(measure, *input) {
                Some(entry) => {
                    found.oldest = Some(found.oldest.map_or(entry.at, |oldest| oldest.min(entry.at)));
                }
                None => found.missing |= 1 << bit,
            }
        }
        if derive == Derive::Sirs {
            // Alternatives of a criterion: measured seldom, and not needed beside the other.
            for (usual, seldom) in [(2, 3), (4, 5)] {
                if found.missing & (1 << usual) == 0 {
                    found.missing &= !(1 << seldom);
                }
            }
        }
        found
    }

    /// Inputs that are not there or too old.
    pub(super) fn missing(&self, measure: &Measure) -> Vec<&'static str> {
        let Some(derive) = measure.derive else { return Vec::new() };
        let missing = self.inputs(derive, measure).missing;
        let names = derive.inputs().iter().enumerate();
        names.filter(|(bit, _)| missing & (1 << bit) != 0).map(|(_, name)| *name).collect()
    }

    pub(super) fn label(&self, measure: &str) -> &str {
        self.set.measure(measure).map_or("", |indexed| &indexed.measure.label)
    }

    /// The value of a computed measure now.
    pub(super) fn compute(&mut self, derive: Derive, measure: &Measure) -> Result<Computed, NotComputed> {
        match derive {
            Derive::News2 => {
                let found = self.news2(measure)?;
                Ok(Computed::points(found.partial, found.n_missing))
            }
            Derive::News2Red => {
                let found = self.news2(measure)?;
                let n_red = found.points.named().iter().filter(|(_, points)| *points == Some(3)).count();
                Ok(Computed::points(n_red as u8, found.n_missing))
            }
            Derive::Qsofa => {
                let person = self.person();
                let found = qsofa::qsofa(
                    self.number(measure, RESPIRATORY_RATE).and_then(|n| RespirationsPerMin::of(n).ok()),
                    self.consciousness(measure),
                    self.number(measure, SYSTOLIC).and_then(|n| SystolicMmHg::of(n).ok()),
                    person,
                )?;
                Ok(Computed::points(found.points, usize::from(found.n_missing)))
            }
            Derive::Mews => {
                let person = self.person();
                let signs = mews::Signs {
                    systolic: self.number(measure, SYSTOLIC).and_then(|n| SystolicMmHg::of(n).ok()),
                    pulse: self.number(measure, HEART_RATE).and_then(|n| PulsePerMin::of(n).ok()),
                    respirations: self
                        .number(measure, RESPIRATORY_RATE)
                        .and_then(|n| RespirationsPerMin::of(n).ok()),
                    temperature: self
                        .number(measure, TEMPERATURE)
                        .and_then(|n| TemperatureCelsius::of(n).ok()),
                    consciousness: self.consciousness(measure),
                };
                let found = mews::mews(&signs, person)?;
                Ok(Computed::points(found.points, usize::from(found.n_missing)))
            }
            Derive::Sirs => {
                let person = self.person();
                let signs = sirs::Signs {
                    temperature: self.number(measure, TEMPERATURE),
                    pulse: self.number(measure, HEART_RATE),
                    respirations: self.number(measure, RESPIRATORY_RATE),
                    paco2: self.number(measure, PACO2),
                    white_cells: self.number(measure, WHITE_CELLS),
                    bands: self.number(measure, BANDS),
                };
                let found = sirs::sirs(&signs, person)?;
                Ok(Computed::points(found.points, usize::from(found.n_missing)))
            }
            Derive::AkiStage => self.aki().map(|found| Computed::points(found.stage, 0)),
            Derive::Artefact => Ok(Computed::points(self.artefacts(measure).count() as u8, 0)),
        }
    }

    fn number(&self, measure: &Measure, input: u64) -> Option<Number> {
        self.input(measure, input).map(|entry| entry.number)
    }

    fn consciousness(&self, measure: &Measure) -> Option<Consciousness> {
        let levels = [
            Consciousness::Alert,
            Consciousness::Confusion,
            Consciousness::Voice,
            Consciousness::Pain,
            Consciousness::Unresponsive,
        ];
        let (place, _) = self.number(measure, CONSCIOUSNESS)?.parts();
        levels.get(usize::try_from(place).ok()?).copied()
    }

    pub(super) fn scale(&self) -> Scale {
        if self.subject.spo2_target_88_92 { Scale::Two } else { Scale::One }
    }

    /// Computed once for the rules that ask for it.
    pub(super) fn news2(&mut self, measure: &Measure) -> Result<News2, NotComputed> {
        let within = measure.inputs_within.map_or(i64::MAX, Span::micros);
        if let Some((for_within, found)) = self.news2
            && for_within == within
        {
            return found;
        }
        let found = self.news2_now(measure);
        self.news2 = Some((within, found));
        found
    }

    fn news2_now(&mut self, measure: &Measure) -> Result<News2, NotComputed> {
        let person = self.person();
        let breathing = self.number(measure, BREATHING).map(|n| n.parts().0);
        let vitals = Vitals {
            respirations: self.number(measure, RESPIRATORY_RATE).and_then(|n| RespirationsPerMin::of(n).ok()),
            spo2: self.number(measure, SPO2).and_then(|n| Spo2Percent::of(n).ok()),
            breathing: breathing.map(|place| if place == 0 { Breathing::Air } else { Breathing::Oxygen }),
            systolic: self.number(measure, SYSTOLIC).and_then(|n| SystolicMmHg::of(n).ok()),
            pulse: self.number(measure, HEART_RATE).and_then(|n| PulsePerMin::of(n).ok()),
            consciousness: self.consciousness(measure),
            temperature: self.number(measure, TEMPERATURE).and_then(|n| TemperatureCelsius::of(n).ok()),
        };
        news2(&vitals, self.scale(), person)
    }

    pub(super) fn aki(&self) -> Result<Aki, NotComputed> {
        let entries = self.state.track(CREATININE).map_or(&[][..], |track| &track.entries);
        let usable = entries.iter().filter(|entry| entry.is_usable() && entry.comparator.is_none());
        let values: Vec<(i64, Number)> = usable.map(|entry| (entry.at, entry.number)).collect();
        aki(&values, self.subject.dialysis)
    }

    /// Newest readings of vital signs that are artefacts and not too old.
    fn artefacts<'t>(&'t self, measure: &'t Measure) -> impl Iterator<Item = &'t Entry> {
        let now = self.now();
        let is_fresh = move |at: i64| {
            measure.inputs_within.is_none_or(|within| now.saturating_sub(at) <= within.micros())
        };
        let newest =
            Derive::Artefact.inputs().iter().filter_map(|name| self.state.track(key(name))?.entries.last());
        newest.filter(move |entry| entry.marks & ARTEFACT != 0 && is_fresh(entry.at))
    }
}

impl RuleSet {
    /// Hands a computed value to the rules of its measure as it is: for tests in rule files.
    pub(crate) fn on_computed(
        &self,
        state: &mut PatientState,
        subject: &Subject,
        indexed: &Indexed,
        (number, comparator): (Number, Option<Comparator>),
        at: Instant,
    ) -> Vec<Finding> {
        let mut turn = Turn::new(self, state, subject, at, None);
        turn.pass_time(at.0);
        turn.state.newest = turn.state.newest.max(at.0);
        for place in &indexed.rules {
            let rule = &self.rules[usize::from(*place)];
            if turn.applies(rule) == Ok(true) {
                turn.judge_computed(rule, indexed, &Computed { number, comparator }, note_of(indexed, 0));
            }
        }
        turn.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_names() {
        let all = [
            Derive::News2,
            Derive::News2Red,
            Derive::Qsofa,
            Derive::Mews,
            Derive::Sirs,
            Derive::AkiStage,
            Derive::Artefact,
        ];
        for derive in all {
            let keys: Vec<u64> = derive.inputs().iter().map(|name| key(name)).collect();
            assert_eq!(keys, keys_of(derive), "{derive:?}");
        }
    }
}
