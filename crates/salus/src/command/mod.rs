//! One file per subcommand.

mod alerts;
mod api;
mod bench_etl;
mod bench_fhir;
mod bench_store;
mod bench_stream;
mod demo;
mod doctor;
pub(crate) mod etl;
mod export;
pub(crate) mod import;
mod keys;
mod rebuild;
mod rules;
mod search;
pub(crate) mod serve;
mod store;
pub(crate) mod stream;
mod synth;
mod token;
mod validate;

use crate::cli::{BenchCommand, Command, KeysCommand, RebuildCommand, StoreCommand, TokenCommand};
use crate::exit::Exit;

/// Runs one command.
pub(crate) async fn run(command: Command) -> anyhow::Result<Exit> {
    // Boxed, so that the largest command does not size the stack of all.
    match command {
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Serve(args) => Box::pin(serve::run(args)).await,
        Command::Import(args) => Box::pin(import::run(args)).await,
        Command::Export(args) => Box::pin(export::run(args)).await,
        Command::Validate(args) => validate::run(&args),
        Command::Search(args) => Box::pin(search::run(args)).await,
        Command::Synth(args) => synth::run(&args),
        Command::Etl(command) => Box::pin(etl::run(command)).await,
        Command::Alerts(command) => Box::pin(alerts::run(command)).await,
        Command::Stream(command) => Box::pin(stream::run(command)).await,
        Command::Rules(command) => Box::pin(rules::run(command)).await,
        Command::Token(TokenCommand::Create(args)) => Box::pin(token::create(args)).await,
        Command::Token(TokenCommand::List(args)) => Box::pin(token::list(args)).await,
        Command::Token(TokenCommand::Revoke(args)) => Box::pin(token::revoke(args)).await,
        Command::Token(TokenCommand::Link(args)) => Box::pin(token::link(args)).await,
        Command::Keys(KeysCommand::Init(args)) => keys::init(&args),
        Command::Keys(KeysCommand::Status(args)) => keys::status(&args),
        Command::Keys(KeysCommand::Rotate(args)) => keys::rotate(&args),
        Command::Keys(KeysCommand::Shred(args)) => keys::shred(&args),
        Command::Rebuild(RebuildCommand::Index(args)) => Box::pin(rebuild::index(args)).await,
        Command::Store(StoreCommand::Check(args)) => Box::pin(store::check(args)).await,
        Command::Bench(BenchCommand::Fhir(args)) => Box::pin(bench_fhir::run(args)).await,
        Command::Bench(BenchCommand::Etl(args)) => bench_etl::run(&args),
        Command::Bench(BenchCommand::Stream(args)) => Box::pin(bench_stream::run(args)).await,
        Command::Bench(BenchCommand::Store(args)) => Box::pin(bench_store::run(args)).await,
        Command::Doctor(args) => Box::pin(doctor::run(args)).await,
    }
}
