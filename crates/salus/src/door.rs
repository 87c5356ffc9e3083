//! Opens the data a command is about: the folder itself, the server that holds it, or any FHIR server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use db::SystemClock;
use egress::{FhirClient, Options};
use gate::{Access, Gate, GateConfig, GateError, Principal, StoreError, Tenant};

use crate::cli::{DataArgs, TargetArgs};
use crate::config::{self, Config, resolve_reference, socket_of};
use crate::exit::usage;
use crate::local_user::local_user;

/// A way to the data.
pub(crate) enum Door {
    /// This process holds the folder.
    Own(Own),
    /// A server: the one that holds the folder, through its socket, or another one.
    Server(FhirClient),
}

/// A data folder that this process holds open, and who works on it.
pub(crate) struct Own {
    pub(crate) gate: Gate,
    pub(crate) access: Arc<Access>,
    /// Base of the FHIR URLs that belong to this folder.
    pub(crate) base: String,
}

/// The configuration that the flags of a command select, with the flags laid over it.
pub(crate) fn config_of(args: &DataArgs) -> anyhow::Result<Config> {
    let mut config = config::load(args.config.as_deref(), &config::environment())?;
    if let Some(dir) = &args.data_dir {
        config.data_dir.clone_from(dir);
    }
    Ok(config)
}

/// Opens a folder that exists, or the server that holds it.
pub(crate) fn open_existing(config: &Config) -> anyhow::Result<Door> {
    if !config.data_dir.join("FORMAT").exists() && !config.data_dir.join("salus.db").exists() {
        return Err(usage(format!(
            "there is no salus data in `{}`: name the folder with `--data-dir`, or fill it with `salus import`",
            config.data_dir.display()
        )));
    }
    open(config)
}

/// Opens a folder, new or not, or the server that holds it.
pub(crate) fn open(config: &Config) -> anyhow::Result<Door> {
    let base = config.server().fhir_base();
    match open_gate(config, &base) {
        Ok(gate) => Ok(Door::Own(own(gate, base)?)),
        Err(GateError::Store(StoreError::Locked)) => over_socket(&config.data_dir).map(Door::Server),
        Err(error) => {
            Err(anyhow::Error::new(error).context(format!("cannot open `{}`", config.data_dir.display())))
        }
    }
}

/// Opens the target of a command: `--url`, or the folder.
pub(crate) fn open_target(args: &TargetArgs, must_exist: bool) -> anyhow::Result<Door> {
    if let Some(url) = &args.url {
        return Ok(Door::Server(remote(url, args.token.as_deref(), Options::default())?));
    }
    let config = config_of(&args.data)?;
    crate::logging::start(&config.log)?;
    if must_exist { open_existing(&config) } else { open(&config) }
}

/// A client of the server at `url`, with the token of the flag or of the environment.
pub(crate) fn remote(url: &str, token: Option<&str>, options: Options) -> anyhow::Result<FhirClient> {
    let environment: BTreeMap<String, String> = config::environment();
    let lookup = |name: &str| std::env::var(name).ok();
    let token = match token {
        Some(reference) => Some(resolve_reference(reference, &lookup)?),
        None => environment.get("SALUS_TOKEN").cloned(),
    };
    FhirClient::new(url, token.as_deref(), options).with_context(|| "cannot use `--url`")
}

/// The gate of a folder, held by this process alone.
pub(crate) fn open_gate(config: &Config, fhir_base: &str) -> Result<Gate, GateError> {
    let mut gate = GateConfig::new(&config.data_dir, fhir_base);
    gate.validation = config.fhir.validation.into();
    gate.store.referential_integrity = config.fhir.referential_integrity;
    gate.store.equity_rules = config.fhir.equity_flags.clone();
    if let Some(readers) = config.store.readers {
        gate.store.readers = readers;
    }
    Gate::open(gate, Arc::new(SystemClock))
}

/// The person at the keyboard, working on the gate.
pub(crate) fn own(gate: Gate, base: String) -> anyhow::Result<Own> {
    let principal = Principal::local(&local_user(), Tenant::main());
    let request = format!("cli-{}", uuid::Uuid::new_v4());
    let access = Arc::new(Access::new(Arc::new(principal), None, request)?);
    Ok(Own { gate, access, base })
}

/// The server that holds a folder, through its socket.
pub(crate) fn over_socket(data_dir: &Path) -> anyhow::Result<FhirClient> {
    let socket = socket_of(data_dir);
    if !socket.exists() {
        anyhow::bail!(
            "another process holds `{}` and is no server that can be asked: wait until it ends",
            data_dir.display()
        );
    }
    // The host says nothing: the socket leads to one server.
    Ok(FhirClient::over_socket(&socket, "http://localhost/fhir", Options::default())?)
}
