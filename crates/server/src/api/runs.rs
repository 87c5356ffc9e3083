//! Runs of pipelines: look at one, stop it; rows that were set aside: list, open, run again, waive.

use gate::{Matter, Subject};
use http::StatusCode;
use serde_json::{Value, json};
use ui::pipelines::{Row, RowFilter};

use super::pipelines::accepted;
use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;
use crate::fhir::controls::parameter;
use crate::pipelines::{Choice, RowQuery};

const ROWS_DEFAULT: u64 = 100;
const ROWS_MAX: u64 = 10_000;

/// `GET /api/v1/runs/{id}`.
pub(super) async fn show(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::Pipelines, &ask.id).await?;
    Ok(ApiReply::ok(service.document(&permit, ask.id.clone()).await?))
}

/// `GET /api/v1/runs/{id}/report`.
pub(super) async fn report(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let format = ask.param("format").unwrap_or("html");
    if !["html", "json"].contains(&format) {
        return Err(parameter("format", "use `html` or `json`"));
    }
    let (permit, service) = ask.pipelines(Matter::Pipelines, &ask.id).await?;
    let report = service.report(&permit, ask.id.clone()).await?;
    let document = if format == "json" { Document::Json(report.json) } else { Document::Html(report.html) };
    Ok(ApiReply { status: StatusCode::OK, document })
}

/// `POST /api/v1/runs/{id}/cancel`.
pub(super) async fn cancel(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::RunPipeline, &ask.id).await?;
    service.cancel(&permit, ask.id.clone()).await?;
    Ok(accepted(json!({"run": ask.id, "status": "stopping"})))
}

/// `GET /api/v1/runs/{id}/quarantine`.
pub(super) async fn quarantine(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::Pipelines, &ask.id).await?;
    let text = |name: &str| ask.param(name).unwrap_or_default().to_string();
    let run = service.run(&permit, ask.id.clone()).await?.row.run;
    let filter = RowFilter {
        run,
        source: text("source"),
        rule: text("rule"),
        state: text("state"),
        ..RowFilter::default()
    };
    let rows_max = usize::try_from(ask.number("max", ROWS_DEFAULT)?.clamp(1, ROWS_MAX)).unwrap_or(1);
    let query = RowQuery { filter: filter.clone(), after: ask.number("after", 0)?, rows_max };
    let rows = service.rows(&permit, query).await?;
    let counts = service.counts(&permit, filter).await?.into_iter().map(
        |count| json!({"source": count.source, "rule": count.rule, "state": count.state, "rows": count.n}),
    );
    let next = rows.last().filter(|_| rows.len() >= rows_max).map(|row| row.id);
    Ok(ApiReply::ok(json!({
        "rows": rows.iter().map(describe).collect::<Vec<_>>(),
        "counts": counts.collect::<Vec<_>>(),
        "next": next,
    })))
}

/// `GET /api/v1/runs/{id}/quarantine/content`.
pub(super) async fn content(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let why = "say which row, by its `id`";
    let row: u64 = ask.param("row").and_then(|row| row.parse().ok()).ok_or_else(|| parameter("row", why))?;
    let subject = Subject::new(Matter::OpenQuarantine, format!("run/{} quarantine/{row}", ask.id)).of_rows(1);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let opened = ask.app.pipelines()?.content(&permit, row).await?;
    Ok(ApiReply::ok(json!({"id": opened.id, "place": opened.place, "content": opened.text})))
}

/// `POST /api/v1/runs/{id}/replay`.
pub(super) async fn replay(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::ChangeQuarantine, &ask.id).await?;
    let run = service.replay(&permit, choice(&ask)).await?;
    Ok(accepted(json!({"run": run, "replays": ask.id, "status": "running"})))
}

/// `POST /api/v1/runs/{id}/waive`.
pub(super) async fn waive(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, service) = ask.pipelines(Matter::ChangeQuarantine, &ask.id).await?;
    let rows = service.waive(&permit, choice(&ask)).await?;
    Ok(ApiReply::ok(json!({"run": ask.id, "waived": rows})))
}

fn choice(ask: &ApiAsk) -> Choice {
    let text = |name: &str| ask.param(name).map(str::to_string);
    Choice { run: ask.id.clone(), source: text("source"), rule: text("rule") }
}

fn describe(row: &Row) -> Value {
    json!({
        "id": row.id,
        "run": row.run,
        "pipeline": row.pipeline,
        "source": row.source,
        "unit": row.unit,
        "line": row.line,
        "byte": row.byte,
        "rule": row.rule,
        "column": row.column,
        "reason": row.reason,
        "message": row.message,
        "state": row.state,
        "state_at": row.state_at.map(fhir::Instant::to_rfc3339_millis),
    })
}
