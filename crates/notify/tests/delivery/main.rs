//! Messages go through real servers and gateways, which fail in every way that they can: nothing is lost, nothing is sent under two keys.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod gateways;
mod house;
mod mail;
mod queue;
