//! What an error of the client means for who called.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::log::{ENTRY_BYTES_MAX, LogError};

#[allow(clippy::needless_pass_by_value, reason = "errors are mapped with it")]
pub(super) fn of_kafka(error: KafkaError) -> LogError {
    match (&error, code_of(&error)) {
        // Its text repeats the value, which may be a password.
        (KafkaError::ClientConfig(_, why, name, _), _) => {
            LogError::KafkaWrongSetting { name: name.clone(), why: why.clone() }
        }
        (_, Some(code)) => of_code(code, error.to_string()),
        _ => LogError::Kafka(error.to_string()),
    }
}

/// What a code means; `why` says more.
pub(super) fn of_code(code: RDKafkaErrorCode, why: String) -> LogError {
    match code {
        RDKafkaErrorCode::MessageSizeTooLarge => {
            LogError::TooLarge { bytes: ENTRY_BYTES_MAX, bytes_max: ENTRY_BYTES_MAX }
        }
        RDKafkaErrorCode::Authentication
        | RDKafkaErrorCode::SaslAuthenticationFailed
        | RDKafkaErrorCode::UnsupportedSASLMechanism
        | RDKafkaErrorCode::IllegalSASLState => LogError::KafkaSignIn(why),
        RDKafkaErrorCode::SSL => LogError::KafkaTls(why),
        RDKafkaErrorCode::MessageTimedOut
        | RDKafkaErrorCode::RequestTimedOut
        | RDKafkaErrorCode::OperationTimedOut
        | RDKafkaErrorCode::BrokerTransportFailure
        | RDKafkaErrorCode::AllBrokersDown
        | RDKafkaErrorCode::Resolve
        | RDKafkaErrorCode::NotEnoughReplicas
        | RDKafkaErrorCode::NotEnoughReplicasAfterAppend
        | RDKafkaErrorCode::LeaderNotAvailable
        | RDKafkaErrorCode::BrokerNotAvailable
        | RDKafkaErrorCode::CoordinatorNotAvailable
        | RDKafkaErrorCode::CoordinatorLoadInProgress
        | RDKafkaErrorCode::PurgeInflight
        | RDKafkaErrorCode::PurgeQueue => LogError::Unavailable(why),
        _ => LogError::Kafka(why),
    }
}

/// Whether the cluster is about to know better.
pub(super) fn is_passing(error: &KafkaError) -> bool {
    matches!(
        code_of(error),
        Some(
            RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
        )
    )
}

/// The code, also of an operation of the administrator.
pub(super) fn code_of(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}
