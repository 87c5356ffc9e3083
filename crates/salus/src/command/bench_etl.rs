//! `salus bench etl`: the benchmark pipeline beside other tools.

use anyhow::Context as _;

use crate::bench::etl::{Job, Measured, run as measure};
use crate::cli::BenchEtlArgs;
use crate::exit::Exit;
use crate::output::{grouped, say, say_json, table};

pub(crate) fn run(args: &BenchEtlArgs) -> anyhow::Result<Exit> {
    let folder = tempfile::Builder::new()
        .prefix("salus-bench-etl-")
        .tempdir_in(args.dir.clone().unwrap_or_else(std::env::temp_dir));
    let folder = folder.context("cannot make a folder for the files")?;
    let job = Job {
        patients: args.patients,
        labs: args.labs.unwrap_or(args.patients * 2),
        runs: args.runs.max(1),
        python: args.python.clone(),
        only: args.only.clone(),
    };
    let outcome = measure(folder.path(), &job)?;
    if args.json {
        say_json(&outcome)?;
    } else {
        say(format!(
            "{} patients, {} results, {} MB of CSV; best of {} by CPU",
            grouped(outcome.patients),
            grouped(outcome.labs),
            grouped(outcome.input_bytes / 1_000_000),
            job.runs
        ))?;
        let own = outcome.measured.iter().find(|measured| measured.name == "salus").map(|own| own.cpu_secs);
        let mut rows = vec![["", "CPU s", "wall s", "peak MiB", "CPU / salus"].map(str::to_owned).to_vec()];
        for Measured { name, wall_secs, cpu_secs, peak_mib } in &outcome.measured {
            let ratio = own.map_or_else(String::new, |own| format!("{:.2}", cpu_secs / own));
            rows.push(vec![
                name.clone(),
                format!("{cpu_secs:.2}"),
                format!("{wall_secs:.2}"),
                format!("{peak_mib:.0}"),
                ratio,
            ]);
        }
        say(table(&rows).trim_end())?;
        for (name, why) in &outcome.failed {
            say(format!("{name} failed: {why}"))?;
        }
    }
    Ok(if outcome.failed.is_empty() { Exit::Done } else { Exit::NotInOrder })
}
