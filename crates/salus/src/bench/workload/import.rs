//! Import: post transaction bundles, each once (or several times when asked), as fast as they are taken.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::bail;
use bytes::Bytes;
use egress::Method;
use fhir::Value;
use fhir::json::{self, Limits};

use super::Recorder;
use crate::source::read::read_input;
use crate::source::walk::walk;
use crate::source::{Piece, SourceLimits};

/// A bundle and how many entries it has.
struct Bundle {
    bytes: Bytes,
    entries: u64,
}

/// Bundles in memory, and the next one to post.
pub(crate) struct ImportLoad {
    bundles: Vec<Bundle>,
    repeat: usize,
    next: AtomicUsize,
}

impl ImportLoad {
    /// Bundles of files and folders.
    pub(crate) fn from_files(paths: &[PathBuf], repeat: usize) -> anyhow::Result<ImportLoad> {
        let limits = SourceLimits::default();
        let mut bundles = Vec::new();
        for input in &walk(paths, &limits)?.inputs {
            read_input(input, &limits, &Arc::default(), &mut |raw| {
                if let Piece::Document(bytes) = raw.piece {
                    bundles.push(Bytes::from(bytes));
                }
                true
            });
        }
        ImportLoad::of(bundles, repeat)
    }

    /// Bundles of a synthetic population.
    pub(crate) fn synthetic(patients: u32, seed: u64, repeat: usize) -> anyhow::Result<ImportLoad> {
        let population = synth::Population::new(synth::Config { patients, seed, ..synth::Config::default() });
        let mut bundles = vec![Bytes::from(synth::bundle_of(population.shared()).to_bytes())];
        bundles.extend(
            (0..patients).map(|index| Bytes::from(synth::bundle_of(population.patient(index)).to_bytes())),
        );
        ImportLoad::of(bundles, repeat)
    }

    fn of(bundles: Vec<Bytes>, repeat: usize) -> anyhow::Result<ImportLoad> {
        let mut counted = Vec::with_capacity(bundles.len());
        for bytes in bundles {
            let bundle = json::parse(&bytes, &Limits::default())?;
            if matches!(bundle.text("type"), Some("transaction" | "batch")) {
                let entries = bundle.get("entry").map_or(0, |entry| Value::items(entry).len());
                counted.push(Bundle { bytes, entries: entries as u64 });
            }
        }
        if counted.is_empty() {
            bail!("there is no transaction or batch bundle to post");
        }
        Ok(ImportLoad { bundles: counted, repeat, next: AtomicUsize::new(0) })
    }

    pub(super) async fn step(&self, recorder: &mut Recorder) -> bool {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        if turn >= self.bundles.len() * self.repeat {
            return false;
        }
        let bundle = &self.bundles[turn % self.bundles.len()];
        let answer = recorder.call("bundle", Method::POST, "", Some(bundle.bytes.clone()), &[200]).await;
        if answer.is_some() && recorder.is_measuring() {
            recorder.resources += bundle.entries;
        }
        true
    }
}
