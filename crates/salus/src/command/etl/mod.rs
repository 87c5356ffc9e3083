//! `salus etl`: checks, runs, previews, tests and repairs pipelines.

mod check;
mod preview;
mod replay;
mod report;
mod run;
mod runs;
mod test;

use std::path::Path;

use etl::EtlError;
use etl::file::Pipeline;

use crate::cli::EtlCommand;
use crate::exit::{Exit, usage};

pub(crate) use runs::contract;

/// Runs one `salus etl` command.
pub(crate) async fn run(command: EtlCommand) -> anyhow::Result<Exit> {
    match command {
        EtlCommand::Check(args) => check::run(args).await,
        EtlCommand::Run(args) => run::run(args).await,
        EtlCommand::Preview(args) => preview::run(args).await,
        EtlCommand::Test(args) => test::run(args).await,
        EtlCommand::Runs(args) => runs::list(&args),
        EtlCommand::Show(args) => runs::show(&args),
        EtlCommand::Replay(args) => replay::run(args).await,
        EtlCommand::Resume(args) => run::resume(args).await,
        EtlCommand::Report(args) => report::run(&args),
    }
}

/// Reads a pipeline file. What is wrong with it is a usage error (exit code 2) that names every place.
pub(crate) fn read_pipeline(path: &Path) -> anyhow::Result<Pipeline> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| usage(format!("cannot read the pipeline `{}`: {}", path.display(), error.kind())))?;
    Pipeline::parse(&text).map_err(|problems| invalid(path, &problems))
}

/// All that is wrong with a pipeline file, a line each.
pub(crate) fn invalid(path: &Path, problems: &[etl::Problem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(|problem| format!("{}:{problem}", path.display())).collect();
    usage(lines.join("\n"))
}

/// An error of a run as this command line reports it: a pipeline that does not fit is a usage error.
pub(crate) fn failed(path: &Path, error: EtlError) -> anyhow::Error {
    match error {
        EtlError::Invalid(problems) => invalid(path, &problems),
        EtlError::Secret(why) => usage(why),
        other => anyhow::Error::new(other),
    }
}
