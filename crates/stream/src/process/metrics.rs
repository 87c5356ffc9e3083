//! What streams count, and its Prometheus text. Labels are groups and partitions, never people.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::histogram::Histogram;

/// Counters of one platform.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Events that were acknowledged as new.
    pub(crate) published: AtomicU64,
    /// Events that were there already.
    pub(crate) duplicates: AtomicU64,
    /// Events that were refused at a door.
    pub(crate) rejected: AtomicU64,
    /// Publishes that were told to come again.
    pub(crate) busy: AtomicU64,
    /// Events that were processed.
    pub(crate) processed: AtomicU64,
    /// Late events that were evaluated.
    pub(crate) late: AtomicU64,
    /// Events too late to be evaluated.
    pub(crate) too_late: AtomicU64,
    /// Dead letters written.
    pub(crate) dead: AtomicU64,
    /// Transitions of alerts.
    pub(crate) transitions: AtomicU64,
    /// Batches planned again because something else had changed a patient.
    pub(crate) planned_again: AtomicU64,
    /// Tasks that were started again.
    pub(crate) restarts: AtomicU64,
    /// Observations written.
    pub(crate) observations: AtomicU64,
    /// Entries behind the ends of the log, over all partitions.
    pub(crate) lag: AtomicI64,
    /// Messages that wait in the outbox.
    pub(crate) outbox_waiting: AtomicU64,
    /// Age of the oldest of them, in microseconds.
    pub(crate) outbox_oldest_micros: AtomicU64,
    /// From the call of publish until it is durable.
    pub(crate) append: Histogram,
    /// From the append of an event until its effects are durable.
    pub(crate) effect: Histogram,
    /// Transaction of a batch, its fsync included.
    pub(crate) commit: Histogram,
}

impl Metrics {
    pub(crate) fn count(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// The text form of `/metrics`.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let counters: [(&str, &AtomicU64); 12] = [
            ("events_published", &self.published),
            ("events_duplicate", &self.duplicates),
            ("events_rejected", &self.rejected),
            ("publishes_busy", &self.busy),
            ("events_processed", &self.processed),
            ("events_late", &self.late),
            ("events_too_late", &self.too_late),
            ("dead_letters", &self.dead),
            ("alert_transitions", &self.transitions),
            ("batches_planned_again", &self.planned_again),
            ("restarts", &self.restarts),
            ("observations_written", &self.observations),
        ];
        for (name, counter) in counters {
            let _ = writeln!(text, "# TYPE salus_stream_{name}_total counter");
            let _ = writeln!(text, "salus_stream_{name}_total {}", counter.load(Ordering::Relaxed));
        }
        let _ = writeln!(text, "# TYPE salus_stream_lag gauge");
        let _ = writeln!(text, "salus_stream_lag {}", self.lag.load(Ordering::Relaxed));
        let _ = writeln!(text, "# TYPE salus_stream_outbox_waiting gauge");
        let _ = writeln!(text, "salus_stream_outbox_waiting {}", self.outbox_waiting.load(Ordering::Relaxed));
        let oldest = self.outbox_oldest_micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "# TYPE salus_stream_outbox_oldest_seconds gauge");
        let _ = writeln!(text, "salus_stream_outbox_oldest_seconds {oldest}");
        for (name, histogram) in
            [("append", &self.append), ("effect", &self.effect), ("commit", &self.commit)]
        {
            write_summary(&mut text, name, histogram);
        }
        text
    }
}

/// What became of messages.
pub(crate) fn render_messages(counts: &notify::Counts) -> String {
    let mut text = String::new();
    for (name, counter) in [("sent", &counts.sent), ("retried", &counts.retried), ("failed", &counts.failed)]
    {
        let _ = writeln!(text, "# TYPE salus_stream_outbox_{name}_total counter");
        let _ = writeln!(text, "salus_stream_outbox_{name}_total {}", counter.load(Ordering::Relaxed));
    }
    text
}

fn write_summary(text: &mut String, name: &str, histogram: &Histogram) {
    let name = format!("salus_stream_{name}_seconds");
    let secs = |micros: u64| micros as f64 / 1e6;
    let _ = writeln!(text, "# TYPE {name} summary");
    for share in [0.5, 0.99] {
        if let Some(micros) = histogram.quantile(share) {
            let _ = writeln!(text, "{name}{{quantile=\"{share}\"}} {}", secs(micros));
        }
    }
    let _ = writeln!(text, "{name}_sum {}", secs(histogram.sum_micros()));
    let _ = writeln!(text, "{name}_count {}", histogram.count());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_rendered() {
        let metrics = Metrics::default();
        Metrics::count(&metrics.published, 3);
        metrics.effect.add(1_000, 2);
        let text = metrics.render();
        for line in [
            "salus_stream_events_published_total 3",
            "salus_stream_effect_seconds_count 2",
            "salus_stream_lag 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
