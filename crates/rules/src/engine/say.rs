//! From an act of a rule to a finding: text for people, and the values that it rests on.

use event::{Event, Medication};
use fhir::Instant;

use super::machine::Act;
use super::turn::Turn;
use crate::hash::key;
use crate::limit::sign_of;
use crate::model::{Body, Condition, Derive, OrderCheck, Row, Rule};
use crate::state::{CORRECTED, Entry, IMPLAUSIBLE, LOW_QUALITY, PRELIMINARY};
use crate::{Finding, Seen, What};

impl Turn<'_> {
    /// Measures that a rule looks at.
    pub(super) fn inputs_of<'r>(&self, rule: &'r Rule) -> Vec<&'r str> {
        match &rule.body {
            Body::Limits { measure, .. } => match self.derive_of(measure) {
                Some(derive) => derive.inputs().to_vec(),
                None => vec![measure],
            },
            Body::When(row) => match &row.raise {
                Condition::When(expression) => expression.measures.iter().map(String::as_str).collect(),
                Condition::Limit(_) => Vec::new(),
            },
            Body::Order { .. } => Vec::new(),
        }
    }

    fn derive_of(&self, measure: &str) -> Option<Derive> {
        self.set.measure(measure)?.measure.derive
    }

    /// The latest value of a measure as a rule sees it, and the one before.
    fn values(&self, rule: &Rule, measure: &str) -> (Option<&Entry>, Option<&Entry>) {
        let Some(track) = self.state.track(key(measure)) else { return (None, None) };
        let mut usable = track.entries.iter().rev().filter(|entry| rule.reads_all || entry.is_usable());
        (usable.next(), usable.next())
    }

    fn value_text(&self, measure: &str, entry: &Entry) -> String {
        let words = self.set.measure(measure).map_or(&[][..], |indexed| &indexed.measure.words);
        let word = usize::try_from(entry.number.parts().0).ok().and_then(|place| words.get(place));
        word.cloned().unwrap_or_else(|| format!("{}{}", sign_of(entry.comparator), entry.number))
    }

    fn unit_of(&self, measure: &str) -> Option<String> {
        self.set.measure(measure).and_then(|indexed| indexed.measure.unit.clone())
    }

    fn seen(&self, measure: &str, entry: &Entry) -> Seen {
        Seen {
            name: measure.to_owned(),
            value: self.value_text(measure, entry),
            unit: self.unit_of(measure),
            at: Instant(entry.at),
            event: entry.origin.event.clone(),
            source: entry.origin.source.clone(),
        }
    }

    /// `heart rate 121 /min`.
    fn shown(&self, measure: &str, entry: &Entry) -> String {
        let unit = self.unit_of(measure).map_or_else(String::new, |unit| format!(" {unit}"));
        format!("{} {}{unit}", self.label(measure), self.value_text(measure, entry))
    }

    pub(super) fn rule_words(&self, rule: &Rule) -> String {
        format!("rule {} {}", rule.name, rule.version)
    }

    pub(super) fn say_act(
        &mut self,
        rule: &Rule,
        place: usize,
        at: Instant,
        event: Option<String>,
        act: Act,
    ) {
        let row = match &act {
            Act::Raise { key, .. } => rule.rows().iter().find(|row| row.key() == *key),
            Act::Clear { .. } | Act::Retract { .. } => None,
        };
        let inputs = self.inputs_of(rule);
        let mut seen = Vec::new();
        for measure in &inputs {
            seen.extend(self.values(rule, measure).0.map(|entry| self.seen(measure, entry)));
        }
        for measure in &inputs {
            seen.extend(self.values(rule, measure).1.map(|entry| self.seen(measure, entry)));
        }
        for measure in rule.context.iter().filter(|measure| !inputs.contains(&measure.as_str())) {
            seen.extend(self.values(rule, measure).0.map(|entry| self.seen(measure, entry)));
        }
        let message = self.message(rule, row, &act, at);
        let (what, opening) = match act {
            Act::Raise { severity, opening, .. } => (What::Raise(severity), opening),
            Act::Clear { opening } => (What::Clear, opening),
            Act::Retract { opening } => (What::Retract, opening),
        };
        let immediate = rule.rows().iter().any(|row| {
            let active =
                |key| self.state.episodes[place].rows.iter().any(|state| state.active && state.key == key);
            row.immediate && active(row.key())
        });
        self.out.push(Finding {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            subject: self.state.patient.clone(),
            what,
            at,
            opening,
            event,
            message,
            seen,
            topic: rule.topic.clone(),
            immediate,
            respond_within_mins: row.and_then(|row| row.respond_within).map(crate::span::Span::minutes),
        });
    }

    pub(super) fn say_note(&mut self, rule: &Rule, place: usize, reason: String) {
        let opening =
            self.state.episodes[place].open.as_ref().map_or_else(String::new, |open| open.opening.clone());
        self.out.push(Finding {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            subject: self.state.patient.clone(),
            message: format!("not evaluated: {reason}; {}", self.rule_words(rule)),
            what: What::NotEvaluated(reason),
            at: self.at,
            opening,
            event: self.event.map(|event| event.id.clone()),
            seen: Vec::new(),
            topic: rule.topic.clone(),
            immediate: false,
            respond_within_mins: None,
        });
    }

    /// What is measured, value, unit, time, source, previous value, rule and version: the order of `clinical-safety`, line 11.
    fn message(&mut self, rule: &Rule, row: Option<&Row>, act: &Act, at: Instant) -> String {
        let inputs = self.inputs_of(rule);
        let single = match &rule.body {
            Body::Limits { measure, .. } if self.derive_of(measure).is_none() => Some(measure.clone()),
            _ => None,
        };
        let mut parts = vec![self.lead(rule, row, act)];
        if let Some(measure) = &single {
            parts.extend(self.measured_words(rule, measure));
        } else {
            parts.extend(self.explanation(rule));
            for measure in &inputs {
                parts.extend(self.input_words(rule, measure, at));
            }
        }
        for measure in rule.context.iter().filter(|measure| !inputs.contains(&measure.as_str())) {
            if let (Some(entry), _) = self.values(rule, measure) {
                parts.push(format!("with {} at {}", self.shown(measure, entry), Instant(entry.at)));
            }
        }
        parts.push(self.rule_words(rule));
        parts.join("; ")
    }

    /// `SpO2 93 % at 2026-11-25T08:00:00.000Z (5 min old) by monitor`; of expressions also the value before.
    fn input_words(&self, rule: &Rule, measure: &str, at: Instant) -> Option<String> {
        let (latest, previous) = self.values(rule, measure);
        let entry = latest?;
        let mins = (at.0 - entry.at).max(0) / 60_000_000;
        let marks = self.marks_words(entry).map_or_else(String::new, |marks| format!(", {marks}"));
        let before = previous.filter(|_| matches!(rule.body, Body::When(_)));
        let before = before.map_or_else(String::new, |entry| {
            format!(", before: {} at {}", self.value_text(measure, entry), Instant(entry.at))
        });
        let (shown, time, source) = (self.shown(measure, entry), Instant(entry.at), &entry.origin.source);
        Some(format!("{shown} at {time} ({mins} min old) by {source}{marks}{before}"))
    }

    fn measured_words(&self, rule: &Rule, measure: &str) -> Vec<String> {
        let (latest, previous) = self.values(rule, measure);
        let mut parts = Vec::new();
        if let Some(entry) = latest {
            parts.push(format!("measured {} by {}", Instant(entry.at), entry.origin.source));
            parts.extend(self.marks_words(entry));
        }
        parts.push(match previous {
            Some(entry) => format!("before: {} at {}", self.shown(measure, entry), Instant(entry.at)),
            None => "no value before".to_owned(),
        });
        parts
    }

    /// `preliminary`, `specimen or device: haemolysed`, ...
    fn marks_words(&self, entry: &Entry) -> Option<String> {
        let words = [
            (PRELIMINARY, "preliminary result"),
            (CORRECTED, "corrected result"),
            (IMPLAUSIBLE, "outside what a living person has"),
            (LOW_QUALITY, "low quality"),
        ];
        let mut found: Vec<String> = words
            .iter()
            .filter(|(mark, _)| entry.marks & mark != 0)
            .map(|(_, words)| (*words).to_owned())
            .collect();
        found.extend(entry.flags.as_ref().map(|flags| format!("flagged: {flags}")));
        (!found.is_empty()).then(|| found.join(", "))
    }

    fn lead(&mut self, rule: &Rule, row: Option<&Row>, act: &Act) -> String {
        let (label, value, unit, previous) = self.subject_words(rule);
        let limit = row.map_or_else(String::new, |row| self.limit_words(rule, row));
        let says = match (row.and_then(|row| row.says.clone()), act) {
            (_, Act::Clear { opening }) if opening.is_empty() => "judged again".to_owned(),
            (_, Act::Clear { .. }) => "over".to_owned(),
            (_, Act::Retract { .. }) => {
                "retracted: the result it rested on was corrected or withdrawn".to_owned()
            }
            (Some(says), _) => says,
            (None, _) => format!("{label} {limit}"),
        };
        let explanation = self.explanation(rule).unwrap_or_default();
        let fill = |name: &str| match name {
            "says" => says.clone(),
            "measure" => label.clone(),
            "value" => value.clone(),
            "unit" => unit.clone(),
            "limit" => limit.clone(),
            "previous" => previous.clone(),
            "explanation" => explanation.clone(),
            _ => String::new(),
        };
        match (&rule.message, act) {
            (Some(template), Act::Raise { .. }) => template.fill(&fill),
            _ if label.is_empty() => says,
            _ => {
                let gap = if unit.is_empty() { "" } else { " " };
                let limit = if limit.is_empty() { limit } else { format!(" (limit: {limit})") };
                format!("{says}: {label} {value}{gap}{unit}{limit}")
            }
        }
    }

    /// Label, value, unit and previous value of what a rule judges; empty for expressions.
    fn subject_words(&mut self, rule: &Rule) -> (String, String, String, String) {
        let Body::Limits { measure, .. } = &rule.body else { return <_>::default() };
        let Some(indexed) = self.set.measure(measure) else { return <_>::default() };
        let (label, unit) = (indexed.measure.label.clone(), indexed.measure.unit.clone().unwrap_or_default());
        let Some(derive) = indexed.measure.derive else {
            let (latest, previous) = self.values(rule, measure);
            let text = |entry: Option<&Entry>| {
                entry.map_or_else(|| "unknown".to_owned(), |e| self.value_text(measure, e))
            };
            return (label, text(latest), unit, text(previous));
        };
        let value = match self.compute(derive, &indexed.measure) {
            Ok(computed) => format!("{}{}", sign_of(computed.comparator), computed.number),
            Err(_) => "unknown".to_owned(),
        };
        (label, value, unit, String::new())
    }

    fn limit_words(&self, rule: &Rule, row: &Row) -> String {
        match (&row.raise, &rule.body) {
            (Condition::Limit(limit), Body::Limits { measure, .. }) => {
                let indexed = self.set.measure(measure);
                let words = indexed.map_or(&[][..], |indexed| &indexed.measure.words);
                let place = usize::try_from(limit.number.parts().0).ok();
                if let Some(word) = place.and_then(|place| words.get(place)) {
                    return format!("{} {word}", limit.op.name().replace('_', " "));
                }
                let unit = indexed.and_then(|indexed| indexed.measure.unit.as_deref()).unwrap_or("");
                format!("{limit} {unit}").trim_end().to_owned()
            }
            (Condition::When(expression), _) => expression.text.clone(),
            (Condition::Limit(limit), _) => limit.to_string(),
        }
    }

    /// How a computed value came about.
    fn explanation(&mut self, rule: &Rule) -> Option<String> {
        let Body::Limits { measure, .. } = &rule.body else { return None };
        let indexed = self.set.measure(measure)?;
        let missing = self.missing(&indexed.measure);
        let missing = (!missing.is_empty()).then(|| {
            let labels: Vec<&str> = missing.iter().map(|name| self.label(name)).collect();
            format!("missing or too old: {}", labels.join(", "))
        });
        match indexed.measure.derive? {
            Derive::News2 | Derive::News2Red => {
                let found = self.news2(&indexed.measure).ok()?;
                let points: Vec<String> = found
                    .points
                    .named()
                    .iter()
                    .filter_map(|(name, points)| Some(format!("{name} {}", (*points)?)))
                    .collect();
                let scale = if self.subject.spo2_target_88_92 { "SpO2 scale 2" } else { "SpO2 scale 1" };
                let partial =
                    missing.map_or_else(String::new, |missing| format!("; partial score, {missing}"));
                Some(format!("points: {}; {scale}{partial}", points.join(", ")))
            }
            Derive::AkiStage => {
                let found = self.aki().ok()?;
                let rise = if found.rise_in_48_h { "; risen by at least 0.3 mg/dL within 48 h" } else { "" };
                Some(format!(
                    "KDIGO; baseline {} mg/dL: {}{rise}; urine output not looked at; do not report eGFR",
                    found.baseline_value,
                    found.baseline.words()
                ))
            }
            Derive::Qsofa | Derive::Mews | Derive::Sirs => missing,
            Derive::Artefact => None,
        }
    }

    pub(super) fn say_order(&mut self, rule: &Rule, event: &Event, order: &Medication, code: &str, act: Act) {
        let name = order.display.as_deref().or(order.rxnorm.as_deref()).unwrap_or("an order");
        let lead = match &rule.message {
            Some(template) => template.fill(&|part| match part {
                "order" => name.to_owned(),
                "code" => code.to_owned(),
                _ => String::new(),
            }),
            None => format!("{name}: code {code}"),
        };
        let Body::Order { check, .. } = rule.body else { return };
        let against = match check {
            OrderCheck::Duplicate => "active medication",
            OrderCheck::Allergy => "recorded allergies",
        };
        let message = format!(
            "{lead}; ordered {} by {}; only exact RxNorm codes were compared with {against}: classes and cross-reactions are not looked at; {}",
            event.at,
            event.source,
            self.rule_words(rule)
        );
        self.say_plain(rule, event.at, Some(event.id.clone()), act, message, Some(code));
    }

    /// A finding on an order; each code is a topic of its own.
    pub(super) fn say_plain(
        &mut self,
        rule: &Rule,
        at: Instant,
        event: Option<String>,
        act: Act,
        message: String,
        code: Option<&str>,
    ) {
        let (what, opening) = match act {
            Act::Raise { severity, opening, .. } => (What::Raise(severity), opening),
            Act::Clear { opening } => (What::Clear, opening),
            Act::Retract { opening } => (What::Retract, opening),
        };
        let Body::Order { respond_within, .. } = rule.body else { return };
        self.out.push(Finding {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            subject: self.state.patient.clone(),
            respond_within_mins: respond_within
                .filter(|_| matches!(what, What::Raise(_)))
                .map(crate::span::Span::minutes),
            what,
            at,
            opening,
            event,
            message,
            seen: Vec::new(),
            topic: code.map_or_else(|| rule.topic.clone(), |code| format!("{}/{code}", rule.topic)),
            immediate: false,
        });
    }
}
