//! `salus store check`: do versions, index and change log agree?

use crate::cli::MaintenanceArgs;
use crate::command::rebuild::own_data;
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(crate) async fn check(args: MaintenanceArgs) -> anyhow::Result<Exit> {
    let own = own_data(&args.data)?;
    let report = own.gate.check(&own.access).await?;
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    if args.json {
        say_json(&serde_json::json!({
            "ok": problems.is_empty(),
            "resources": report.resources,
            "problems": problems,
        }))?;
    } else {
        for problem in &problems {
            say(problem)?;
        }
        say(format!("{} resources checked, {} problems", report.resources, problems.len()))?;
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::NotInOrder })
}
