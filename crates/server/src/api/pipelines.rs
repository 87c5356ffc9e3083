//! Pipelines: list them, run them.

use std::sync::Arc;

use gate::{Matter, Permit, Subject};
use http::StatusCode;
use serde_json::{Value, json};
use ui::pipelines::{Listed, RunRow, Sums};

use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;
use crate::fhir::controls::flag;
use crate::pipelines::Pipelines;

const RUNS_DEFAULT: u64 = 20;
const RUNS_MAX: u64 = 1_000;

impl ApiAsk {
    /// Asks the gate first, so that nobody without the right learns whether there are pipelines.
    pub(super) async fn pipelines(
        &self,
        matter: Matter,
        names: &str,
    ) -> Result<(Permit, Arc<dyn Pipelines>), ServerError> {
        let permit = self.app.gate().permit(&self.access, Subject::new(matter, names)).await?;
        Ok((permit, self.app.pipelines()?))
    }
}

/// `GET /api/v1/pipelines`.
pub(super) async fn list(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::Pipelines, "").await?;
    let pipelines: Vec<Value> = service.list(&permit).await?.iter().map(describe).collect();
    Ok(ApiReply::ok(json!({"folder": service.folder(), "pipelines": pipelines})))
}

/// `GET /api/v1/pipelines/{name}/runs`.
pub(super) async fn runs(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::Pipelines, &ask.id).await?;
    let max = usize::try_from(ask.number("max", RUNS_DEFAULT)?.min(RUNS_MAX)).unwrap_or(1);
    let status = ask.param("status").map(str::to_string);
    let runs = service.runs(&permit, Some(ask.id.clone()), status, max).await?;
    Ok(ApiReply::ok(json!({"runs": runs.iter().map(describe_run).collect::<Vec<_>>()})))
}

/// `POST /api/v1/pipelines/{name}/runs`.
pub(super) async fn start(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let is_dry = ask.param("dry_run").map_or(Ok(false), |value| flag("dry_run", value))?;
    let (permit, service) = ask.pipelines(Matter::RunPipeline, &ask.id).await?;
    let run = service.start(&permit, ask.id.clone(), is_dry).await?;
    Ok(accepted(json!({"run": run, "pipeline": ask.id, "status": "running"})))
}

/// Begun, and not done.
pub(super) fn accepted(document: Value) -> ApiReply {
    ApiReply { status: StatusCode::ACCEPTED, document: Document::Json(document) }
}

fn describe(listed: &Listed) -> Value {
    let flows = listed.flows.iter().map(|flow| {
        let targets: Vec<Value> =
            flow.targets.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        json!({"source": flow.source, "type": flow.kind, "targets": targets})
    });
    let faults = listed.faults.iter();
    let problems =
        faults.map(|fault| json!({"line": fault.line, "column": fault.column, "message": fault.message}));
    json!({
        "name": listed.name,
        "description": listed.description,
        "file": listed.file,
        "flows": flows.collect::<Vec<_>>(),
        "schedule": listed.schedule.as_ref().map(|schedule| json!({
            "cron": schedule.written, "next": schedule.next.map(fhir::Instant::to_rfc3339_millis),
        })),
        "last_run": listed.last.as_ref().map(describe_run),
        "quality": listed.quality.as_ref().map(|(level, overall)| json!({"level": level, "overall": overall})),
        "problems": problems.collect::<Vec<_>>(),
        "trouble": listed.trouble,
    })
}

fn describe_run(run: &RunRow) -> Value {
    json!({
        "run": run.run,
        "pipeline": run.pipeline,
        "status": run.status,
        "started_at": run.started_at.to_rfc3339_millis(),
        "ended_at": run.ended_at.map(fhir::Instant::to_rfc3339_millis),
        "duration_secs": run.duration_secs,
        "by": run.by,
        "attempts": run.attempts,
        "dry_run": run.is_dry,
        "counts": run.sums.as_ref().map(counts),
    })
}

fn counts(sums: &Sums) -> Value {
    json!({
        "read": sums.read,
        "loaded": sums.loaded,
        "already_loaded": sums.already,
        "quarantined": sums.quarantined,
        "filtered": sums.filtered,
        "deduplicated": sums.deduplicated,
        "consumed": sums.consumed,
        "produced": sums.produced,
        "held_back": sums.held_back,
        "adds_up": sums.adds_up(),
    })
}
