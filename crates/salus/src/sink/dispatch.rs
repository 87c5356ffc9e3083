//! Runs an import: one thread reads, several parse, units are written side by side, and one report comes out.
//!
//! What is in memory is bounded: pieces wait in short queues, and the bytes of the units being written have a budget. Units are
//! written in the order of the input wherever two of them change the same resource; otherwise side by side, so that the store can
//! commit several at once.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc as sync_mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::source::parse::{ParseOptions, Parsed, parse_piece};
use crate::source::read::read_input;
use crate::source::walk::{Input, Shape};
use crate::source::{Place, Raw, Reject, SourceLimits, Unit};

use super::keys::{InFlight, keys_of};
use super::progress::Progress;
use super::report::Report;
use super::{Sink, Written};

/// How wide an import runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width {
    pub(crate) parsers: usize,
    pub(crate) writes_in_flight_max: usize,
    pub(crate) bytes_in_flight_max: usize,
    /// Small units are joined up to this many items.
    pub(crate) items_per_write: usize,
}

impl Default for Width {
    fn default() -> Self {
        Width {
            parsers: std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 8),
            writes_in_flight_max: 16,
            bytes_in_flight_max: 128 * 1024 * 1024,
            items_per_write: 1_000,
        }
    }
}

/// What to import and how.
pub(crate) struct Job {
    pub(crate) inputs: Vec<Input>,
    pub(crate) limits: SourceLimits,
    pub(crate) options: ParseOptions,
    pub(crate) width: Width,
    pub(crate) quiet: bool,
}

/// Which input something comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Origin {
    input: usize,
    /// The input is this one document, so that reading it again repeats nothing else.
    whole: bool,
}

struct Numbered {
    seq: u64,
    origin: Origin,
    parsed: Parsed,
}

struct Finished {
    unit: Outline,
    written: anyhow::Result<Written>,
}

/// What is kept of a unit while it is being written.
struct Outline {
    origin: Origin,
    atomic: bool,
    bytes: usize,
    keys: HashSet<String>,
    items: Vec<(Place, fhir::Kind)>,
}

/// Imports and adds to the report. A transaction that refers to what is not there yet is tried again after everything else.
pub(crate) async fn run(job: Job, sink: &Sink, report: &mut Report) -> anyhow::Result<()> {
    let total_bytes = job.inputs.iter().map(|input| input.bytes).sum();
    let taken = Arc::new(AtomicU64::new(0));
    let progress = Progress::new(Arc::clone(&taken), total_bytes, job.quiet);
    let Job { mut inputs, limits, options, width, .. } = job;
    let mut last_pass = false;
    let mut run = Run {
        sink: sink.clone(),
        report,
        width,
        progress,
        started: Instant::now(),
        writes: JoinSet::new(),
        in_flight: InFlight::default(),
        in_flight_bytes: 0,
        joined: None,
        retry: None,
    };
    loop {
        // On the last pass nothing is put off any more, so that every failure is reported.
        run.retry = (!last_pass).then(Vec::new);
        run.pass(&inputs, limits, options, &taken).await?;
        let again: Vec<Input> =
            run.retry.take().unwrap_or_default().into_iter().map(|index| inputs[index].clone()).collect();
        if again.is_empty() {
            break;
        }
        last_pass = again.len() == inputs.len();
        inputs = again;
    }
    run.progress.finish();
    run.report.duration_secs += run.started.elapsed().as_secs_f64();
    Ok(())
}

struct Run<'a> {
    sink: Sink,
    report: &'a mut Report,
    width: Width,
    progress: Progress,
    started: Instant,
    writes: JoinSet<Finished>,
    in_flight: InFlight,
    in_flight_bytes: usize,
    /// Small units waiting to be written together.
    joined: Option<(Origin, Unit, HashSet<String>)>,
    /// Inputs to try again, when they are to be.
    retry: Option<Vec<usize>>,
}

impl Run<'_> {
    async fn pass(
        &mut self,
        inputs: &[Input],
        limits: SourceLimits,
        options: ParseOptions,
        taken: &Arc<AtomicU64>,
    ) -> anyhow::Result<()> {
        let (mut parsed, threads) = start_threads(inputs, limits, options, self.width, taken);
        let outcome = self.take_all(&mut parsed).await;
        // Ends the threads also when a write failed: the reader stops at its next piece.
        threads.stop.store(1, Ordering::Relaxed);
        parsed.close();
        outcome?;
        threads.ended().await
    }

    async fn take_all(&mut self, parsed: &mut mpsc::Receiver<Numbered>) -> anyhow::Result<()> {
        let mut next = 0;
        let mut early = BTreeMap::new();
        loop {
            let received = match parsed.try_recv() {
                Ok(numbered) => Some(numbered),
                // Nothing is waiting: what was joined so far is better written than held.
                Err(mpsc::error::TryRecvError::Empty) => {
                    self.flush().await?;
                    parsed.recv().await
                }
                Err(mpsc::error::TryRecvError::Disconnected) => None,
            };
            let Some(numbered) = received else { break };
            early.insert(numbered.seq, numbered);
            while let Some(numbered) = early.remove(&next) {
                next += 1;
                self.take(numbered).await?;
            }
        }
        self.flush().await?;
        while self.finish_one().await? {}
        Ok(())
    }

    async fn take(&mut self, numbered: Numbered) -> anyhow::Result<()> {
        let Numbered { origin, parsed, .. } = numbered;
        for reject in parsed.rejects {
            self.report.reject(reject)?;
        }
        parsed.skipped.into_iter().for_each(|skipped| self.report.skip(skipped));
        for unit in parsed.units {
            if unit.atomic {
                self.flush().await?;
                let keys = keys_of(&unit);
                self.start(origin, unit, keys).await?;
            } else {
                self.join(origin, unit).await?;
            }
        }
        self.progress.show(self.report.done(), self.report.total().failed, self.started.elapsed());
        Ok(())
    }

    // Single resources and lines share writes; the same resource twice does not, so that the later one wins.
    async fn join(&mut self, origin: Origin, unit: Unit) -> anyhow::Result<()> {
        for piece in split_repeats(unit, self.width.items_per_write) {
            let keys = keys_of(&piece);
            let fits = self.joined.as_ref().is_none_or(|(_, joined, seen)| {
                joined.items.len() + piece.items.len() <= self.width.items_per_write
                    && seen.is_disjoint(&keys)
            });
            if !fits {
                self.flush().await?;
            }
            match &mut self.joined {
                Some((_, joined, seen)) => {
                    joined.items.extend(piece.items);
                    joined.bytes += piece.bytes;
                    seen.extend(keys);
                }
                None => self.joined = Some((origin, piece, keys)),
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        match self.joined.take() {
            Some((origin, unit, keys)) => self.start(origin, unit, keys).await,
            None => Ok(()),
        }
    }

    async fn start(&mut self, origin: Origin, unit: Unit, keys: HashSet<String>) -> anyhow::Result<()> {
        while self.in_flight.overlaps(&keys)
            || self.writes.len() >= self.width.writes_in_flight_max
            || (self.in_flight_bytes > 0
                && self.in_flight_bytes + unit.bytes > self.width.bytes_in_flight_max)
        {
            self.finish_one().await?;
        }
        self.in_flight.add(&keys);
        self.in_flight_bytes += unit.bytes;
        let outline = Outline {
            origin,
            atomic: unit.atomic,
            bytes: unit.bytes,
            keys,
            items: unit.items.iter().map(|item| (item.place.clone(), item.change.kind())).collect(),
        };
        let sink = self.sink.clone();
        self.writes.spawn(async move { Finished { unit: outline, written: sink.write(unit).await } });
        Ok(())
    }

    // Waits for one write; false when none is in flight.
    async fn finish_one(&mut self) -> anyhow::Result<bool> {
        let Some(finished) = self.writes.join_next().await else { return Ok(false) };
        let Finished { unit, written } = finished?;
        self.in_flight.remove(&unit.keys);
        self.in_flight_bytes -= unit.bytes;
        match written? {
            Written::Each(each) => {
                for ((place, kind), result) in unit.items.into_iter().zip(each) {
                    match result {
                        Ok(outcome) => self.report.count(kind, outcome),
                        Err(reason) => self.report.reject(Reject { place, kind: Some(kind), reason })?,
                    }
                }
            }
            Written::Nothing { entry, reason, waits } => match &mut self.retry {
                Some(retry) if waits && unit.atomic && unit.origin.whole => retry.push(unit.origin.input),
                _ => self.reject_unit(unit, entry, reason)?,
            },
        }
        Ok(true)
    }

    fn reject_unit(&mut self, unit: Outline, entry: Option<usize>, reason: String) -> anyhow::Result<()> {
        let mut items = unit.items;
        let at_fault = entry.filter(|entry| *entry < items.len()).unwrap_or(0);
        if items.is_empty() {
            return Ok(());
        }
        let (place, kind) = items.swap_remove(at_fault);
        let others: Vec<fhir::Kind> = items.into_iter().map(|(_, kind)| kind).collect();
        self.report.reject_with(Reject { place, kind: Some(kind), reason }, &others)
    }
}

// Cuts a unit where it is too large or where a resource comes again.
fn split_repeats(unit: Unit, items_max: usize) -> Vec<Unit> {
    let bytes_each = unit.bytes / unit.items.len().max(1);
    let mut pieces = Vec::new();
    let mut seen = HashSet::new();
    let mut items = Vec::new();
    let piece_of = |items: Vec<_>| Unit { atomic: false, bytes: bytes_each * items.len(), items };
    for item in unit.items {
        let repeats = item.change.key().is_some_and(|key| !seen.insert(key));
        if repeats || items.len() >= items_max {
            pieces.push(piece_of(std::mem::take(&mut items)));
            seen.clear();
            seen.extend(item.change.key());
        }
        items.push(item);
    }
    if !items.is_empty() {
        pieces.push(piece_of(items));
    }
    pieces
}

/// Who reads and who parses.
struct Threads {
    stop: Arc<AtomicU64>,
    running: Vec<JoinHandle<()>>,
}

impl Threads {
    /// After they gave everything. What one that panicked had in hand is not in the report: nothing may look as if it were all there.
    async fn ended(self) -> anyhow::Result<()> {
        let join = || self.running.into_iter().all(|thread| thread.join().is_ok());
        let all_well = tokio::task::spawn_blocking(join).await?;
        anyhow::ensure!(
            all_well,
            "a reader of the input broke, which is a bug: what it had not given yet was not loaded"
        );
        Ok(())
    }
}

// The reader numbers the pieces; whoever is free parses the next one.
fn start_threads(
    inputs: &[Input],
    limits: SourceLimits,
    options: ParseOptions,
    width: Width,
    taken: &Arc<AtomicU64>,
) -> (mpsc::Receiver<Numbered>, Threads) {
    let (raw_in, raw_out) = sync_mpsc::sync_channel::<(u64, Origin, Raw)>(width.parsers);
    let (parsed_in, parsed_out) = mpsc::channel(width.parsers * 2);
    let stop = Arc::<AtomicU64>::default();
    let (inputs, taken, stopped) = (inputs.to_vec(), Arc::clone(taken), Arc::clone(&stop));
    let reader = std::thread::spawn(move || {
        let mut seq = 0;
        for (index, input) in inputs.iter().enumerate() {
            let origin = Origin { input: index, whole: input.shape == Shape::Document };
            let goes_on = read_input(input, &limits, &taken, &mut |raw| {
                let sent = raw_in.send((seq, origin, raw)).is_ok();
                seq += 1;
                sent && stopped.load(Ordering::Relaxed) == 0
            });
            if !goes_on {
                return;
            }
        }
    });
    let mut running = vec![reader];
    let raw_out = Arc::new(Mutex::new(raw_out));
    for _ in 0..width.parsers {
        let (raw_out, parsed_in) = (Arc::clone(&raw_out), parsed_in.clone());
        running.push(std::thread::spawn(move || {
            loop {
                let received = raw_out.lock().expect("no parser panics while it holds the queue").recv();
                let Ok((seq, origin, raw)) = received else { return };
                let parsed = parse_piece(raw, options);
                if parsed_in.blocking_send(Numbered { seq, origin, parsed }).is_err() {
                    return;
                }
            }
        }));
    }
    (parsed_out, Threads { stop, running })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_panics_is_an_error_and_not_the_end() {
        let threads = |breaks: bool| Threads {
            stop: Arc::default(),
            running: vec![
                std::thread::spawn(move || assert!(!breaks, "as the test wants")),
                std::thread::spawn(|| ()),
            ],
        };
        threads(false).ended().await.unwrap();
        let broken = threads(true).ended().await.unwrap_err().to_string();
        assert!(broken.contains("was not loaded"), "{broken}");
    }
}
