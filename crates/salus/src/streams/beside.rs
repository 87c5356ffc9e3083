//! What runs beside the platform while a server serves: HL7 v2 over MLLP, and rules that are read again when their files change.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use gate::Tenant;
use stream::mllp::{self, Mllp, MllpLimits, MllpStats};
use stream::{Platform, PlatformInbox};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::rule_files::RuleFiles;
use crate::config::Config;
use crate::exit::usage;
use crate::output::say;

/// How often the files of rules are looked at.
const TICK: Duration = Duration::from_secs(2);

/// Tasks beside the platform.
pub(crate) struct Beside {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Beside {
    /// Opens what the configuration names.
    pub(crate) async fn start(config: &Config, platform: &Platform) -> anyhow::Result<Beside> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        if let Some(section) = &config.stream.mllp {
            let knows_senders = section.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
            if !section.listen.ip().to_canonical().is_loopback() && !knows_senders {
                return Err(usage(
                    "`stream.mllp.listen` must be an address of this machine, or `stream.mllp.tls` must have `client_ca`: MLLP has no sign-in",
                ));
            }
            let tls = section
                .tls
                .as_ref()
                .map(|tls| mllp::tls_acceptor(&tls.cert, &tls.key, tls.client_ca.as_deref()));
            let tls = tls.transpose().map_err(|error| usage(error.to_string()))?;
            let listener = TcpListener::bind(section.listen)
                .await
                .with_context(|| format!("cannot listen on `{}` for HL7 v2", section.listen))?;
            say(format!("hl7v2 {}", listener.local_addr()?))?;
            let door = Mllp {
                limits: MllpLimits::default(),
                sources: Arc::clone(platform.sources()),
                clock: platform.gate().clock(),
                tls,
                stats: Arc::new(MllpStats::default()),
            };
            let inbox =
                Arc::new(PlatformInbox { platform: platform.clone(), tenant: Tenant::main().to_string() });
            tasks.push(tokio::spawn(mllp::serve(listener, Arc::new(door), inbox, stopped)));
        }
        if let Some(files) = RuleFiles::of(config) {
            let (mut files, platform) = (files, platform.clone());
            tasks.push(tokio::spawn(async move {
                while let Err(_broken) =
                    AssertUnwindSafe(keep_rules(&mut files, &platform)).catch_unwind().await
                {
                    tracing::error!("the reader of rules broke, which is a bug: the rules stay as they were");
                    platform.set_rule_faults(vec!["the reader of rules broke, which is a bug".to_owned()]);
                }
            }));
        }
        Ok(Beside { stop, tasks })
    }

    /// Ends them; messages at hand are answered.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if tokio::time::timeout(Duration::from_secs(5), async { drop(task.await) }).await.is_err() {
                tracing::warn!("a connection of HL7 v2 was still open when the server stopped");
            }
        }
    }
}

/// Reads rules again when a file has changed; rules with a mistake are told and not used.
async fn keep_rules(files: &mut RuleFiles, platform: &Platform) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !files.have_changed() {
            continue;
        }
        match renew(files, platform).await {
            Ok(()) => tracing::info!("rules were read again"),
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!("the rules stay as they were: {why}");
                platform.set_rule_faults(why.lines().map(str::to_owned).collect());
            }
        }
    }
}

async fn renew(files: &RuleFiles, platform: &Platform) -> anyhow::Result<()> {
    let (rules, files) = files.load(&platform.used_rules().await?)?;
    platform.use_rules(rules, files);
    platform.keep_rules().await.context("the rules are in force, and their versions could not be kept")
}
