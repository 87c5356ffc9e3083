//! The sections `notify` and `alerts`: read strictly, and checked as a whole, so that a wrong name is told with its place in the file.

use notify::Plan;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use stream::alert::Policy;

/// Reads `notify`; its receivers, routes and channels must fit together.
pub(super) fn read_notify<'de, D: Deserializer<'de>>(deserializer: D) -> Result<notify::Settings, D::Error> {
    let settings = notify::Settings::deserialize(deserializer)?;
    Plan::new(&settings).map_err(D::Error::custom)?;
    Ok(settings)
}

/// Reads `alerts`.
pub(super) fn read_alerts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<stream::alert::Settings, D::Error> {
    let settings = stream::alert::Settings::deserialize(deserializer)?;
    Policy::new(&settings, Plan::silent()).map_err(D::Error::custom)?;
    Ok(settings)
}
