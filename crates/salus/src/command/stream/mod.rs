//! `salus stream`: publishes, looks, simulates and repairs, on a server or on a folder.
//!
//! The answers of a server are also those of a folder: both are the JSON of `/api/v1`, so that what is printed is written once.

mod dlq;
pub(crate) mod publish;
pub(crate) mod replay;
mod show;
mod simulate;

use egress::{FhirClient, Method};
use serde_json::Value;

use crate::cli::StreamCommand;
use crate::command::api::ask;
use crate::door::{Door, open_target};
use crate::exit::{Exit, usage};

pub(crate) use simulate::{Feed, drive};

/// Runs one `salus stream` command.
pub(crate) async fn run(command: StreamCommand) -> anyhow::Result<Exit> {
    match command {
        StreamCommand::Publish(args) => Box::pin(publish::run(args)).await,
        StreamCommand::Tail(args) => show::tail(args).await,
        StreamCommand::Simulate(args) => Box::pin(simulate::run(args)).await,
        StreamCommand::Groups(args) => show::groups(args).await,
        StreamCommand::Lag(args) => show::lag(args).await,
        StreamCommand::Replay(args) => replay::run(args).await,
        StreamCommand::Dlq(command) => dlq::run(command).await,
    }
}

/// A server that has streams: the one at `--url`, or the one that holds the folder. Streams of a folder without a server are looked at by
/// starting one: events are processed by whoever holds the folder.
pub(crate) fn server_of(target: &crate::cli::TargetArgs) -> anyhow::Result<FhirClient> {
    match open_target(target, true)? {
        Door::Server(client) => Ok(client),
        Door::Own(_) => Err(usage(
            "no server holds this folder: start `salus serve` on it, or name a server with `--url`",
        )),
    }
}

async fn get(client: &FhirClient, path: &str) -> anyhow::Result<Value> {
    ask(client, Method::GET, path, None).await
}
