//! `salus rules`: checks rule files, runs their tests, compares rules on past events, shows versions that were used.

mod check;
mod compare;
mod show;
mod test;

use std::path::PathBuf;

use rules::{RuleFile, RuleProblem};

use crate::cli::RulesCommand;
use crate::exit::{Exit, usage};

/// Runs one `salus rules` command.
pub(crate) async fn run(command: RulesCommand) -> anyhow::Result<Exit> {
    match command {
        RulesCommand::Check(args) => check::run(&args),
        RulesCommand::Test(args) => test::run(args).await,
        RulesCommand::Show(args) => show::run(&args).await,
    }
}

/// Reads files as they are named.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<RuleFile>> {
    let file = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(|error| {
            usage(format!("cannot read the rules `{}`: {}", path.display(), error.kind()))
        })?;
        Ok(RuleFile { path: path.display().to_string(), text })
    };
    paths.iter().map(file).collect()
}

/// All that is wrong with rule files, a line each.
fn invalid(problems: &[RuleProblem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    usage(lines.join("\n"))
}
