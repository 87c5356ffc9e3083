//! `salus bench fhir`: drives any FHIR server with a workload and prints rates and latencies.

use anyhow::Context;

use crate::bench::drive::{Drive, run as drive_it};
use crate::bench::workload::{CreateLoad, CrudLoad, ImportLoad, Load, ReadLoad, SearchLoad};
use crate::cli::{BenchFhirArgs, Workload};
use crate::config::{environment, resolve_reference};
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(crate) async fn run(args: BenchFhirArgs) -> anyhow::Result<Exit> {
    let lookup = |name: &str| std::env::var(name).ok();
    let token = match &args.token {
        Some(reference) => Some(resolve_reference(reference, &lookup)?),
        None => environment().get("SALUS_TOKEN").cloned(),
    };
    let drive = Drive {
        url: args.url.clone(),
        token,
        clients: args.clients.max(1),
        secs: args.secs.max(1),
        warm_up_secs: args.warm_up_secs,
        seed: args.seed,
        pid: args.pid,
    };
    let load = load_of(&args, &drive).await.context("cannot prepare the workload")?;
    let result = drive_it(&drive, load).await?;
    if args.json {
        say_json(&result)?;
    } else {
        say(result.text())?;
    }
    Ok(if result.failed() > 0 { Exit::Rejects } else { Exit::Done })
}

async fn load_of(args: &BenchFhirArgs, drive: &Drive) -> anyhow::Result<Load> {
    let repeat = args.repeat.max(1);
    Ok(match args.workload {
        Workload::Import if args.bundles.is_empty() => {
            Load::Import(ImportLoad::synthetic(args.patients, args.seed, repeat)?)
        }
        Workload::Import => Load::Import(ImportLoad::from_files(&args.bundles, repeat)?),
        Workload::Crud => Load::Crud(CrudLoad),
        Workload::Search => Load::Search(Box::new(SearchLoad::prepare(drive).await?)),
        Workload::Read => Load::Read(ReadLoad::prepare(drive).await?),
        Workload::Create => Load::Create(CreateLoad::prepare(drive).await?),
    })
}
