//! `salus bench stream`: events to durable alerts, beside raw appends and the founding design.

use anyhow::Context as _;

use crate::bench::stream::{Job, Reached, run as measure};
use crate::cli::BenchStreamArgs;
use crate::config::{environment, load};
use crate::exit::Exit;
use crate::output::{grouped, say, say_json, table};

pub(crate) async fn run(args: BenchStreamArgs) -> anyhow::Result<Exit> {
    let folder = tempfile::Builder::new()
        .prefix("salus-bench-stream-")
        .tempdir_in(args.dir.clone().unwrap_or_else(std::env::temp_dir))
        .context("cannot make a folder for the data")?;
    let job = Job {
        secs: args.secs.max(1),
        in_flight: args.in_flight.iter().copied().filter(|n| *n > 0).collect(),
        batch: args.batch.max(1),
        rate: args.rate.filter(|rate| *rate > 0),
        alert_every: args.alert_every.max(1),
        python: args.python.clone(),
        config: load(args.config.as_deref(), &environment())?,
    };
    let outcome = measure(folder.path(), &job).await?;
    if args.json {
        say_json(&outcome)?;
        return Ok(if outcome.failed.is_empty() { Exit::Done } else { Exit::NotInOrder });
    }
    say(format!(
        "events of {:.0} bytes, {} in a publish, one of {} raises an alert; every commit is on disk",
        outcome.bytes_per_event, job.batch, job.alert_every
    ))?;
    let head = [
        "",
        "in flight",
        "events/s",
        "ack p50/p99 ms",
        "alerts",
        "alert p50/p99 ms",
        "µs CPU/event",
        "MiB early, late",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(outcome.measured.iter().map(row));
    say(table(&rows).trim_end())?;
    for (own, raw) in outcome
        .measured
        .iter()
        .filter(|one| one.name == "salus")
        .zip(outcome.measured.iter().filter(|one| one.name == "raw append"))
    {
        say(format!("{} in flight: {:.2} of the raw append", own.in_flight, own.per_sec / raw.per_sec))?;
    }
    for (name, why) in &outcome.failed {
        say(format!("{name} failed: {why}"))?;
    }
    Ok(if outcome.failed.is_empty() { Exit::Done } else { Exit::NotInOrder })
}

fn row(one: &Reached) -> Vec<String> {
    let pair = |a: Option<f64>, b: Option<f64>, places: usize| match (a, b) {
        (Some(a), Some(b)) => format!("{a:.places$} / {b:.places$}"),
        _ => String::new(),
    };
    vec![
        one.name.clone(),
        one.in_flight.to_string(),
        grouped(one.per_sec as u64),
        pair(one.ack_p50_ms, one.ack_p99_ms, 1),
        if one.alerts > 0 { grouped(one.alerts) } else { String::new() },
        pair(one.alert_p50_ms, one.alert_p99_ms, 1),
        one.cpu_secs.map_or_else(String::new, |secs| format!("{:.1}", secs * 1e6 / one.events.max(1) as f64)),
        pair(one.early_mib, one.late_mib, 0),
    ]
}
