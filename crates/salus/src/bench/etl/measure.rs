//! Runs a program and says what it cost: wall time, CPU seconds with all of its threads, the most memory it held.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::bench::process::usage_of;

const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Clock ticks per second of `/proc`: 100 on every Linux that people run.
const TICKS: f64 = 100.0;

/// What a program cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) wall_secs: f64,
    pub(crate) cpu_secs: f64,
    pub(crate) peak_mib: f64,
}

/// Runs a program to its end. An exit code that is not in `good` is a failure: the name and the last line of its errors.
pub(crate) fn run(name: &str, mut command: Command, good: &[i32]) -> Result<Measured, (String, String)> {
    let failed = |why: String| (name.to_owned(), why);
    let before = children_cpu().ok_or_else(|| failed("`/proc` cannot be read".to_owned()))?;
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let errors = child.stderr.take();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut errors) = errors {
            // What is not text is of no use as an explanation.
            let _ = errors.read_to_string(&mut text);
        }
        text
    });
    let mut peak_mib: f64 = 0.0;
    let status = loop {
        // One that has ended cannot be looked at any more: what was seen before counts.
        peak_mib = peak_mib.max(usage_of(child.id()).map_or(0.0, |usage| usage.peak_mib));
        match child.try_wait().map_err(|error| failed(error.to_string()))? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK_EVERY),
        }
    };
    let wall_secs = start.elapsed().as_secs_f64();
    let errors = reader.join().unwrap_or_default();
    if !status.code().is_some_and(|code| good.contains(&code)) {
        let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim();
        return Err(failed(format!("{status}: {last}")));
    }
    let cpu_secs = children_cpu().map_or(0.0, |after| after - before);
    Ok(Measured { name: name.to_owned(), wall_secs, cpu_secs, peak_mib })
}

/// CPU seconds of all children that have ended.
fn children_cpu() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold blanks; the numbers follow it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(13)?.parse::<f64>().ok()? + fields.get(14)?.parse::<f64>().ok()?;
    Some(ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_measured_and_its_failure_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        let measured = run("loop", command, &[0]).unwrap();
        assert!(
            measured.cpu_secs > 0.0 && measured.wall_secs > 0.0 && measured.peak_mib > 0.1,
            "{measured:?}"
        );
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let (name, why) = run("broken", command, &[0]).unwrap_err();
        assert_eq!(name, "broken");
        assert!(why.contains("no such thing"), "{why}");
    }
}
