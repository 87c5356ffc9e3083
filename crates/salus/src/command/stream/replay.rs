//! `salus stream replay`: history through other rules, and what they say differently.

use egress::Method;
use rules::RuleFile;
use serde_json::{Value, json};

use super::server_of;
use super::show::text;
use crate::cli::{StreamReplayArgs, TargetArgs};
use crate::command::api::ask;
use crate::exit::Exit;
use crate::output::{say, say_json, table};
use crate::streams::rule_texts;

pub(super) async fn run(args: StreamReplayArgs) -> anyhow::Result<Exit> {
    let files = rule_texts(&args.rules)?;
    let history = History { since: &args.since, patient: args.patient.as_deref() };
    let found = difference(&args.target, &history, &Other::Instead(&files)).await?;
    if args.json {
        say_json(&found)?;
    } else {
        say_difference(&found)?;
    }
    Ok(Exit::Done)
}

/// Which history.
pub(crate) struct History<'a> {
    /// From this instant on.
    pub(crate) since: &'a str,
    /// Only of this patient.
    pub(crate) patient: Option<&'a str>,
}

/// Which other rules.
pub(crate) enum Other<'a> {
    /// These files, and none of the server's own.
    Instead(&'a [RuleFile]),
    /// These files over the server's own of the same packs, and versions that it used before.
    Beside(&'a [RuleFile], &'a [String]),
}

/// What other rules and those of a server say differently of its history.
pub(crate) async fn difference(
    target: &TargetArgs,
    history: &History<'_>,
    other: &Other<'_>,
) -> anyhow::Result<Value> {
    let client = server_of(target)?;
    let (files, versions, beside) = match other {
        Other::Instead(files) => (*files, &[][..], false),
        Other::Beside(files, versions) => (*files, *versions, true),
    };
    let files: Vec<Value> = files.iter().map(|file| json!({"path": file.path, "text": file.text})).collect();
    let body = json!({
        "since": history.since, "patient": history.patient, "rules": files, "beside": beside, "versions": versions,
    });
    ask(&client, Method::POST, "/api/v1/rules/replay", Some(&body)).await
}

/// A difference as a table.
pub(crate) fn say_difference(found: &Value) -> anyhow::Result<()> {
    say(format!(
        "{} events of {} patients; {} alerts are the same",
        found["events"], found["patients"], found["same"]
    ))?;
    let columns = ["rule", "version", "subject", "severity", "raised_at", "over_at"];
    let mut rows = vec![std::iter::once("").chain(columns).map(str::to_owned).collect::<Vec<_>>()];
    let mut add = |sign: &str, told: &Value| {
        rows.push(
            std::iter::once(sign.to_owned())
                .chain(columns.iter().map(|column| text(&told[*column])))
                .collect(),
        );
    };
    found["only_before"].as_array().into_iter().flatten().for_each(|told| add("-", told));
    found["only_after"].as_array().into_iter().flatten().for_each(|told| add("+", told));
    for pair in found["changed"].as_array().into_iter().flatten() {
        add("<", &pair[0]);
        add(">", &pair[1]);
    }
    say(table(&rows).trim_end())
}
