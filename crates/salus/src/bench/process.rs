//! CPU time and memory of a process on this machine, from `/proc`.

use std::fs;

use anyhow::Context;

/// Clock ticks a second: fixed at 100 on Linux for what `/proc` shows.
const TICKS_PER_SEC: f64 = 100.0;

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_secs: f64,
    pub(crate) peak_mib: f64,
}

/// Reads the usage of a process.
pub(crate) fn usage_of(pid: u32) -> anyhow::Result<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("cannot look at process {pid}"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("cannot look at process {pid}"))?;
    Ok(Usage {
        cpu_secs: cpu_secs_of(&stat).context("`/proc` has an unknown form")?,
        peak_mib: mib_of(&status, "VmHWM:").unwrap_or(0.0),
    })
}

// The name of the program, in parentheses, may hold spaces; the fields are counted behind it.
fn cpu_secs_of(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SEC)
}

fn mib_of(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu_secs_of(stat), Some(2.0));
        assert_eq!(mib_of("Name:\tx\nVmHWM:\t  2048 kB\n", "VmHWM:"), Some(2.0));
        let own = usage_of(std::process::id()).unwrap();
        assert!(own.peak_mib > 0.5);
    }
}
