//! How a command ends: its exit code, and the one line that says why it failed.

use std::io::Write;
use std::process::ExitCode;

use egress::EgressError;
use gate::{GateError, TokenError};

use crate::config::ConfigError;

/// The ways a command ends without failing. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: it ran, and what it checked is not in order.
    NotInOrder,
    /// 3: a quality gate was not met.
    Gate,
    /// 4: done, but not everything was taken.
    Rejects,
    /// 5: a source failed.
    Source,
    /// 6: a target failed.
    Target,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::NotInOrder => 1,
            Exit::Gate => 3,
            Exit::Rejects => 4,
            Exit::Source => 5,
            Exit::Target => 6,
        })
    }
}

/// A command line that asks for something that makes no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Builds a [`Usage`] error.
pub(crate) fn usage(text: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(text.into()))
}

fn is_bad_url(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(EgressError::BadUrl(_)))
        || matches!(cause.downcast_ref(), Some(GateError::Token(_)))
}

/// Prints the error with its causes on one line and gives the exit code: 2 for usage and configuration, 1 for the rest.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    let is_usage = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<Usage>() || cause.is::<ConfigError>() || cause.is::<TokenError>() || is_bad_url(cause)
    };
    let bad_usage = error.chain().any(is_usage);
    // Nothing is left to do when stderr is closed.
    let _ = writeln!(std::io::stderr(), "salus: {}", text_of(error));
    ExitCode::from(if bad_usage { 2 } else { 1 })
}

/// The error with its causes on one line. Some errors say their cause themselves: it is not said twice.
fn text_of(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let full = gate::GateError::Ledger(db::DbError::Full);
        assert_eq!(
            format!("{full}: {}", db::DbError::Full),
            format!("{:#}", anyhow::Error::new(full)),
            "said twice"
        );
        let full = anyhow::Error::new(gate::GateError::Ledger(db::DbError::Full)).context("cannot import");
        assert_eq!(text_of(&full), format!("cannot import: {}", gate::GateError::Ledger(db::DbError::Full)));
        let plain = anyhow::anyhow!("b").context("a");
        assert_eq!(text_of(&plain), "a: b");
    }
}
