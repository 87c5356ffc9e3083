//! Hears what the client says of its connections. The error of a call only says that nobody answered in time; why, is told here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::failure::of_code;
use crate::log::LogError;

/// What is older does not explain what happens now. The client repeats the same of a broker each half minute.
const AGE_MAX: Duration = Duration::from_secs(60);
/// How much of it is repeated.
const REASON_CHARS_MAX: usize = 400;

/// What may be wrong when nobody was let in yet.
const HUNG_UP: &str =
    "; a broker that wants TLS or a sign-in hangs up like this: look at `security.protocol`";

/// Clones hear the same.
#[derive(Clone, Default)]
pub(super) struct Ear {
    heard: Arc<Mutex<Option<Heard>>>,
    /// The cluster has answered once.
    was_let_in: Arc<AtomicBool>,
}

struct Heard {
    at: Instant,
    code: RDKafkaErrorCode,
    reason: String,
}

impl Ear {
    /// An error of a call, with what was heard lately of why.
    pub(super) fn explain(&self, error: LogError) -> LogError {
        let LogError::Unavailable(what) = &error else { return error };
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(heard) = heard.as_ref().filter(|heard| heard.at.elapsed() < AGE_MAX) else { return error };
        match of_code(heard.code, heard.reason.clone()) {
            LogError::Unavailable(_) | LogError::Kafka(_) => {
                let is_new = !self.was_let_in.load(Ordering::Relaxed);
                let is_hung_up = is_new && heard.reason.contains("Disconnected");
                let hint = if is_hung_up { HUNG_UP } else { "" };
                LogError::Unavailable(format!("{what}; the client last said: {}{hint}", heard.reason))
            }
            certain => certain,
        }
    }

    /// The cluster answered: we are let in. Which of its brokers are away stays known.
    pub(super) fn is_let_in(&self) {
        self.was_let_in.store(true, Ordering::Relaxed);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.as_ref().is_some_and(|heard| weight(heard.code) == LOCKED_OUT) {
            *heard = None;
        }
    }

    fn hear(&self, code: RDKafkaErrorCode, reason: &str) {
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_newer = |old: &Heard| old.at.elapsed() >= AGE_MAX || weight(code) >= weight(old.code);
        if heard.as_ref().is_none_or(is_newer) {
            *heard = Some(Heard { at: Instant::now(), code, reason });
        }
    }
}

/// The weight of what goes away by no waiting.
const LOCKED_OUT: u8 = 2;

/// That all are away says less than why one of them is.
fn weight(code: RDKafkaErrorCode) -> u8 {
    match of_code(code, String::new()) {
        LogError::KafkaSignIn(_) | LogError::KafkaTls(_) => LOCKED_OUT,
        _ => u8::from(code != RDKafkaErrorCode::AllBrokersDown),
    }
}

impl ClientContext for Ear {
    /// That a broker hangs up is no error to the client, and why it may have is told here only.
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        tracing::debug!(?level, fac, "the client of Kafka: {message}");
        if fac == "FAIL" {
            // It begins with the name of a thread.
            let reason = message.split_once("]: ").map_or(message, |(_, reason)| reason);
            self.hear(RDKafkaErrorCode::BrokerTransportFailure, reason);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = super::failure::code_of(&error) {
            tracing::warn!("a connection to Kafka failed: {reason}");
            self.hear(code, reason);
        } else {
            tracing::warn!(%error, "the client of Kafka failed: {reason}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heard: &[(RDKafkaErrorCode, &str)], expected: &str) {
        let ear = Ear::default();
        heard.iter().for_each(|(code, reason)| ear.hear(*code, reason));
        let explained = ear.explain(LogError::Unavailable("timed out".into())).to_string();
        assert!(explained.contains(expected), "{explained}");
        ear.is_let_in();
        let later = ear.explain(LogError::Unavailable("timed out".into())).to_string();
        assert!(later.contains("timed out"), "{later}");
    }

    #[test]
    fn the_best_reason_is_told() {
        let refused = (RDKafkaErrorCode::BrokerTransportFailure, "b1: Connection refused");
        let all = (RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
        let sign_in = (RDKafkaErrorCode::Authentication, "b1: invalid credentials");
        let tls = (RDKafkaErrorCode::SSL, "b1: certificate verify failed");
        check(&[refused, all], "timed out; the client last said: b1: Connection refused");
        check(&[all], "said: 1/1 brokers are down");
        check(&[sign_in, all, refused], "`sasl.password`");
        check(&[refused, tls, all], "`ssl.ca.location`");
    }

    #[test]
    fn why_a_broker_hung_up_is_in_what_the_client_logs() {
        let ear = Ear::default();
        ear.log(
            RDKafkaLogLevel::Info,
            "FAIL",
            "[thrd:b1:9092/bootstrap]: b1:9092: Disconnected: verify that ...",
        );
        ear.log(RDKafkaLogLevel::Info, "OTHER", "[thrd:main]: something else");
        let explained = ear.explain(LogError::Unavailable("timed out".into())).to_string();
        assert!(
            explained.contains("said: b1:9092: Disconnected: verify that ...; a broker that"),
            "{explained}"
        );
        ear.is_let_in();
        let later = ear.explain(LogError::Unavailable("timed out".into())).to_string();
        assert!(later.ends_with("said: b1:9092: Disconnected: verify that ..."), "{later}");
    }

    #[test]
    fn other_errors_stay_what_they_are() {
        let ear = Ear::default();
        ear.hear(RDKafkaErrorCode::Authentication, "b1: invalid credentials");
        assert!(matches!(ear.explain(LogError::Closed), LogError::Closed));
    }
}
