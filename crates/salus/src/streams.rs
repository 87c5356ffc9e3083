//! Opens the streams of a data folder as its configuration says.

mod beside;
mod rule_files;

use anyhow::Context as _;
use gate::Gate;
use notify::{Channels, Plan};
use stream::alert::Policy;
use stream::{Platform, PlatformConfig};

use crate::config::{Config, KafkaSection, resolve_reference};
use crate::pipelines::keys_of;

pub(crate) use beside::Beside;
pub(crate) use rule_files::rule_texts;
use rule_files::{RuleFiles, shipped_rules};

/// The platform of a folder; nothing runs until it is started. Keys seal what is set aside, when the folder has any.
pub(crate) async fn open(config: &Config, gate: Gate) -> anyhow::Result<Platform> {
    let keys = match config.data_dir.join("keys").exists() {
        true => Some(keys_of(&config.data_dir)?),
        false => None,
    };
    let opened = PlatformConfig {
        dir: config.data_dir.clone(),
        gate,
        fhir_base: config.server().fhir_base(),
        keys,
        rules: shipped_rules(config),
        alerts: alerts_of(config)?,
        sources: config.stream.sources.clone(),
        surveillance: config.stream.surveillance.clone(),
        kafka: config.stream.kafka.as_ref().map(KafkaSection::settings).transpose()?,
        settings: config.stream.settings(),
    };
    let platform = Platform::open(opened)
        .await
        .with_context(|| format!("cannot open the streams of `{}`", config.data_dir.display()))?;
    if let Some(files) = RuleFiles::of(config) {
        let (rules, files) = files.load(&platform.used_rules().await?)?;
        platform.use_rules(rules, files);
    }
    Ok(platform)
}

/// How alerts are handled, who is told and how, with the secrets in place.
fn alerts_of(config: &Config) -> anyhow::Result<Policy> {
    let lookup = |name: &str| std::env::var(name).ok();
    let mut notify = config.notify.clone();
    notify.resolve(&|reference| resolve_reference(reference, &lookup))?;
    let channels = Channels::new(&notify, &config.server().public_url)?;
    Ok(Policy::new(&config.alerts, Plan::new(&notify)?)?.delivering(channels, notify))
}
