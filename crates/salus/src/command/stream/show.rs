//! `salus stream tail`, `groups`, `lag`: what a server says of its streams.

use serde_json::Value;

use super::{get, server_of};
use crate::cli::{StreamShowArgs, StreamTailArgs};
use crate::exit::Exit;
use crate::output::{say, say_json, table};

pub(super) async fn tail(args: StreamTailArgs) -> anyhow::Result<Exit> {
    let client = server_of(&args.target)?;
    let kind = args.kind.map(|kind| format!("&kind={kind}")).unwrap_or_default();
    let answer = get(&client, &format!("/api/v1/events?max={}{kind}", args.max)).await?;
    if args.json {
        say_json(&answer)?;
        return Ok(Exit::Done);
    }
    for tailed in answer["events"].as_array().into_iter().flatten() {
        let event = &tailed["event"];
        let values: Vec<String> = event["measurements"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| format!("{}={}", text(&one["name"]), text(&one["value"])))
            .collect();
        say(format!(
            "{} {} {} {} {}",
            text(&event["at"]),
            text(&tailed["position"]),
            text(&event["patient"]),
            text(&event["source"]),
            values.join(" ")
        ))?;
    }
    Ok(Exit::Done)
}

pub(super) async fn groups(args: StreamShowArgs) -> anyhow::Result<Exit> {
    let answer = get(&server_of(&args.target)?, "/api/v1/streams/groups").await?;
    if args.json {
        say_json(&answer)?;
        return Ok(Exit::Done);
    }
    let columns = ["group", "kind", "partition", "next", "end", "lag", "moved_at"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for lag in answer["groups"].as_array().into_iter().flatten() {
        rows.push(columns.iter().map(|column| text(&lag[*column])).collect());
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

pub(super) async fn lag(args: StreamShowArgs) -> anyhow::Result<Exit> {
    let answer = get(&server_of(&args.target)?, "/api/v1/streams").await?;
    if args.json {
        say_json(&answer)?;
        return Ok(Exit::Done);
    }
    let millis =
        |value: &Value| value.as_f64().map_or_else(|| "-".to_owned(), |secs| format!("{:.1} ms", secs * 1e3));
    say(format!("{} events wait, {} were processed since the start", answer["lag"], answer["processed"]))?;
    for (name, key) in
        [("durable", "append_secs"), ("effects durable", "effect_secs"), ("transaction", "commit_secs")]
    {
        say(format!("{name}: p50 {}, p99 {}", millis(&answer[key]["p50"]), millis(&answer[key]["p99"])))?;
    }
    for (task, why) in answer["troubles"].as_object().into_iter().flatten() {
        say(format!("{task} stands still: {}", text(why)))?;
    }
    let is_ready = answer["ready"].as_bool().unwrap_or(false);
    Ok(if is_ready { Exit::Done } else { Exit::NotInOrder })
}

/// Texts without quotes, numbers as they are, nothing for what is absent.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
