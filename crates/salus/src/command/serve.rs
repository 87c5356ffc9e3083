//! `salus serve`: holds a data folder and answers on TCP and on the folder's socket until it is told to stop.

use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt as _;
use gate::{Gate, Role, Roles, Tenant};
use server::{Bound, Services};
use stream::Platform;

use crate::cli::ServeArgs;
use crate::door::{config_of, open_gate};
use crate::exit::Exit;
use crate::output::say;
use crate::pipeline_service::PipelineService;
use crate::streams::Beside;

/// What broke is begun again after this.
const BROKEN_PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<Exit> {
    let mut config = config_of(&args.data)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    crate::logging::start(&config.log)?;
    let mut server = config.server();
    // Links in messages and pages name the port, also when the machine chooses it.
    let tcp = server::listen(&mut server).await?;
    config.listen = server.listen;
    let gate = open_gate(&config, &server.fhir_base())
        .with_context(|| format!("cannot open `{}`", config.data_dir.display()))?;
    let pipelines = PipelineService::new(config.clone(), gate.clone(), server.fhir_base());
    let streams = crate::streams::open(&config, gate.clone()).await?;
    let beside = Beside::start(&config, &streams).await?;
    let services = Services { pipelines: Some(Arc::new(pipelines.clone())), stream: Some(streams.clone()) };
    let bound = server::bind_on(tcp, server, gate.clone(), services)?;
    let url = bound.config().public_url.clone();
    say(format!("serving {url}"))?;
    if gate.is_new().await? {
        print_link(&gate, &url, "first administrator", Roles::one(Role::Admin)).await?;
    }
    run_with(bound, pipelines, streams, beside).await?;
    Ok(Exit::Done)
}

/// Serves, and runs pipelines when they are due, until told to stop.
pub(crate) async fn run_with(
    bound: Bound,
    pipelines: PipelineService,
    streams: Platform,
    beside: Beside,
) -> anyhow::Result<()> {
    let scheduled = pipelines.clone();
    let schedule = tokio::spawn(async move { keep_going("schedule", || scheduled.keep_schedule()).await });
    streams.start()?;
    streams.keep_rules().await?;
    let served = bound.run(stop_signal()?).await;
    schedule.abort();
    beside.stop().await;
    streams.stop().await;
    pipelines.stop().await;
    Ok(served?)
}

/// Does something again when it broke: the server goes on, and what nobody does any more must not look as if there were nothing to do.
pub(crate) async fn keep_going<F: Future<Output = ()>>(what: &str, mut work: impl FnMut() -> F) {
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        tracing::error!("the {what} of the server broke, which is a bug: it begins again");
        tokio::time::sleep(BROKEN_PAUSE).await;
    }
}

/// Prints a link that signs one person in, once, under a name that stands on their pages.
pub(crate) async fn print_link(
    gate: &Gate,
    public_url: &str,
    name: &str,
    roles: Roles,
) -> anyhow::Result<()> {
    let secret = gate.create_setup_link(name, roles, &Tenant::main()).await?;
    let link = format!("{public_url}/auth/link?token={}", secret.reveal());
    if std::io::stdout().is_terminal() {
        say(format!("\n  open this link to sign in (it works once):\n\n  {link}\n"))
    } else {
        say(format!("sign-in link: {link}"))
    }
}

/// Completes when the process is asked to stop (Ctrl-C, SIGTERM).
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_breaks_begins_again() {
        let mut n_begun = 0;
        keep_going("test", || {
            n_begun += 1;
            let breaks = n_begun < 2;
            async move { assert!(!breaks, "as the test wants") }
        })
        .await;
        assert_eq!(n_begun, 2);
    }
}
