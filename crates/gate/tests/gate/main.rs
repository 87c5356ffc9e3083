//! The gate on a real store and ledger: what each role may do, what is recorded, and what a restricted caller can find out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod house;
mod ledger;
mod restriction;
mod roles;
mod sessions;
mod tokens;
