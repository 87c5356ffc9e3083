//! The words for what this crate itself refuses.

use fhir::{Issue, IssueType};

use super::ServerError;

/// What the caller is told of an error that is not the gate's.
pub(super) fn issue_of(error: &ServerError) -> Issue {
    use IssueType::{
        Invalid, NotFound, NotSupported, Processing, Required, Structure, Throttled, TooLong, Transient,
        Value,
    };
    let (code, slug, text) = match error {
        ServerError::Gate(_) | ServerError::Body(_) | ServerError::Query(_) | ServerError::Entry { .. } => {
            (Processing, "request", "the request cannot be processed".to_string())
        }
        ServerError::UnknownKind(kind) => {
            (NotSupported, "unknown-type", format!("`{}` is not a resource type of R4", shown(kind)))
        }
        ServerError::UnknownPath(path) => {
            (NotFound, "unknown-path", format!("nothing answers at `/{}`", shown(path)))
        }
        ServerError::MethodNotAllowed { method, allowed } => (
            NotSupported,
            "method-not-allowed",
            format!("`{}` is not possible here: use {allowed}", shown(method)),
        ),
        ServerError::KindMismatch { path, body } => (
            Invalid,
            "type-mismatch",
            format!("the path says `{path}`, the body is a `{body}`: make them the same"),
        ),
        ServerError::IdMismatch { path, body: Some(body) } => (
            Invalid,
            "id-mismatch",
            format!("the path says `{path}`, the body has the id `{body}`: make them the same"),
        ),
        ServerError::IdMismatch { path, body: None } => {
            (Invalid, "id-mismatch", format!("the body has no id: give it the id `{path}` of the path"))
        }
        ServerError::BodyMissing => {
            (Required, "body-missing", "a resource is needed in the body".to_string())
        }
        ServerError::BodyTooLarge { bytes_max } => (
            TooLong,
            "body-too-large",
            format!("the body is larger than {bytes_max} bytes: send less at once"),
        ),
        ServerError::BodyBroken => {
            (Structure, "body-broken", "the body did not arrive whole, or is not UTF-8".to_string())
        }
        ServerError::BodyTimeout => {
            (Transient, "body-timeout", "the body did not arrive in time: send it faster".to_string())
        }
        ServerError::UrlTooLong { bytes_max } => {
            let advice = "use `POST [type]/_search` with a form";
            (TooLong, "url-too-long", format!("path and query are longer than {bytes_max} bytes: {advice}"))
        }
        ServerError::TooManyEntries { entries_max } => (
            TooLong,
            "too-many-entries",
            format!("a bundle may have at most {entries_max} entries: send several"),
        ),
        ServerError::MediaType { found, wanted } => {
            let text = format!("the body is `{}`: send `{wanted}` without compression", shown(found));
            (NotSupported, "media-type", text)
        }
        ServerError::NotAcceptable(media_type) => {
            let text = format!("`{}` cannot be given: accept `application/fhir+json`", shown(media_type));
            (NotSupported, "not-acceptable", text)
        }
        ServerError::Header { name, why } => {
            (Value, "header", format!("header `{name}` is not understood: {why}"))
        }
        ServerError::Parameter { name, why } => {
            (Value, "parameter", format!("parameter `{}`: {why}", shown(name)))
        }
        ServerError::Bundle { at, why } => {
            return Issue::error(Invalid, "bundle", why.clone()).at(at.clone());
        }
        ServerError::Overloaded => {
            (Throttled, "overloaded", "too much is going on: ask again in a second".to_string())
        }
    };
    Issue::error(code, slug, text)
}

/// At most so much of what was sent is repeated.
fn shown(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}
