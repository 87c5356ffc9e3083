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
use crate::model::{Derive, Measure};
use crate::set::Indexed;
use crate::state::{ARTEFACT, Entry};
use crate::{Finding, PatientState, RuleSet, Subject};

const RESPIRATORY_RATE: u64 = key("respiratory_rate");
const SPO2: u64 = key("spo2");
const BREATHING: u64 = key("breathing");
const SYSTOLIC: u64 = key("systolic");
const HEART_RATE: u64 = key("heart_rate");
const CONSCIOUSNESS: u64 = key("consciousness");
const TEMPERATURE: u64 = key("temperature");
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

impl Turn<'_> {
    /// Computes what the event touched.
    pub(super) fn computed(&mut self) {
        let set = self.set;
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
        let Some(derive) = measure.derive else { return };
        if indexed.rules.is_empty() {
            return;
        }
        let oldest = match derive {
            Derive::Artefact => self.artefacts(measure).map(|entry| entry.at).min(),
            _ => derive
                .inputs()
                .iter()
                .filter_map(|name| self.input(measure, key(name)))
                .map(|entry| entry.at)
                .min(),
        };
        let has_episode = self.state.episodes.iter().any(|episode| episode.measure == indexed.key);
        if oldest.is_none() && !has_episode {
            return;
        }
        if let (Some(oldest), Some(within)) = (oldest, measure.inputs_within) {
            let expiry = oldest.saturating_add(within.micros()).saturating_add(1);
            self.state.expiry = self.state.expiry.min(expiry);
        }
        let computed = self.compute(derive, measure);
        if let Ok(Computed { number, comparator: None }) = &computed
            && !has_episode
            && indexed.quiet.1.is_none_or(|high| *number < high)
        {
            return;
        }
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            match (self.applies(rule), &computed) {
                (Ok(false), _) => {}
                (Err(unknown), _) => self.note(rule, indexed.key, unknown.reason()),
                (Ok(true), Err(reason)) => {
                    self.note(rule, indexed.key, &reason.to_string());
                    if self.correction.is_some() {
                        self.judge_computed(rule, indexed, &Computed::points(0, 1));
                    }
                }
                (Ok(true), Ok(computed)) => self.judge_computed(rule, indexed, computed),
            }
        }
    }

    fn judge_computed(&mut self, rule: &crate::model::Rule, indexed: &Indexed, computed: &Computed) {
        let verdicts = verdicts_of(rule, computed.number, computed.comparator);
        let met = verdicts.iter().any(|(raise, _)| *raise == Verdict::Met);
        if !met && verdicts.iter().any(|(raise, _)| *raise == Verdict::Unknown) {
            let missing = self.missing(&indexed.measure);
            let hash = missing.iter().fold(indexed.key, |hash, name| hash ^ key(name));
            let at_least = computed.number;
            self.note_as(rule, indexed.key, hash, &|turn| {
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

    /// Inputs that are not there or too old.
    pub(super) fn missing(&self, measure: &Measure) -> Vec<&'static str> {
        let inputs = measure.derive.map_or(&[][..], Derive::inputs);
        let rate = self.input(measure, RESPIRATORY_RATE).is_some();
        let cells = self.input(measure, WHITE_CELLS).is_some();
        let has = |name: &str| match name {
            // Alternatives of a criterion: measured seldom, and not needed beside the other.
            "paco2" => rate || self.input(measure, PACO2).is_some(),
            "bands" => cells || self.input(measure, BANDS).is_some(),
            _ => self.input(measure, key(name)).is_some(),
        };
        inputs.iter().copied().filter(|name| !has(name)).collect()
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

    pub(super) fn news2(&mut self, measure: &Measure) -> Result<News2, NotComputed> {
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
                turn.judge_computed(rule, indexed, &Computed { number, comparator });
            }
        }
        turn.end()
    }
}
