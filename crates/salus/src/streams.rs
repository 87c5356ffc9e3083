//! Opens the streams of a data folder as its configuration says.

use anyhow::Context as _;
use gate::Gate;
use rules::RuleSet;
use stream::{Platform, PlatformConfig};

use crate::config::Config;
use crate::pipelines::keys_of;

/// The platform of a folder; nothing runs until it is started. Keys seal what is set aside, when the folder has any.
pub(crate) fn open(config: &Config, gate: Gate) -> anyhow::Result<Platform> {
    let keys = match config.data_dir.join("keys").exists() {
        true => Some(keys_of(&config.data_dir)?),
        false => None,
    };
    let settings = config.stream.settings();
    let opened =
        PlatformConfig { dir: config.data_dir.clone(), gate, keys, rules: RuleSet::shipped(), settings };
    Platform::open(opened)
        .with_context(|| format!("cannot open the streams of `{}`", config.data_dir.display()))
}
