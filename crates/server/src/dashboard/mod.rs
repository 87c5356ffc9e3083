//! The dashboard's frame: finds the page, checks the session and its token, and sends HTML under a strict policy.

mod answer;
mod assets;
mod audit;
mod calendar;
mod filter;
mod find;
mod frame;
mod handles;
mod overview;
mod pages;
mod patient;
mod patients;
mod pipelines;
mod purpose;
mod quarantine;
mod query;
mod refusal;
mod resource;
mod rights;
mod search;
mod settings;
mod streams;

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use gate::Access;
use http::HeaderMap;
use ui::frame::Frame;

use crate::auth::{cookie, field, receive};
use crate::caller::{Caller, Session};
use crate::error::ServerError;
use crate::fhir::controls;
use crate::route::{Asked, only_looks};
use crate::state::AppState;

pub(crate) use answer::html;
pub(crate) use frame::of as frame_for;
pub(crate) use handles::Handles;
pub(crate) use refusal::refusal;
pub(crate) use streams::{People, alert_of, bed_of, person_id, refused, vitals_piece};

/// Remembers which purpose of use a person chose for the pages.
const PURPOSE_COOKIE: &str = "salus-purpose";

/// Everything a page may look at.
pub(crate) struct PageAsk {
    /// The gate, the configuration.
    pub(crate) app: AppState,
    /// Who looks, and why.
    pub(crate) access: Access,
    /// The session, with the token that forms must carry; `None` for callers with a bearer token.
    pub(crate) session: Option<Session>,
    /// The parts of the path that the table leaves open, decoded, in order.
    pub(crate) parts: Vec<String>,
    /// Names and values of the query, decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Names and values of the form, decoded; empty for `GET`.
    pub(crate) form: Vec<(String, String)>,
}

impl PageAsk {
    /// The value of a name in the address.
    fn asked(&self, name: &str) -> Option<&str> {
        field(&self.query, name).filter(|value| !value.is_empty())
    }

    /// A field of the form without spaces around it; `None` when it is empty.
    fn field(&self, name: &str) -> Option<&str> {
        field(&self.form, name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// All values of a field of the form.
    fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        self.form.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim())
    }
}

/// What a page gives back.
pub(crate) type PageAnswer = Pin<Box<dyn Future<Output = Result<Response, ServerError>> + Send>>;

/// Answers with a page, an asset, or the reason why there is none.
pub(crate) async fn answer(app: &AppState, asked: Asked) -> Response {
    if only_looks(&asked.head.method)
        && let Some(response) = assets::answer(asked.head.uri.path())
    {
        return response;
    }
    let id = asked.id.clone();
    let caller = match Caller::of(app, &asked.peer, &asked.head.headers, &asked.id).await {
        Ok(caller) => caller,
        Err(error) => return refusal(&error.into(), &id, None),
    };
    // An error is shown in the person's frame, so that they can go on from it.
    let mut frame = None;
    match run(app, asked, caller, &mut frame).await {
        Ok(response) => response,
        Err(error) => refusal(&error, &id, frame),
    }
}

async fn run(
    app: &AppState,
    mut asked: Asked,
    caller: Caller,
    frame: &mut Option<Frame>,
) -> Result<Response, ServerError> {
    let access = access_of(&caller, &asked.head.headers, &asked.id)?;
    *frame = Some(frame::of(app, &access, caller.session.as_ref()));
    let (page, parts) = pages::find(&asked.head.method, asked.head.uri.path())?;
    let form = if only_looks(&asked.head.method) { Vec::new() } else { receive(app, &mut asked).await? };
    caller.check_csrf(&asked.head.method, &asked.head.headers, field(&form, "csrf"))?;
    let query = controls::pairs(asked.head.uri.query().unwrap_or("")).collect();
    let ask = PageAsk { app: app.clone(), access, session: caller.session, parts, query, form };
    (page.run)(ask).await
}

/// For the purpose of the header, else the one that was chosen before, else the usual one of the role.
pub(crate) fn access_of(caller: &Caller, headers: &HeaderMap, request: &str) -> Result<Access, ServerError> {
    let chosen = cookie::value_of(headers, PURPOSE_COOKIE);
    if let Some(chosen) = chosen.filter(|_| !headers.contains_key("x-salus-purpose"))
        && let Ok(access) = caller.access_for(Some(chosen), request)
    {
        return Ok(access);
    }
    Ok(caller.access(headers, request)?)
}
