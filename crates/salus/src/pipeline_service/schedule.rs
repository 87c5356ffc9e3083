//! Runs pipelines when their time has come. A time is taken once; one that passed while the server was down is run once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant as Timer};

use etl::file::{Pipeline, Schedule};
use etl::runs::Runs;
use fhir::Instant;
use server::PipelineError;

use super::files::File;
use super::{PipelineService, broken};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(2);
/// Times are first looked for in this much of the past, so that a schedule of minutes is not walked through for years.
const NEAR_PAST_MICROS: i64 = 2 * 24 * 3_600 * 1_000_000;
const BY: &str = "service:schedule";
/// So long after the start, runs that were interrupted are looked for: a dead process may seem to live until its heartbeat is missed.
const RESUME_WITHIN: Duration = Duration::from_secs(60);

impl PipelineService {
    /// Looks at the clock and at the files until the future is dropped.
    pub(crate) async fn keep_schedule(&self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (started, mut seen) = (Timer::now(), BTreeSet::new());
        loop {
            ticks.tick().await;
            if started.elapsed() < RESUME_WITHIN
                && let Err(error) = self.resume_interrupted(&mut seen)
            {
                tracing::error!(%error, "interrupted runs could not be looked for");
            }
            let now = self.inner.gate.now();
            for File { path, read } in self.inner.files.all() {
                let Ok(pipeline) = read else { continue };
                let Some(schedule) = &pipeline.run.schedule else { continue };
                if let Err(error) = self.run_when_due(&pipeline, schedule, &path, now) {
                    let name = &pipeline.name.text;
                    tracing::error!(pipeline = name, %error, "a scheduled run did not begin");
                    self.inner.counters.broken(name);
                    self.trouble()
                        .insert(name.clone(), format!("its time came, and it did not begin: {error}"));
                }
            }
        }
    }

    fn run_when_due(
        &self,
        pipeline: &std::sync::Arc<Pipeline>,
        schedule: &Schedule,
        path: &std::path::Path,
        now: Instant,
    ) -> Result<(), PipelineError> {
        let (runs, name) = (&self.record()?.runs, &pipeline.name.text);
        let Some(last) = runs.last_taken(name).map_err(broken)? else {
            // A schedule begins when it is first seen.
            return runs.take_time(name, now).map(drop).map_err(broken);
        };
        let Some(due) = due(schedule, last, now) else { return Ok(()) };
        if is_at_work(runs, name)? {
            // Not beside a run that is at work: the time stays due until that has ended.
            return Ok(());
        }
        if runs.take_time(name, due).map_err(broken)? {
            let run = self.begin(std::sync::Arc::clone(pipeline), path.to_owned(), BY, false)?;
            tracing::info!(pipeline = name, run, due = %due, "a scheduled run has begun");
        }
        Ok(())
    }
}

fn is_at_work(runs: &Runs, name: &str) -> Result<bool, PipelineError> {
    Ok(runs.holder(name).map_err(broken)?.is_some())
}

/// The newest time of the schedule behind the last that was taken, up to now. Older ones are passed over.
fn due(schedule: &Schedule, last: Instant, now: Instant) -> Option<Instant> {
    let near = Instant(last.0.max(now.0 - NEAR_PAST_MICROS));
    let newest_behind = |from: Instant| {
        let mut newest = None;
        while let Some(next) = schedule.next_after(newest.unwrap_or(from)).filter(|next| *next <= now) {
            newest = Some(next);
        }
        newest
    };
    newest_behind(near).or_else(|| newest_behind(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_times_are_run_once() {
        let check = |cron: &str, last: &str, now: &str, expected: Option<&str>| {
            let at = |text: &str| Instant::parse(text).unwrap();
            let schedule = Schedule::parse(cron, None).unwrap();
            assert_eq!(due(&schedule, at(last), at(now)), expected.map(at), "{cron} {last} {now}");
        };
        check("0 3 * * *", "2026-11-25T03:00:00Z", "2026-11-25T23:00:00Z", None);
        check("0 3 * * *", "2026-11-25T03:00:00Z", "2026-11-26T03:00:00Z", Some("2026-11-26T03:00:00Z"));
        check("0 3 * * *", "2026-11-01T03:00:00Z", "2026-11-26T12:00:00Z", Some("2026-11-26T03:00:00Z"));
        check("* * * * *", "2025-01-01T00:00:00Z", "2026-11-26T12:00:30Z", Some("2026-11-26T12:00:00Z"));
        check("0 0 1 1 *", "2024-06-01T00:00:00Z", "2026-11-26T12:00:00Z", Some("2026-01-01T00:00:00Z"));
    }
}
