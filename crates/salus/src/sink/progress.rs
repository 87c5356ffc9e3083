//! Says how far an import is: a bar on a terminal, a log line now and then otherwise.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress by the bytes read from disk, of a known total.
pub(crate) struct Progress {
    taken: Arc<AtomicU64>,
    total_bytes: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// `taken` is counted up by the reader.
    pub(crate) fn new(taken: Arc<AtomicU64>, total_bytes: u64, quiet: bool) -> Progress {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(total_bytes);
            let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {msg}  ETA {eta}")
                .expect("the template is a constant that was tried");
            bar.set_style(style);
            bar
        });
        Progress { taken, total_bytes, bar, last_line: Instant::now() }
    }

    /// Shows the state: so many resources, so many rejected, since the start.
    pub(crate) fn show(&mut self, done: u64, rejected: u64, elapsed: Duration) {
        let taken = self.taken.load(Ordering::Relaxed);
        let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
        if let Some(bar) = &self.bar {
            bar.set_position(taken);
            bar.set_message(format!("{done} resources  {rate:.0}/s  {rejected} rejected"));
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let percent = taken.saturating_mul(100).checked_div(self.total_bytes).unwrap_or(100);
            tracing::info!(percent, resources = done, per_sec = rate as u64, rejected, "importing");
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
