//! From YAML nodes to a pipeline: names, kinds, what refers to what.

use std::collections::BTreeMap;
use std::time::Duration;

use super::canonical::hash_of;
use super::test_block;
use super::{LineageSpec, Pipeline, RunSpec, Schedule, SourceEntry, StepEntry, TargetEntry};
use crate::check::Checks;
use crate::report::Gates;
use crate::secret::SecretFields as _;
use crate::yaml::{Kind, Node};
use crate::{Problems, Word, source, step, target};

const MEMORY_BYTES: u64 = 1 << 30;
const MEMORY_BYTES_MIN: u64 = 64 << 20;
const SOURCES_AT_ONCE: u64 = 2;
const SOURCES_AT_ONCE_MAX: u64 = 64;
const RETRIES: u64 = 3;
const RETRIES_MAX: u64 = 100;
const NAME_CHARS_MAX: usize = 100;

pub(super) fn pipeline(node: &Node, problems: &mut Problems) -> Option<Pipeline> {
    let mut fields = node.fields("the pipeline", problems);
    if let Some(version) = fields.required_text("version", problems)
        && version.text != "1"
    {
        problems.add(version.at, "this version of salus reads pipelines of `version: 1`");
    }
    let name = fields.required_text("name", problems);
    let description = fields.text("description", problems).map(|word| word.text);
    let mut checks = by_source(fields.node("checks"), "`checks`", problems);
    let mut steps = by_source(fields.node("steps"), "`steps`", problems);
    let sources = sources(fields.required("sources", problems), &mut checks, &mut steps, problems);
    for (section, left) in [("checks", checks), ("steps", steps)] {
        for (name, (word, _)) in left {
            problems.add(word.at, format!("`{section}` speaks of the source `{name}`, which is not there"));
        }
    }
    let targets = targets(fields.node("targets"), problems);
    let run = run(fields.node("run"), problems);
    let tests = test_block::decode(fields.node("tests"), problems);
    fields.end(problems);
    let name = name?;
    check_name("pipeline", &name, problems);
    let pipeline = Pipeline { name, description, hash: hash_of(node), sources, targets, run, tests };
    check_references(&pipeline, problems);
    Some(pipeline)
}

/// The lists of a section, by source.
fn by_source<'a>(
    node: Option<&'a Node>,
    what: &str,
    problems: &mut Problems,
) -> BTreeMap<String, (Word, &'a Node)> {
    let entries = node.map(|node| node.entries(what, problems)).unwrap_or_default();
    entries.iter().map(|(name, node)| (name.text.clone(), (name.clone(), node))).collect()
}

fn sources(
    node: Option<&Node>,
    checks: &mut BTreeMap<String, (Word, &Node)>,
    steps: &mut BTreeMap<String, (Word, &Node)>,
    problems: &mut Problems,
) -> Vec<SourceEntry> {
    let mut decoded = Vec::new();
    let entries = node.map(|node| node.entries("`sources`", problems)).unwrap_or_default();
    if let Some(node) = node
        && entries.is_empty()
    {
        problems.add(node.at, "a pipeline needs at least one source");
    }
    for (name, node) in entries {
        check_name("source", name, problems);
        let checks = checks.remove(&name.text);
        let steps = steps.remove(&name.text);
        let checks = match checks {
            Some((_, node)) => Checks::decode(name, node, problems),
            None => Checks::none(&name.text),
        };
        let steps = steps.map(|(_, node)| steps_of(name, node, problems)).unwrap_or_default();
        let mut fields = node.fields(format!("the source `{name}`"), problems);
        let Some(kind) = fields.required_text("type", problems) else { continue };
        let Some((_, _, decode)) = source::KINDS.iter().find(|(known, ..)| *known == kind.text) else {
            problems.add(kind.at, unknown("source", &kind, source::KINDS.iter().map(|(name, ..)| *name)));
            continue;
        };
        let spec = decode(name, &mut fields, problems);
        fields.end(problems);
        if let Some(spec) = spec {
            decoded.push(SourceEntry { name: name.clone(), kind, spec, checks, steps });
        }
    }
    decoded
}

fn steps_of(source: &Word, node: &Node, problems: &mut Problems) -> Vec<StepEntry> {
    let mut steps = Vec::new();
    for item in node.items(&format!("the steps of `{source}`"), problems) {
        let (name, options) = match &item.kind {
            Kind::Map(entries) if entries.len() == 1 => (entries[0].0.clone(), entries[0].1.clone()),
            // A step without options may be written as its name.
            Kind::Scalar { text, .. } => {
                (Word { text: text.clone(), at: item.at }, Node { at: item.at, kind: Kind::Null })
            }
            _ => {
                problems.add(item.at, "a step is a map with one key, its name: `- filter: {where: ...}`");
                continue;
            }
        };
        if name.text == "hl7v2_to_fhir" {
            problems.add(
                name.at,
                "the step `hl7v2_to_fhir` is not supported yet: read messages with a source of type `hl7v2`, and make resources of their rows with `map_to_fhir`",
            );
            continue;
        }
        let Some((_, _, decode)) = step::KINDS.iter().find(|(known, ..)| *known == name.text) else {
            problems.add(name.at, unknown("step", &name, step::KINDS.iter().map(|(name, ..)| *name)));
            continue;
        };
        if let Some(spec) = decode(&options, problems) {
            steps.push(StepEntry { name, spec });
        }
    }
    steps
}

fn targets(node: Option<&Node>, problems: &mut Problems) -> Vec<TargetEntry> {
    let mut decoded = Vec::new();
    for (name, node) in node.map(|node| node.entries("`targets`", problems)).unwrap_or_default() {
        check_name("target", name, problems);
        let mut fields = node.fields(format!("the target `{name}`"), problems);
        let from = fields.required_text("from", problems);
        let audit_columns = fields.flag("audit_columns", problems);
        let Some(kind) = fields.required_text("type", problems) else { continue };
        let Some((_, _, decode)) = target::KINDS.iter().find(|(known, ..)| *known == kind.text) else {
            problems.add(kind.at, unknown("target", &kind, target::KINDS.iter().map(|(name, ..)| *name)));
            continue;
        };
        let spec = decode(name, &mut fields, problems);
        fields.end(problems);
        if let (Some(from), Some(spec)) = (from, spec) {
            // Resources have their own provenance; a column beside them would be lost.
            let audit_columns = audit_columns.unwrap_or(kind.text != "fhir_store");
            decoded.push(TargetEntry { name: name.clone(), from, kind, audit_columns, spec });
        }
    }
    decoded
}

fn run(node: Option<&Node>, problems: &mut Problems) -> RunSpec {
    let nothing = Node { at: crate::Point::default(), kind: Kind::Null };
    let mut fields = node.unwrap_or(&nothing).fields("`run`", problems);
    if let Some(engine) = fields.text("engine", problems) {
        match engine.text.as_str() {
            "embedded" => {}
            "ballista" => problems.add(
                engine.at,
                "`engine: ballista` is not supported yet: pipelines run in one process; write `engine: embedded`",
            ),
            _ => problems.add(engine.at, format!("unknown engine `{engine}`: write `embedded`")),
        }
    }
    fields.node("scheduler");
    let memory_bytes = fields.size("memory", problems).unwrap_or(MEMORY_BYTES);
    if memory_bytes < MEMORY_BYTES_MIN {
        problems.add(fields.at(), "`memory` must be at least `64MiB`");
    }
    let at_once = fields.whole("sources_at_once", problems).unwrap_or(SOURCES_AT_ONCE);
    if !(1..=SOURCES_AT_ONCE_MAX).contains(&at_once) {
        problems.add(fields.at(), format!("`sources_at_once` must be within 1 and {SOURCES_AT_ONCE_MAX}"));
    }
    let retries = fields.whole("retries", problems).unwrap_or(RETRIES);
    if retries > RETRIES_MAX {
        problems.add(fields.at(), format!("`retries` must be at most {RETRIES_MAX}"));
    }
    let gates = fields.node("gates");
    let gates = gates.map_or_else(Gates::default, |node| Gates::decode(node, problems));
    let gates_of =
        fields.node("gates_of").map(|node| node.entries("`gates_of`", problems)).unwrap_or_default();
    let gates_of = gates_of.iter().map(|(name, node)| (name.text.clone(), gates.decode_over(node, problems)));
    let gates_of = gates_of.collect();
    let spec = RunSpec {
        memory_bytes,
        sources_at_once: usize::try_from(at_once).unwrap_or(1),
        gates,
        gates_of,
        retries: u32::try_from(retries).unwrap_or(0),
        retry_pause: fields.span("retry_pause", problems).unwrap_or(Duration::from_secs(2)),
        schedule: schedule(&mut fields, problems),
        lineage: lineage(fields.node("lineage"), problems),
        quarantined_max: fields.whole("quarantined_max", problems),
    };
    fields.end(problems);
    spec
}

fn schedule(fields: &mut crate::yaml::Fields<'_>, problems: &mut Problems) -> Option<Schedule> {
    let zone = fields.text("time_zone", problems);
    let written = fields.text("schedule", problems)?;
    match Schedule::parse(&written, zone.as_ref().map(|zone| zone.text.as_str())) {
        Ok(schedule) => Some(schedule),
        Err(why) => {
            problems.add(written.at, why);
            None
        }
    }
}

fn lineage(node: Option<&Node>, problems: &mut Problems) -> LineageSpec {
    let Some(node) = node else { return LineageSpec::default() };
    let mut fields = node.fields("`lineage`", problems);
    let spec = LineageSpec {
        file: fields.text("file", problems),
        url: fields.secret("url", problems),
        token: fields.secret("token", problems),
        namespace: fields.text("namespace", problems).map(|word| word.text),
    };
    fields.end(problems);
    spec
}

/// What refers to something that is not there, and what nothing refers to.
fn check_references(pipeline: &Pipeline, problems: &mut Problems) {
    let known = |name: &str| pipeline.source(name).is_some();
    for target in &pipeline.targets {
        if !known(&target.from) {
            problems.add(
                target.from.at,
                format!("the target `{}` is loaded from `{}`, which is no source", target.name, target.from),
            );
        }
    }
    for source in &pipeline.sources {
        let steps = source.steps.iter().flat_map(|step| step.spec.taps());
        for tap in source.checks.taps().into_iter().chain(steps) {
            if !known(&tap.source) {
                problems.add(tap.source.at, format!("`{}` is no source of this pipeline", tap.source));
            } else if tap.source.text == source.name.text {
                problems.add(tap.source.at, format!("the source `{}` looks at itself here", source.name));
            }
        }
        let is_tapped =
            pipeline.sources.iter().any(|other| pipeline.tapped_by(other).contains(&source.name.text));
        if !is_tapped && pipeline.targets_of(&source.name).next().is_none() {
            problems.add(
                source.name.at,
                format!("nothing uses the source `{}`: give it a target, or take it out", source.name),
            );
        }
        if is_tapped && source.spec.division() == source::Division::Window {
            problems.add(
                source.name.at,
                format!("another source looks at all of `{}`, which only reads what is new: take its `cursor` out", source.name),
            );
        }
    }
    for name in pipeline.run.gates_of.keys().filter(|name| !known(name)) {
        problems
            .add(pipeline.name.at, format!("`gates_of` speaks of the source `{name}`, which is not there"));
    }
    check_circles(pipeline, problems);
}

/// Sources that wait for each other.
fn check_circles(pipeline: &Pipeline, problems: &mut Problems) {
    let mut done: Vec<&str> = Vec::new();
    loop {
        let ready: Vec<&str> = pipeline
            .sources
            .iter()
            .filter(|source| !done.contains(&source.name.text.as_str()))
            .filter(|source| {
                pipeline
                    .tapped_by(source)
                    .iter()
                    .all(|name| done.contains(&name.as_str()) || pipeline.source(name).is_none())
            })
            .map(|source| source.name.text.as_str())
            .collect();
        if ready.is_empty() {
            break;
        }
        done.extend(ready);
    }
    for source in pipeline.sources.iter().filter(|source| !done.contains(&source.name.text.as_str())) {
        problems.add(
            source.name.at,
            format!("the source `{}` waits for a source that waits for it", source.name),
        );
    }
}

fn check_name(what: &str, name: &Word, problems: &mut Problems) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) || name.starts_with('.')
    {
        problems.add(
            name.at,
            format!(
                "the {what} name `{name}` must be letters, digits, `-`, `_` and `.`, at most {NAME_CHARS_MAX}"
            ),
        );
    }
}

/// An unknown name with the nearest known one.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known.iter().map(|other| (distance(name, other), *other)).min();
    match nearest {
        Some((far, other)) if far <= 1 + name.len() / 4 => {
            format!("unknown {what} `{name}`: did you mean `{other}`?")
        }
        _ => format!(
            "unknown {what} `{name}`: there are {}",
            known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// How many letters must be changed, put in or taken out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let change = corner + usize::from(letter != *other);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
