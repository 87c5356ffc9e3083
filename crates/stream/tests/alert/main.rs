//! The life of an alert, on a file that is closed and opened again: every transition that is allowed, and those that are refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod grouping;
mod house;
mod life;
mod quiet;
mod records;
mod timers;
