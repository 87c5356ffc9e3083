//! Filters on their way between a form and an address: kept by a handle when they may identify somebody.

use axum::response::Response;

use super::PageAsk;
use crate::auth::see_other;
use crate::error::ServerError;

/// What an address says of its filter.
pub(super) enum Kept {
    /// It has none.
    None,
    /// This one.
    Found(String),
    /// It had one that is no longer kept, or that somebody else made.
    Forgotten,
}

/// Keeps a filter and leads to `address`, which ends with `?` or `&`.
pub(super) fn keep(ask: &PageAsk, address: &str, text: String) -> Result<Response, ServerError> {
    let handle = ask.app.handles().keep(&ask.access.principal.id, text)?;
    Ok(see_other(&format!("{address}h={handle}")))
}

/// The filter that the address of a page names.
pub(super) fn of(ask: &PageAsk) -> Kept {
    match ask.asked("h") {
        None => Kept::None,
        Some(handle) => match ask.app.handles().find(&ask.access.principal.id, handle) {
            Some(text) => Kept::Found(text),
            None => Kept::Forgotten,
        },
    }
}

/// The address of the page at hand without its cursor, ending with `?` or `&`.
pub(super) fn address(ask: &PageAsk, base: &str) -> String {
    match ask.asked("h") {
        Some(handle) => format!("{base}?h={}&", crate::fhir::controls::encode(handle)),
        None => format!("{base}?"),
    }
}
