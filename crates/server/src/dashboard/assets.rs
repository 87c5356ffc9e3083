//! Files that pages refer to, named by their content, so that browsers may keep them for ever.

use axum::response::Response;
use http::{HeaderValue, header};

/// The asset at a path, if there is one.
pub(super) fn answer(path: &str) -> Option<Response> {
    let asset = ui::assets::assets().iter().find(|asset| asset.path == path)?;
    let mut response = crate::public::with_type(http::StatusCode::OK, asset.content_type, asset.bytes);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Some(response)
}
