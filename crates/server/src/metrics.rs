//! Counters of the server, in the Prometheus text form. No label holds anything from a request's content.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::fhir::interactions::INTERACTIONS;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS_MICROS: [u64; 10] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is counted.
#[derive(Default)]
pub(crate) struct Metrics {
    /// One per row of the table, then one for requests that found no row.
    rows: Vec<Row>,
    other: Row,
    /// Requests without a valid token.
    unauthenticated: AtomicU64,
    connections: AtomicU64,
}

#[derive(Default)]
struct Row {
    classes: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS_MICROS.len()],
    micros: AtomicU64,
}

impl Metrics {
    /// Counters for every row of the table of interactions.
    pub(crate) fn new() -> Metrics {
        Metrics { rows: INTERACTIONS.iter().map(|_| Row::default()).collect(), ..Metrics::default() }
    }

    /// Counts one answered request; `row` is its place in the table.
    pub(crate) fn answered(&self, row: Option<usize>, status: u16, took: Duration) {
        let row = row.and_then(|row| self.rows.get(row)).unwrap_or(&self.other);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        row.classes[class].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        row.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(bucket) = BUCKETS_MICROS.iter().position(|bound| micros <= *bound) {
            row.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        if status == 401 {
            self.unauthenticated.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The text of `/metrics`. Rows of the same code are added up.
    pub(crate) fn render(&self) -> String {
        let mut codes: Vec<&str> = Vec::new();
        for interaction in INTERACTIONS {
            if !codes.contains(&interaction.code) {
                codes.push(interaction.code);
            }
        }
        let rows_of = |code: &str| -> Vec<&Row> {
            let named = INTERACTIONS.iter().zip(&self.rows).filter(|(i, _)| i.code == code);
            named.map(|(_, row)| row).collect()
        };
        let mut groups: Vec<(&str, Vec<&Row>)> = codes.iter().map(|code| (*code, rows_of(code))).collect();
        groups.push(("other", vec![&self.other]));
        let mut text = String::new();
        write_requests(&mut text, &groups);
        write_durations(&mut text, &groups);
        let load = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let _ = writeln!(text, "# TYPE salus_unauthenticated_total counter");
        let _ = writeln!(text, "salus_unauthenticated_total {}", load(&self.unauthenticated));
        let _ = writeln!(text, "# TYPE salus_connections gauge");
        let _ = writeln!(text, "salus_connections {}", load(&self.connections));
        text
    }
}

fn write_requests(text: &mut String, groups: &[(&str, Vec<&Row>)]) {
    let _ = writeln!(text, "# TYPE salus_requests_total counter");
    for (code, rows) in groups {
        for (class, name) in CLASSES.iter().enumerate() {
            let count: u64 = rows.iter().map(|row| row.classes[class].load(Ordering::Relaxed)).sum();
            if count > 0 {
                let _ = writeln!(
                    text,
                    "salus_requests_total{{interaction=\"{code}\",status=\"{name}\"}} {count}"
                );
            }
        }
    }
}

fn write_durations(text: &mut String, groups: &[(&str, Vec<&Row>)]) {
    let name = "salus_request_duration_seconds";
    let _ = writeln!(text, "# TYPE {name} histogram");
    for (code, rows) in groups {
        let all: u64 = rows.iter().flat_map(|row| &row.classes).map(|n| n.load(Ordering::Relaxed)).sum();
        if all == 0 {
            continue;
        }
        let mut below = 0;
        for (bucket, bound) in BUCKETS_MICROS.iter().enumerate() {
            below += rows.iter().map(|row| row.buckets[bucket].load(Ordering::Relaxed)).sum::<u64>();
            let le = Duration::from_micros(*bound).as_secs_f64();
            let _ = writeln!(text, "{name}_bucket{{interaction=\"{code}\",le=\"{le}\"}} {below}");
        }
        let micros: u64 = rows.iter().map(|row| row.micros.load(Ordering::Relaxed)).sum();
        let _ = writeln!(text, "{name}_bucket{{interaction=\"{code}\",le=\"+Inf\"}} {all}");
        let _ = writeln!(
            text,
            "{name}_sum{{interaction=\"{code}\"}} {}",
            Duration::from_micros(micros).as_secs_f64()
        );
        let _ = writeln!(text, "{name}_count{{interaction=\"{code}\"}} {all}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_interaction_and_status() {
        let metrics = Metrics::new();
        let read = INTERACTIONS.iter().position(|row| row.code == "read");
        metrics.answered(read, 200, Duration::from_micros(300));
        metrics.answered(read, 404, Duration::from_secs(60));
        metrics.answered(None, 401, Duration::from_micros(1));
        let text = metrics.render();
        for line in [
            "salus_requests_total{interaction=\"read\",status=\"2xx\"} 1",
            "salus_requests_total{interaction=\"read\",status=\"4xx\"} 1",
            "salus_requests_total{interaction=\"other\",status=\"4xx\"} 1",
            "salus_request_duration_seconds_bucket{interaction=\"read\",le=\"0.0005\"} 1",
            "salus_request_duration_seconds_bucket{interaction=\"read\",le=\"10\"} 1",
            "salus_request_duration_seconds_count{interaction=\"read\"} 2",
            "salus_unauthenticated_total 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
