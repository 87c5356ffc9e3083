//! Query texts become `search::Query` here: with this server's base, clock and strictness.

use fhir::{Issue, Kind};
use search::{Options, Query};

use crate::error::ServerError;
use crate::fhir::ask::Ask;

/// A search as a caller asks for it, and what was ignored when it asked to be treated leniently.
pub(crate) fn of(ask: &Ask, kind: Option<Kind>, text: &str) -> Result<(Query, Vec<Issue>), ServerError> {
    let parsed = search::parse(kind, text, &options(ask, ask.prefer.strict)).map_err(ServerError::Query)?;
    Ok((parsed.query, parsed.ignored))
}

/// The search of a conditional write: always strict, because an ignored parameter would match other resources.
pub(crate) fn condition(ask: &Ask, kind: Kind, text: &str) -> Result<Query, ServerError> {
    let query = search::parse(Some(kind), text, &options(ask, true)).map_err(ServerError::Query)?.query;
    if query.branches.iter().all(|branch| branch.filters.is_empty()) {
        return Err(ServerError::NoCondition);
    }
    Ok(query)
}

fn options(ask: &Ask, strict: bool) -> Options {
    Options::new(strict, vec![ask.app.base().to_string()], ask.app.gate().now())
}
