//! Why there is no page: what happened, what was not lost and what to do, never what broke inside.

use axum::response::Response;
use gate::{AuthProblem, GateError};
use http::StatusCode;
use ui::frame::Frame;
use ui::{error, sign_in};

use super::answer::html;
use crate::error::ServerError;
use crate::fhir::outcome;

/// The page of an error, in the frame of who looks; for who is not signed in, how to sign in.
pub(crate) fn refusal(error: &ServerError, request: &str, frame: Option<Frame>) -> Response {
    outcome::log(error, request);
    let status = error.status();
    let page = match error {
        ServerError::Gate(GateError::Unauthenticated(AuthProblem::Missing)) => {
            sign_in::page(&sign_in::View { link: None, why: None })
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            sign_in::page(&sign_in::View { link: None, why: Some(happened(error)) })
        }
        _ => error::page(&view(error, request, frame)),
    };
    let mut response = html(status, page);
    outcome::add_headers(error, response.headers_mut());
    response
}

fn view(error: &ServerError, request: &str, frame: Option<Frame>) -> error::View {
    let status = error.status();
    let (title, next, (href, words)) = words(status);
    error::View {
        frame,
        status: status.as_u16(),
        title: title.into(),
        happened: happened(error),
        kept: "Everything: this request changed nothing.".into(),
        next: next.into(),
        action: Some((href.into(), words.into())),
        request: Some(request.into()),
    }
}

fn happened(error: &ServerError) -> String {
    error.issues().iter().map(|issue| sentence(&issue.diagnostics)).collect::<Vec<_>>().join(" ")
}

type Link = (&'static str, &'static str);

/// Title, what to do, and a link that helps.
fn words(status: StatusCode) -> (&'static str, &'static str, Link) {
    let overview = (ui::url::OVERVIEW, "To the overview");
    let search = (ui::url::SEARCH, "To the search");
    match status.as_u16() {
        400 => ("This cannot be understood", "Correct what is named above and try again.", overview),
        403 => (
            "Not open to you",
            "Ask whoever manages access for a role or purpose that allows it; the refusal was recorded.",
            overview,
        ),
        404 => ("There is no such thing", "Check the address, or search for it.", search),
        405 => ("This page cannot be asked like this", "Go back and use its buttons and links.", overview),
        410 => {
            ("It was deleted", "Its versions are still there: add `?view=versions` to the address.", search)
        }
        413 | 414 => ("Too much at once", "Send less.", overview),
        422 => ("It breaks rules", "Correct what is named above and try again.", overview),
        503 => ("Too much is going on", "Try again in a few seconds.", overview),
        500..=599 => (
            "Something broke",
            "Try again; if it stays, give the request below to whoever runs the server: its log says more.",
            overview,
        ),
        _ => ("This did not work", "Go back and try again.", overview),
    }
}

/// Texts of errors begin small and have no full stop; on a page they are sentences.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_sentences() {
        assert_eq!(sentence("`Patient/42` is unknown"), "`Patient/42` is unknown.");
        assert_eq!(sentence("the token is unknown"), "The token is unknown.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn every_status_has_something_to_do() {
        for code in 400..600 {
            let (title, next, _) = words(StatusCode::from_u16(code).unwrap());
            assert!(!title.is_empty() && next.ends_with('.'), "{code}");
        }
    }
}
