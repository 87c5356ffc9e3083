//! `salus demo`: a synthetic population over the real write path, then the dashboard and one link that signs the visitor in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use fhir::{Kind, Resource, Value};
use gate::{Access, Principal, Role, Roles, Tenant};
use server::Services;
use stream::Platform;

use crate::cli::{DataArgs, DemoArgs};
use crate::command::serve::{print_link, run_with};
use crate::command::stream::publish::Way;
use crate::command::stream::{Feed, drive};
use crate::door::{Own, config_of, open_gate, own};
use crate::exit::Exit;
use crate::output::{grouped, say, say_json, table};
use crate::pipeline_service::PipelineService;
use crate::sink::{LocalSink, Outcome, Sink, Written};
use crate::source::{At, Change, Item, Place, Unit};
use crate::streams::Beside;

/// The ward of the demo.
const BEDS: u32 = 12;
const MONITOR_HZ: f64 = 0.2;
/// Its patients are adults.
const BORN_BEFORE: &str = "2005";

/// Patients generated, checked and written side by side.
const PATIENTS_IN_FLIGHT: usize = 32;

pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    let mut config = config_of(&DataArgs { config: None, data_dir: Some(args.data_dir.clone()) })?;
    config.listen = args.listen;
    crate::logging::start(&config.log)?;
    let server = config.server();
    let gate = open_gate(&config, &server.fhir_base())
        .with_context(|| format!("cannot open `{}`", config.data_dir.display()))?;
    let own = own(gate, server.fhir_base())?;
    let started = Instant::now();
    if !args.json {
        say(format!(
            "loading {} synthetic patients into `{}` …",
            grouped(args.patients.into()),
            config.data_dir.display()
        ))?;
    }
    let written = load(&own, args.patients, args.seed).await?;
    let secs = started.elapsed().as_secs_f64();
    let counts = own.gate.counts(&own.access).await?;
    print_summary(&args, &written, &counts, secs)?;
    if args.once {
        return Ok(Exit::Done);
    }
    let gate = own.gate;
    let mut server = server;
    let tcp = server::listen(&mut server).await?;
    config.listen = server.listen;
    let roles =
        Roles::of(&[Role::Clinician, Role::Admin, Role::PrivacyOfficer]).expect("three roles are some");
    let pipelines = PipelineService::new(config.clone(), gate.clone(), server.fhir_base());
    let streams = crate::streams::open(&config, gate.clone()).await?;
    let beside = Beside::start(&config, &streams).await?;
    let services = Services { pipelines: Some(Arc::new(pipelines.clone())), stream: Some(streams.clone()) };
    let bound = server::bind_on(tcp, server, gate.clone(), services)?;
    let url = bound.config().public_url.clone();
    say(format!("serving {url}"))?;
    print_link(&gate, &url, "demo visitor", roles).await?;
    let monitors = tokio::spawn(monitors(streams.clone(), args.patients, args.seed));
    run_with(bound, pipelines, streams, beside).await?;
    monitors.abort();
    Ok(Exit::Done)
}

/// Monitors of a ward of the synthetic patients, some of whom get worse, for as long as the demo runs.
async fn monitors(streams: Platform, patients: u32, seed: u64) {
    let principal = Arc::new(Principal::service("ward-simulator", Tenant::main()));
    let access = Access::new(principal, None, "simulation").expect("a service has a purpose of its own");
    let config = synth::Config { patients, seed, ..synth::Config::default() };
    let population = synth::Population::new(config);
    // Adults: the first patients that were born before this year's children.
    let adults = (0..patients).map(|index| population.patient(index).swap_remove(0));
    let adults = adults.filter(|patient| patient.text("birthDate").is_some_and(|date| date < BORN_BEFORE));
    let adults = adults.filter_map(|patient| Some(format!("Patient/{}", patient.text("id")?)));
    let ward = synth::WardConfig {
        beds: BEDS,
        seed,
        unit: "Ward 7A".to_owned(),
        patients: adults.take(BEDS as usize).collect(),
        ..synth::WardConfig::default()
    };
    let feed = Feed { way: Way::Serving(streams, Arc::new(access)), ward, hz: MONITOR_HZ, secs: None };
    if let Err(error) = drive(feed, std::future::pending()).await {
        tracing::error!("the monitors of the demo have stopped: {error:#}");
    }
}

/// What became of the resources.
#[derive(Default, serde::Serialize)]
struct Loaded {
    created: u64,
    updated: u64,
    unchanged: u64,
}

/// Generates and writes everything; what is there already stays as it is.
async fn load(own: &Own, patients: u32, seed: u64) -> anyhow::Result<Loaded> {
    let population =
        Arc::new(synth::Population::new(synth::Config { patients, seed, ..synth::Config::default() }));
    let sink = Sink::Local(LocalSink {
        gate: own.gate.clone(),
        access: Arc::clone(&own.access),
        now: own.gate.now(),
        base: own.base.clone(),
    });
    let mut loaded = Loaded::default();
    count(&mut loaded, sink.write(unit_of(population.shared())?).await?)?;
    let mut writes = tokio::task::JoinSet::new();
    for index in 0..patients {
        if writes.len() >= PATIENTS_IN_FLIGHT {
            take(&mut writes, &mut loaded).await?;
        }
        let (population, sink) = (Arc::clone(&population), sink.clone());
        writes.spawn(async move {
            let unit = tokio::task::spawn_blocking(move || unit_of(population.patient(index))).await??;
            sink.write(unit).await
        });
    }
    while !writes.is_empty() {
        take(&mut writes, &mut loaded).await?;
    }
    // Programmes name their members, so they come when the patients are there.
    let groups = unit_of(population.groups())?;
    if !groups.items.is_empty() {
        count(&mut loaded, sink.write(groups).await?)?;
    }
    Ok(loaded)
}

async fn take(
    writes: &mut tokio::task::JoinSet<anyhow::Result<Written>>,
    loaded: &mut Loaded,
) -> anyhow::Result<()> {
    match writes.join_next().await {
        Some(written) => count(loaded, written??),
        None => Ok(()),
    }
}

fn unit_of(resources: Vec<Value>) -> anyhow::Result<Unit> {
    let place = Place::new(&Arc::from("synthetic population"), At::File);
    let mut items = Vec::with_capacity(resources.len());
    for (index, value) in resources.into_iter().enumerate() {
        let resource = Resource::from_value(value).map_err(|issues| {
            anyhow::anyhow!("the generator made something that is no resource: {}", issues[0].diagnostics)
        })?;
        items.push(Item {
            place: place.entry(index),
            full_url: None,
            change: Change::Put { resource, if_match: None },
        });
    }
    Ok(Unit { atomic: true, items, bytes: 0 })
}

// The generator's resources are valid; one that is refused is a fault worth stopping for.
fn count(loaded: &mut Loaded, written: Written) -> anyhow::Result<()> {
    match written {
        Written::Nothing { reason, .. } => anyhow::bail!("the store refused a synthetic patient: {reason}"),
        Written::Each(each) => {
            for outcome in each {
                match outcome
                    .map_err(|reason| anyhow::anyhow!("the store refused a synthetic resource: {reason}"))?
                {
                    Outcome::Created => loaded.created += 1,
                    Outcome::Updated => loaded.updated += 1,
                    Outcome::Unchanged | Outcome::Deleted => loaded.unchanged += 1,
                }
            }
            Ok(())
        }
    }
}

fn print_summary(args: &DemoArgs, loaded: &Loaded, counts: &[(Kind, u64)], secs: f64) -> anyhow::Result<()> {
    let done = loaded.created + loaded.updated + loaded.unchanged;
    let rate = done as f64 / secs.max(0.001);
    if args.json {
        let counts: BTreeMap<&str, u64> = counts.iter().map(|(kind, n)| (kind.name(), *n)).collect();
        return say_json(&serde_json::json!({
            "patients": args.patients, "seed": args.seed, "loaded": loaded, "counts": counts, "duration_secs": secs, "resources_per_sec": rate,
        }));
    }
    let mut rows = vec![vec![String::new(), "stored".to_owned()]];
    rows.extend(counts.iter().map(|(kind, n)| vec![kind.name().to_owned(), grouped(*n)]));
    say(table(&rows).trim_end())?;
    say(format!(
        "{} created, {} updated, {} unchanged in {secs:.1} s: {} resources a second, each checked, indexed and on disk",
        grouped(loaded.created),
        grouped(loaded.updated),
        grouped(loaded.unchanged),
        grouped(rate as u64)
    ))
}
