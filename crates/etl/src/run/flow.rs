//! One source of a run: read, check, transform, stage, judge, commit.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant as Timer;

use table::Reject;
use tokio::sync::oneshot;

use crate::EtlError;
use crate::file::{Pipeline, SourceEntry, TargetEntry};
use crate::plan::FlowColumns;
use crate::run::chain::{Chain, Ended, Tapped};
use crate::run::counts::balance;
use crate::run::deliver::{self, Audit, Delivery, Opened, Staged};
use crate::run::kept::{self, Keeping, Kept};
use crate::run::record::UnitRecord;
use crate::run::work::{Meter, Work, Worked};
use crate::run::{Failure, Observer, RunOptions, SourceRecord, Status, TargetCounts};
use crate::source::{Division, Out, Source, Unit};
use crate::step::{PRIVACY_MANIFEST, Tap};
use crate::target::{Load, Mode};
use crate::world::World;

const PIECES_AHEAD_MAX: usize = 4;

/// One source on its way to its targets.
pub(crate) struct Flow<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) source: &'a SourceEntry,
    pub(crate) columns: &'a FlowColumns,
    pub(crate) options: &'a RunOptions,
    pub(crate) world: &'a Arc<World>,
    pub(crate) observer: &'a Arc<dyn Observer>,
    pub(crate) meter: Arc<Meter>,
    /// New attempts after a failure that may pass.
    pub(crate) retries: u32,
}

/// A source's record, and what others gathered from its rows.
pub(crate) struct FlowEnd {
    pub(crate) record: SourceRecord,
    pub(crate) gathered: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Which of the units that are read a target lacks, by the target's name.
type Needs = BTreeMap<String, Vec<bool>>;

/// The targets of a source after they were asked what they have.
struct Asked<'a> {
    opened: Vec<(&'a TargetEntry, Opened)>,
    failed: Vec<TargetCounts>,
}

impl Flow<'_> {
    /// One attempt. The record says what happened; an error that may pass is given back instead, for another attempt.
    pub(crate) async fn attempt(
        &self,
        number: u32,
        opened: Option<Box<dyn Source>>,
        tapped: &Tapped,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<FlowEnd, EtlError> {
        let timer = Timer::now();
        let mut record = self.empty_record(number);
        let outcome = self.go(&mut record, opened, tapped, taps).await;
        record.duration_secs = timer.elapsed().as_secs_f64();
        match outcome {
            Ok(gathered) => Ok(FlowEnd { record, gathered }),
            Err(error) if is_transient(&error) && number <= self.retries => Err(error),
            Err(error) => {
                record.status =
                    if matches!(error, EtlError::Cancelled) { Status::Cancelled } else { Status::Failed };
                record.failure = Some(failure_of(&error));
                record.error = Some(error.to_string());
                Ok(FlowEnd { record, gathered: Vec::new() })
            }
        }
    }

    fn empty_record(&self, attempts: u32) -> SourceRecord {
        SourceRecord {
            name: self.source.name.text.clone(),
            kind: self.source.kind.text.clone(),
            status: Status::Running,
            failure: None,
            error: None,
            attempts,
            units: Vec::new(),
            counts: crate::run::Counts::default(),
            steps: Vec::new(),
            targets: Vec::new(),
            quality: None,
            duration_secs: 0.0,
        }
    }

    async fn go(
        &self,
        record: &mut SourceRecord,
        opened: Option<Box<dyn Source>>,
        tapped: &Tapped,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<Vec<Arc<dyn Any + Send + Sync>>, EtlError> {
        let is_tapped = !taps.is_empty();
        let mut source = match opened {
            Some(source) => source,
            None => self.source.spec.open(self.world).await?,
        };
        let asked = self.ask_targets().await?;
        record.targets.extend(asked.failed.iter().cloned());
        let since = self.watermark(&*source, &asked);
        let units = self.units(&mut *source, since.as_deref()).await?;
        if let Some(done) = self.recovered(record, &asked, is_tapped)? {
            *record = done;
            return Ok(Vec::new());
        }
        let wanted = |entry: &TargetEntry, opened: &Opened, unit: &Unit| {
            self.source.spec.division() != Division::Files
                || deliver::needs(entry.spec.mode(), &opened.committed, &units, unit)
        };
        let reads: Vec<Unit> = units
            .iter()
            .filter(|unit| {
                is_tapped || asked.opened.iter().any(|(entry, opened)| wanted(entry, opened, unit))
            })
            .cloned()
            .collect();
        record.units = reads.iter().map(unit_record).collect();
        let needs_of: Needs = asked
            .opened
            .iter()
            .map(|(entry, opened)| {
                (entry.name.text.clone(), reads.iter().map(|unit| wanted(entry, opened, unit)).collect())
            })
            .collect();
        if reads.is_empty() {
            self.nothing_new(record, asked);
            return Ok(Vec::new());
        }
        let names: Arc<[String]> = reads.iter().map(|unit| unit.name.clone()).collect();
        let keeping = kept::is_needed(self.pipeline, self.source) && !self.options.dry_run;
        let keeping = keeping.then(|| Keeping::start(self.world)).transpose()?;
        let chain = Chain::start(self.source, self.columns, tapped, taps, usize::MAX, keeping, self.world)?;
        let (deliveries, idle) = self.begin(asked, &needs_of, &names).await?;
        record.targets.extend(idle);
        let worked = self.work(source, &reads, chain, deliveries, names.clone()).await?;
        self.end(record, worked, &reads, &needs_of, &names).await
    }

    /// The smallest watermark of the targets: what one of them lacks is read.
    fn watermark(&self, source: &dyn Source, asked: &Asked<'_>) -> Option<String> {
        if self.source.spec.division() != Division::Window {
            return None;
        }
        let mut smallest: Option<&String> = None;
        for (_, opened) in &asked.opened {
            let own = opened.committed.watermark.as_ref()?;
            if smallest.is_none_or(|other| source.compare_watermarks(own, other).is_lt()) {
                smallest = Some(own);
            }
        }
        smallest.cloned()
    }

    /// What there is to read. A window that somebody chose leaves the watermarks of the targets as they are, and is a unit of this run alone.
    async fn units(&self, source: &mut dyn Source, since: Option<&str>) -> Result<Vec<Unit>, EtlError> {
        let chosen =
            self.options.backfill.as_ref().filter(|_| self.options.only.contains(&self.source.name.text));
        let Some(chosen) = chosen else { return source.units(since).await };
        let name = &self.source.name.text;
        let fails = |why: String| EtlError::Source { source_name: name.clone(), why, is_transient: false };
        let others = self.pipeline.targets_of(name).find(|target| target.spec.mode() != Mode::Merge);
        if let Some(target) = others {
            return Err(fails(format!(
                "a window can only be loaded again where rows are merged by key: the target `{}` does not",
                target.name
            )));
        }
        source
            .choose(chosen)
            .map_err(|why| fails(format!("a window of it cannot be loaded again: {why}")))?;
        let mut units = source.units(None).await?;
        for unit in &mut units {
            unit.id = format!("backfill {} {}", self.options.run, unit.id);
            unit.watermark = None;
        }
        Ok(units)
    }

    /// Opens the targets. One that cannot be opened does not hold up the others.
    async fn ask_targets(&self) -> Result<Asked<'_>, EtlError> {
        let mut asked = Asked { opened: Vec::new(), failed: Vec::new() };
        let mut last = None;
        let entries: Vec<&TargetEntry> = self.pipeline.targets_of(&self.source.name).collect();
        let n_entries = entries.len();
        for entry in entries {
            let load = Load {
                pipeline: self.pipeline.name.text.clone(),
                source: self.source.name.text.clone(),
                target: entry.name.text.clone(),
                run: self.options.run.clone(),
                pipeline_hash: self.pipeline.hash.clone(),
            };
            match deliver::open(entry, load, self.world).await {
                Ok(opened) => asked.opened.push((entry, opened)),
                Err(error) => {
                    asked.failed.push(failed_target(entry, &error));
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if asked.failed.len() == n_entries => Err(error),
            _ => Ok(asked),
        }
    }

    /// A run that died between a commit and its record: the targets have everything that it was about to commit.
    fn recovered(
        &self,
        record: &SourceRecord,
        asked: &Asked<'_>,
        is_tapped: bool,
    ) -> Result<Option<SourceRecord>, EtlError> {
        let Some(mut intent) = self.observer.intent(&record.name)? else {
            // What the attempt that died had set aside is set aside again.
            if self.options.resumed {
                self.observer.discard(&record.name)?;
            }
            return Ok(None);
        };
        let all_there = intent
            .units
            .iter()
            .all(|unit| asked.opened.iter().all(|(_, opened)| opened.committed.units.contains(&unit.id)));
        if is_tapped || !all_there || intent.units.is_empty() || !asked.failed.is_empty() {
            self.observer.discard(&record.name)?;
            return Ok(None);
        }
        for target in intent.targets.iter_mut().filter(|target| target.status == "loading") {
            target.status = "committed".to_owned();
            target.inserted = target.offered - target.already_loaded - target.quarantined;
        }
        intent.status = Status::Completed;
        intent.counts = balance(
            &intent.name,
            intent.counts.read,
            intent.counts.quarantined,
            &intent.steps,
            &intent.targets,
        )?;
        Ok(Some(intent))
    }

    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    fn nothing_new(&self, record: &mut SourceRecord, asked: Asked<'_>) {
        record.status =
            if record.targets.is_empty() { Status::Completed } else { Status::CompletedWithErrors };
        record.failure = (!record.targets.is_empty()).then_some(Failure::Target);
        record.targets.extend(asked.opened.iter().map(|(entry, _)| idle_target(entry)));
    }

    /// Begins to deliver to the targets that need something.
    async fn begin(
        &self,
        asked: Asked<'_>,
        needs_of: &Needs,
        names: &Arc<[String]>,
    ) -> Result<(Vec<Delivery>, Vec<TargetCounts>), EtlError> {
        let (mut deliveries, mut idle) = (Vec::new(), Vec::new());
        for (entry, opened) in asked.opened {
            let needs = &needs_of[&entry.name.text];
            if self.options.dry_run {
                idle.push(TargetCounts { status: "dry_run".to_owned(), ..idle_target(entry) });
                continue;
            }
            if !needs.contains(&true) {
                idle.push(idle_target(entry));
                continue;
            }
            let skipped = (0_u32..).zip(needs).filter(|(_, needed)| !**needed).map(|(number, _)| number);
            let audit = Audit {
                run: self.options.run.clone(),
                pipeline_hash: self.pipeline.hash.clone(),
                at: self.options.started_at,
                unit_names: names.clone(),
            };
            let skipped: HashSet<u32> = skipped.collect();
            let mut opened = opened;
            for (name, json) in self.source.steps.iter().flat_map(|step| step.spec.attachments()) {
                opened.target.attach(name, json);
            }
            match Delivery::begin(entry, opened, self.columns.output(), audit, skipped).await {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) if is_transient(&error) => return Err(error),
                Err(error) => idle.push(failed_target(entry, &error)),
            }
        }
        Ok((deliveries, idle))
    }

    /// Reader, steps and targets side by side.
    async fn work(
        &self,
        mut source: Box<dyn Source>,
        units: &[Unit],
        chain: Chain,
        deliveries: Vec<Delivery>,
        unit_names: Arc<[String]>,
    ) -> Result<Worked, EtlError> {
        let (out, pieces) = Out::channel(PIECES_AHEAD_MAX);
        let (tell, told) = oneshot::channel();
        let to_read = units.to_vec();
        let reader = tokio::spawn(async move {
            let mut outcome = Ok(());
            for (number, unit) in (0_u32..).zip(&to_read) {
                outcome = source.read(unit, number, out.clone()).await;
                if outcome.is_err() {
                    break;
                }
            }
            drop(out);
            let _ = tell.send(outcome);
        });
        let work = Work {
            source: self.source.name.text.clone(),
            chain,
            deliveries,
            world: self.world.clone(),
            observer: self.observer.clone(),
            unit_names,
            quarantined_max: self.pipeline.run.quarantined_max,
            meter: self.meter.clone(),
        };
        let worked = tokio::task::spawn_blocking(move || work.run(pieces, told)).await;
        reader.abort();
        worked.map_err(|_| EtlError::Step {
            step: self.source.name.text.clone(),
            why: "its thread ended unexpectedly: this is a bug".to_owned(),
        })
    }

    /// Judges what was read, and commits it or throws it away.
    async fn end(
        &self,
        record: &mut SourceRecord,
        worked: Worked,
        reads: &[Unit],
        needs_of: &Needs,
        names: &Arc<[String]>,
    ) -> Result<Vec<Arc<dyn Any + Send + Sync>>, EtlError> {
        let Worked { deliveries, outcome, read, rejected, nulled } = worked;
        let mut staged = Vec::new();
        for delivery in deliveries {
            staged.push(delivery.end().await);
        }
        let Ended { checker, tapped, counts, kept } = match outcome {
            Ok(ended) => ended,
            Err(error) => {
                abort(staged.into_iter().map(|(staged, _)| staged)).await;
                return Err(error);
            }
        };
        record.counts.read = read;
        record.counts.quarantined = rejected;
        record.steps = counts;
        if let Some(first) = record.steps.first_mut()
            && !nulled.is_empty()
        {
            first.facts.insert("values_set_to_missing".to_owned(), serde_json::json!(nulled));
        }
        let previous = self.observer.previous_quality(&record.name);
        let mut quality = checker.quality(rejected, previous.as_ref());
        quality.name_units(names);
        let gates = self.pipeline.run.gates_of.get(&record.name).unwrap_or(&self.pipeline.run.gates);
        let verdict = gates.judge(&quality);
        record.quality = Some(quality.sealed(&verdict));
        let sums = balance(&record.name, read, rejected, &record.steps, &[]);
        if let Err(error) = sums {
            abort(staged.into_iter().map(|(staged, _)| staged)).await;
            return Err(error);
        }
        if !verdict.is_accepted {
            abort(staged.into_iter().map(|(staged, _)| staged)).await;
            for target in &mut record.targets {
                "aborted".clone_into(&mut target.status);
            }
            record.counts = sums?;
            record.status = Status::Failed;
            record.failure = Some(Failure::Gate);
            record.error = Some(format!("not loaded: {}", verdict.why.join("; ")));
            return Ok(tapped);
        }
        self.commit(record, staged, reads, needs_of, names, kept.as_ref()).await?;
        self.conclude(record, rejected)?;
        Ok(tapped)
    }

    async fn commit(
        &self,
        record: &mut SourceRecord,
        staged: Vec<(Staged, Result<(), EtlError>)>,
        reads: &[Unit],
        needs_of: &Needs,
        names: &Arc<[String]>,
        kept: Option<&Kept>,
    ) -> Result<(), EtlError> {
        let entries: Vec<&TargetEntry> = self.pipeline.targets_of(&self.source.name).collect();
        let mut ready = Vec::new();
        for (mut staged, outcome) in staged {
            let outcome = match outcome {
                Ok(()) => self.prepare(&record.name, &mut staged, names, kept).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => ready.push(staged),
                Err(error) => {
                    // Another attempt makes both right; without one, the others go on.
                    if is_transient(&error) && record.attempts <= self.retries {
                        abort(ready.into_iter().chain([staged])).await;
                        return Err(error);
                    }
                    staged.counts.status = "failed".to_owned();
                    staged.counts.error = Some(error.to_string());
                    record.targets.push(staged.counts.clone());
                    abort([staged]).await;
                }
            }
        }
        let mut intent = record.clone();
        intent.targets.extend(ready.iter().map(|staged| staged.counts.clone()));
        if !self.options.dry_run {
            self.observer.about_to_commit(&intent)?;
        }
        let watermark = reads.iter().rev().find_map(|unit| unit.watermark.clone());
        for mut staged in ready {
            let units = needed(reads, &needs_of[&staged.counts.name]);
            let Some(mut target) = staged.target.take() else { continue };
            for manifest in record.steps.iter().filter_map(|step| step.facts.get(PRIVACY_MANIFEST)) {
                target.attach(PRIVACY_MANIFEST, manifest.clone());
            }
            (self.world.checkpoint)("before-commit");
            match target.commit(&units, watermark.as_deref()).await {
                Ok(loaded) => {
                    (self.world.checkpoint)("after-commit");
                    staged.counts.status = "committed".to_owned();
                    staged.counts.take(&loaded);
                    self.set_aside(&record.name, target.refused(), names, kept)?;
                }
                Err(error) => {
                    staged.counts.status = "failed".to_owned();
                    staged.counts.error = Some(error.to_string());
                    let _ = target.abort().await;
                }
            }
            record.targets.push(staged.counts);
        }
        record.targets.sort_by_key(|target| entries.iter().position(|entry| entry.name.text == target.name));
        Ok(())
    }

    /// What a target may write before its commit. Rows that it refuses are set aside now: a process that dies after the commit would not
    /// know them any more.
    async fn prepare(
        &self,
        source: &str,
        staged: &mut Staged,
        names: &Arc<[String]>,
        kept: Option<&Kept>,
    ) -> Result<(), EtlError> {
        let Some(target) = staged.target.as_mut() else { return Ok(()) };
        target.prepare().await?;
        let refused = target.refused();
        staged.counts.quarantined += refused.len() as u64;
        self.set_aside(source, refused, names, kept)
    }

    /// Puts rows that a target refused into quarantine, as they were read.
    fn set_aside(
        &self,
        source: &str,
        mut refused: Vec<Reject>,
        names: &Arc<[String]>,
        kept: Option<&Kept>,
    ) -> Result<(), EtlError> {
        if refused.is_empty() {
            return Ok(());
        }
        if let Some(kept) = kept {
            kept.replace(&mut refused)?;
        }
        self.observer.quarantine(source, names, refused)
    }

    /// The sums, and how the source stands after its commits.
    fn conclude(&self, record: &mut SourceRecord, rejected: u64) -> Result<(), EtlError> {
        let offered = record.steps.last().map_or(record.counts.read - rejected, |step| step.rows_out);
        for target in record.targets.iter_mut().filter(|target| target.status == "dry_run") {
            (target.offered, target.inserted) = (offered, offered);
        }
        record.counts = balance(&record.name, record.counts.read, rejected, &record.steps, &record.targets)?;
        let n_failed = record.targets.iter().filter(|target| target.status == "failed").count();
        if n_failed > 0 {
            let all = n_failed == record.targets.len();
            record.status = if all { Status::Failed } else { Status::CompletedWithErrors };
            record.failure = Some(Failure::Target);
            record.error = record.targets.iter().find_map(|target| target.error.clone());
        } else {
            record.status = Status::Completed;
        }
        self.meter.given.store(offered, Ordering::Relaxed);
        Ok(())
    }
}

/// Units that a target lacks.
fn needed(reads: &[Unit], needs: &[bool]) -> Vec<Unit> {
    reads.iter().zip(needs).filter(|(_, needed)| **needed).map(|(unit, _)| unit.clone()).collect()
}

async fn abort(staged: impl IntoIterator<Item = Staged>) {
    for staged in staged {
        if let Some(mut target) = staged.target {
            // What cannot be thrown away now is thrown away by the next run.
            if let Err(error) = target.abort().await {
                tracing::warn!(target = staged.counts.name, %error, "staged rows could not be removed");
            }
        }
    }
}

fn unit_record(unit: &Unit) -> UnitRecord {
    UnitRecord { id: unit.id.clone(), name: unit.name.clone(), watermark: unit.watermark.clone() }
}

fn idle_target(entry: &TargetEntry) -> TargetCounts {
    TargetCounts {
        name: entry.name.text.clone(),
        kind: entry.kind.text.clone(),
        status: "nothing_new".to_owned(),
        ..TargetCounts::default()
    }
}

fn failed_target(entry: &TargetEntry, error: &EtlError) -> TargetCounts {
    TargetCounts { status: "failed".to_owned(), error: Some(error.to_string()), ..idle_target(entry) }
}

fn is_transient(error: &EtlError) -> bool {
    matches!(error, EtlError::Source { is_transient: true, .. } | EtlError::Target { is_transient: true, .. })
}

pub(crate) fn failure_of(error: &EtlError) -> Failure {
    match error {
        EtlError::Target { .. } => Failure::Target,
        EtlError::Cancelled => Failure::Cancelled,
        _ => Failure::Source,
    }
}
