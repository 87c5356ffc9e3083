//! What rules say of past events, beside what the shipped ones say. Names of rules and counts; patients by reference only.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;

use anyhow::Context as _;
use event::{Event, Sources};
use fhir::{Clock, Instant};
use rules::{Difference, RuleFile, RuleSet, Subject, Told, compare, load_with_shipped};
use serde_json::{Value, json};

use super::invalid;
use crate::exit::usage;

/// Events that are held at once.
const EVENTS_MAX: usize = 5_000_000;

/// Replays a file of events, one JSON object a line, through the shipped rules and through these.
pub(super) fn on_file(files: &[RuleFile], events: &Path) -> anyhow::Result<Value> {
    let after = load_with_shipped(files).map_err(|problems| invalid(&problems))?;
    let file = std::fs::File::open(events)
        .map_err(|error| usage(format!("cannot read the events `{}`: {}", events.display(), error.kind())))?;
    let (mut read, mut n_refused) = (Vec::new(), 0);
    let now = db::SystemClock.now();
    for line in std::io::BufReader::new(file).lines() {
        let line = line.with_context(|| format!("cannot read `{}`", events.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        match Event::parse(line.as_bytes(), &Sources::default(), now) {
            Ok(event) => read.push(event),
            Err(_) => n_refused += 1,
        }
        if read.len() > EVENTS_MAX {
            return Err(usage(format!(
                "`{}` has more than {EVENTS_MAX} events: compare a part",
                events.display()
            )));
        }
    }
    let last: Option<Instant> = read.iter().map(|event| event.at).max();
    // Who the patients are, the events say: a file has no store beside it.
    let nobody = |_: &str| Subject::default();
    let difference = compare(&RuleSet::shipped(), &after, &read, &nobody, last);
    let patients: BTreeSet<&str> = read.iter().filter_map(|event| event.patient.as_deref()).collect();
    Ok(json_of(&difference, read.len(), patients.len(), n_refused))
}

/// As `POST /api/v1/rules/replay` answers.
fn json_of(difference: &Difference, n_events: usize, n_patients: usize, n_refused: usize) -> Value {
    let told = |told: &Told| {
        json!({
            "rule": told.rule, "version": told.version, "subject": told.subject, "severity": told.severity.name(),
            "opening": told.opening, "raised_at": told.raised_at.to_string(), "over_at": told.over_at.map(|at| at.to_string()),
        })
    };
    let all = |list: &[Told]| list.iter().map(told).collect::<Vec<Value>>();
    let changed = difference.changed.iter().map(|(before, after)| json!([told(before), told(after)]));
    json!({
        "events": n_events, "patients": n_patients, "refused": n_refused, "same": difference.n_same,
        "only_before": all(&difference.only_before), "only_after": all(&difference.only_after),
        "changed": changed.collect::<Vec<Value>>(),
    })
}
