//! `salus stream publish`: sends events to a server, or appends them to a folder that no server holds.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use egress::{FhirClient, Method};
use gate::{Matter, Subject};
use serde_json::{Value, json};
use stream::{Receipt, StreamError};

use crate::cli::StreamPublishArgs;
use crate::door::{Door, config_of, open_target};
use crate::exit::{Exit, usage};
use crate::output::{say, say_json};

/// Attempts when the server says that too much waits.
const ATTEMPTS_MAX: u32 = 100;

/// What became of all events.
#[derive(Default)]
pub(super) struct Total {
    accepted: u64,
    duplicates: Option<u64>,
    rejected: Vec<Value>,
}

/// Where events go.
pub(crate) enum Way {
    /// A server.
    Server(FhirClient),
    /// A folder that this process holds; a server that is started on it processes them.
    Own(stream::Platform, std::sync::Arc<gate::Access>),
    /// The streams of a server in this process, which closes them itself.
    Serving(stream::Platform, std::sync::Arc<gate::Access>),
}

impl Way {
    pub(super) async fn of(target: &crate::cli::TargetArgs) -> anyhow::Result<Way> {
        Ok(match open_target(target, false)? {
            Door::Server(client) => Way::Server(client),
            Door::Own(own) => {
                let config = config_of(&target.data)?;
                Way::Own(crate::streams::open(&config, own.gate).await?, own.access)
            }
        })
    }

    /// Publishes some events; waits when it is told to.
    pub(crate) async fn publish(&self, events: Vec<Bytes>) -> anyhow::Result<Value> {
        for _ in 0..ATTEMPTS_MAX {
            match self {
                Way::Server(client) => {
                    let body = Bytes::from(events.join(&b'\n'));
                    let response = client.request(Method::POST, "/api/v1/events", Some(body)).await?;
                    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                    if response.status.is_success() {
                        return Ok(answer);
                    }
                    if response.status.as_u16() != 429 {
                        let detail = answer["detail"].as_str().unwrap_or_default();
                        anyhow::bail!("the server answered {}: {detail}", response.status);
                    }
                }
                Way::Own(platform, access) | Way::Serving(platform, access) => {
                    let subject = Subject::new(Matter::PublishEvents, "");
                    let permit = platform.gate().permit_ongoing(access, subject).await?;
                    match platform.publish(&permit, events.clone()).await {
                        Ok(receipt) => return Ok(answer_of(&receipt)),
                        Err(StreamError::Busy { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("too many events wait to become durable: send again later")
    }

    pub(crate) async fn close(self) {
        if let Way::Own(platform, _) = self {
            platform.stop().await;
        }
    }
}

fn answer_of(receipt: &Receipt) -> Value {
    let rejected = receipt.rejected.iter();
    let rejected = rejected
        .map(|one| json!({"index": one.index, "reason": one.reason, "dead_letter": one.dead_letter}))
        .collect::<Vec<Value>>();
    json!({"accepted": receipt.accepted, "duplicates": receipt.duplicates, "rejected": rejected})
}

pub(super) async fn run(args: StreamPublishArgs) -> anyhow::Result<Exit> {
    let way = Way::of(&args.target).await?;
    let mut total = Total { duplicates: Some(0), ..Total::default() };
    let mut before = 0;
    for file in &args.files {
        let body = Bytes::from(read(file)?);
        let events = stream::split(&body, usize::MAX)
            .map_err(|error| usage(format!("`{}`: {error}", file.display())))?;
        for events in events.chunks(args.batch.max(1)) {
            let n = events.len();
            total.add(&way.publish(events.iter().map(one_line).collect()).await?, before);
            before += n;
        }
    }
    way.close().await;
    total.print(args.json)?;
    Ok(if total.rejected.is_empty() { Exit::Done } else { Exit::Rejects })
}

/// Events are sent one a line; a line feed in JSON is only space.
fn one_line(event: &Bytes) -> Bytes {
    if !event.contains(&b'\n') {
        return event.clone();
    }
    event.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect::<Vec<u8>>().into()
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(|error| usage(format!("cannot read `{}`: {}", file.display(), error.kind())))
}

impl Total {
    fn add(&mut self, answer: &Value, before: usize) {
        self.accepted += answer["accepted"].as_u64().unwrap_or(0);
        self.duplicates = self.duplicates.zip(answer["duplicates"].as_u64()).map(|(a, b)| a + b);
        for rejected in answer["rejected"].as_array().into_iter().flatten() {
            let mut rejected = rejected.clone();
            rejected["index"] = json!(rejected["index"].as_u64().unwrap_or(0) + before as u64);
            self.rejected.push(rejected);
        }
    }

    fn print(&self, as_json: bool) -> anyhow::Result<()> {
        if as_json {
            return say_json(
                &json!({"accepted": self.accepted, "duplicates": self.duplicates, "rejected": self.rejected}),
            );
        }
        for rejected in &self.rejected {
            say(format!(
                "event {} was not taken: {} (dead letter {})",
                rejected["index"],
                rejected["reason"].as_str().unwrap_or_default(),
                rejected["dead_letter"]
            ))?;
        }
        let duplicates = self.duplicates.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        say(format!("{} accepted, {duplicates} duplicates, {} rejected", self.accepted, self.rejected.len()))
    }
}
