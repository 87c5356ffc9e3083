//! patch: `PATCH [type]/[id]`, `PATCH [type]?query`: a JSON Patch, or a FHIRPath Patch in a `Parameters`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fhir::{Issue, IssueType, Kind, Value, json};
use fhirpath::Patch;
use gate::{Action, Amendment};

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::body::off_reactor;
use crate::fhir::negotiate::JSON_PATCH;
use crate::fhir::query;
use crate::fhir::reply::Reply;
use crate::fhir::written;

/// Changes what is stored, inside one transaction.
pub(crate) async fn patch(ask: Ask) -> Result<Reply, ServerError> {
    ask.controls.nothing_else()?;
    ask.conditions.check_update()?;
    let amendment = amendment_of_body(&ask).await?;
    let action = action_of(ask.place.kind(), &ask.place.id, amendment, ask.conditions.if_match);
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(written::reply_of(written, ask.prefer.returns))
}

/// Changes the one match of a search.
pub(crate) async fn conditional_patch(ask: Ask) -> Result<Reply, ServerError> {
    ask.conditions.check_update()?;
    let amendment = amendment_of_body(&ask).await?;
    let rest = ask.controls.rest.clone();
    let action = conditional_action_of(&ask, ask.place.kind(), &rest, amendment, ask.conditions.if_match)?;
    let written = ask.app.gate().write_one(&ask.access, action).await?;
    Ok(written::reply_of(written, ask.prefer.returns))
}

/// The write that a patch asks for.
pub(crate) fn action_of(kind: Kind, id: &str, amendment: Amendment, if_match: Option<u64>) -> Action {
    Action::Patch { kind, id: id.into(), amendment, if_match }
}

/// The write that a conditional patch asks for.
pub(crate) fn conditional_action_of(
    ask: &Ask,
    kind: Kind,
    query: &str,
    amendment: Amendment,
    if_match: Option<u64>,
) -> Result<Action, ServerError> {
    let query = query::condition(ask, kind, query)?;
    Ok(Action::ConditionalPatch { kind, query, amendment, if_match })
}

/// The patch in an entry of a bundle: a `Parameters`, or a JSON Patch in a `Binary`, as R4 wants it.
pub(crate) fn amendment_of_entry(mut resource: Value) -> Result<Amendment, ServerError> {
    let wrong = |text: &str| {
        ServerError::Body(vec![Issue::error(IssueType::Invalid, "patch", text).at("Binary".to_string())])
    };
    if resource.text("resourceType") != Some("Binary") {
        return amendment_of(resource);
    }
    if resource.text("contentType") != Some(JSON_PATCH) {
        return Err(wrong("a `Binary` that is a patch has the `contentType` `application/json-patch+json`"));
    }
    let data = resource.get_mut("data").map(Value::take);
    let bytes = data.as_ref().and_then(Value::as_str).and_then(|data| STANDARD.decode(data).ok());
    let bytes = bytes.ok_or_else(|| wrong("the `data` of a `Binary` that is a patch is base64"))?;
    amendment_of(parsed(&bytes)?)
}

async fn amendment_of_body(ask: &Ask) -> Result<Amendment, ServerError> {
    if ask.body.is_empty() {
        return Err(ServerError::BodyMissing);
    }
    off_reactor(ask.body.clone(), |bytes| amendment_of(parsed(bytes)?)).await
}

fn parsed(bytes: &[u8]) -> Result<Value, ServerError> {
    json::parse(bytes, &json::Limits::default()).map_err(|error| {
        ServerError::Body(vec![Issue::error(IssueType::Structure, "json", error.to_string())])
    })
}

fn amendment_of(value: Value) -> Result<Amendment, ServerError> {
    let patch = Patch::parse(value).map_err(ServerError::Body)?;
    let mut references = Vec::new();
    patch.visit_references(&mut |text| references.push(text.into()));
    Ok(Amendment::new(references, move |stored| patch.apply(stored)))
}
