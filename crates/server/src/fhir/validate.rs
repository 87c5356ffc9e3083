//! `$validate`: checks a resource against the base of R4 and stores nothing. Profiles are not checked, and the answer says so.

use bytes::Bytes;
use fhir::{Issue, IssueType, Kind, Resource, Severity, Value};
use http::StatusCode;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::body;
use crate::fhir::controls::{pairs, unknown};
use crate::fhir::create::check_kind;
use crate::fhir::reply::Reply;

/// Answers 200 with an OperationOutcome, also when the resource has errors: the operation itself went well.
pub(crate) async fn validate(ask: Ask) -> Result<Reply, ServerError> {
    let asked = pairs(&ask.controls.rest).try_fold(Vec::new(), |mut profiles, (name, value)| {
        match name.as_str() {
            "profile" => {
                profiles.push(value);
                Ok(profiles)
            }
            // What would be done with the resource: the rules here are the same for all.
            "mode" => Ok(profiles),
            _ => Err(unknown(&name)),
        }
    })?;
    let sent = body::resource(ask.body.clone()).await?;
    let (resource, mut profiles) = unwrapped(sent)?;
    check_kind(ask.place.kind(), &resource)?;
    profiles.extend(asked);
    let named = resource
        .value()
        .get("meta")
        .and_then(|meta| meta.get("profile"))
        .map(Value::items)
        .unwrap_or_default();
    profiles.extend(named.iter().filter_map(Value::as_str).map(str::to_string));
    let mut issues = validate::check(&resource, validate::Level::Full);
    profiles.sort();
    profiles.dedup();
    issues.extend(profiles.iter().map(|profile| not_checked(profile)));
    Ok(Reply::json(StatusCode::OK, Bytes::from(fhir::outcome(&issues).to_bytes())))
}

/// The resource, and the profiles, of a `Parameters`; any other resource is the one to check.
fn unwrapped(sent: Resource) -> Result<(Resource, Vec<String>), ServerError> {
    if sent.kind() != Kind::named("Parameters") {
        return Ok((sent, Vec::new()));
    }
    let mut value = sent.into_value();
    let mut found = None;
    let mut profiles = Vec::new();
    let parameters = value.get_mut("parameter").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        match parameter.text("name") {
            Some("resource") => found = parameter.get_mut("resource").map(Value::take),
            Some("profile") => {
                let texts = ["valueUri", "valueCanonical", "valueString"];
                profiles.extend(texts.iter().filter_map(|key| parameter.text(key)).map(str::to_string));
            }
            _ => {}
        }
    }
    let found = found.ok_or(ServerError::BodyMissing)?;
    Ok((Resource::from_value(found).map_err(ServerError::Body)?, profiles))
}

fn not_checked(profile: &str) -> Issue {
    let text = format!("profiles not checked: `{profile}` was not looked at, only the base of R4");
    Issue {
        severity: Severity::Information,
        ..Issue::error(IssueType::NotSupported, "profile-not-checked", text)
    }
}
