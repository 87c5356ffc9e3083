//! Opens the streams of a data folder as its configuration says.

use anyhow::Context as _;
use gate::Gate;
use notify::{Channels, Plan};
use rules::RuleSet;
use stream::alert::Policy;
use stream::{Platform, PlatformConfig};

use crate::config::{Config, resolve_reference};
use crate::pipelines::keys_of;

/// The platform of a folder; nothing runs until it is started. Keys seal what is set aside, when the folder has any.
pub(crate) fn open(config: &Config, gate: Gate) -> anyhow::Result<Platform> {
    let keys = match config.data_dir.join("keys").exists() {
        true => Some(keys_of(&config.data_dir)?),
        false => None,
    };
    let opened = PlatformConfig {
        dir: config.data_dir.clone(),
        gate,
        keys,
        rules: RuleSet::shipped(),
        alerts: alerts_of(config)?,
        settings: config.stream.settings(),
    };
    Platform::open(opened)
        .with_context(|| format!("cannot open the streams of `{}`", config.data_dir.display()))
}

/// How alerts are handled, who is told and how, with the secrets in place.
fn alerts_of(config: &Config) -> anyhow::Result<Policy> {
    let lookup = |name: &str| std::env::var(name).ok();
    let mut notify = config.notify.clone();
    notify.resolve(&|reference| resolve_reference(reference, &lookup))?;
    let channels = Channels::new(&notify, &config.server().public_url)?;
    Ok(Policy::new(&config.alerts, Plan::new(&notify)?)?.delivering(channels, notify))
}
