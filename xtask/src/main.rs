//! Tasks of developers: `cargo xtask gen` writes the definitions, `cargo xtask tidy` checks the rules of the house.

mod r#gen;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND
  gen [--check] [--from DIR]   write crates/fhir/definitions from the R4 package (npm), or compare
  tidy                         check the rules of the house";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(report) => {
            say(&report);
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: Vec<String>) -> anyhow::Result<String> {
    let root = tidy::root();
    let mut args = args.into_iter();
    match args.next().as_deref() {
        Some("tidy") => {
            let findings = tidy::check(&root)?;
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            anyhow::ensure!(findings.is_empty(), "{}\n{} broken rules", lines.join("\n"), findings.len());
            Ok("the tree keeps the rules of the house".into())
        }
        Some("gen") => {
            let mut options = r#gen::Options::default();
            while let Some(arg) = args.next() {
                match arg.as_str() {
                    "--check" => options.check = true,
                    "--from" => options.from = Some(PathBuf::from(args.next().ok_or_else(usage)?)),
                    _ => return Err(usage()),
                }
            }
            r#gen::run(&root, &options)?;
            Ok(if options.check { "the definitions are what the package gives" } else { "written" }.into())
        }
        _ => Err(usage()),
    }
}

fn usage() -> anyhow::Error {
    anyhow::anyhow!(USAGE)
}

#[expect(clippy::print_stdout, reason = "a command for people")]
fn say(text: &str) {
    println!("{text}");
}
