//! `GET /api/v1/stream`: alerts and readings as they happen.

use http::StatusCode;

use super::{ApiAsk, ApiReply, Document};
use crate::error::ServerError;
use crate::live::{self, Wanted};

pub(super) async fn stream(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let text = |name: &str| ask.param(name).map(String::from);
    let wanted = Wanted { page: text("page"), after: text("after"), query: ask.query.clone() };
    let response = live::open(&ask.app, ask.origin, wanted).await?;
    Ok(ApiReply { status: StatusCode::OK, document: Document::Live(response) })
}
