//! Every request has an identifier: the caller's, if it sent a decent one, or a new one. It is in the answer and the ledger.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};

/// The header, read and written.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 64;

/// The identifier of the request at hand, in its extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Puts the identifier into the request and the answer.
pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok()).filter(|text| decent(text));
    let id = given.map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_string);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn decent(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decent_identifiers_are_kept() {
        assert!(decent("a-1_b.C"));
        assert!(!decent("") && !decent("a b") && !decent("é") && !decent(&"a".repeat(65)));
    }
}
