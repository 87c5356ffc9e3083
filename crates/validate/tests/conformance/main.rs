//! Validation against what others published: official examples, official validator cases, synthetic populations.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: a broken expectation may panic, and what could not be checked is said"
)]

mod examples;
mod support;
mod synthea;
mod validator_cases;
