//! `salus stream simulate`: monitors of a ward send vital signs, and some patients get worse.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use synth::{Ward, WardConfig};

use super::publish::Way;
use crate::cli::StreamSimulateArgs;
use crate::command::serve::stop_signal;
use crate::exit::{Exit, usage};
use crate::output::{say, say_json};

/// A ward that is sent, and where to.
pub(crate) struct Feed {
    pub(crate) way: Way,
    pub(crate) ward: WardConfig,
    /// Events per second and bed.
    pub(crate) hz: f64,
    pub(crate) secs: Option<u64>,
}

/// What was sent.
#[derive(Default)]
pub(crate) struct Sent {
    accepted: u64,
    rejected: u64,
    failed: u64,
}

pub(super) async fn run(args: StreamSimulateArgs) -> anyhow::Result<Exit> {
    if !(0.001..=100.0).contains(&args.hz) || args.beds == 0 {
        return Err(usage("a ward has at least one bed, and `--hz` is from 0.001 to 100"));
    }
    let config =
        WardConfig { beds: args.beds, seed: args.seed, unit: args.unit.clone(), ..WardConfig::default() };
    let planted: Vec<Value> = Ward::new(config.clone())
        .planted()
        .iter()
        .map(|plant| json!({"bed": plant.bed + 1, "course": plant.course.name(), "begins_secs": plant.begins_secs}))
        .collect();
    if !args.json {
        for plant in &planted {
            say(format!(
                "bed {} deteriorates ({}) {} s after the start",
                plant["bed"],
                plant["course"].as_str().unwrap_or_default(),
                plant["begins_secs"]
            ))?;
        }
    }
    let feed = Feed { way: Way::of(&args.target).await?, ward: config, hz: args.hz, secs: args.secs };
    let stop = stop_signal()?;
    let sent = drive(feed, stop).await?;
    if args.json {
        say_json(
            &json!({"planted": planted, "accepted": sent.accepted, "rejected": sent.rejected, "failed": sent.failed}),
        )?;
    } else {
        say(format!(
            "{} accepted, {} rejected, {} could not be sent",
            sent.accepted, sent.rejected, sent.failed
        ))?;
    }
    Ok(if sent.rejected > 0 { Exit::Rejects } else { Exit::Done })
}

/// Sends one event per bed and tick until it is told to stop. A server that does not answer is tried again with the next tick.
pub(crate) async fn drive(feed: Feed, stop: impl Future<Output = ()>) -> anyhow::Result<Sent> {
    let Feed { way, ward: config, hz, secs } = feed;
    let (beds, ward) = (config.beds, Ward::new(config));
    let start = fhir::Clock::now(&db::SystemClock);
    let period = Duration::from_secs_f64(1.0 / hz);
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut sent, began) = (Sent::default(), tokio::time::Instant::now());
    tokio::pin!(stop);
    for n in 0.. {
        tokio::select! {
            _ = ticks.tick() => {}
            () = &mut stop => break,
        }
        let elapsed = began.elapsed().as_secs_f64();
        if secs.is_some_and(|secs| elapsed >= secs as f64) {
            break;
        }
        let events =
            (0..beds).map(|bed| Bytes::from(ward.vitals(bed, n, elapsed, start).to_text())).collect();
        match way.publish(events).await {
            Ok(answer) => {
                sent.accepted += answer["accepted"].as_u64().unwrap_or(0);
                sent.rejected += answer["rejected"].as_array().map_or(0, |rejected| rejected.len() as u64);
            }
            Err(error) => {
                sent.failed += u64::from(beds);
                tracing::warn!("the ward could not send: {error:#}");
            }
        }
    }
    way.close().await;
    Ok(sent)
}
