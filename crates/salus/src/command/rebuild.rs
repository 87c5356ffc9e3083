//! `salus rebuild index`: builds the search index anew from the stored resources.

use egress::{FhirClient, Method};
use serde_json::Value;

use crate::cli::{DataArgs, MaintenanceArgs};
use crate::command::api;
use crate::door::{Door, config_of, open_existing};
use crate::exit::Exit;
use crate::output::{grouped, say, say_json};

pub(crate) async fn index(args: MaintenanceArgs) -> anyhow::Result<Exit> {
    let started = std::time::Instant::now();
    let resources = match door_of(&args.data)? {
        Door::Own(own) => own.gate.rebuild_index(&own.access).await?,
        Door::Server(client) => ask(&client).await?,
    };
    let secs = started.elapsed().as_secs_f64();
    if args.json {
        say_json(&serde_json::json!({"resources": resources, "duration_secs": secs}))?;
    } else {
        say(format!("the index of {} resources is new, in {secs:.1} s", grouped(resources)))?;
    }
    Ok(Exit::Done)
}

/// The folder or the server that holds it.
pub(crate) fn door_of(args: &DataArgs) -> anyhow::Result<Door> {
    let config = config_of(args)?;
    crate::logging::start(&config.log)?;
    open_existing(&config)
}

async fn ask(client: &FhirClient) -> anyhow::Result<u64> {
    let answer: Value = api::ask(client, Method::POST, "/api/v1/rebuild/index", None).await?;
    Ok(answer["resources"].as_u64().unwrap_or(0))
}
