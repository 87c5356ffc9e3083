//! The numbers of a run: per operation rate, quantiles and failures; in total, and what the server spent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::process::Usage;
use super::recorder::Series;
use crate::output::{grouped, table};

/// One operation.
#[derive(Debug, Serialize)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) per_sec: f64,
    pub(crate) p50_millis: f64,
    pub(crate) p95_millis: f64,
    pub(crate) p99_millis: f64,
    pub(crate) max_millis: f64,
    /// Answers that were not what was asked for, by status; 0 stands for no answer.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) wrong: BTreeMap<u16, u64>,
}

/// A run.
#[derive(Debug, Serialize)]
pub(crate) struct RunResult {
    pub(crate) workload: &'static str,
    pub(crate) clients: usize,
    pub(crate) secs: f64,
    pub(crate) operations: Vec<Operation>,
    pub(crate) requests_per_sec: f64,
    /// For workloads that write bundles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources_per_sec: Option<f64>,
    /// With `--pid`: CPU seconds that the server spent while it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_cpu_secs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_cpu_micros_per_request: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_peak_mib: Option<f64>,
}

impl RunResult {
    pub(crate) fn of(
        workload: &'static str,
        clients: usize,
        secs: f64,
        series: BTreeMap<&'static str, Series>,
        resources: u64,
    ) -> RunResult {
        let operations: Vec<Operation> =
            series.into_iter().map(|(name, series)| operation_of(name, series, secs)).collect();
        let ok: u64 = operations.iter().map(|operation| operation.ok).sum();
        RunResult {
            workload,
            clients,
            secs,
            operations,
            requests_per_sec: ok as f64 / secs,
            resources_per_sec: (resources > 0).then(|| resources as f64 / secs),
            server_cpu_secs: None,
            server_cpu_micros_per_request: None,
            server_peak_mib: None,
        }
    }

    pub(crate) fn ok(&self) -> u64 {
        self.operations.iter().map(|operation| operation.ok).sum()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.operations.iter().map(|operation| operation.failed).sum()
    }

    /// Adds what the server spent between two looks at it.
    pub(crate) fn add_usage(&mut self, before: Usage, after: Usage) {
        let spent = after.cpu_secs - before.cpu_secs;
        self.server_cpu_secs = Some(spent);
        self.server_cpu_micros_per_request = Some(spent * 1e6 / (self.ok() as f64).max(1.0));
        self.server_peak_mib = Some(after.peak_mib);
    }

    /// The result for people.
    pub(crate) fn text(&self) -> String {
        let head = ["", "ok", "failed", "per s", "p50 ms", "p95 ms", "p99 ms", "max ms"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for o in &self.operations {
            let millis =
                [o.p50_millis, o.p95_millis, o.p99_millis, o.max_millis].map(|millis| format!("{millis:.2}"));
            let counts = [o.name.to_owned(), grouped(o.ok), grouped(o.failed), format!("{:.0}", o.per_sec)];
            rows.push(counts.into_iter().chain(millis).collect());
        }
        let mut text = table(&rows);
        for o in self.operations.iter().filter(|o| !o.wrong.is_empty()) {
            let wrong: Vec<String> = o.wrong.iter().map(|(status, n)| format!("{n} × {status}")).collect();
            text.push_str(&format!(
                "{}: wrong answers by status (0: none came): {}\n",
                o.name,
                wrong.join(", ")
            ));
        }
        text.push_str(&format!(
            "{}: {} clients, {:.1} s, {} requests/s",
            self.workload,
            self.clients,
            self.secs,
            grouped(self.requests_per_sec as u64)
        ));
        if let Some(rate) = self.resources_per_sec {
            text.push_str(&format!(", {} resources/s", grouped(rate as u64)));
        }
        if let (Some(cpu), Some(each), Some(peak)) =
            (self.server_cpu_secs, self.server_cpu_micros_per_request, self.server_peak_mib)
        {
            text.push_str(&format!("; server: {cpu:.1} CPU s, {each:.0} µs a request, peak {peak:.0} MiB"));
        }
        text
    }
}

fn operation_of(name: &'static str, mut series: Series, secs: f64) -> Operation {
    series.micros.sort_unstable();
    let millis = |quantile: f64| quantile_of(&series.micros, quantile) / 1e3;
    let mut wrong = series.wrong.clone();
    if series.broken > 0 {
        wrong.insert(0, series.broken);
    }
    let ok = series.micros.len() as u64;
    Operation {
        name,
        ok,
        failed: wrong.values().sum(),
        per_sec: ok as f64 / secs,
        p50_millis: millis(0.50),
        p95_millis: millis(0.95),
        p99_millis: millis(0.99),
        max_millis: millis(1.0),
        wrong,
    }
}

// Nearest rank: the smallest value that so many are not above.
fn quantile_of(sorted: &[u32], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(0.0, |micros| f64::from(*micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let sorted: Vec<u32> = (1..=100).collect();
        assert_eq!([0.5, 0.95, 0.99, 1.0].map(|q| quantile_of(&sorted, q)), [50.0, 95.0, 99.0, 100.0]);
        assert_eq!(quantile_of(&[7], 0.5), 7.0);
        assert_eq!(quantile_of(&[], 0.5), 0.0);
    }

    #[test]
    fn only_right_answers_count_for_the_rate() {
        let mut series = Series { micros: vec![1_000, 3_000], ..Series::default() };
        series.wrong.insert(500, 2);
        series.broken = 1;
        let result = RunResult::of("read", 1, 2.0, BTreeMap::from([("read", series)]), 0);
        assert_eq!((result.ok(), result.failed(), result.requests_per_sec), (2, 3, 1.0));
        assert!(result.text().contains("1 × 0, 2 × 500"), "{}", result.text());
    }
}
