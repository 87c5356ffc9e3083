//! A value that came late, was corrected or was withdrawn: the remembered values are judged again in the order of their time.

use event::{Event, Measurement};
use fhir::Instant;

use super::machine::{self, Fact, Verdicts};
use super::measured::{LATE_MAX_MICROS, result_of, verdicts_of};
use super::turn::Turn;
use crate::hash::key;
use crate::limit::Verdict;
use crate::model::Rule;
use crate::set::Indexed;
use crate::state::Entry;

impl Turn<'_> {
    /// Older than the newest value of its measure.
    pub(super) fn late(&mut self, indexed: &Indexed, entry: &Entry, newest: i64) {
        let n_kept = indexed.measure.n_kept;
        let beyond = newest.saturating_sub(entry.at) > LATE_MAX_MICROS;
        let (at, usable) = (entry.at, entry.is_usable());
        let track = self.state.track_mut(indexed.key);
        let alone = track.insert(entry.clone(), n_kept).is_none();
        if !usable
            || (indexed.is_quiet(entry) && !self.state.episodes.iter().any(|e| e.measure == indexed.key))
        {
            return;
        }
        let set = self.set;
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            if self.applies(rule) != Ok(true) {
                continue;
            }
            if beyond {
                let met = verdicts_of(rule, entry.number, entry.comparator)
                    .iter()
                    .any(|(raise, _)| *raise == Verdict::Met);
                if met {
                    let hours = LATE_MAX_MICROS / 3_600_000_000;
                    self.note(
                        rule,
                        indexed.key,
                        &format!(
                            "a value came more than {hours} h after a newer one: it is kept, not alerted on"
                        ),
                    );
                }
                continue;
            }
            self.series(rule, indexed, alone.then_some(entry), (at, None));
        }
    }

    /// A result was replaced by another value.
    pub(super) fn again(&mut self, indexed: &Indexed, from: i64, gone: Option<u64>) {
        let set = self.set;
        for place in &indexed.rules {
            let rule = &set.rules[usize::from(*place)];
            if self.applies(rule) == Ok(true) || self.state.episode(key(&rule.name), 0).is_some() {
                self.series(rule, indexed, None, (from, gone));
            }
        }
    }

    /// A result that was cancelled or never true.
    pub(super) fn withdrawn(&mut self, event: &Event, indexed: &Indexed, measurement: &Measurement) {
        let result = result_of(event, measurement);
        let track = self.state.track_mut(indexed.key);
        let removed = track.of_result(result).map(|place| track.entries.remove(place));
        if result == 0 {
            return;
        }
        self.derived |= indexed.derived;
        self.whens |= indexed.whens;
        self.correction = Some(result);
        // What is not remembered any more can still be what an alert rests on.
        let from = removed.map_or(event.at.0, |entry| entry.at);
        self.again(indexed, from, Some(result));
    }

    fn series(
        &mut self,
        rule: &Rule,
        indexed: &Indexed,
        first: Option<&Entry>,
        (at, gone): (i64, Option<u64>),
    ) {
        let entries: Vec<Entry> = {
            let kept = self.state.track(indexed.key).map_or(&[][..], |track| &track.entries);
            let usable = kept.iter().filter(|entry| entry.is_usable() || rule.reads_all);
            first.into_iter().chain(usable).cloned().collect()
        };
        // What was active before the first remembered value stays; a value that is gone takes what began with it.
        let remembered = entries.get(usize::from(first.is_some())).map_or(at, |entry| entry.at);
        let from = if gone.is_some() { remembered.min(at) } else { remembered };
        let rests: Vec<[u64; 1]> = entries.iter().map(|entry| [entry.result]).collect();
        let facts: Vec<(Fact<'_>, Vec<Verdicts>)> = entries
            .iter()
            .zip(&rests)
            .map(|(entry, rests)| {
                let fact = Fact {
                    at: entry.at,
                    value: entry.number,
                    event: &entry.origin.event,
                    rests,
                    correction: None,
                };
                (fact, verdicts_of(rule, entry.number, entry.comparator))
            })
            .collect();
        let hash = key(&rule.name);
        let met = facts.iter().any(|(_, verdicts)| verdicts.iter().any(|(raise, _)| *raise == Verdict::Met));
        if self.state.episode(hash, 0).is_none() && !met {
            return;
        }
        let now = self.state.newest.max(self.at.0);
        let place = self.state.episode_or_new(hash, 0, indexed.key);
        let event = self.event.map(|event| event.id.clone());
        let acts = machine::on_series(
            rule,
            &mut self.state.episodes[place],
            &facts,
            gone,
            (from, now),
            event.as_deref(),
        );
        for act in acts {
            self.say_act(rule, place, Instant(now), event.clone(), act);
        }
    }
}
