//! The store as its callers use it. Every test ends with a check of the whole database.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod conditions;
mod golden;
mod house;
mod life;
mod references;
mod search;
mod transaction;
