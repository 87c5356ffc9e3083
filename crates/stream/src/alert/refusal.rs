//! Why something that a person wants cannot be done with an alert.

use super::model::State;

/// A refusal, in words for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such alert.
    #[error("there is no alert `{0}`")]
    NoAlert(String),
    /// There is no such silence, or it has ended.
    #[error("there is no such silence, or it has ended")]
    NoSilence,
    /// Its state does not allow it.
    #[error("the alert is {}: {}", .state.name(), .why)]
    State {
        /// Where it is in its life.
        state: State,
        /// What follows from that.
        why: &'static str,
    },
    /// It changed since it was looked at.
    #[error("the alert changed since it was looked at (change `{seen}`, now `{now}`): look again")]
    Changed {
        /// The change that the person saw last.
        seen: i64,
        /// The last one.
        now: i64,
    },
    /// A reason is needed.
    #[error("a reason is needed: say why")]
    ReasonMissing,
    /// A reason is too long.
    #[error("the reason is longer than {max} characters")]
    ReasonTooLong {
        /// The limit.
        max: usize,
    },
    /// A silence must match something.
    #[error("a silence of everything is not possible: name a patient, a topic, a rule or a unit")]
    SilenceOfEverything,
    /// Too many silences.
    #[error("there are too many silences: lift some")]
    TooManySilences,
    /// Longer than the policy allows.
    #[error("{asked_mins} minutes are not possible: 1 to {max_mins} are")]
    TooLong {
        /// What was asked for.
        asked_mins: u32,
        /// The limit.
        max_mins: u32,
    },
}

/// Why a [`super::Desk`] did not do something.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// It may not be done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The permit is for something else.
    #[error("the permit is for something else")]
    WrongPermit,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::DbError),
}

impl From<AlertError> for crate::StreamError {
    fn from(error: AlertError) -> crate::StreamError {
        match error {
            AlertError::Refused(refusal @ (Refusal::NoAlert(_) | Refusal::NoSilence)) => {
                crate::StreamError::NotFound(refusal.to_string())
            }
            AlertError::Refused(refusal @ (Refusal::State { .. } | Refusal::Changed { .. })) => {
                crate::StreamError::Conflict(refusal.to_string())
            }
            AlertError::Refused(refusal) => crate::StreamError::Invalid(refusal.to_string()),
            AlertError::WrongPermit => crate::StreamError::Invalid(AlertError::WrongPermit.to_string()),
            AlertError::Database(error) => crate::StreamError::Database(error),
        }
    }
}
