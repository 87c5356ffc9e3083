//! `salus bench etl`: the pipeline of `benches/etl` on generated files, beside a floor and the tools that people use now, on the same
//! files in the same run.

mod data;
mod measure;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

pub(crate) use measure::Measured;

/// The job, as a pipeline file.
const PIPELINE: &str = include_str!("../../../../../benches/etl/pipeline.yaml");

/// The tools beside which salus is measured, each a Python program that does the same job.
const PEERS: [(&str, &str); 3] = [
    ("polars", include_str!("../../../../../benches/peers/etl/polars_job.py")),
    ("duckdb", include_str!("../../../../../benches/peers/etl/duckdb_job.py")),
    ("pandas", include_str!("../../../../../benches/peers/etl/pandas_job.py")),
];

/// How large the job is, and what is measured.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) patients: u64,
    pub(crate) labs: u64,
    pub(crate) runs: u32,
    /// A Python that has the peers; without it they are not measured.
    pub(crate) python: Option<PathBuf>,
    pub(crate) only: Option<String>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) patients: u64,
    pub(crate) labs: u64,
    pub(crate) input_bytes: u64,
    pub(crate) measured: Vec<Measured>,
    /// Peers that failed, with the last line they wrote.
    pub(crate) failed: Vec<(String, String)>,
}

/// Generates the files below a folder and measures everybody on them.
pub(crate) fn run(folder: &Path, job: &Job) -> anyhow::Result<Outcome> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    let file = |name: &str| File::create(data.join(name)).with_context(|| format!("cannot write `{name}`"));
    data::write_patients(file("patients.csv")?, job.patients)?;
    data::write_labs(file("labs.csv")?, job.labs, job.patients)?;
    data::write_svi(file("svi.csv")?)?;
    let input_bytes = ["patients.csv", "labs.csv", "svi.csv"]
        .iter()
        .map(|name| std::fs::metadata(data.join(name)).map_or(0, |file| file.len()))
        .sum();
    let mut outcome = Outcome {
        patients: job.patients,
        labs: job.labs,
        input_bytes,
        measured: Vec::new(),
        failed: Vec::new(),
    };
    let wanted = |name: &str| job.only.as_deref().is_none_or(|only| only == name);
    for round in 0..job.runs {
        if wanted("salus") {
            // The pipeline writes below its own folder.
            let out = data.join("out");
            if out.exists() {
                std::fs::remove_dir_all(&out)?;
            }
            let (pipeline, state) = (data.join("pipeline.yaml"), folder.join(format!("salus-{round}")));
            std::fs::write(&pipeline, PIPELINE)?;
            let mut command = std::process::Command::new(std::env::current_exe()?);
            command.args(["etl", "run", "--json"]).arg(&pipeline).arg("--data-dir").arg(state);
            // Rejects are part of the job: exit code 4.
            keep(&mut outcome, measure::run("salus", command, &[0, 4]));
        }
        for (name, script) in PEERS.iter().filter(|(name, _)| wanted(name)) {
            let Some(python) = &job.python else { continue };
            let out = fresh(folder, &format!("{name}-{round}"))?;
            let file = folder.join(format!("{name}_job.py"));
            std::fs::write(&file, script)?;
            let mut command = std::process::Command::new(python);
            command.arg(file).arg(&data).arg(out);
            keep(&mut outcome, measure::run(name, command, &[0]));
        }
    }
    Ok(outcome)
}

fn fresh(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let out = folder.join(name);
    std::fs::create_dir_all(&out)?;
    Ok(out)
}

fn keep(outcome: &mut Outcome, measured: Result<Measured, (String, String)>) {
    match measured {
        Ok(measured) => match outcome.measured.iter_mut().find(|known| known.name == measured.name) {
            // The best of several runs: what disturbs a run only makes it slower.
            Some(known) if known.cpu_secs > measured.cpu_secs => *known = measured,
            Some(_) => {}
            None => outcome.measured.push(measured),
        },
        Err(failed) => outcome.failed.push(failed),
    }
}
