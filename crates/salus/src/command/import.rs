//! `salus import`: loads files, archives and folders, and says what became of every resource.

use std::sync::Arc;

use anyhow::Context;

use crate::cli::ImportArgs;
use crate::command::serve::stop_signal;
use crate::door::{Door, open_target};
use crate::exit::Exit;
use crate::output::{grouped, say, say_json};
use crate::sink::dispatch::{Job, Width, run as dispatch};
use crate::sink::report::Report;
use crate::sink::{LocalSink, RemoteSink, Sink};
use crate::source::SourceLimits;
use crate::source::parse::ParseOptions;
use crate::source::walk::walk;

pub(crate) async fn run(args: ImportArgs) -> anyhow::Result<Exit> {
    let limits = SourceLimits { document_bytes_max: args.document_bytes_max, ..SourceLimits::default() };
    let found = walk(&args.paths, &limits)?;
    let sink = sink_of(open_target(&args.target, false)?);
    let mut report = Report::with_reject_file(args.rejects.as_deref())?;
    found.skipped.into_iter().for_each(|skipped| report.skip(skipped));
    let job = Job {
        inputs: found.inputs,
        limits,
        options: ParseOptions { keep_bundles: args.keep_bundles },
        width: Width::default(),
        quiet: args.json,
    };
    let stop = stop_signal()?;
    let ended = tokio::select! {
        ended = dispatch(job, &sink, &mut report) => ended,
        () = stop => Err(anyhow::anyhow!("it was asked to stop")),
    };
    report.finish()?;
    // What was being written when it ended may be there, too: each transaction is whole or not there.
    ended.with_context(|| {
        let loaded = grouped(report.done());
        format!("the import ended after {loaded} resources, which stay loaded: run it again to load the rest")
    })?;
    if args.json {
        say_json(&report)?;
    } else {
        say(report.text())?;
    }
    Ok(if report.total().failed > 0 { Exit::Rejects } else { Exit::Done })
}

/// A sink for what stands behind a door.
pub(crate) fn sink_of(door: Door) -> Sink {
    let now = fhir::Clock::now(&db::SystemClock);
    match door {
        Door::Own(own) => {
            Sink::Local(LocalSink { gate: own.gate, access: Arc::clone(&own.access), now, base: own.base })
        }
        Door::Server(client) => Sink::Remote(RemoteSink { client, started: now }),
    }
}
