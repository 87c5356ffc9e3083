//! Every error there is, and the HTTP status it becomes: one exhaustive match. A 500 never echoes its cause.

use fhir::Issue;
use gate::GateError;
use http::StatusCode;
use stream::StreamError;
use stream::decision::DecisionError;

use crate::pipelines::PipelineError;

mod gate_error;
mod own;

use gate_error::{issue_of_gate, status_of_db, status_of_gate};

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum ServerError {
    /// The gate refused or failed.
    Gate(GateError),
    /// The body is not a resource.
    Body(Vec<Issue>),
    /// The query is wrong.
    Query(Vec<Issue>),
    /// The type in the path is none of R4.
    UnknownKind(String),
    /// Nothing answers at this path.
    UnknownPath(String),
    /// The path is known, the method is not.
    MethodNotAllowed {
        /// What was used.
        method: String,
        /// What may be.
        allowed: String,
    },
    /// The body is of another type than the path.
    KindMismatch {
        /// In the path.
        path: &'static str,
        /// In the body.
        body: &'static str,
    },
    /// The body has another id than the path, or none.
    IdMismatch {
        /// In the path.
        path: String,
        /// In the body.
        body: Option<String>,
    },
    /// A body was needed.
    BodyMissing,
    /// A conditional write without a condition.
    NoCondition,
    /// The body is too large.
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The body did not arrive whole.
    BodyBroken,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The path and query are too long.
    UrlTooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// A bundle has too many entries.
    TooManyEntries {
        /// The limit.
        entries_max: usize,
    },
    /// The body is of a media type that is not read here.
    MediaType {
        /// What was sent.
        found: String,
        /// What is read.
        wanted: &'static str,
    },
    /// The caller takes no media type that is written here.
    NotAcceptable(String),
    /// A header cannot be read.
    Header {
        /// Which.
        name: &'static str,
        /// What to do.
        why: String,
    },
    /// A query parameter cannot be used.
    Parameter {
        /// Which.
        name: String,
        /// What to do.
        why: String,
    },
    /// A bundle or one of its entries is not formed as it must be.
    Bundle {
        /// FHIRPath of the place.
        at: String,
        /// What to do.
        why: String,
    },
    /// An entry of a transaction failed, and with it the transaction.
    Entry {
        /// Position, from 0.
        entry: usize,
        /// Why.
        error: Box<ServerError>,
    },
    /// A question about pipelines has no answer.
    Pipeline(PipelineError),
    /// A question about streams has no answer.
    Stream(StreamError),
    /// There is no advice.
    Decision(DecisionError),
    /// Too much is going on.
    Overloaded,
}

impl From<GateError> for ServerError {
    fn from(error: GateError) -> ServerError {
        ServerError::Gate(error)
    }
}

impl From<PipelineError> for ServerError {
    fn from(error: PipelineError) -> ServerError {
        ServerError::Pipeline(error)
    }
}

impl From<StreamError> for ServerError {
    fn from(error: StreamError) -> ServerError {
        match error {
            StreamError::Gate(error) => ServerError::Gate(error),
            error => ServerError::Stream(error),
        }
    }
}

impl ServerError {
    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            ServerError::Gate(error) => status_of_gate(error),
            ServerError::Entry { error, .. } => error.status(),
            ServerError::Body(_)
            | ServerError::Query(_)
            | ServerError::KindMismatch { .. }
            | ServerError::IdMismatch { .. }
            | ServerError::BodyMissing
            | ServerError::NoCondition
            | ServerError::BodyBroken
            | ServerError::Header { .. }
            | ServerError::Parameter { .. }
            | ServerError::Bundle { .. } => StatusCode::BAD_REQUEST,
            ServerError::UnknownKind(_) | ServerError::UnknownPath(_) => StatusCode::NOT_FOUND,
            ServerError::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            ServerError::BodyTooLarge { .. } | ServerError::TooManyEntries { .. } => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            ServerError::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            ServerError::UrlTooLong { .. } => StatusCode::URI_TOO_LONG,
            ServerError::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ServerError::NotAcceptable(_) => StatusCode::NOT_ACCEPTABLE,
            ServerError::Pipeline(error) => match error {
                PipelineError::Absent | PipelineError::NotFound(_) => StatusCode::NOT_FOUND,
                PipelineError::Conflict(_) => StatusCode::CONFLICT,
                PipelineError::Invalid(_) => StatusCode::BAD_REQUEST,
                PipelineError::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            ServerError::Stream(error) => status_of_stream(error),
            ServerError::Decision(error) => match error {
                DecisionError::UnknownService(_) | DecisionError::UnknownCard(_) => StatusCode::NOT_FOUND,
                DecisionError::Invalid(_) => StatusCode::BAD_REQUEST,
                DecisionError::Precondition(_) => StatusCode::PRECONDITION_FAILED,
                DecisionError::Gate(error) => status_of_gate(error),
                DecisionError::Stream(error) => status_of_stream(error),
            },
            ServerError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What the caller is told.
    pub(crate) fn issues(&self) -> Vec<Issue> {
        match self {
            ServerError::Body(issues) | ServerError::Query(issues) => issues.clone(),
            ServerError::Gate(GateError::Invalid(issues)) => issues.clone(),
            ServerError::Gate(GateError::InvalidEntry { entry, issues }) => {
                issues.iter().map(|issue| below_entry(*entry, issue.clone())).collect()
            }
            ServerError::Entry { entry, error } => {
                let place = match error.as_ref() {
                    // What is wrong stands in the query of its URL or of its condition, not in its resource.
                    ServerError::Query(_) => {
                        |entry, issue: Issue| issue.at(format!("Bundle.entry[{entry}].request"))
                    }
                    _ => below_entry,
                };
                error.issues().into_iter().map(|issue| place(*entry, issue)).collect()
            }
            ServerError::Gate(error) => vec![issue_of_gate(error)],
            other => vec![own::issue_of(other)],
        }
    }

    /// What went wrong inside, for the log; `None` when the caller was told everything.
    pub(crate) fn cause(&self) -> Option<String> {
        match self {
            ServerError::Gate(error) if self.status().is_server_error() => Some(error.to_string()),
            ServerError::Entry { error, .. } => error.cause(),
            ServerError::Pipeline(PipelineError::Broken(why)) => Some(why.clone()),
            ServerError::Stream(error) if self.status().is_server_error() => Some(error.to_string()),
            _ => None,
        }
    }
}

fn status_of_stream(error: &StreamError) -> StatusCode {
    match error {
        StreamError::Absent | StreamError::NotFound(_) => StatusCode::NOT_FOUND,
        StreamError::Busy { .. } => StatusCode::TOO_MANY_REQUESTS,
        StreamError::Conflict(_) => StatusCode::CONFLICT,
        StreamError::Invalid(_) => StatusCode::BAD_REQUEST,
        StreamError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        // Senders of events come again by themselves, with the same identifiers.
        StreamError::Database(_) | StreamError::Gate(_) if error.is_passing() => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        StreamError::Database(error) => status_of_db(error),
        StreamError::Gate(error) => status_of_gate(error),
        StreamError::Keys(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Puts the place of an issue inside the entry's resource.
fn below_entry(entry: usize, mut issue: Issue) -> Issue {
    let place = format!("Bundle.entry[{entry}]");
    issue.expression = Some(match issue.expression {
        Some(inner) if inner.starts_with("Bundle") => inner,
        Some(inner) => match inner.split_once('.') {
            Some((_, rest)) => format!("{place}.resource.{rest}"),
            None => format!("{place}.resource"),
        },
        None => place,
    });
    issue
}
