//! Why there is no page: what happened and what to do, never what broke inside.

use axum::response::Response;
use gate::{AuthProblem, GateError};

use super::answer::html;
use crate::error::ServerError;
use crate::fhir::outcome;

/// The page of an error; for who is not signed in, how to sign in.
pub(crate) fn refusal(error: &ServerError, request: &str) -> Response {
    outcome::log(error, request);
    let status = error.status();
    let page = match error {
        ServerError::Gate(GateError::Unauthenticated(AuthProblem::Missing)) => {
            ui::sign_in::page(&ui::sign_in::View { link: None, why: None })
        }
        ServerError::Gate(GateError::Unauthenticated(
            problem @ (AuthProblem::SessionEnded | AuthProblem::Link),
        )) => ui::sign_in::page(&ui::sign_in::View { link: None, why: Some(problem.to_string()) }),
        _ => {
            let issues = error.issues();
            let happened: Vec<&str> = issues.iter().map(|issue| issue.diagnostics.as_str()).collect();
            ui::error::page(&ui::error::View {
                frame: None,
                status: status.as_u16(),
                title: status.canonical_reason().unwrap_or("Error").to_string(),
                happened: happened.join("; "),
                kept: "Nothing was changed.".to_string(),
                next: "Go back, or to the overview.".to_string(),
                action: Some(("/".to_string(), "Overview".to_string())),
                request: Some(request.to_string()),
            })
        }
    };
    let mut response = html(status, page);
    outcome::add_headers(error, response.headers_mut());
    response
}
