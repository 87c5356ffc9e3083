//! Who is looking, for the frame around every page.

use gate::{Purpose, Role};
use ui::frame::{Frame, Place};

use super::PageAsk;

/// The frame of a page.
pub(crate) fn frame_of(ask: &PageAsk) -> Frame {
    let principal = &ask.access.principal;
    let roles = &principal.roles;
    let mut places = vec![Place::Overview, Place::Patients, Place::Search];
    if roles.iter().any(Role::reads_audit) {
        places.push(Place::Audit);
    }
    places.push(Place::Settings);
    Frame {
        now: ask.app.gate().now(),
        name: principal.name.clone(),
        roles: roles.to_string(),
        purpose: ask.access.purpose.code().to_string(),
        purposes: roles.purposes().into_iter().map(|purpose| Purpose::code(purpose).to_string()).collect(),
        csrf: ask.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        places,
    }
}
