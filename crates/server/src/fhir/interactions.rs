//! The table of interactions: routes requests and bundle entries, and becomes the CapabilityStatement.

use http::Method;

use crate::error::ServerError;
use crate::fhir::ask::{Answer, Ask};
use crate::fhir::place::Part::{self, Id, Inside, Kind, Version, Word};
use crate::fhir::place::{Place, segments_of};
use crate::fhir::{
    bundle, compartment, create, delete, history, patch, read, search, update, validate, vread,
};

/// Where the CapabilityStatement lists an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// `rest.interaction`.
    System,
    /// `rest.resource.interaction`.
    Resource,
    /// Said by another element, such as `conditionalUpdate` or `compartment`.
    Implied,
    /// `rest.resource.operation`.
    Operation,
}

/// What body an interaction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None.
    Nothing,
    /// A resource as JSON.
    Resource,
    /// A JSON Patch, or a `Parameters` with a FHIRPath Patch.
    Patch,
    /// A bundle as JSON, which may be larger.
    Bundle,
    /// Search parameters as a form.
    Form,
}

/// One row: what it is called, how it is asked for, who answers.
pub(crate) struct Interaction {
    /// The code of R4 where there is one; also the label in `/metrics`.
    pub(crate) code: &'static str,
    /// Where the CapabilityStatement lists it.
    pub(crate) level: Level,
    /// HTTP method; `HEAD` is answered as `GET` without the body.
    pub(crate) method: Method,
    /// Path below the base.
    pub(crate) path: &'static [Part],
    /// Body.
    pub(crate) takes: Takes,
    /// The handler.
    pub(crate) run: fn(Ask) -> Answer,
}

macro_rules! table {
    ($($code:literal, $level:ident, $method:ident, [$($part:expr),*], $takes:ident, $handler:path;)*) => {
        /// Every interaction that is supported. Words stand before ids: the first row that fits answers.
        pub(crate) static INTERACTIONS: &[Interaction] = &[$(Interaction {
            code: $code,
            level: Level::$level,
            method: Method::$method,
            path: &[$($part),*],
            takes: Takes::$takes,
            run: |ask| Box::pin($handler(ask)),
        }),*];
    };
}

table! {
    "search-system", System, GET, [], Nothing, search::search_system;
    "transaction", System, POST, [], Bundle, bundle::bundle;
    "search-system", Implied, POST, [Word("_search")], Form, search::search_system;
    "history-system", System, GET, [Word("_history")], Nothing, history::history_system;
    "search-type", Resource, GET, [Kind], Nothing, search::search_type;
    "create", Resource, POST, [Kind], Resource, create::create;
    "conditional-update", Implied, PUT, [Kind], Resource, update::conditional_update;
    "conditional-patch", Implied, PATCH, [Kind], Patch, patch::conditional_patch;
    "conditional-delete", Implied, DELETE, [Kind], Nothing, delete::conditional_delete;
    "search-type", Implied, POST, [Kind, Word("_search")], Form, search::search_type;
    "history-type", Resource, GET, [Kind, Word("_history")], Nothing, history::history_type;
    "validate", Operation, POST, [Kind, Word("$validate")], Resource, validate::validate;
    "read", Resource, GET, [Kind, Id], Nothing, read::read;
    "update", Resource, PUT, [Kind, Id], Resource, update::update;
    "patch", Resource, PATCH, [Kind, Id], Patch, patch::patch;
    "delete", Resource, DELETE, [Kind, Id], Nothing, delete::delete;
    "history-instance", Resource, GET, [Kind, Id, Word("_history")], Nothing, history::history_instance;
    "vread", Resource, GET, [Kind, Id, Word("_history"), Version], Nothing, vread::vread;
    "validate", Implied, POST, [Kind, Id, Word("$validate")], Resource, validate::validate;
    "search-compartment", Implied, GET, [Kind, Id, Inside], Nothing, compartment::search_compartment;
    "search-compartment", Implied, POST, [Kind, Id, Inside, Word("_search")], Form, compartment::search_compartment;
}

/// Finds who answers a method and path, the place in the table, and what the path names.
pub(crate) fn find(method: &Method, path: &str) -> Result<(usize, &'static Interaction, Place), ServerError> {
    let segments = segments_of(path);
    let wanted = if *method == Method::HEAD { &Method::GET } else { method };
    let mut allowed: Vec<&str> = Vec::new();
    for (at, row) in INTERACTIONS.iter().enumerate() {
        let Some(place) = Place::of(row.path, &segments) else { continue };
        if row.method == *wanted {
            return Ok((at, row, place));
        }
        if !allowed.contains(&row.method.as_str()) {
            allowed.push(row.method.as_str());
        }
    }
    if allowed.is_empty() {
        return Err(unknown_path(&segments));
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(ServerError::MethodNotAllowed { method: method.to_string(), allowed: allowed.join(", ") })
}

fn unknown_path(segments: &[String]) -> ServerError {
    match segments.first() {
        Some(first) if fhir::Kind::parse(first).is_none() && !first.starts_with(['_', '$']) => {
            ServerError::UnknownKind(first.clone())
        }
        _ => ServerError::UnknownPath(segments.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: &str) {
        let method: Method = method.parse().unwrap();
        let answer = match find(&method, path) {
            Ok((_, row, _)) => row.code.to_string(),
            Err(ServerError::MethodNotAllowed { allowed, .. }) => format!("allowed: {allowed}"),
            Err(ServerError::UnknownKind(kind)) => format!("unknown type {kind}"),
            Err(_) => "unknown path".to_string(),
        };
        assert_eq!(answer, expected, "{method} {path}");
    }

    #[test]
    fn requests_find_their_interaction() {
        check("GET", "/Patient/1", "read");
        check("HEAD", "/Patient/1", "read");
        check("GET", "/Patient/_history", "history-type");
        check("GET", "/Patient/1/_history/2", "vread");
        check("GET", "/Patient/1/Observation", "search-compartment");
        check("GET", "/Patient/1/*", "search-compartment");
        check("POST", "/Patient/%24validate", "validate");
        check("PATCH", "/Patient/1", "patch");
        check("PATCH", "/Patient", "conditional-patch");
        check("POST", "/", "transaction");
        check("POST", "/Patient/_search", "search-type");
    }

    #[test]
    fn wrong_requests_are_told_apart() {
        check("PATCH", "/Patient/1/_history", "allowed: GET, HEAD");
        check("DELETE", "/", "allowed: GET, POST, HEAD");
        check("GET", "/Pacient/1", "unknown type Pacient");
        check("GET", "/Patient/1/_foo", "unknown path");
        check("GET", "/Patient/a_b", "unknown path");
    }
}
