//! Processing: events of a partition, in order, become state, alerts, Observations and dead letters, with the offsets in one transaction.
//!
//! One task per partition reads all kinds of it, so that it sees everything that happens to a patient. A batch is planned and encoded outside the
//! transaction ([`plan`], [`encode`]) and written in one ([`commit`]): its effects exist once, or not at all. What cannot be processed is a dead letter and
//! stops nobody else.

pub(crate) mod board;
pub(crate) mod cache;
pub(crate) mod commit;
pub(crate) mod dead;
pub(crate) mod device;
pub(crate) mod encode;
pub(crate) mod facts;
pub(crate) mod few;
pub(crate) mod follow;
pub(crate) mod histogram;
pub(crate) mod identity;
pub(crate) mod inbox;
pub(crate) mod metrics;
pub(crate) mod note;
pub(crate) mod observe;
pub(crate) mod partition;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod provenance;
pub(crate) mod publish;
pub(crate) mod query;
pub(crate) mod queue;
pub(crate) mod shadow;
pub(crate) mod social;
pub(crate) mod split;
pub(crate) mod supervise;
pub(crate) mod tidy;
pub(crate) mod worker;
mod written;

/// The group that makes alerts.
pub(crate) const GROUP: &str = "alerts";
