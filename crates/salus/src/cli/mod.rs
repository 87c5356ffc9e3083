//! The command line. The doc comments are the help texts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod alerts;
mod bench_stream;
mod etl;
mod examples;
mod rules;
mod stream;

pub(crate) use alerts::*;
pub(crate) use bench_stream::BenchStreamArgs;
pub(crate) use etl::*;
pub(crate) use rules::*;
pub(crate) use stream::*;

/// A healthcare data platform: FHIR R4 server, import and export, governed access.
#[derive(Debug, Parser)]
#[command(name = "salus", version, about, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Generate a synthetic population, load it, serve it, and print a link that signs you in
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Serve FHIR and the dashboard
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Load FHIR bundles, NDJSON files, archives and folders; loading the same again changes nothing
    #[command(after_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Write all resources as NDJSON, one file per type
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Check files against FHIR R4 without storing them
    #[command(after_help = examples::VALIDATE)]
    Validate(ValidateArgs),
    /// Search resources
    #[command(after_help = examples::SEARCH)]
    Search(SearchArgs),
    /// Write a synthetic population
    #[command(after_help = examples::SYNTH)]
    Synth(SynthArgs),
    /// Check, run, preview, test and repair pipelines
    #[command(subcommand)]
    Etl(EtlCommand),
    /// List, acknowledge, resolve and silence alerts
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Publish, look at, simulate and repair streams of events
    #[command(subcommand)]
    Stream(StreamCommand),
    /// Check and test rules that raise alerts
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Create, list and revoke access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Make, list, rotate and destroy encryption keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Build derived data anew
    #[command(subcommand)]
    Rebuild(RebuildCommand),
    /// Look after the store
    #[command(subcommand)]
    Store(StoreCommand),
    /// Measure a FHIR server or the store
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Say what is configured, reachable and in order
    #[command(after_help = examples::DOCTOR)]
    Doctor(DoctorArgs),
}

/// Which data: a folder on this machine.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DataArgs {
    /// Configuration file [default: salus.yaml here, when it exists]
    #[arg(long, env = "SALUS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder with the data
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Which data: a folder on this machine, or any FHIR server.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Base URL of a FHIR server to use instead of a folder
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub(crate) url: Option<String>,
    /// Bearer token for --url: `${env:NAME}`, `${file:PATH}` or the token itself [default: $SALUS_TOKEN]
    #[arg(long, value_name = "TOKEN", requires = "url")]
    pub(crate) token: Option<String>,
}

/// `salus demo`
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many patients
    #[arg(long, default_value_t = 500)]
    pub(crate) patients: u32,
    /// Seed of the generator: the same seed gives the same people
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Folder for the data
    #[arg(long, default_value = "./salus-demo", value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Print a summary and end, instead of serving
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Address to serve on [default: 127.0.0.1:8080]
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
}

/// `salus import`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files (.json, .ndjson, .tar; also .gz, .zst) and folders
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Store bundles as they are, instead of loading what transactions, batches, collections and searchsets carry
    #[arg(long)]
    pub(crate) keep_bundles: bool,
    /// Largest JSON document, after unpacking
    #[arg(long, default_value_t = 64 * 1024 * 1024, value_name = "BYTES")]
    pub(crate) document_bytes_max: usize,
    /// Write every reject to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Folder for the files; it must not hold any .ndjson yet
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Only these types
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Only what changed at or after this instant, such as 2026-01-31T00:00:00Z
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<String>,
    /// Format of the files
    #[arg(long, value_enum, default_value_t = ExportFormat::Ndjson)]
    pub(crate) format: ExportFormat,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One resource a line
    Ndjson,
    /// Columns (not supported yet)
    Parquet,
}

/// `salus validate`
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Files and folders, as for import
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Canonical URL of a profile (not supported yet: files are checked against the base of R4)
    #[arg(long, value_name = "URL")]
    pub(crate) profile: Option<String>,
    /// Print the issues as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus search`
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Such as 'Observation?code=http://loinc.org|4548-4&value-quantity=gt9||%25'
    pub(crate) query: String,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Stop after so many matches
    #[arg(long, default_value_t = 20)]
    pub(crate) max: u64,
    /// Print whole resources, one a line
    #[arg(long, conflicts_with = "json")]
    pub(crate) ndjson: bool,
    /// Print the answer as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus synth`
#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// How many patients
    #[arg(long)]
    pub(crate) patients: u32,
    /// Seed of the generator: the same seed gives the same people
    #[arg(long)]
    pub(crate) seed: u64,
    /// Folder for the files; it must be empty or absent
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Format of the files
    #[arg(long, value_enum, default_value_t = SynthFormat::Bundles)]
    pub(crate) format: SynthFormat,
    /// Print the counts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Formats of a synthetic population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SynthFormat {
    /// A transaction bundle per patient
    Bundles,
    /// A file per type, one resource a line
    Ndjson,
    /// A table per type
    Csv,
}

/// `salus token …`
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token; its secret is shown this once
    #[command(after_help = examples::TOKEN_CREATE)]
    Create(TokenCreateArgs),
    /// List tokens
    List(TokenListArgs),
    /// End a token now
    Revoke(TokenRevokeArgs),
    /// Make a link that signs one person in to the dashboard, once
    Link(TokenLinkArgs),
}

/// `salus token create`
#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// service, clinician, analyst, engineer, steward, privacy-officer, security-officer, auditor or admin
    #[arg(long)]
    pub(crate) role: String,
    /// What people call it [default: the role and your login name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// SMART scopes such as "patient/*.rs" [default: all of the role]
    #[arg(long)]
    pub(crate) scopes: Option<String>,
    /// Patient that `patient/` scopes are about
    #[arg(long, value_name = "ID")]
    pub(crate) patient: Option<String>,
    /// How long it lives: 30d, 12h, 15m
    #[arg(long, default_value = "30d")]
    pub(crate) expires: String,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus token list`
#[derive(Debug, Args)]
pub(crate) struct TokenListArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus token revoke`
#[derive(Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// Identifier, from `salus token list`
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus token link`
#[derive(Debug, Args)]
pub(crate) struct TokenLinkArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// service, clinician, analyst, engineer, steward, privacy-officer, security-officer, auditor or admin
    #[arg(long)]
    pub(crate) role: String,
    /// The person's name, as it stands in the audit ledger
    #[arg(long)]
    pub(crate) name: String,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus keys …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make the key folder with a fresh root key
    Init(KeysArgs),
    /// List keys by scope and version; no secrets
    Status(KeysArgs),
    /// Make a new root key, or a new version of one scope's key; what was sealed still opens
    Rotate(KeysRotateArgs),
    /// Destroy the keys of a scope: what they sealed cannot be read any more, by anybody
    Shred(KeysShredArgs),
}

/// `salus keys init` and `salus keys status`
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus keys rotate`
#[derive(Debug, Args)]
pub(crate) struct KeysRotateArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The root key: every key is wrapped anew
    #[arg(long, required_unless_present = "scope", conflicts_with = "scope")]
    pub(crate) root: bool,
    /// The key of this scope, from `salus keys status`
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus keys shred`
#[derive(Debug, Args)]
pub(crate) struct KeysShredArgs {
    /// Scope, from `salus keys status`
    pub(crate) scope: String,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Really: there is no way back
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus rebuild …`
#[derive(Debug, Subcommand)]
pub(crate) enum RebuildCommand {
    /// The search index, from the stored resources
    Index(MaintenanceArgs),
}

/// `salus store …`
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Check that versions, index and change log agree
    Check(MaintenanceArgs),
}

/// Commands that need nothing but the data.
#[derive(Debug, Args)]
pub(crate) struct MaintenanceArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `salus bench …`
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Drive any FHIR server with a workload and print rates and latencies
    #[command(after_help = examples::BENCH_FHIR)]
    Fhir(BenchFhirArgs),
    /// Measure the store alone against raw SQLite inserts of the same rows
    Store(BenchStoreArgs),
    /// Measure a pipeline on generated files, beside other tools
    Etl(BenchEtlArgs),
    /// Measure events that become durable alerts, beside raw appends and the founding design
    Stream(BenchStreamArgs),
}

/// `salus bench fhir`
#[derive(Debug, Args)]
pub(crate) struct BenchFhirArgs {
    /// Base URL of the server
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// What to do with it
    #[arg(long, value_enum)]
    pub(crate) workload: Workload,
    /// Requests in flight
    #[arg(long, default_value_t = 20)]
    pub(crate) clients: usize,
    /// How long to measure
    #[arg(long, default_value_t = 30)]
    pub(crate) secs: u64,
    /// Requests answered before measuring starts, in seconds
    #[arg(long, default_value_t = 2)]
    pub(crate) warm_up_secs: u64,
    /// Bearer token: `${env:NAME}`, `${file:PATH}` or the token itself [default: $SALUS_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// import: transaction bundles to post, files or folders [default: a synthetic population]
    #[arg(long, value_name = "PATH")]
    pub(crate) bundles: Vec<PathBuf>,
    /// import: how many synthetic patients, when no --bundles are given
    #[arg(long, default_value_t = 500)]
    pub(crate) patients: u32,
    /// import: how often each bundle is posted; entries that are POSTed make new resources each time
    #[arg(long, default_value_t = 1)]
    pub(crate) repeat: usize,
    /// Seed of everything random in the workload
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Process of the server on this machine, to report its CPU time and memory
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Workloads of `salus bench fhir`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Post transaction bundles, each once
    Import,
    /// Create, read, update and delete nine resources that refer to each other
    Crud,
    /// Search by strings, dates, tokens, quantities, composites and references
    Search,
    /// Read resources by id
    Read,
    /// Create small resources
    Create,
}

/// `salus bench store`
#[derive(Debug, Args)]
pub(crate) struct BenchStoreArgs {
    /// Folder for the data of the measurement; it must be empty or absent [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How many resources
    #[arg(long, default_value_t = 100_000)]
    pub(crate) resources: usize,
    /// Resources per write
    #[arg(long, default_value_t = 1_000)]
    pub(crate) batch: usize,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
