//! The audit ledger: an append-only table in `govern.db`. A record is durable before the answer it describes is released.

pub(crate) mod append;
mod index;
pub(crate) mod patients;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod schema;
