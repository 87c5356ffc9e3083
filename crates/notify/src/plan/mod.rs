//! Who is told of what, checked: receivers, the tree of routes, the steps of escalation.

mod quiet;
mod receiver;
mod route;

use std::collections::BTreeMap;

pub use quiet::Quiet;
pub use receiver::Receiver;
pub use route::Facts;

use crate::Settings;
use route::Route;

/// What is wrong with the section `notify`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name that no receiver has.
    #[error("`{place}` names receiver `{name}`, which `notify.receivers` does not have")]
    UnknownReceiver {
        /// Where.
        place: String,
        /// The name.
        name: String,
    },
    /// A receiver without an address, or with one whose channel is not configured.
    #[error("`notify.receivers.{name}`: {why}")]
    Receiver {
        /// The receiver.
        name: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A node of the tree cannot be understood.
    #[error("`{place}`: {why}")]
    Route {
        /// Where.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A channel cannot be used as it is configured.
    #[error("`notify.{channel}`: {why}")]
    Channel {
        /// The channel's section.
        channel: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// Who is told of what.
#[derive(Clone, Debug)]
pub struct Plan {
    receivers: BTreeMap<String, Receiver>,
    root: Route,
    escalation: Vec<Vec<String>>,
    /// Wait of messages that are not urgent.
    pub(crate) group_wait_micros: i64,
    /// Urgent messages to one address within [`Plan::STORM_MICROS`] before they are grouped.
    pub(crate) storm_messages_max: u32,
}

impl Plan {
    /// The time over which messages to one address are counted.
    pub(crate) const STORM_MICROS: i64 = 5 * 60 * 1_000_000;

    /// Nobody is told: alerts are seen on the pages only.
    pub fn silent() -> Plan {
        Plan::new(&Settings::default()).expect("an empty section is right")
    }

    /// Checks the section.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn new(settings: &Settings) -> Result<Plan, PlanError> {
        let mut receivers = BTreeMap::new();
        for (name, written) in &settings.receivers {
            receivers.insert(name.clone(), Receiver::new(name, written, settings)?);
        }
        let known =
            |place: &str, names: &[String]| match names.iter().find(|name| !receivers.contains_key(*name)) {
                Some(name) => Err(PlanError::UnknownReceiver { place: place.to_owned(), name: name.clone() }),
                None => Ok(()),
            };
        let root = Route::new("notify.route", &settings.route, &known)?;
        let mut escalation = Vec::new();
        for (index, step) in settings.escalation.iter().enumerate() {
            known(&format!("notify.escalation[{index}]"), &step.receivers)?;
            escalation.push(step.receivers.clone());
        }
        Ok(Plan {
            receivers,
            root,
            escalation,
            group_wait_micros: i64::from(settings.group_wait_secs.unwrap_or(30)) * 1_000_000,
            storm_messages_max: settings.storm_messages_max.unwrap_or(10),
        })
    }

    /// Who is told of what has these facts, each once, in the order of the tree.
    pub fn receivers_of(&self, facts: &Facts<'_>) -> Vec<&str> {
        let mut names = Vec::new();
        self.root.collect(facts, &mut names);
        names
    }

    /// Who else is told at a level of escalation, counted from 1; beyond the last step, the last.
    pub fn step(&self, level: u32) -> &[String] {
        let index = (level.max(1) as usize - 1).min(self.escalation.len().saturating_sub(1));
        self.escalation.get(index).map_or(&[], Vec::as_slice)
    }

    /// How many steps there are.
    pub fn n_steps(&self) -> u32 {
        u32::try_from(self.escalation.len()).unwrap_or(u32::MAX)
    }

    /// A receiver by its name.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.get(name)
    }
}
