//! One measured value: read into the unit of its measure, remembered, judged by the limits of its measure.

use std::sync::Arc;

use clinical::{Number, units};
use event::{Event, Measurement, Status, Value};

use super::machine::{Fact, Verdicts};
use super::turn::Turn;
use crate::hash::{key, pair};
use crate::limit::Verdict;
use crate::model::{Condition, Rule};
use crate::set::Indexed;
use crate::state::{ARTEFACT, CORRECTED, Entry, IMPLAUSIBLE, LOW_QUALITY, PRELIMINARY, UNUSABLE};

/// Values that are older than the newest of their measure by more than this are remembered and not judged.
pub(super) const LATE_MAX_MICROS: i64 = 24 * 3_600_000_000;

/// Why something of a poor event is not alerted on.
pub(super) const POOR: &str =
    "the event's quality is below what its source must have: the value is kept, not alerted on";

impl Turn<'_> {
    pub(super) fn measured(&mut self, event: &Event, measurement: &Measurement) {
        let set = self.set;
        let by_code = measurement.loinc.as_deref().and_then(|code| set.measure(code));
        let Some(indexed) = by_code.or_else(|| set.measure(&measurement.name)) else { return };
        // Values that nobody measured never reach a rule.
        if measurement.flags.iter().any(|flag| flag == "imputed") {
            return;
        }
        if matches!(measurement.status, Status::Cancelled | Status::EnteredInError) {
            self.withdrawn(event, indexed, measurement);
            return;
        }
        let number = match read(indexed, measurement) {
            Ok(number) => number,
            Err(reason) => {
                self.not_read(indexed, &reason);
                return;
            }
        };
        let entry = self.entry(event, indexed, measurement, number);
        self.derived |= indexed.derived;
        self.whens |= indexed.whens;
        let (n_kept, usable) = (indexed.measure.n_kept, entry.is_usable());
        let track = self.state.track_mut(indexed.key);
        if let Some(before) = track.of_result(entry.result) {
            let old = track.entries.remove(before);
            let same = old.number == entry.number
                && old.comparator == entry.comparator
                && old.marks & UNUSABLE == entry.marks & UNUSABLE;
            let gone = (!same).then_some(entry.result);
            let from = old.at.min(entry.at);
            track.insert(entry, n_kept);
            if !same {
                self.correction = gone;
                self.again(indexed, from, gone);
            }
            return;
        }
        let newest = track.entries.last().map_or(i64::MIN, |last| last.at);
        if entry.at < newest {
            self.late(indexed, &entry, newest);
            return;
        }
        let quiet = usable && indexed.is_quiet(&entry);
        track.insert(entry, n_kept);
        if quiet && (!indexed.needs_person || self.knows_person()) && !self.has_episode(indexed.key) {
            return;
        }
        self.limits(indexed);
    }

    fn has_episode(&self, measure: u64) -> bool {
        self.state.episodes.iter().any(|episode| episode.measure == measure)
    }

    fn entry(
        &mut self,
        event: &Event,
        indexed: &Indexed,
        measurement: &Measurement,
        number: Number,
    ) -> Entry {
        let mut marks = match measurement.status {
            Status::Preliminary => PRELIMINARY,
            Status::Corrected => CORRECTED,
            _ => 0,
        };
        if measurement.flags.iter().any(|flag| flag == "artefact") {
            marks |= ARTEFACT;
        }
        if indexed.measure.plausible.is_some_and(|(low, high)| number < low || number > high) {
            marks |= IMPLAUSIBLE;
        }
        if self.set.is_poor(event) {
            marks |= LOW_QUALITY;
        }
        let flags = (!measurement.flags.is_empty()).then(|| Arc::from(measurement.flags.join(", ")));
        Entry {
            at: event.at.0,
            number,
            comparator: measurement.comparator,
            marks,
            result: result_of(event, measurement),
            origin: self.origin(event),
            flags,
        }
    }

    /// No value, or one that cannot be compared: every rule that would have read it says so.
    fn not_read(&mut self, indexed: &Indexed, reason: &str) {
        let set = self.set;
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            if self.applies(rule) == Ok(true) {
                self.note(rule, indexed.key, reason);
            }
        }
    }

    /// The newest value of a measure against all rules of it.
    fn limits(&mut self, indexed: &Indexed) {
        let set = self.set;
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            match self.applies(rule) {
                Ok(true) => self.limit(rule, indexed),
                Ok(false) => {}
                Err(unknown) => self.note(rule, indexed.key, unknown.reason()),
            }
        }
    }

    fn limit(&mut self, rule: &Rule, indexed: &Indexed) {
        let Some(entry) = self.state.track(indexed.key).and_then(|track| track.entries.last()) else {
            return;
        };
        let verdicts = verdicts_of(rule, entry.number, entry.comparator);
        let marks = entry.marks & UNUSABLE;
        if marks != 0 && !rule.reads_all {
            if marks == LOW_QUALITY && verdicts.iter().any(|(raise, _)| *raise == Verdict::Met) {
                self.note(rule, indexed.key, POOR);
            }
            return;
        }
        let (value, rests, origin) = (entry.number, [entry.result], Arc::clone(&entry.origin));
        let unknown = verdicts.iter().any(|(raise, _)| *raise == Verdict::Unknown);
        if unknown && !verdicts.iter().any(|(raise, _)| *raise == Verdict::Met) {
            self.note(
                rule,
                indexed.key,
                "the value is only a bound and does not tell on which side of the limit it lies",
            );
        } else {
            self.unnote(rule, &verdicts);
        }
        let fact = Fact { at: self.at.0, value, event: &origin.event, rests: &rests, correction: None };
        self.judge(rule, 0, indexed.key, &fact, &verdicts);
    }
}

/// Hash of the sender's identifier of a result; 0 when there is none.
pub(super) fn result_of(event: &Event, measurement: &Measurement) -> u64 {
    measurement.result.as_deref().map_or(0, |result| pair(&event.source, result) ^ key(&measurement.name))
}

/// Verdicts of all rows of a rule with limits.
pub(super) fn verdicts_of(
    rule: &Rule,
    value: Number,
    comparator: Option<event::Comparator>,
) -> Vec<Verdicts> {
    let judge = |condition: &Condition| match condition {
        Condition::Limit(limit) => limit.judge(value, comparator),
        Condition::When(_) => Verdict::Unknown,
    };
    rule.rows().iter().map(|row| (judge(&row.raise), judge(&row.clear))).collect()
}

/// The value in the unit of its measure; words are their place.
fn read(indexed: &Indexed, measurement: &Measurement) -> Result<Number, String> {
    let measure = &indexed.measure;
    let number = match &measurement.value {
        Value::Number(number) => *number,
        Value::Text(text) => {
            let place = measure.words.iter().position(|word| word == text);
            let place = place
                .ok_or_else(|| format!("`{}` came as a text that is not one of its words", measure.label))?;
            return Ok(Number::of(place as i64, 0));
        }
        Value::Absent(_) => return Err(format!("`{}` was sent without a value", measure.label)),
    };
    if !measure.words.is_empty() {
        return Err(format!(
            "`{}` came as a number and is one of: {}",
            measure.label,
            measure.words.join(", ")
        ));
    }
    if measurement.unit.as_deref() == measure.unit.as_deref() {
        return Ok(number);
    }
    let wanted = measure.unit.as_deref().unwrap_or("no unit");
    let converted = || {
        let from = units::parse_unit(measurement.unit.as_deref()?)?;
        let to = units::parse_unit(measure.unit.as_deref()?)?;
        let code = measurement.loinc.as_deref().filter(|code| units::analyte_of(code).is_some());
        let code = code.or_else(|| measure.loinc.first().map(String::as_str))?;
        units::convert(code, number, from, to).ok()
    };
    converted().ok_or_else(|| match &measurement.unit {
        None => format!("`{}` came without a unit and is judged in `{wanted}`", measure.label),
        Some(unit) => format!("`{}` came in `{unit}`, which is not converted to `{wanted}`", measure.label),
    })
}

impl Indexed {
    /// No rule of this measure raises anything at this value.
    pub(super) fn is_quiet(&self, entry: &Entry) -> bool {
        let (low, high) = self.quiet;
        entry.comparator.is_none()
            && low.is_none_or(|low| entry.number > low)
            && high.is_none_or(|high| entry.number < high)
    }
}

impl crate::RuleSet {
    /// Is the quality that an event says of itself below what its source must have: it is remembered and shown, not alerted on. What says
    /// nothing of its quality is not poor. A sender `APPLICATION@FACILITY` of HL7 v2 may be set by its application alone.
    pub fn is_poor(&self, event: &Event) -> bool {
        let Some(quality) = event.quality else { return false };
        let by_source = &self.quality.by_source;
        let application = || by_source.get(event.source.split_once('@')?.0);
        let asked = by_source.get(&event.source).or_else(application).copied();
        quality < asked.unwrap_or(self.quality.min)
    }
}
