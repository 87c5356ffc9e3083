//! Pages as responses: HTML that may load nothing from elsewhere and is kept by nobody.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use maud::Markup;

use crate::public::with_type;

/// No inline script or style, nothing from other hosts, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page. It holds patient data, so no cache may keep it and no other site learns its address.
pub(crate) fn html(status: StatusCode, page: Markup) -> Response {
    let mut response = with_type(status, "text/html; charset=utf-8", page.into_string());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
