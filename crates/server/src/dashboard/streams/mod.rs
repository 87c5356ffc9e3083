//! Pages about events, alerts and rules. Every one of them asks the gate first; a server without streams says so.

mod act;
mod alerts;
mod dead;
mod facts;
mod operations;
mod people;
mod rules;
mod surveillance;
mod vitals;
mod ward;

use axum::response::Response;
use gate::{Matter, Permit, Subject};
use http::StatusCode;
use stream::alert::{AlertError, Refusal};
use stream::{Platform, StreamError};
use ui::frame::Place;

use super::PageAsk;
use super::answer::html;
use super::frame::frame_of;
use crate::error::ServerError;

pub(crate) use act::{act, silence};
pub(crate) use alerts::{list, show};
pub(crate) use dead::{list as dead_letters, open as open_letter, replay as replay_letters};
pub(crate) use facts::{alert_of, person_id};
pub(crate) use operations::{event, show as operations};
pub(crate) use people::People;
pub(crate) use rules::{list as rules, show as rule};
pub(crate) use surveillance::show as surveillance;
pub(crate) use vitals::{show as vitals, vitals_piece};
pub(crate) use ward::{bed_of, board as ward};

impl PageAsk {
    /// Asks the gate, then gives the streams; `None` when this server has none.
    pub(super) async fn streams(
        &self,
        matter: Matter,
        names: &str,
    ) -> Result<Option<(Permit, Platform)>, ServerError> {
        let permit = self.app.gate().permit(&self.access, Subject::new(matter, names)).await?;
        Ok(self.app.stream().ok().map(|platform| (permit, platform.clone())))
    }
}

/// The page of a server without streams.
fn absent(ask: &PageAsk, place: Place, title: &str) -> Response {
    html(StatusCode::OK, ui::streams::unconfigured_page(&frame_of(ask), place, title))
}

/// What a refusal about alerts is to the caller.
pub(crate) fn refused(error: AlertError) -> ServerError {
    let error = match error {
        AlertError::Refused(refusal @ Refusal::NoAlert(_)) => StreamError::NotFound(refusal.to_string()),
        AlertError::Refused(refusal @ (Refusal::State { .. } | Refusal::Changed { .. })) => {
            StreamError::Conflict(refusal.to_string())
        }
        AlertError::Refused(refusal) => StreamError::Invalid(refusal.to_string()),
        AlertError::WrongPermit => StreamError::Invalid(error.to_string()),
        AlertError::Database(error) => StreamError::Database(error),
    };
    ServerError::Stream(error)
}
