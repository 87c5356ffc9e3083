//! `salus rules show`: a rule in a version that was used, also when no file has it any more.

use egress::Method;
use fhir::uri::encode;
use serde_json::Value;

use crate::cli::RulesShowArgs;
use crate::command::api::ask;
use crate::command::stream::server_of;
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(super) async fn run(args: &RulesShowArgs) -> anyhow::Result<Exit> {
    let (name, version) = match args.rule.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (args.rule.as_str(), None),
    };
    let query = version.map_or_else(String::new, |version| format!("?version={}", encode(version)));
    let path = format!("/api/v1/rules/{}{query}", encode(name));
    let shown = ask(&server_of(&args.target)?, Method::GET, &path, None).await?;
    if args.json {
        say_json(&shown)?;
    } else {
        say_rule(&shown, args.file)?;
    }
    Ok(Exit::Done)
}

fn say_rule(shown: &Value, with_file: bool) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let now = if shown["in_force"] == true { "in force" } else { "not in force" };
    say(format!(
        "{} {}, {now}, used since {}",
        text(&shown["name"]),
        text(&shown["version"]),
        text(&shown["since"])
    ))?;
    for line in shown["says"].as_array().into_iter().flatten() {
        say(format!("  {}", text(line)))?;
    }
    let versions = shown["versions"].as_array().into_iter().flatten();
    let versions: Vec<String> = versions.map(|one| text(&one["version"])).collect();
    say(format!("versions used: {}", versions.join(", ")))?;
    match &shown["file"] {
        Value::Null => say("its file was not kept"),
        file if with_file => {
            say(format!("file {}:\n\n{}", text(&file["path"]), text(&file["text"]).trim_end()))
        }
        file => say(format!("file {}; `--file` prints it", text(&file["path"]))),
    }
}
