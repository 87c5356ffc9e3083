//! `GET /quarantine` and its forms: open one row, run rows again, waive them.

use axum::response::Response;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use ui::parts::pager::Paging;
use ui::pipelines::{Opened, QuarantineView, RowFilter, quarantine_page};

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use super::pipelines::absent;
use crate::auth::see_other;
use crate::error::ServerError;
use crate::fhir::controls::{encode, parameter};
use crate::pipelines::{Choice, Pipelines, RowQuery};

const ROWS: usize = 50;

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let text = |name: &str| ask.asked(name).unwrap_or_default().trim().to_string();
    let filter = RowFilter {
        pipeline: text("pipeline"),
        run: text("run"),
        source: text("source"),
        rule: text("rule"),
        state: text("state"),
    };
    let after = ask.asked("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let Some((permit, service)) = ask.pipelines(Matter::Pipelines, &filter.run).await? else {
        return Ok(absent(&ask));
    };
    let view = view_of(&ask, &permit, service.as_ref(), filter, after, None).await?;
    Ok(html(StatusCode::OK, quarantine_page(&view)))
}

async fn view_of(
    ask: &PageAsk,
    permit: &Permit,
    service: &dyn Pipelines,
    filter: RowFilter,
    after: u64,
    opened: Option<Opened>,
) -> Result<QuarantineView, ServerError> {
    let counts = service.counts(permit, filter.clone()).await?;
    let query = RowQuery { filter: filter.clone(), after, rows_max: ROWS + 1 };
    let mut rows = service.rows(permit, query).await?;
    let has_more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let address = filter.address();
    let sign = if address.contains('?') { '&' } else { '?' };
    let principal = &ask.access.principal;
    Ok(QuarantineView {
        frame: frame_of(ask),
        paging: Paging {
            shown: rows.len() as u64,
            total: Some(counts.iter().map(|count| count.n).sum()),
            first: (after > 0).then(|| address.clone()),
            next: rows.last().filter(|_| has_more).map(|row| format!("{address}{sign}after={}", row.id)),
        },
        filter,
        counts,
        rows,
        opened,
        may_open: principal.may(Matter::OpenQuarantine),
        may_change: principal.may(Matter::ChangeQuarantine),
        notice: None,
    })
}

/// The content is in the answer to the form and nowhere else: no address leads to it.
pub(crate) async fn open(ask: PageAsk) -> Result<Response, ServerError> {
    let row: u64 = ask.parts[0].parse().map_err(|_| parameter("row", "use the number of a row"))?;
    let subject = Subject::new(Matter::OpenQuarantine, format!("quarantine/{row}")).of_rows(1);
    let permit = ask.app.gate().permit(&ask.access, subject).await?;
    let Ok(service) = ask.app.pipelines() else { return Ok(absent(&ask)) };
    let opened = service.content(&permit, row).await?;
    let before = RowQuery { filter: RowFilter::default(), after: row.saturating_sub(1), rows_max: 1 };
    let run = service.rows(&permit, before).await?.pop().map(|row| row.run).unwrap_or_default();
    let filter = RowFilter { run, ..RowFilter::default() };
    let view = view_of(&ask, &permit, service.as_ref(), filter, row.saturating_sub(1), Some(opened)).await?;
    Ok(html(StatusCode::OK, quarantine_page(&view)))
}

pub(crate) async fn replay(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, service)) = ask.pipelines(Matter::ChangeQuarantine, &ask.parts[0]).await? else {
        return Ok(absent(&ask));
    };
    let run = service.replay(&permit, choice(&ask)).await?;
    Ok(see_other(&ui::url::run(&run)))
}

pub(crate) async fn waive(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, service)) = ask.pipelines(Matter::ChangeQuarantine, &ask.parts[0]).await? else {
        return Ok(absent(&ask));
    };
    service.waive(&permit, choice(&ask)).await?;
    Ok(see_other(&format!("{}?run={}", ui::url::QUARANTINE, encode(&ask.parts[0]))))
}

fn choice(ask: &PageAsk) -> Choice {
    let text = |name: &str| ask.field(name).map(str::to_string);
    Choice { run: ask.parts[0].clone(), source: text("source"), rule: text("rule") }
}
