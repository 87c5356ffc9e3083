//! Bodies: read up to a limit, then parsed away from the threads that answer requests when they are large.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use fhir::Resource;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::ServerError;
use crate::fhir::interactions::Takes;
use crate::state::AppState;

/// From this size on, parsing would hold up other requests on the same thread.
const INLINE_BYTES_MAX: usize = 16 << 10;

/// What is read of a body that was refused.
const DRAIN_BYTES_MAX: usize = 256 << 20;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// A body, and the share of memory it was granted.
pub(crate) struct Received {
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// Given back when the request has been answered.
    permit: Option<OwnedSemaphorePermit>,
}

impl Received {
    /// The bytes, which a handler may let go early, and the room, which must be kept until the answer is there.
    pub(crate) fn into_parts(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
        (self.bytes, self.permit)
    }
}

/// Reads a body. Large ones wait until there is room for them.
pub(crate) async fn receive(
    app: &AppState,
    takes: Takes,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, ServerError> {
    let limits = &app.config().limits;
    let bytes_max = match takes {
        Takes::Nothing => return Ok(Received { bytes: Bytes::new(), permit: None }),
        Takes::Resource | Takes::Patch => limits.body_bytes_max,
        Takes::Bundle => limits.bundle_bytes_max,
        Takes::Form => limits.form_bytes_max,
    };
    let stated =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|length| length > bytes_max) {
        drain(body).await;
        return Err(ServerError::BodyTooLarge { bytes_max });
    }
    // A body of unstated length is counted as the largest it may be.
    let expected = stated.unwrap_or(bytes_max).min(limits.bodies_in_flight_bytes_max);
    let permit = if expected > INLINE_BYTES_MAX {
        let kib = u32::try_from(expected / 1024).unwrap_or(u32::MAX);
        let room = std::sync::Arc::clone(app.bodies()).acquire_many_owned(kib);
        Some(room.await.map_err(|_| ServerError::Overloaded)?)
    } else {
        None
    };
    let timeout = Duration::from_secs(limits.body_read_timeout_secs);
    let mut body = body;
    let collected = tokio::time::timeout(timeout, collect(&mut body, bytes_max, stated.unwrap_or(0))).await;
    let collected = collected.map_err(|_| ServerError::BodyTimeout)?;
    if matches!(collected, Err(ServerError::BodyTooLarge { .. })) {
        drain(body).await;
    }
    let bytes = collected?;
    Ok(Received { bytes, permit })
}

async fn collect(body: &mut Body, bytes_max: usize, expected: usize) -> Result<Bytes, ServerError> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ServerError::BodyBroken)?.into_data() else { continue };
        if first.as_ref().map_or(0, Bytes::len).max(rest.len()) + data.len() > bytes_max {
            return Err(ServerError::BodyTooLarge { bytes_max });
        }
        match first.take() {
            // Most bodies come in one piece, which needs no copy.
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            Some(head) => {
                rest.reserve(expected.max(head.len() + data.len()));
                rest.extend_from_slice(&head);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

/// Reads on and forgets, for a while: a connection that is closed while the caller still sends would take the answer with it.
async fn drain(mut body: Body) {
    let reading = async {
        let mut n_bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            n_bytes += frame.data_ref().map_or(0, Bytes::len);
            if n_bytes > DRAIN_BYTES_MAX {
                break;
            }
        }
    };
    // Either way the answer is sent now.
    let _ = tokio::time::timeout(DRAIN_TIME_MAX, reading).await;
}

/// Runs work on the body's bytes: here when it is small, else on a thread for long work.
pub(crate) async fn off_reactor<T: Send + 'static>(
    bytes: Bytes,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> T {
    here_or_aside(bytes.len() <= INLINE_BYTES_MAX, move || work(&bytes)).await
}

/// Runs work here, or on a thread for long work, so that it holds up nobody else's request.
pub(crate) async fn here_or_aside<T: Send + 'static>(
    here: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if here {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The resource in a body.
pub(crate) async fn resource(bytes: Bytes) -> Result<Resource, ServerError> {
    if bytes.is_empty() {
        return Err(ServerError::BodyMissing);
    }
    off_reactor(bytes, |bytes| Resource::parse(bytes, &fhir::json::Limits::default()))
        .await
        .map_err(ServerError::Body)
}
