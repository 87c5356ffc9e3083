//! `GET /pipelines`, its runs, and the quality of one over time; starting and stopping a run.

use std::sync::Arc;

use axum::response::Response;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use ui::pipelines::{
    ListView, QualityView, RowFilter, RunView, RunsView, list_page, quality_page, run_page, runs_page,
    unconfigured_page,
};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use crate::auth::see_other;
use crate::error::ServerError;
use crate::pipelines::Pipelines;

/// The most runs that a page shows.
const RUNS_MAX: usize = 100;

impl PageAsk {
    /// Asks the gate, then gives who answers; `None` when this server has no pipelines.
    pub(super) async fn pipelines(
        &self,
        matter: Matter,
        names: &str,
    ) -> Result<Option<(Permit, Arc<dyn Pipelines>)>, ServerError> {
        let permit = self.app.gate().permit(&self.access, Subject::new(matter, names)).await?;
        Ok(self.app.pipelines().ok().map(|service| (permit, service)))
    }
}

/// The page of a server without pipelines.
pub(super) fn absent(ask: &PageAsk) -> Response {
    html(StatusCode::OK, unconfigured_page(&frame_of(ask)))
}

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, service)) = ask.pipelines(Matter::Pipelines, "").await? else {
        return Ok(absent(&ask));
    };
    let view = ListView {
        frame: frame_of(&ask),
        folder: service.folder(),
        pipelines: service.list(&permit).await?,
        may_run: ask.access.principal.may(Matter::RunPipeline),
        notice: None,
    };
    Ok(html(StatusCode::OK, list_page(&view)))
}

pub(crate) async fn start(ask: PageAsk) -> Result<Response, ServerError> {
    let name = ask.parts[0].clone();
    let Some((permit, service)) = ask.pipelines(Matter::RunPipeline, &name).await? else {
        return Ok(absent(&ask));
    };
    let run = service.start(&permit, name, false).await?;
    Ok(see_other(&ui::url::run(&run)))
}

pub(crate) async fn quality(ask: PageAsk) -> Result<Response, ServerError> {
    let name = ask.parts[0].clone();
    let Some((permit, service)) = ask.pipelines(Matter::Pipelines, &name).await? else {
        return Ok(absent(&ask));
    };
    let sources = service.quality(&permit, name.clone()).await?;
    Ok(html(StatusCode::OK, quality_page(&QualityView { frame: frame_of(&ask), pipeline: name, sources })))
}

pub(crate) async fn runs(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, service)) = ask.pipelines(Matter::Pipelines, "").await? else {
        return Ok(absent(&ask));
    };
    let text = |name: &str| ask.asked(name).map(str::to_string);
    let rows = service.runs(&permit, text("pipeline"), text("status"), RUNS_MAX).await?;
    let mut names: Vec<String> = service
        .list(&permit)
        .await?
        .into_iter()
        .filter(|one| one.faults.is_empty())
        .map(|one| one.name)
        .collect();
    // A name in the address is shown as chosen, whether it exists or not.
    names.extend(text("pipeline").filter(|name| !names.contains(name)));
    let view = RunsView {
        frame: frame_of(&ask),
        pipeline: text("pipeline").unwrap_or_default(),
        status: text("status").unwrap_or_default(),
        pipelines: names,
        rows,
        rows_max: RUNS_MAX,
    };
    Ok(html(StatusCode::OK, runs_page(&view)))
}

pub(crate) async fn run(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.parts[0].clone();
    let Some((permit, service)) = ask.pipelines(Matter::Pipelines, &id).await? else {
        return Ok(absent(&ask));
    };
    let run = service.run(&permit, id).await?;
    let filter = RowFilter { run: run.row.run.clone(), state: "open".into(), ..RowFilter::default() };
    let waiting = service.counts(&permit, filter).await?.iter().map(|count| count.n).sum();
    let may_run = ask.access.principal.may(Matter::RunPipeline);
    let view = RunView { frame: frame_of(&ask), run, may_run, waiting, notice: None };
    Ok(html(StatusCode::OK, run_page(&view)))
}

pub(crate) async fn cancel(ask: PageAsk) -> Result<Response, ServerError> {
    let id = ask.parts[0].clone();
    let Some((permit, service)) = ask.pipelines(Matter::RunPipeline, &id).await? else {
        return Ok(absent(&ask));
    };
    service.cancel(&permit, id.clone()).await?;
    Ok(see_other(&ui::url::run(&id)))
}
