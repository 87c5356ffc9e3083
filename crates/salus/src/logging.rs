//! Log lines go to stderr, so that standard output is the answer alone.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::exit::usage;

/// Starts logging with a filter such as `info` or `warn,store=debug`.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|_| {
        usage(format!("cannot read the log filter `{filter}`: write it like `info` or `warn,store=debug`"))
    })?;
    // Only the first start counts; a second one in the same process (the demo) keeps it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    Ok(())
}
