//! `salus store check`: do versions, index and change log agree?

use egress::Method;
use serde_json::{Value, json};

use crate::cli::MaintenanceArgs;
use crate::command::api;
use crate::command::rebuild::door_of;
use crate::door::Door;
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(crate) async fn check(args: MaintenanceArgs) -> anyhow::Result<Exit> {
    let report: Value = match door_of(&args.data)? {
        Door::Own(own) => {
            let report = own.gate.check(&own.access).await?;
            let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
            json!({"ok": problems.is_empty(), "resources": report.resources, "problems": problems})
        }
        Door::Server(client) => api::ask(&client, Method::POST, "/api/v1/check", None).await?,
    };
    let ok = report["ok"] == true;
    if args.json {
        say_json(&report)?;
    } else {
        let problems = report["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
        for problem in problems {
            say(problem.as_str().unwrap_or_default())?;
        }
        say(format!("{} resources checked, {} problems", report["resources"], problems.len()))?;
    }
    Ok(if ok { Exit::Done } else { Exit::NotInOrder })
}
