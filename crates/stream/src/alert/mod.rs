//! The life of an alert: opened by a rule, grouped by topic, acknowledged, escalated, snoozed, silenced, resolved, retracted. Every step is a row.
//!
//! [`apply`] and [`due`] run on the writer's connection, inside the transaction of what made them necessary; messages go into the outbox in the
//! same transaction. What people do goes through a [`Desk`], which wants a [`gate::Permit`].
//!
//! Critical and high alerts are never silenced, inhibited or delayed; what gets worse is told again, whatever was acknowledged before.

mod apply;
mod burden;
mod change;
mod desk;
pub mod document;
mod inhibit;
mod model;
mod people;
mod policy;
mod query;
mod refusal;
pub mod resource;
mod row;
mod silence;
mod subject;
mod tell;
mod timer;
pub(crate) mod written;

pub use apply::apply;
pub use burden::{Burden, burden};
pub use desk::{Desk, Whole};
pub use model::{About, Alert, Part, State, Step, Transition};
pub use people::{Act, act};
pub use policy::{Inhibit, Policy, PolicyError, Settings};
pub use query::{Order, Page, Query, Unjudged, changes, get, history, last_seq, list, parts, unjudged};
pub use refusal::{AlertError, Refusal};
pub use silence::{Silence, SilenceRequest, lift, silence, silences};
pub use subject::rekey;
pub use timer::{due, next_due};

/// The identifier of an alert: the same for the same opening, whatever is replayed or reloaded.
pub fn id_of(tenant: &str, rule: &str, subject: &str, opening: &str) -> String {
    let name = [tenant, rule, subject, opening].join("\0");
    uuid::Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

/// Of all identifiers of alerts.
const NAMESPACE: uuid::Uuid = uuid::uuid!("5f1f6d0e-1d43-5a0a-9c55-0b9b6f8c5a11");
