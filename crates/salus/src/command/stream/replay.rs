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
    let found = difference(&args.target, &files, &args.since, args.patient.as_deref()).await?;
    if args.json {
        say_json(&found)?;
    } else {
        say_difference(&found)?;
    }
    Ok(Exit::Done)
}

/// What these rules and those of a server say differently of its history.
pub(crate) async fn difference(
    target: &TargetArgs,
    files: &[RuleFile],
    since: &str,
    patient: Option<&str>,
) -> anyhow::Result<Value> {
    let client = server_of(target)?;
    let files: Vec<Value> = files.iter().map(|file| json!({"path": file.path, "text": file.text})).collect();
    let body = json!({"since": since, "patient": patient, "rules": files});
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
