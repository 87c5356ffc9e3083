//! `GET /rules` and `GET /rules/{}`: what raises alerts, at which limits, tested, and compared with versions before.

use axum::response::Response;
use gate::{Matter, Permit};
use http::StatusCode;
use rules::{RowInfo, RuleInfo};
use stream::rulebook::{Change, Kept, compared};
use stream::{Platform, StreamError};
use ui::frame::Place;
use ui::rules::{Limit, OneView, Rule, Used, View, one_page, page};

use super::absent;
use crate::dashboard::PageAsk;
use crate::dashboard::answer::html;
use crate::dashboard::frame::frame_of;
use crate::error::ServerError;

pub(crate) async fn list(ask: PageAsk) -> Result<Response, ServerError> {
    let Some((permit, platform)) = ask.streams(Matter::Streams, "rules").await? else {
        return Ok(absent(&ask, Place::Rules, "Rules"));
    };
    let rules = rules_of(&platform, &permit).await?;
    let view = View { frame: frame_of(&ask), rules, faults: platform.rule_faults() };
    Ok(html(StatusCode::OK, page(&view)))
}

async fn rules_of(platform: &Platform, permit: &Permit) -> Result<Vec<Rule>, ServerError> {
    let active = platform.active_by_rule(permit).await?;
    let tests = platform.rule_tests().await?;
    let rule = |info: &RuleInfo| {
        let n = active.iter().find(|(rule, _)| *rule == info.name).map_or(0, |(_, n)| *n);
        let own: Vec<_> = tests.iter().filter(|test| test.rule == info.name).collect();
        let passed = own.iter().filter(|test| test.failures.is_empty()).count() as u64;
        rule_of(info, n, (!own.is_empty()).then_some((passed, own.len() as u64)))
    };
    Ok(platform.rules().rules().iter().map(rule).collect())
}

fn rule_of(info: &RuleInfo, active: u64, tests: Option<(u64, u64)>) -> Rule {
    Rule {
        name: info.name.clone(),
        version: info.version.clone(),
        hash: info.hash.to_string(),
        about: info.about.clone(),
        looks_at: info.looks_at.clone(),
        applies: info.applies.clone(),
        source: info.source.clone(),
        topic: info.topic.clone(),
        limits: info.rows.iter().map(limit_of).collect(),
        refractory: info.refractory.clone(),
        is_enabled: info.enabled,
        tests,
        active,
    }
}

fn limit_of(row: &RowInfo) -> Limit {
    Limit {
        limit: row.limit.clone(),
        severity: row.severity.name().to_owned(),
        sustained: row.sustained.clone(),
        clear: row.clear.clone(),
        respond_within: row.respond_within.clone(),
        is_immediate: row.immediate,
        says: row.says.clone(),
    }
}

pub(crate) async fn show(ask: PageAsk) -> Result<Response, ServerError> {
    let name = ask.parts[0].clone();
    let Some((permit, platform)) = ask.streams(Matter::Streams, &format!("rule/{name}")).await? else {
        return Ok(absent(&ask, Place::Rules, "Rule"));
    };
    let found = rules_of(&platform, &permit).await?.into_iter().find(|rule| rule.name == name);
    let kept = platform.rule_versions(&permit, &name).await?;
    let asked = match ask.asked("version") {
        Some(version) => kept.iter().find(|one| one.version == version),
        // Of a rule that is in no file any more, the last that was used.
        None => kept.first().filter(|_| found.is_none()),
    };
    let unknown = || StreamError::NotFound(format!("no rule `{name}` was ever used here"));
    let rule = found.or_else(|| kept.first().map(|last| gone(&name, last))).ok_or_else(unknown)?;
    let tests = platform.rule_tests().await?;
    let cases = tests.iter().filter(|test| test.rule == name).map(|test| {
        let why = (!test.failures.is_empty()).then(|| test.failures.join("; "));
        (test.name.clone(), why)
    });
    let view = OneView {
        frame: frame_of(&ask),
        cases: cases.collect(),
        versions: kept.iter().map(|one| one.version.clone()).collect(),
        compared: ask.asked("compare").and_then(|with| compare(&kept, with, &rule.version)),
        asked: asked.map(used_of),
        rule,
    };
    Ok(html(StatusCode::OK, one_page(&view)))
}

/// A rule that was used and is in no file any more.
fn gone(name: &str, last: &Kept) -> Rule {
    Rule {
        name: name.to_owned(),
        version: "none".to_owned(),
        about: "In no file any more: it raises nothing.".to_owned(),
        looks_at: "nothing any more".to_owned(),
        applies: "nobody any more".to_owned(),
        hash: last.hash.clone(),
        topic: "unknown".to_owned(),
        ..Rule::default()
    }
}

fn used_of(kept: &Kept) -> Used {
    Used {
        version: kept.version.clone(),
        since: kept.since,
        says: kept.text.lines().map(str::to_owned).collect(),
        file: kept.file.as_ref().map(|file| (file.path.clone(), file.text.clone())),
    }
}

fn compare(kept: &[Kept], with: &str, version: &str) -> Option<(String, Vec<ui::rules::Change>)> {
    let text = |version: &str| kept.iter().find(|one| one.version == version).map(|one| one.text.as_str());
    let changes = compared(text(with)?, text(version)?).into_iter().map(|change| match change {
        Change::Same(line) => ui::rules::Change::Same(line),
        Change::Gone(line) => ui::rules::Change::Gone(line),
        Change::New(line) => ui::rules::Change::New(line),
    });
    Some((with.to_owned(), changes.collect()))
}
