//! The store as its callers use it. Every test ends with a check of the whole database.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod bench;
mod conditions;
mod house;
mod life;
mod references;
mod search;
mod transaction;
