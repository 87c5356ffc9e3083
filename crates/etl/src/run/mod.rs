//! Runs a pipeline: sources side by side, each from its reader to its targets, with everything counted.

mod chain;
mod counts;
mod deliver;
mod flow;
mod given;
mod kept;
mod preview;
mod record;
mod rehearse;
mod replay;
mod taps;
mod through;
mod told;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant as Timer};

use fhir::Instant;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use table::{Columns, Reject};

use crate::file::{Pipeline, SourceEntry};
use crate::plan::{FlowColumns, Plan};
use crate::report::SourceQuality;
use crate::run::flow::{Flow, FlowEnd, failure_of};
use crate::run::taps::Gathered;
use crate::run::work::Meter;
use crate::source::{Backfill, Source};
use crate::world::World;
use crate::{EtlError, Problem};

pub use counts::{Counts, StepCounts, TargetCounts};
pub use preview::{Preview, preview};
pub use record::{Failure, RunRecord, SourceRecord, Status, UnitRecord};
pub use rehearse::{TestOutcome, rehearse};
pub use replay::{Quarantined, replay};

const PROGRESS_EVERY: Duration = Duration::from_millis(500);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(300);

/// How a run is asked for.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Its id; the same as before when a run is resumed.
    pub run: String,
    /// When it began.
    pub started_at: Instant,
    /// Whether it continues a run whose process died.
    pub resumed: bool,
    /// Reads, checks, transforms and counts; writes nothing.
    pub dry_run: bool,
    /// Only these sources (and those they look at). Empty: all.
    pub only: Vec<String>,
    /// A window of the sources in `only` that is loaded again, instead of what is new.
    pub backfill: Option<Backfill>,
    /// Whether it runs rows again that were set aside.
    pub is_replay: bool,
}

impl RunOptions {
    /// A run of everything that is new.
    pub fn new(run: String, started_at: Instant) -> RunOptions {
        RunOptions {
            run,
            started_at,
            resumed: false,
            dry_run: false,
            only: Vec::new(),
            backfill: None,
            is_replay: false,
        }
    }

    /// What kind of run it is, in one word: `load`, `dry`, `replay` or `backfill`.
    pub fn kind(&self) -> &'static str {
        match self {
            RunOptions { is_replay: true, .. } => "replay",
            RunOptions { dry_run: true, .. } => "dry",
            RunOptions { backfill: Some(_), .. } => "backfill",
            _ => "load",
        }
    }
}

/// Who watches a run and remembers it. What returns a result is durable when it returns.
pub trait Observer: Send + Sync {
    /// How far the sources are. Comes often; may be forgotten.
    fn progress(&self, sources: &[Progress]);
    /// Rows that were set aside. `unit_names` names the units of their places.
    fn quarantine(&self, source: &str, unit_names: &[String], rejects: Vec<Reject>) -> Result<(), EtlError>;
    /// Forgets the rows of a source that were set aside in this run: it is tried again.
    fn discard(&self, source: &str) -> Result<(), EtlError>;
    /// The record of a source whose targets are about to be committed.
    fn about_to_commit(&self, record: &SourceRecord) -> Result<(), EtlError>;
    /// What [`Observer::about_to_commit`] said of a source in this run before its process died.
    fn intent(&self, source: &str) -> Result<Option<SourceRecord>, EtlError>;
    /// A source has ended.
    fn source_done(&self, record: &SourceRecord) -> Result<(), EtlError>;
    /// The source's record when it ended in this run before its process died.
    fn done_before(&self, source: &str) -> Result<Option<SourceRecord>, EtlError>;
    /// The quality of the source in the last run that loaded it.
    fn previous_quality(&self, source: &str) -> Option<SourceQuality>;
}

/// How far a source is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The source's name.
    pub source: String,
    /// `waiting`, `running` or how it ended.
    pub state: String,
    /// Bytes read, where the source counts them.
    pub bytes: u64,
    /// Records read.
    pub read: u64,
    /// Rows given to the targets.
    pub given: u64,
    /// Rows set aside.
    pub quarantined: u64,
}

/// The columns of all sources, by connecting to them, and the plan; what `salus etl check` shows.
pub async fn connect(pipeline: &Pipeline, world: &Arc<World>) -> Result<(Plan, Connected), EtlError> {
    let opened = join_all(pipeline.sources.iter().map(|source| source.spec.open(world))).await;
    let (mut columns, mut connected) = (BTreeMap::new(), Connected::default());
    for (source, opened) in pipeline.sources.iter().zip(opened) {
        match opened {
            Ok(open) => {
                columns.insert(source.name.text.clone(), open.columns().clone());
                connected.open.insert(source.name.text.clone(), open);
            }
            Err(error) => {
                connected.failed.insert(source.name.text.clone(), error);
            }
        }
    }
    // A source that does not answer is planned by what it declares, so that all that is wrong with the file comes together.
    for source in pipeline.sources.iter().filter(|source| connected.failed.contains_key(&source.name.text)) {
        if let Some(declared) = source.spec.columns() {
            columns.insert(source.name.text.clone(), declared);
        }
    }
    let plan = Plan::of(pipeline, &columns).map_err(EtlError::Invalid)?;
    Ok((plan, connected))
}

/// Sources that answered, and those that did not.
#[derive(Default)]
pub struct Connected {
    pub(crate) open: BTreeMap<String, Box<dyn Source>>,
    /// By name: why it cannot be read.
    pub failed: BTreeMap<String, EtlError>,
}

/// Connects to every target and asks what it has; what does not answer.
pub async fn reach_targets(pipeline: &Pipeline, world: &Arc<World>) -> Vec<EtlError> {
    let mut failed = Vec::new();
    for target in &pipeline.targets {
        let load = crate::target::Load {
            pipeline: pipeline.name.text.clone(),
            source: target.from.text.clone(),
            target: target.name.text.clone(),
            run: "check".to_owned(),
            pipeline_hash: pipeline.hash.clone(),
        };
        failed.extend(deliver::open(target, load, world).await.err());
    }
    failed
}

/// The columns that sources declare, without connecting; for `check` where nothing can be reached.
pub fn declared_plan(pipeline: &Pipeline) -> Result<Plan, Vec<Problem>> {
    let declared = |source: &SourceEntry| Some((source.name.text.clone(), source.spec.columns()?));
    let columns: BTreeMap<String, Columns> = pipeline.sources.iter().filter_map(declared).collect();
    Plan::of(pipeline, &columns)
}

/// Runs a pipeline to its end. What happens to its sources is in the record; an error is a pipeline that does not fit its sources, or a
/// record that cannot be kept.
pub async fn run(
    pipeline: &Pipeline,
    world: &Arc<World>,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
) -> Result<RunRecord, EtlError> {
    let timer = Timer::now();
    let (plan, connected) = connect(pipeline, world).await?;
    let mut teller = told::Teller::new(pipeline, options, world);
    if let Some(teller) = &mut teller {
        teller.start(&plan).await;
    }
    let mut runner = Runner::new(pipeline, world, options, observer, plan, connected);
    let sources = runner.all().await?;
    let warnings = match teller {
        Some(teller) => teller.end(&runner.plan, &sources).await,
        None => Vec::new(),
    };
    let mut record = RunRecord {
        run: options.run.clone(),
        pipeline: pipeline.name.text.clone(),
        pipeline_hash: pipeline.hash.clone(),
        status: status_of(&sources),
        resumed: options.resumed,
        dry_run: options.dry_run,
        started_at: options.started_at,
        ended_at: Some(world.now()),
        duration_secs: timer.elapsed().as_secs_f64(),
        counts: Counts::default(),
        sources,
        warnings,
    };
    for source in &record.sources {
        record.counts.add(&source.counts);
    }
    Ok(record)
}

fn status_of(sources: &[SourceRecord]) -> Status {
    let all = |status| sources.iter().all(|source| source.status == status);
    let any = |status| sources.iter().any(|source| source.status == status);
    match () {
        () if any(Status::Cancelled) => Status::Cancelled,
        () if all(Status::Completed) => Status::Completed,
        () if all(Status::Failed) => Status::Failed,
        () => Status::CompletedWithErrors,
    }
}

/// The sources of a run: which can start, which are at work, which have ended.
struct Runner<'a> {
    pipeline: &'a Pipeline,
    world: &'a Arc<World>,
    options: &'a RunOptions,
    observer: &'a Arc<dyn Observer>,
    plan: Plan,
    connected: Connected,
    gathered: Gathered,
    meters: BTreeMap<String, (Arc<Meter>, &'static str)>,
}

impl<'a> Runner<'a> {
    fn new(
        pipeline: &'a Pipeline,
        world: &'a Arc<World>,
        options: &'a RunOptions,
        observer: &'a Arc<dyn Observer>,
        plan: Plan,
        connected: Connected,
    ) -> Runner<'a> {
        let meters =
            pipeline.sources.iter().map(|source| (source.name.text.clone(), (Arc::default(), "waiting")));
        let meters = meters.collect();
        Runner { pipeline, world, options, observer, plan, connected, gathered: Gathered::default(), meters }
    }

    async fn all(&mut self) -> Result<Vec<SourceRecord>, EtlError> {
        let pipeline = self.pipeline;
        let mut waiting: Vec<&SourceEntry> =
            pipeline.sources.iter().filter(|source| self.is_wanted(source)).collect();
        let mut ended: BTreeMap<String, SourceRecord> = BTreeMap::new();
        let mut at_work = FuturesUnordered::new();
        let mut ticks = tokio::time::interval(PROGRESS_EVERY);
        loop {
            while at_work.len() < pipeline.run.sources_at_once {
                let ready = waiting.iter().position(|source| {
                    pipeline.tapped_by(source).iter().all(|name| ended.contains_key(name))
                });
                let Some(ready) = ready else { break };
                let source = waiting.remove(ready);
                match self.start(source, &ended)? {
                    Start::Ended(record) => {
                        self.observer.source_done(&record)?;
                        ended.insert(record.name.clone(), *record);
                    }
                    Start::Work(work) => {
                        self.set_state(&source.name, "running");
                        at_work.push(attempts(work, source));
                    }
                }
            }
            if at_work.is_empty() {
                break;
            }
            tokio::select! {
                Some((source, end)) = at_work.next() => {
                    let end: FlowEnd = end;
                    self.gathered.keep(pipeline, source, end.gathered);
                    self.set_state(&source.name, end.record.status.name());
                    self.observer.source_done(&end.record)?;
                    ended.insert(end.record.name.clone(), end.record);
                }
                _ = ticks.tick() => {}
            }
            self.observer.progress(&self.progress());
        }
        self.observer.progress(&self.progress());
        Ok(pipeline.sources.iter().filter_map(|source| ended.remove(&source.name.text)).collect())
    }

    /// Whether the source was asked for, or one that was asked for looks at it.
    fn is_wanted(&self, source: &SourceEntry) -> bool {
        let only = &self.options.only;
        let looks_at = |name: &String| {
            self.pipeline
                .source(name)
                .is_some_and(|other| self.pipeline.tapped_by(other).contains(&source.name.text))
        };
        only.is_empty() || only.contains(&source.name.text) || only.iter().any(looks_at)
    }

    fn start(
        &mut self,
        source: &'a SourceEntry,
        ended: &BTreeMap<String, SourceRecord>,
    ) -> Result<Start<'a>, EtlError> {
        let name = &source.name.text;
        if self.options.resumed
            && let Some(done) = self.observer.done_before(name)?
            && done.status == Status::Completed
            && !self.gathered.is_tapped(self.pipeline, name)
        {
            return Ok(Start::Ended(Box::new(done)));
        }
        if let Some(error) = self.connected.failed.remove(name) {
            return Ok(Start::Ended(Box::new(unread(source, &error))));
        }
        let seen: BTreeSet<String> = self.pipeline.tapped_by(source).into_iter().collect();
        if let Some(other) = seen.iter().find(|name| {
            ended.get(*name).is_none_or(|record| {
                !self.gathered.has(name)
                    || matches!(record.failure, Some(Failure::Gate | Failure::Source | Failure::Cancelled))
            })
        }) {
            let error = EtlError::Source {
                source_name: name.clone(),
                why: format!(
                    "it looks at the source `{other}`, which could not be read to its end, or did not pass its gates"
                ),
                is_transient: false,
            };
            return Ok(Start::Ended(Box::new(unread(source, &error))));
        }
        let columns = self.plan.flow(name).ok_or_else(|| EtlError::Source {
            source_name: name.clone(),
            why: "its columns are not known".to_owned(),
            is_transient: false,
        })?;
        let meter = self.meters.get(name).map(|(meter, _)| meter.clone()).unwrap_or_default();
        Ok(Start::Work(Box::new(FlowWork {
            pipeline: self.pipeline,
            columns: columns.clone(),
            options: self.options,
            world: self.world,
            observer: self.observer,
            meter,
            opened: self.connected.open.remove(name),
            tapped: self.gathered.for_source(source),
        })))
    }

    fn set_state(&mut self, name: &str, state: &'static str) {
        if let Some((_, known)) = self.meters.get_mut(name) {
            *known = state;
        }
    }

    fn progress(&self) -> Vec<Progress> {
        let of = |(name, (meter, state)): (&String, &(Arc<Meter>, &'static str))| Progress {
            source: name.clone(),
            state: (*state).to_owned(),
            bytes: meter.bytes.load(Ordering::Relaxed),
            read: meter.read.load(Ordering::Relaxed),
            given: meter.given.load(Ordering::Relaxed),
            quarantined: meter.quarantined.load(Ordering::Relaxed),
        };
        self.meters.iter().map(of).collect()
    }
}

enum Start<'a> {
    Ended(Box<SourceRecord>),
    Work(Box<FlowWork<'a>>),
}

/// What a source's attempts need.
struct FlowWork<'a> {
    pipeline: &'a Pipeline,
    columns: FlowColumns,
    options: &'a RunOptions,
    world: &'a Arc<World>,
    observer: &'a Arc<dyn Observer>,
    meter: Arc<Meter>,
    opened: Option<Box<dyn Source>>,
    tapped: chain::Tapped,
}

/// Tries a source until it ends, or the tries are used up.
async fn attempts<'a>(mut work: Box<FlowWork<'a>>, source: &'a SourceEntry) -> (&'a SourceEntry, FlowEnd) {
    let mut pause = work.pipeline.run.retry_pause;
    let mut number = 1;
    let mut opened = work.opened.take();
    loop {
        let flow = Flow {
            pipeline: work.pipeline,
            source,
            columns: &work.columns,
            options: work.options,
            world: work.world,
            observer: work.observer,
            meter: work.meter.clone(),
            retries: work.pipeline.run.retries,
        };
        let taps = taps::start(work.pipeline, source, &work.columns.source, work.world);
        let outcome = match taps {
            Ok(taps) => flow.attempt(number, opened.take(), &work.tapped, taps).await,
            Err(error) => Err(error),
        };
        let error = match outcome {
            Ok(end) => return (source, end),
            Err(error) if number > work.pipeline.run.retries => error,
            Err(error) => {
                tracing::warn!(source = source.name.text, attempt = number, %error, "trying again");
                if let Err(error) = work.observer.discard(&source.name) {
                    return (source, FlowEnd { record: unread(source, &error), gathered: Vec::new() });
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_PAUSE_MAX);
                number += 1;
                continue;
            }
        };
        return (source, FlowEnd { record: unread(source, &error), gathered: Vec::new() });
    }
}

/// The record of a source that could not be read.
fn unread(source: &SourceEntry, error: &EtlError) -> SourceRecord {
    SourceRecord {
        name: source.name.text.clone(),
        kind: source.kind.text.clone(),
        status: Status::Failed,
        failure: Some(failure_of(error)),
        error: Some(error.to_string()),
        attempts: 1,
        units: Vec::new(),
        counts: Counts::default(),
        steps: Vec::new(),
        targets: Vec::new(),
        quality: None,
        duration_secs: 0.0,
    }
}
