//! Writes a population in one of three formats: patients in parallel, files in order, memory bounded.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use fhir::{Kind, Value};

use crate::bundle::bundle_of;
use crate::csv;
use crate::group::{Membership, groups_of};
use crate::population::{Config, Population};
use crate::summary::Summary;

/// Format of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Transaction bundles: `shared.json`, then one per patient (`patient-000001.json`, …), then one per Group (`group-0001.json`, …).
    Bundles,
    /// A file per type, one resource a line: `Patient.ndjson`, ….
    Ndjson,
    /// Tables with a header line: `patients.csv`, `encounters.csv`, …. An observation with components has a row per component, a
    /// Group a row per member.
    Csv,
}

/// Patients that one message carries. Memory is bounded by this, the threads and two messages for each of them.
const CHUNK_PATIENTS: u32 = 8;
const THREADS_MAX: usize = 16;

/// Text by file name.
pub(crate) type Pieces = BTreeMap<String, Vec<u8>>;

/// What a thread made of a chunk of patients.
#[derive(Default)]
struct Chunk {
    pieces: Pieces,
    counts: BTreeMap<&'static str, u64>,
    memberships: Vec<Membership>,
}

/// Writes the population of a configuration. `sink` gets a file name and bytes; bytes of a name that came before belong behind the
/// earlier ones. The same configuration gives the same calls, whatever the number of processors. Memory holds a few patients for each
/// of them, and some fifty bytes per membership in a programme.
pub fn write(
    config: Config,
    format: Format,
    sink: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> io::Result<Summary> {
    let population = Population::new(config);
    let mut out = Out { sink, summary: Summary::new(population.config().patients), seen: BTreeMap::new() };
    let mut memberships = Vec::new();
    out.put(head(format, population.shared()))?;
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    thread::scope(|scope| {
        let mut workers: Vec<Receiver<Chunk>> = Vec::new();
        for worker in 0..n_threads {
            let (sender, receiver) = sync_channel(2);
            workers.push(receiver);
            let population = &population;
            scope.spawn(move || work(population, format, (worker, n_threads), &sender));
        }
        // Chunk n comes from worker n modulo the threads, so the order needs no sorting.
        for worker in workers.iter().cycle() {
            let Ok(mut chunk) = worker.recv() else { break };
            memberships.append(&mut chunk.memberships);
            out.put(chunk)?;
        }
        io::Result::Ok(())
    })?;
    for (number, group) in (1..).zip(groups_of(&memberships, population.config().seed)) {
        let mut chunk = Chunk::default();
        chunk.add(format, || format!("group-{number:04}.json"), vec![group]);
        out.put(chunk)?;
    }
    out.summary.files = out.seen.len() as u64;
    Ok(out.summary)
}

/// Where chunks go.
struct Out<'a> {
    sink: &'a mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
    summary: Summary,
    seen: BTreeMap<String, ()>,
}

impl Out<'_> {
    fn put(&mut self, chunk: Chunk) -> io::Result<()> {
        self.summary.add(&chunk.counts);
        for (name, bytes) in chunk.pieces {
            (self.sink)(&name, &bytes)?;
            self.summary.bytes += bytes.len() as u64;
            self.seen.insert(name, ());
        }
        Ok(())
    }
}

fn work(
    population: &Population,
    format: Format,
    (worker, n_threads): (usize, usize),
    sender: &SyncSender<Chunk>,
) {
    let n_patients = population.config().patients;
    let firsts = (0..n_patients).step_by(CHUNK_PATIENTS as usize).skip(worker).step_by(n_threads);
    for first in firsts {
        let mut chunk = Chunk::default();
        for index in first..first.saturating_add(CHUNK_PATIENTS).min(n_patients) {
            chunk.memberships.extend(population.memberships(index));
            let name = || format!("patient-{:06}.json", u64::from(index) + 1);
            chunk.add(format, name, population.patient(index));
        }
        if sender.send(chunk).is_err() {
            // The writer gave up: its sink failed.
            return;
        }
    }
}

impl Chunk {
    fn add(&mut self, format: Format, name: impl FnOnce() -> String, resources: Vec<Value>) {
        for resource in &resources {
            let kind = resource.text("resourceType").and_then(Kind::parse).expect("a resource has a type");
            *self.counts.entry(kind.name()).or_default() += 1;
        }
        match format {
            Format::Bundles => {
                self.pieces.insert(name(), bundle_of(resources).to_bytes());
            }
            Format::Ndjson => {
                for resource in &resources {
                    let kind = resource.text("resourceType").expect("a resource has a type");
                    let lines = piece(&mut self.pieces, kind, ".ndjson");
                    resource.write(lines);
                    lines.push(b'\n');
                }
            }
            Format::Csv => csv::add(&mut self.pieces, &resources),
        }
    }
}

/// The bytes of a file; its name is made only when it is new.
pub(crate) fn piece<'a>(pieces: &'a mut Pieces, stem: &str, ending: &str) -> &'a mut Vec<u8> {
    pieces.entry(format!("{stem}{ending}")).or_default()
}

fn head(format: Format, shared: Vec<Value>) -> Chunk {
    let mut chunk = Chunk::default();
    if format == Format::Csv {
        csv::add_headers(&mut chunk.pieces);
    }
    chunk.add(format, || "shared.json".to_string(), shared);
    chunk
}
