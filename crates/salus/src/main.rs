//! The `salus` binary: reads the command line and the environment, runs one command, answers with an exit code.
//!
//! Every subcommand is one file under `command/`. This is the only crate that reads the environment.

mod bench;
mod cli;
mod command;
mod config;
mod door;
mod exit;
mod local_user;
mod logging;
mod output;
mod pipeline_service;
mod pipelines;
mod sink;
mod source;
mod streams;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    match runtime.block_on(command::run(cli.command)) {
        Ok(exit) => exit.into(),
        Err(error) => exit::failed(&error),
    }
}
