//! `salus stream dlq`: dead letters of a server.

use egress::Method;
use serde_json::{Value, json};

use super::show::text;
use super::{get, server_of};
use crate::cli::{DlqCommand, DlqListArgs, DlqOneArgs, DlqSomeArgs};
use crate::command::api::ask;
use crate::exit::Exit;
use crate::output::{say, say_json, table};

pub(super) async fn run(command: DlqCommand) -> anyhow::Result<Exit> {
    match command {
        DlqCommand::List(args) => list(args).await,
        DlqCommand::Show(args) => show(args).await,
        DlqCommand::Replay(args) => change(args, "replay", "replayed").await,
        DlqCommand::Waive(args) => change(args, "waive", "waived").await,
    }
}

async fn list(args: DlqListArgs) -> anyhow::Result<Exit> {
    let client = server_of(&args.target)?;
    let mut path = format!("/api/v1/dead-letters?max={}", args.max);
    for (name, value) in [("state", &args.state), ("cause", &args.cause)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={value}"));
        }
    }
    let answer = get(&client, &path).await?;
    if args.json {
        say_json(&answer)?;
        return Ok(Exit::Done);
    }
    let columns = ["id", "at", "door", "source", "event", "cause", "place", "state", "message"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for letter in answer["letters"].as_array().into_iter().flatten() {
        rows.push(columns.iter().map(|column| text(&letter[*column])).collect());
    }
    say(table(&rows).trim_end())?;
    Ok(Exit::Done)
}

async fn show(args: DlqOneArgs) -> anyhow::Result<Exit> {
    let letter = get(&server_of(&args.target)?, &format!("/api/v1/dead-letters/{}", args.id)).await?;
    if args.json {
        say_json(&letter)?;
        return Ok(Exit::Done);
    }
    for key in
        ["id", "at", "door", "source", "event", "patient", "position", "cause", "place", "message", "state"]
    {
        say(format!("{key}: {}", text(&letter[key])))?;
    }
    say(text(&letter["content"]))?;
    Ok(Exit::Done)
}

async fn change(args: DlqSomeArgs, what: &str, done: &str) -> anyhow::Result<Exit> {
    let client = server_of(&args.target)?;
    let mut n = 0;
    for id in &args.ids {
        let path = format!("/api/v1/dead-letters/{id}/{what}");
        let answer: Value = ask(&client, Method::POST, &path, None).await?;
        n += answer[done].as_u64().unwrap_or(0);
    }
    if args.json {
        say_json(&json!({done: n}))?;
    } else {
        say(format!("{n} of {} letters {done}", args.ids.len()))?;
    }
    Ok(Exit::Done)
}
