//! What a database refused, in words that hold no value of a row, and trying again where that may help.

use std::time::Duration;

use crate::EtlError;

/// A failed operation of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What happened and what to do; no value of a row, no secret.
    pub(crate) why: String,
    /// Whether trying again may help.
    pub(crate) is_transient: bool,
}

impl Failure {
    /// One that will happen again.
    pub(crate) fn lasting(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), is_transient: false }
    }

    /// One that may go away.
    pub(crate) fn transient(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), is_transient: true }
    }

    /// The error of a source.
    pub(crate) fn of_source(self, source_name: &str) -> EtlError {
        EtlError::Source {
            source_name: source_name.to_owned(),
            why: self.why,
            is_transient: self.is_transient,
        }
    }

    /// The error of a target.
    pub(crate) fn of_target(self, target: &str) -> EtlError {
        EtlError::Target { target: target.to_owned(), why: self.why, is_transient: self.is_transient }
    }
}

/// How often and after which pauses something is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retries {
    left: u32,
    pause: Duration,
}

/// The pause before the first new attempt; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(10);

impl Retries {
    /// `n` new attempts after the first.
    pub(crate) fn new(n: u32) -> Retries {
        Retries { left: n, pause: PAUSE_FIRST }
    }

    /// Waits when the failure may go away and attempts are left; gives it back otherwise.
    pub(crate) async fn wait_or(&mut self, failure: Failure) -> Result<(), Failure> {
        if !failure.is_transient || self.left == 0 {
            return Err(failure);
        }
        tracing::warn!(why = failure.why, pause_ms = self.pause.as_millis(), "trying again");
        self.left -= 1;
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_may_go_away_is_tried_again() {
        let mut retries = Retries::new(2);
        assert!(retries.wait_or(Failure::lasting("no such table")).await.is_err());
        let began = std::time::Instant::now();
        assert!(retries.wait_or(Failure::transient("refused")).await.is_ok());
        assert!(retries.wait_or(Failure::transient("refused")).await.is_ok());
        assert!(began.elapsed() >= Duration::from_millis(600));
        let last = retries.wait_or(Failure::transient("refused")).await.unwrap_err();
        assert_eq!(last.why, "refused");
    }
}
