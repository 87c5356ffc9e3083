//! The store as its callers use it. Every test ends with a check of the whole database.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

mod conditions;
mod faults;
mod golden;
mod house;
mod life;
mod paging;
mod patch;
mod rebuild;
mod references;
mod restriction;
mod search;
mod transaction;
