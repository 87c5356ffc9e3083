//! History through other rules: the difference of the alerts.

use fhir::Instant;
use gate::{Matter, Permit, Subject};
use rules::{RuleFile, RuleSet, Told, load_with_shipped};
use serde_json::{Value, json};
use stream::{Platform, Replay, StreamError};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

/// `POST /api/v1/rules/replay`: `{"since", "patient", "rules": [{"path", "text"}], "beside", "versions": ["PACK/NAME@VERSION"]}`. The rules take the
/// place of those of this house, or with `beside` only of their packs; a version is one that was used here.
pub(super) async fn replay(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    // Two rights: to try rules, and to see whom their alerts are about.
    let (gate, names) = (ask.app.gate(), "history");
    drop(gate.permit(&ask.access, Subject::new(Matter::OpenDeadLetter, names)).await?);
    let permit = gate.permit(&ask.access, Subject::new(Matter::ChangeRules, names)).await?;
    let platform = ask.app.stream()?;
    let found = platform.replay(&permit, &read(&ask.body, platform, &permit).await?).await?;
    let told = |all: &[Told]| all.iter().map(describe).collect::<Vec<Value>>();
    let changed =
        found.difference.changed.iter().map(|(before, after)| json!([describe(before), describe(after)]));
    Ok(ApiReply::ok(json!({
        "events": found.n_events,
        "patients": found.n_patients,
        "same": found.difference.n_same,
        "only_before": told(&found.difference.only_before),
        "only_after": told(&found.difference.only_after),
        "changed": changed.collect::<Vec<Value>>(),
    })))
}

fn invalid(why: String) -> ServerError {
    ServerError::Stream(StreamError::Invalid(why))
}

async fn read(body: &[u8], platform: &Platform, permit: &Permit) -> Result<Replay, ServerError> {
    let asked: Value =
        serde_json::from_slice(body).map_err(|error| invalid(format!("the body is not JSON: {error}")))?;
    let since = asked["since"].as_str().and_then(Instant::parse);
    let since =
        since.ok_or_else(|| invalid("`since` must be an instant such as `2026-11-25T00:00:00Z`".into()))?;
    let mut files = Vec::new();
    for file in asked["rules"].as_array().into_iter().flatten() {
        let text = |name: &str| {
            let found = file[name].as_str().map(str::to_owned);
            found.ok_or_else(|| {
                invalid(format!("each of `rules` has the texts `path` and `text`: `{name}` is missing"))
            })
        };
        files.push(RuleFile { path: text("path")?, text: text("text")? });
    }
    let mut versions = Vec::new();
    for version in asked["versions"].as_array().into_iter().flatten() {
        let text = version.as_str().map(str::to_owned);
        versions.push(text.ok_or_else(|| invalid("`versions` are texts such as `PACK/NAME@1.0.0`".into()))?);
    }
    let rules = match !versions.is_empty() || asked["beside"] == true {
        true => platform.rules_with(permit, files, &versions).await?,
        false => alone(&files, platform)?,
    };
    Ok(Replay { rules, since, patient: asked["patient"].as_str().map(str::to_owned) })
}

/// These files beside the shipped ones, instead of those of this house.
fn alone(files: &[RuleFile], platform: &Platform) -> Result<RuleSet, ServerError> {
    let mut rules = load_with_shipped(files).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        invalid(lines.join("; "))
    })?;
    rules.set_quality_of(&platform.rules());
    Ok(rules)
}

fn describe(told: &Told) -> Value {
    json!({
        "rule": told.rule,
        "version": told.version,
        "subject": told.subject,
        "opening": told.opening,
        "severity": told.severity.name(),
        "raised_at": told.raised_at.to_rfc3339_millis(),
        "over_at": told.over_at.map(Instant::to_rfc3339_millis),
    })
}
