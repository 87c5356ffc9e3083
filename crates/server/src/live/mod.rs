//! `GET /api/v1/stream`: server-sent events of alerts and readings, from a place on and without gaps; as JSON, or as pieces of a page.
//!
//! A stream is a look at patients that goes on: the gate decides at its start and once a minute, and who is in an answer is recorded before it
//! leaves, once a minute per patient.

mod cursor;
mod feed;
mod message;
mod render;
mod sight;

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use stream::Platform;
use tokio::sync::mpsc;

use crate::error::ServerError;
use crate::fhir::controls::parameter;
use crate::peer::Peer;
use crate::state::AppState;

pub(crate) use cursor::Cursor;
use feed::Feed;
use sight::Sight;

/// Messages that wait for a slow reader.
const QUEUE_MAX: usize = 64;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What somebody asked of the stream.
pub(crate) struct Wanted {
    /// The page whose pieces are wanted; `None` for JSON.
    pub(crate) page: Option<String>,
    /// Go on behind this.
    pub(crate) after: Option<String>,
    /// Filters of the page.
    pub(crate) query: Vec<(String, String)>,
}

impl Wanted {
    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.query.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Who asks, so that it can be asked again.
pub(crate) struct Origin {
    pub(crate) peer: Peer,
    pub(crate) headers: HeaderMap,
    pub(crate) request: String,
}

/// The end of both sequences now.
pub(crate) async fn end(platform: &Platform) -> Result<Cursor, ServerError> {
    let alerts = platform.alerts().last_seq().await.map_err(crate::dashboard::refused)?;
    Ok(Cursor { alerts, beds: platform.last_bed().await? })
}

/// Opens a stream.
pub(crate) async fn open(app: &AppState, origin: Origin, wanted: Wanted) -> Result<Response, ServerError> {
    if let Some(page) = wanted.page.as_deref().filter(|page| !render::PAGES.contains(page)) {
        return Err(parameter(
            "page",
            format!("`{page}` is no page of a stream: use {}", render::PAGES.join(", ")),
        ));
    }
    let platform = app.stream()?.clone();
    let place = app.live_places().try_acquire_owned().map_err(|_| ServerError::Overloaded)?;
    let sight = Sight::open(app, origin, wanted).await?;
    let from = match sight.after() {
        None => end(&platform).await?,
        Some(text) => {
            let why = "use the id of the last event that was received, such as `a12-b340`";
            Cursor::parse(text).ok_or_else(|| parameter("after", why))?
        }
    };
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let feed = Feed::new(app.clone(), platform, sight, sender, from);
    tokio::spawn(async move {
        feed.run().await;
        drop(place);
    });
    Ok(response(receiver))
}

fn response(receiver: mpsc::Receiver<Bytes>) -> Response {
    let messages = futures_util::stream::unfold(receiver, |mut receiver| async {
        let message = receiver.recv().await?;
        Some((Ok::<Bytes, Infallible>(message), receiver))
    });
    let mut response = Response::new(Body::from_stream(messages));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // For proxies that would wait for more.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The place that a request names: the browser's own header when it tries again, else the address.
pub(super) fn after_of<'a>(headers: &'a HeaderMap, asked: Option<&'a str>) -> Option<&'a str> {
    let again = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    again.or(asked).filter(|text| !text.is_empty())
}
