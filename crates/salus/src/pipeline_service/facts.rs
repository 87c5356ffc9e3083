//! Runs as the pages are told of them.

use std::collections::BTreeMap;

use etl::report::{SourceQuality, dimension_label};
use etl::run::{SourceRecord, StepCounts, TargetCounts};
use etl::runs::{QualityPoint, QuarantineRow, RunSummary};
use serde_json::Value;
use ui::pipelines::{
    Advice, Gate, Point, Progress, Row, Rule, RunFacts, RunRow, Sample, Source, SourceTrend, Step, Sums,
    Target, Unit,
};

/// A run in a list.
pub(super) fn row_of(run: &RunSummary) -> RunRow {
    let record = run.record.as_ref();
    RunRow {
        run: run.run.clone(),
        pipeline: run.pipeline.clone(),
        status: run.status.clone(),
        started_at: run.started_at,
        ended_at: run.ended_at,
        duration_secs: record.map(|record| record.duration_secs),
        by: run.by.clone(),
        attempts: run.n_attempts,
        is_dry: record.is_some_and(|record| record.dry_run),
        sums: record.map(|record| sum(record.sources.iter().map(sums_of))),
    }
}

/// A run in full; `done` are the sources that have ended while it has not.
pub(super) fn facts_of(run: &RunSummary, done: &[SourceRecord]) -> RunFacts {
    let progress = run.progress.as_ref();
    let sources = match &run.record {
        Some(record) => record.sources.iter().map(source_of).collect(),
        None => at_work(progress, done),
    };
    RunFacts {
        row: row_of(run),
        file: run.file.clone(),
        hash: run.pipeline_hash.clone(),
        error: progress.and_then(|progress| progress["error"].as_str()).map(str::to_owned),
        warnings: run.record.as_ref().map(|record| record.warnings.clone()).unwrap_or_default(),
        sources,
    }
}

/// Sources that have ended with all that is known, the others with how far they are.
fn at_work(progress: Option<&Value>, done: &[SourceRecord]) -> Vec<Source> {
    let list = progress.and_then(|progress| progress["sources"].as_array());
    let mut sources: Vec<Source> = done.iter().map(source_of).collect();
    for one in list.into_iter().flatten() {
        let name = one["source"].as_str().unwrap_or_default();
        if done.iter().any(|record| record.name == name) {
            continue;
        }
        let number = |key: &str| one[key].as_u64().unwrap_or(0);
        sources.push(Source {
            name: name.to_owned(),
            status: one["state"].as_str().unwrap_or_default().to_owned(),
            progress: Some(Progress {
                bytes: number("bytes"),
                read: number("read"),
                given: number("given"),
                quarantined: number("quarantined"),
            }),
            ..Source::default()
        });
    }
    sources
}

fn sum(all: impl Iterator<Item = Sums>) -> Sums {
    all.fold(Sums::default(), |a, b| Sums {
        read: a.read + b.read,
        loaded: a.loaded + b.loaded,
        already: a.already + b.already,
        quarantined: a.quarantined + b.quarantined,
        filtered: a.filtered + b.filtered,
        deduplicated: a.deduplicated + b.deduplicated,
        consumed: a.consumed + b.consumed,
        produced: a.produced + b.produced,
        held_back: a.held_back + b.held_back,
    })
}

/// The terms of a source. What reached the end of the steps is with the first target, was there before, or was held back.
fn sums_of(source: &SourceRecord) -> Sums {
    let counts = &source.counts;
    Sums {
        read: counts.read,
        loaded: counts.loaded,
        already: source.already_loaded(),
        quarantined: counts.quarantined,
        filtered: counts.filtered,
        deduplicated: counts.deduplicated,
        consumed: counts.consumed,
        produced: counts.produced,
        held_back: source.held_back(),
    }
}

fn source_of(source: &SourceRecord) -> Source {
    let quality = source.quality.as_ref();
    Source {
        name: source.name.clone(),
        kind: source.kind.clone(),
        status: source.status.name().to_owned(),
        failure: source
            .failure
            .and_then(|failure| serde_json::to_value(failure).ok()?.as_str().map(str::to_owned)),
        error: source.error.clone(),
        attempts: source.attempts,
        duration_secs: source.duration_secs,
        progress: None,
        sums: sums_of(source),
        steps: source.steps.iter().map(step_of).collect(),
        targets: source.targets.iter().map(target_of).collect(),
        units: source
            .units
            .iter()
            .map(|unit| Unit { name: unit.name.clone(), watermark: unit.watermark.clone() })
            .collect(),
        quality: quality.map(|quality| (quality.level.map(|level| level.name().to_owned()), quality.overall)),
        gates: quality.map(gates_of).unwrap_or_default(),
        refused: quality.map(|quality| quality.refused.clone()).unwrap_or_default(),
    }
}

fn gates_of(quality: &SourceQuality) -> Vec<Gate> {
    let gates = quality.gates.iter();
    gates
        .map(|gate| Gate {
            dimension: gate.dimension.clone(),
            threshold: gate.threshold,
            score: gate.score,
            passed: gate.passed,
        })
        .collect()
}

fn step_of(step: &StepCounts) -> Step {
    let pairs = |by: &BTreeMap<String, u64>| by.iter().map(|(name, n)| (name.clone(), *n)).collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Step {
        name: step.name.clone(),
        rows_in: step.rows_in,
        rows_out: step.rows_out,
        quarantined: step.quarantined,
        filtered: pairs(&step.filtered),
        deduplicated: pairs(&step.deduplicated),
        consumed: step.consumed,
        produced: step.produced,
        facts: step.facts.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}

fn target_of(target: &TargetCounts) -> Target {
    Target {
        name: target.name.clone(),
        kind: target.kind.clone(),
        status: target.status.clone(),
        offered: target.offered,
        already: target.already_loaded,
        inserted: target.inserted,
        updated: target.updated,
        unchanged: target.unchanged,
        quarantined: target.quarantined,
        deduplicated: target.deduplicated,
        n_bytes: target.n_bytes,
        error: target.error.clone(),
    }
}

/// Rows that were refused and are run again say nothing about the quality of the whole source.
fn is_replay(source: &SourceRecord) -> bool {
    source.units.iter().any(|unit| unit.id.starts_with("replay/"))
}

/// The level of the worst source of a run that was assessed.
pub(super) fn quality_of(run: &RunSummary) -> Option<(String, Option<f64>)> {
    let sources = run.record.as_ref()?.sources.iter().filter(|source| !is_replay(source));
    let assessed = sources.filter_map(|source| source.quality.as_ref());
    let worst = assessed.filter_map(|quality| Some((quality.level?, quality.overall)));
    worst.min_by_key(|(level, _)| *level).map(|(level, overall)| (level.name().to_owned(), overall))
}

/// The sources of a pipeline over its runs, the oldest first.
pub(super) fn trends_of(points: &[QualityPoint]) -> Vec<SourceTrend> {
    let mut trends: Vec<SourceTrend> = Vec::new();
    for point in points.iter().filter(|point| !is_replay(&point.record)) {
        let Some(quality) = &point.record.quality else { continue };
        let at = trends.iter().position(|trend| trend.source == point.record.name).unwrap_or_else(|| {
            trends.push(SourceTrend { source: point.record.name.clone(), ..SourceTrend::default() });
            trends.len() - 1
        });
        let trend = &mut trends[at];
        trend.dimensions =
            quality.dimensions.iter().map(|one| dimension_label(one.dimension).to_owned()).collect();
        trend.points.push(Point {
            run: point.run.clone(),
            at: point.at,
            n_rows: quality.n_rows,
            overall: quality.overall,
            level: quality.level.map(|level| level.name().to_owned()),
            scores: quality.dimensions.iter().map(|one| one.score).collect(),
        });
        // The last one that is looked at is the newest.
        trend.gates = gates_of(quality);
        for gate in &mut trend.gates {
            let named = quality.dimensions.iter().find(|one| one.dimension.name() == gate.dimension);
            if let Some(one) = named {
                dimension_label(one.dimension).clone_into(&mut gate.dimension);
            }
        }
        trend.refused.clone_from(&quality.refused);
        trend.rules = quality.rules.iter().filter(|rule| rule.n_failed > 0).map(rule_of).collect();
        let advice = quality.recommendations.iter();
        trend.advice = advice
            .map(|one| Advice { rule: one.rule.clone(), found: one.found.clone(), hint: one.hint.clone() })
            .collect();
    }
    trends
}

fn rule_of(rule: &etl::report::RuleQuality) -> Rule {
    let samples = rule.samples.iter().map(|sample| Sample {
        unit: sample.unit_name.clone().unwrap_or_else(|| format!("unit {}", sample.unit)),
        line: sample.line,
        byte: sample.offset,
        shape: sample.shape.clone(),
    });
    Rule {
        id: rule.id.clone(),
        columns: rule.columns.clone(),
        must: rule.must.clone(),
        dimension: dimension_label(rule.dimension).to_owned(),
        on_fail: serde_json::to_value(rule.on_fail)
            .ok()
            .and_then(|word| word.as_str().map(str::to_owned))
            .unwrap_or_default(),
        n_assessed: rule.n_assessed,
        n_failed: rule.n_failed,
        samples: samples.collect(),
    }
}

/// A quarantined row without its content.
pub(super) fn quarantined(row: QuarantineRow) -> Row {
    Row {
        id: u64::try_from(row.id).unwrap_or(0),
        run: row.run,
        pipeline: row.pipeline,
        source: row.source,
        unit: row.unit,
        line: u64::try_from(row.line).unwrap_or(0),
        byte: row.byte.and_then(|byte| u64::try_from(byte).ok()),
        rule: row.rule,
        column: row.column,
        reason: row.reason,
        message: row.message,
        state: row.state.name().to_owned(),
        state_at: row.state_at,
    }
}
