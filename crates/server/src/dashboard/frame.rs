//! Who is looking, for the frame around every page.

use fhir::Kind;
use gate::{Access, Matter, Purpose};
use ui::frame::{Frame, Place};

use super::PageAsk;
use super::rights::Rights;
use crate::caller::Session;
use crate::state::AppState;

/// The frame of a page.
pub(super) fn frame_of(ask: &PageAsk) -> Frame {
    of(&ask.app, &ask.access, ask.session.as_ref())
}

/// The frame of a person; it shows the places that are open to them.
pub(crate) fn of(app: &AppState, access: &Access, session: Option<&Session>) -> Frame {
    let principal = &access.principal;
    let places = [
        (Place::Overview, true),
        (Place::Patients, principal.may_search(Kind::PATIENT)),
        (Place::Search, principal.may_search_something()),
        (Place::Ward, principal.may(Matter::Alerts)),
        (Place::Alerts, principal.may(Matter::Alerts)),
        (Place::Surveillance, principal.may(Matter::Surveillance)),
        (Place::Pipelines, principal.may(Matter::Pipelines)),
        (Place::Streams, principal.may(Matter::Streams)),
        (Place::Rules, principal.may(Matter::Streams)),
        (Place::Audit, principal.reads_audit()),
        (Place::Settings, true),
    ];
    Frame {
        now: app.gate().now(),
        name: principal.name.clone(),
        roles: principal.roles.to_string(),
        purpose: access.purpose.code().to_string(),
        purposes: principal
            .roles
            .purposes()
            .into_iter()
            .map(|purpose| Purpose::code(purpose).to_string())
            .collect(),
        csrf: session.map(|session| session.csrf.clone()).unwrap_or_default(),
        places: places.into_iter().filter(|(_, is_open)| *is_open).map(|(place, _)| place).collect(),
    }
}
