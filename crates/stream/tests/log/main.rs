//! The event log, embedded and Kafka: one suite for both, and what only one of them can suffer.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod common;
mod damage;
mod embedded;
mod kafka;
mod kill;
mod power;
mod suite;
mod transfer;
