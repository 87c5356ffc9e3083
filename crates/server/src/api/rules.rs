//! Rules: those in force, and one of them in a version that was used here, with the file it stood in.

use fhir::Instant;
use gate::{Matter, Permit, Subject};
use rules::RuleInfo;
use serde_json::{Value, json};
use stream::rulebook::Kept;
use stream::{Platform, StreamError};

use super::{ApiAsk, ApiReply};
use crate::error::ServerError;

/// `GET /api/v1/rules`: what is in force, and what is wrong with newer files.
pub(super) async fn list(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let (permit, platform) = permitted(&ask, "rules").await?;
    let active = platform.active_by_rule(&permit).await?;
    let rules: Vec<Value> = platform
        .rules()
        .rules()
        .iter()
        .map(|rule| {
            let n = active.iter().find(|(name, _)| *name == rule.name).map_or(0, |(_, n)| *n);
            json!({
                "name": rule.name, "version": rule.version, "hash": rule.hash.to_string(), "topic": rule.topic,
                "enabled": rule.enabled, "active": n,
            })
        })
        .collect();
    Ok(ApiReply::ok(json!({"rules": rules, "faults": platform.rule_faults()})))
}

/// `GET /api/v1/rules/{name}`: the version asked for, else the one in force, else the last that was.
pub(super) async fn show(ask: ApiAsk) -> Result<ApiReply, ServerError> {
    let name = ask.id.clone();
    let (permit, platform) = permitted(&ask, &format!("rule/{name}")).await?;
    let kept = platform.rule_versions(&permit, &name).await?;
    let in_force = platform.rules().rules().into_iter().find(|rule| rule.name == name);
    let wanted = ask.param("version").or(in_force.as_ref().map(|rule| rule.version.as_str()));
    let found = match wanted {
        Some(version) => kept.iter().find(|kept| kept.version == version),
        None => kept.first(),
    };
    let unknown = || {
        let of = wanted.map_or_else(String::new, |version| format!(" as version `{version}`"));
        StreamError::NotFound(format!("no rule `{name}` was ever used here{of}"))
    };
    Ok(ApiReply::ok(describe(&name, found.ok_or_else(unknown)?, &kept, in_force.as_ref())))
}

fn describe(name: &str, one: &Kept, kept: &[Kept], in_force: Option<&RuleInfo>) -> Value {
    let since = |at: Instant| at.to_rfc3339_millis();
    let versions = kept.iter().map(|kept| json!({"version": kept.version, "since": since(kept.since)}));
    json!({
        "name": name,
        "version": one.version,
        "hash": one.hash,
        "since": since(one.since),
        "in_force": in_force.is_some_and(|rule| rule.version == one.version),
        "says": one.text.lines().collect::<Vec<_>>(),
        "file": one.file.as_ref().map(|file| json!({"path": file.path, "text": file.text})),
        "versions": versions.collect::<Vec<_>>(),
    })
}

async fn permitted<'a>(ask: &'a ApiAsk, names: &str) -> Result<(Permit, &'a Platform), ServerError> {
    let permit = ask.app.gate().permit(&ask.access, Subject::new(Matter::Streams, names)).await?;
    Ok((permit, ask.app.stream()?))
}
