//! The words for what this crate itself refuses.

use fhir::{Issue, IssueType};
use stream::StreamError;
use stream::decision::DecisionError;

use super::ServerError;
use crate::pipelines::PipelineError;

/// What the caller is told of an error that is not the gate's.
pub(super) fn issue_of(error: &ServerError) -> Issue {
    let (code, slug) = names_of(error);
    let issue = Issue::error(code, slug, text_of(error));
    match error {
        ServerError::Bundle { at, .. } => issue.at(at.clone()),
        _ => issue,
    }
}

fn names_of(error: &ServerError) -> (IssueType, &'static str) {
    use IssueType::{
        Conflict, Exception, Invalid, NotFound, NotSupported, Processing, Required, Structure, Throttled,
        TooLong, Transient, Value,
    };
    match error {
        ServerError::Gate(_) | ServerError::Body(_) | ServerError::Query(_) | ServerError::Entry { .. } => {
            (Processing, "request")
        }
        ServerError::UnknownKind(_) => (NotSupported, "unknown-type"),
        ServerError::UnknownPath(_) => (NotFound, "unknown-path"),
        ServerError::MethodNotAllowed { .. } => (NotSupported, "method-not-allowed"),
        ServerError::KindMismatch { .. } => (Invalid, "type-mismatch"),
        ServerError::IdMismatch { .. } => (Invalid, "id-mismatch"),
        ServerError::BodyMissing => (Required, "body-missing"),
        ServerError::NoCondition => (Required, "no-condition"),
        ServerError::BodyTooLarge { .. } => (TooLong, "body-too-large"),
        ServerError::BodyBroken => (Structure, "body-broken"),
        ServerError::BodyTimeout => (Transient, "body-timeout"),
        ServerError::UrlTooLong { .. } => (TooLong, "url-too-long"),
        ServerError::TooManyEntries { .. } => (TooLong, "too-many-entries"),
        ServerError::MediaType { .. } => (NotSupported, "media-type"),
        ServerError::NotAcceptable(_) => (NotSupported, "not-acceptable"),
        ServerError::Header { .. } => (Value, "header"),
        ServerError::Parameter { .. } => (Value, "parameter"),
        ServerError::Bundle { .. } => (Invalid, "bundle"),
        ServerError::Pipeline(error) => match error {
            PipelineError::Absent => (NotFound, "no-pipelines"),
            PipelineError::NotFound(_) => (NotFound, "not-found"),
            PipelineError::Conflict(_) => (Conflict, "conflict"),
            PipelineError::Invalid(_) => (Invalid, "pipeline"),
            PipelineError::Broken(_) => (Exception, "exception"),
        },
        ServerError::Stream(error) => match error {
            StreamError::Absent => (NotFound, "no-streams"),
            StreamError::Busy { .. } => (Throttled, "busy"),
            StreamError::NotFound(_) => (NotFound, "not-found"),
            StreamError::Conflict(_) => (Conflict, "conflict"),
            StreamError::Invalid(_) => (Invalid, "stream"),
            StreamError::Unavailable(_) => (Transient, "stream-unavailable"),
            error if error.is_passing() => (Transient, "stream-unavailable"),
            StreamError::Database(_) | StreamError::Gate(_) | StreamError::Keys(_) => {
                (Exception, "exception")
            }
        },
        ServerError::Decision(error) => match error {
            DecisionError::UnknownService(_) => (NotFound, "unknown-service"),
            DecisionError::UnknownCard(_) => (NotFound, "unknown-card"),
            DecisionError::Invalid(_) => (Invalid, "cds-request"),
            DecisionError::Precondition(_) => (Required, "prefetch-missing"),
            DecisionError::Gate(_) | DecisionError::Stream(_) => (Exception, "exception"),
        },
        ServerError::Overloaded => (Throttled, "overloaded"),
    }
}

fn text_of(error: &ServerError) -> String {
    match error {
        ServerError::Gate(_) | ServerError::Body(_) | ServerError::Query(_) | ServerError::Entry { .. } => {
            "the request cannot be processed".into()
        }
        ServerError::UnknownKind(kind) => format!("`{}` is not a resource type of R4", shown(kind)),
        ServerError::UnknownPath(path) => format!("nothing answers at `/{}`", shown(path)),
        ServerError::MethodNotAllowed { method, allowed } => {
            format!("`{}` is not possible here: use {allowed}", shown(method))
        }
        ServerError::KindMismatch { path, body } => {
            format!("the path says `{path}`, the body is a `{body}`: make them the same")
        }
        ServerError::IdMismatch { path, body: Some(body) } => {
            format!("the path says `{path}`, the body has the id `{body}`: make them the same")
        }
        ServerError::IdMismatch { path, body: None } => {
            format!("the body has no id: give it the id `{path}` of the path")
        }
        ServerError::BodyMissing => "a resource is needed in the body".into(),
        ServerError::NoCondition => {
            "a conditional write needs a search parameter, such as `identifier=system|value`: add one".into()
        }
        ServerError::BodyTooLarge { bytes_max } => {
            format!("the body is larger than {bytes_max} bytes: send less at once")
        }
        ServerError::BodyBroken => "the body did not arrive whole, or is not UTF-8".into(),
        ServerError::BodyTimeout => "the body did not arrive in time: send it faster".into(),
        ServerError::UrlTooLong { bytes_max } => {
            let advice = "use `POST [type]/_search` with a form";
            format!("path and query are longer than {bytes_max} bytes: {advice}")
        }
        ServerError::TooManyEntries { entries_max } => {
            format!("a bundle may have at most {entries_max} entries: send several")
        }
        ServerError::MediaType { found, wanted } => {
            format!("the body is `{}`: send `{wanted}` without compression", shown(found))
        }
        ServerError::NotAcceptable(media_type) => {
            format!("`{}` cannot be given: accept `application/fhir+json`", shown(media_type))
        }
        ServerError::Header { name, why } => format!("header `{name}` is not understood: {why}"),
        ServerError::Parameter { name, why } => format!("parameter `{}`: {why}", shown(name)),
        ServerError::Bundle { why, .. } => why.clone(),
        ServerError::Pipeline(PipelineError::Broken(_)) => super::gate_error::BROKE.into(),
        ServerError::Pipeline(error) => error.to_string(),
        ServerError::Stream(error) if error.is_passing() && !matches!(error, StreamError::Busy { .. }) => {
            "events cannot be made durable now: send again in a second".into()
        }
        ServerError::Stream(StreamError::Database(_) | StreamError::Gate(_) | StreamError::Keys(_)) => {
            super::gate_error::BROKE.into()
        }
        ServerError::Stream(error) => error.to_string(),
        ServerError::Decision(DecisionError::Gate(_) | DecisionError::Stream(_)) => {
            super::gate_error::BROKE.into()
        }
        ServerError::Decision(error) => error.to_string(),
        ServerError::Overloaded => "too much is going on: ask again in a second".into(),
    }
}

/// At most so much of what was sent is repeated.
fn shown(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}
