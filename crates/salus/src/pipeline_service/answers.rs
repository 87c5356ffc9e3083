//! What the pages and the API are told.

use std::collections::BTreeMap;

use etl::report::RunQuality;
use etl::runs::{QuarantineFilter, RunSummary, State};
use gate::{Matter, Permit};
use serde_json::{Value, json};
use server::{Choice, PipelineError, Pipelines, Report, RowQuery, Told};
use ui::pipelines::{Count, Listed, Opened, Row, RowFilter, RunFacts, RunRow, Schedule, SourceTrend};

use super::facts::{facts_of, quality_of, quarantined, row_of, trends_of};
use super::files::{File, flows_of};
use super::{PipelineService, broken};
use crate::command::etl::contract;
use crate::pipelines::waiting;

/// Runs looked through for a status.
const LOOKED_THROUGH_MAX: usize = 1_000;
/// Points of the trend, of all sources together.
const POINTS_MAX: usize = 300;
/// So much of a row is shown.
const CONTENT_CHARS_MAX: usize = 20_000;

impl Pipelines for PipelineService {
    fn folder(&self) -> String {
        self.inner.files.folder().display().to_string()
    }

    fn list<'a>(&'a self, _: &'a Permit) -> Told<'a, Vec<Listed>> {
        Box::pin(async move { self.listed() })
    }

    fn runs<'a>(
        &'a self,
        _: &'a Permit,
        pipeline: Option<String>,
        status: Option<String>,
        runs_max: usize,
    ) -> Told<'a, Vec<RunRow>> {
        Box::pin(async move {
            let Some(runs) = PipelineService::runs(self)? else { return Ok(Vec::new()) };
            let looked_at = if status.is_some() { LOOKED_THROUGH_MAX } else { runs_max };
            let all = runs.list(pipeline.as_deref(), looked_at).map_err(broken)?;
            let wanted = all.iter().filter(|run| status.as_ref().is_none_or(|status| *status == run.status));
            Ok(wanted.take(runs_max).map(row_of).collect())
        })
    }

    fn run<'a>(&'a self, _: &'a Permit, run: String) -> Told<'a, RunFacts> {
        Box::pin(async move {
            let (runs, found) = self.find(&run)?;
            let done = if found.record.is_some() {
                Vec::new()
            } else {
                runs.sources_of(&found.run).map_err(broken)?
            };
            Ok(facts_of(&found, &done))
        })
    }

    fn document<'a>(&'a self, _: &'a Permit, run: String) -> Told<'a, Value> {
        Box::pin(async move {
            let (runs, found) = self.find(&run)?;
            if let Some(record) = &found.record {
                return Ok(contract(record));
            }
            let sources = runs.sources_of(&found.run).map_err(broken)?;
            Ok(json!({
                "run": found.run, "pipeline": found.pipeline, "status": found.status,
                "started_at": found.started_at.to_string(), "progress": found.progress, "sources": sources,
            }))
        })
    }

    fn report<'a>(&'a self, _: &'a Permit, run: String) -> Told<'a, Report> {
        Box::pin(async move {
            let (_, found) = self.find(&run)?;
            let Some(record) = found.record else {
                let why = format!("the run `{}` has no record: it is {}", found.run, found.status);
                return Err(PipelineError::Conflict(why));
            };
            let quality = RunQuality {
                pipeline: record.pipeline,
                run: record.run,
                at: record.started_at.to_string(),
                sources: record.sources.into_iter().filter_map(|source| source.quality).collect(),
            };
            Ok(Report {
                html: etl::report::html(&quality),
                json: serde_json::to_value(&quality).map_err(broken)?,
            })
        })
    }

    fn quality<'a>(&'a self, _: &'a Permit, pipeline: String) -> Told<'a, Vec<SourceTrend>> {
        Box::pin(async move {
            let points = match PipelineService::runs(self)? {
                Some(runs) => runs.quality_over_time(&pipeline, POINTS_MAX).map_err(broken)?,
                None => Vec::new(),
            };
            if points.is_empty() && self.inner.files.find(&pipeline).is_none() && !self.ever_ran(&pipeline)? {
                return Err(PipelineError::NotFound(format!("there is no pipeline `{pipeline}`")));
            }
            Ok(trends_of(&points))
        })
    }

    fn rows<'a>(&'a self, _: &'a Permit, query: RowQuery) -> Told<'a, Vec<Row>> {
        Box::pin(async move {
            let Some(runs) = PipelineService::runs(self)? else { return Ok(Vec::new()) };
            let after = i64::try_from(query.after).unwrap_or(i64::MAX);
            let filter = QuarantineFilter { after, rows_max: query.rows_max, ..filter_of(query.filter)? };
            let rows = runs.quarantined(&filter).map_err(broken)?;
            Ok(rows.into_iter().map(quarantined).collect())
        })
    }

    fn counts<'a>(&'a self, _: &'a Permit, filter: RowFilter) -> Told<'a, Vec<Count>> {
        Box::pin(async move {
            let Some(runs) = PipelineService::runs(self)? else { return Ok(Vec::new()) };
            let counts = runs.quarantine_counts(&filter_of(filter)?).map_err(broken)?;
            let count = |(source, rule, state, n): (String, String, State, u64)| Count {
                source,
                rule,
                state: state.name().to_owned(),
                n,
            };
            Ok(counts.into_iter().map(count).collect())
        })
    }

    fn content<'a>(&'a self, permit: &'a Permit, row: u64) -> Told<'a, Opened> {
        Box::pin(async move {
            if permit.matter() != Matter::OpenQuarantine {
                return Err(broken("a row was to be opened with a permit for something else"));
            }
            let unknown = || PipelineError::NotFound(format!("there is no quarantined row {row}"));
            let (runs, id) = (
                PipelineService::runs(self)?.ok_or_else(unknown)?,
                i64::try_from(row).map_err(|_| unknown())?,
            );
            let before =
                QuarantineFilter { after: id.saturating_sub(1), rows_max: 1, ..QuarantineFilter::default() };
            let found = runs.quarantined(&before).map_err(broken)?.into_iter().next();
            let found = found.filter(|found| found.id == id).ok_or_else(unknown)?;
            let raw = runs.open_quarantined(id).map_err(broken)?.ok_or_else(unknown)?;
            let text: String = String::from_utf8_lossy(&raw).chars().take(CONTENT_CHARS_MAX).collect();
            Ok(Opened { id: row, place: format!("{} line {}", found.unit, found.line), text })
        })
    }

    fn start<'a>(&'a self, permit: &'a Permit, pipeline: String, is_dry: bool) -> Told<'a, String> {
        Box::pin(async move {
            let (file, parsed) = self.runnable(&pipeline)?;
            self.begin(parsed, file, permit.principal(), is_dry)
        })
    }

    fn cancel<'a>(&'a self, _: &'a Permit, run: String) -> Told<'a, ()> {
        Box::pin(async move {
            let (_, found) = self.find(&run)?;
            if self.cancel_run(&found.run) {
                return Ok(());
            }
            Err(PipelineError::Conflict(match found.status.as_str() {
                "running" => {
                    format!("the run `{}` is of another process: stop it there, with Ctrl-C", found.run)
                }
                status => format!("the run `{}` is not at work: it is {status}", found.run),
            }))
        })
    }

    fn replay<'a>(&'a self, permit: &'a Permit, choice: Choice) -> Told<'a, String> {
        Box::pin(async move { self.begin_replay(&choice, permit.principal()) })
    }

    fn waive<'a>(&'a self, permit: &'a Permit, choice: Choice) -> Told<'a, u64> {
        Box::pin(async move {
            let (runs, found) = self.find(&choice.run)?;
            let (source, rule) = (choice.source.as_deref(), choice.rule.as_deref());
            let ids: Vec<i64> =
                waiting(runs, &found.run, source, rule).map_err(broken)?.iter().map(|row| row.id).collect();
            runs.set_state(&ids, State::Waived, permit.principal()).map_err(broken)
        })
    }

    fn metrics(&self) -> String {
        self.inner.counters.render(self.at_work().len())
    }
}

impl PipelineService {
    fn listed(&self) -> Result<Vec<Listed>, PipelineError> {
        let runs = PipelineService::runs(self)?;
        let newest = runs.map(|runs| runs.newest_of_each().map_err(broken)).transpose()?.unwrap_or_default();
        let mut newest: BTreeMap<String, RunSummary> =
            newest.into_iter().map(|run| (run.pipeline.clone(), run)).collect();
        let mut all = Vec::new();
        for file in self.inner.files.all() {
            let mut listed = self.of_file(&file)?;
            if let Some(run) = newest.remove(&listed.name).filter(|_| listed.faults.is_empty()) {
                self.add_run(&mut listed, &run)?;
            }
            all.push(listed);
        }
        for (name, run) in newest {
            let mut listed = Listed { name, ..Listed::default() };
            self.add_run(&mut listed, &run)?;
            all.push(listed);
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn of_file(&self, file: &File) -> Result<Listed, PipelineError> {
        let path = file.path.display().to_string();
        let pipeline = match &file.read {
            Ok(pipeline) => pipeline,
            Err(faults) => {
                let name =
                    file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                return Ok(Listed { name, file: Some(path), faults: faults.clone(), ..Listed::default() });
            }
        };
        let name = pipeline.name.text.clone();
        let schedule = pipeline.run.schedule.as_ref().map(|schedule| Schedule {
            written: schedule.to_string(),
            next: schedule.next_after(self.inner.gate.now()),
        });
        Ok(Listed {
            description: pipeline.description.clone(),
            file: Some(path),
            flows: flows_of(pipeline),
            schedule,
            trouble: self.trouble().get(&name).cloned(),
            name,
            ..Listed::default()
        })
    }

    fn add_run(&self, listed: &mut Listed, run: &RunSummary) -> Result<(), PipelineError> {
        listed.last = Some(row_of(run));
        listed.quality = quality_of(run);
        if listed.quality.is_none()
            && let Some(runs) = PipelineService::runs(self)?
        {
            // The newest run may be at work, or may have failed before it assessed anything.
            let before = runs.list(Some(&listed.name), 20).map_err(broken)?;
            listed.quality = before.iter().find_map(quality_of);
        }
        Ok(())
    }

    fn ever_ran(&self, pipeline: &str) -> Result<bool, PipelineError> {
        let Some(runs) = PipelineService::runs(self)? else { return Ok(false) };
        Ok(!runs.list(Some(pipeline), 1).map_err(broken)?.is_empty())
    }
}

fn filter_of(filter: RowFilter) -> Result<QuarantineFilter, PipelineError> {
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let state = said(filter.state).map(|word| {
        let why = format!("there is no state `{word}`: use open, replayed or waived");
        State::parse(&word).ok_or(PipelineError::Invalid(why))
    });
    Ok(QuarantineFilter {
        run: said(filter.run),
        pipeline: said(filter.pipeline),
        source: said(filter.source),
        rule: said(filter.rule),
        state: state.transpose()?,
        ..QuarantineFilter::default()
    })
}
