//! What the runs of this process did, for Prometheus. Labels are names of pipelines and words of this program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use etl::run::RunRecord;

/// Counters by pipeline and word.
#[derive(Default)]
pub(super) struct Counters(Mutex<BTreeMap<(&'static str, String, &'static str), u64>>);

const RUNS: &str = "salus_pipeline_runs_total";
const ROWS: &str = "salus_pipeline_rows_total";

impl Counters {
    /// A run has ended.
    pub(super) fn ended(&self, record: &RunRecord) {
        let counts = &record.counts;
        let pipeline = &record.pipeline;
        self.add(RUNS, pipeline, record.status.name(), 1);
        let rows = [
            ("read", counts.read),
            ("loaded", counts.loaded),
            ("quarantined", counts.quarantined),
            ("filtered", counts.filtered),
            ("deduplicated", counts.deduplicated),
        ];
        for (outcome, n) in rows {
            self.add(ROWS, pipeline, outcome, n);
        }
    }

    /// A run broke off before its sources were read, or could not begin.
    pub(super) fn broken(&self, pipeline: &str) {
        self.add(RUNS, pipeline, "failed", 1);
    }

    fn add(&self, name: &'static str, pipeline: &str, word: &'static str, n: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry((name, pipeline.to_owned(), word)).or_default() += n;
    }

    /// The lines of `/metrics`.
    pub(super) fn render(&self, at_work: usize) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = format!("# TYPE salus_pipelines_running gauge\nsalus_pipelines_running {at_work}\n");
        for (name, label) in [(RUNS, "status"), (ROWS, "outcome")] {
            let _ = writeln!(text, "# TYPE {name} counter");
            for ((_, pipeline, word), n) in all.iter().filter(|((of, ..), _)| *of == name) {
                let _ = writeln!(text, "{name}{{pipeline=\"{pipeline}\",{label}=\"{word}\"}} {n}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_by_pipeline_and_word() {
        let counters = Counters::default();
        counters.broken("labs");
        counters.broken("labs");
        let text = counters.render(1);
        assert!(
            text.contains("salus_pipeline_runs_total{pipeline=\"labs\",status=\"failed\"} 2\n"),
            "{text}"
        );
        assert!(
            text.starts_with("# TYPE salus_pipelines_running gauge\nsalus_pipelines_running 1\n"),
            "{text}"
        );
    }
}
