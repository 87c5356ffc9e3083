//! One message: read, kept, and what its sender is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use event::{Refusal, v2};
use fhir::Instant;
use hl7v2::ack::{AckCode, AckError, Mode};
use hl7v2::{Limits, Message, Path, Timestamp};
use sha2::{Digest, Sha256};

use super::stats::up;
use super::{Inbox, Kept, Letter, Mllp, Received};

/// What became of a message.
enum Fate {
    Accepted,
    /// It is wrong; sent again it would be wrong again.
    Error(AckError),
    /// Not now.
    Rejected(AckError),
}

/// Distinguishes answers of one instant.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Keeps a message and gives the answers that its sender wants; none to an acknowledgement.
pub(super) async fn answer<I: Inbox>(
    bytes: Vec<u8>,
    peer: SocketAddr,
    mllp: &Mllp,
    inbox: &I,
) -> Vec<Vec<u8>> {
    let now = mllp.clock.now();
    let limits = limits_of(mllp);
    match Message::parse(&bytes, &limits) {
        Ok(message) if message.code().as_deref() == Some("ACK") => Vec::new(),
        Ok(message) => {
            let fate = fate_of(&message, bytes, mllp, inbox, now).await;
            answers(&message, &fate, now)
        }
        Err(error) => {
            let header = Message::parse_header(&bytes, &limits).ok();
            let said = AckError { place: None, code: 207, text: error.to_string() };
            let letter =
                letter(header.as_ref(), &peer.to_string(), bytes, "malformed", error.to_string(), now);
            let fate = aside(letter, said, mllp, inbox).await;
            header.map_or_else(|| nameless(&fate, now), |header| answers(&header, &fate, now))
        }
    }
}

/// The answer to a message of which only the start was kept.
pub(super) fn too_large(start: &[u8], mllp: &Mllp) -> Vec<Vec<u8>> {
    let now = mllp.clock.now();
    let text = format!("the message is longer than {} bytes", mllp.limits.frame_bytes_max);
    let fate = Fate::Rejected(AckError { place: None, code: 207, text });
    match Message::parse_header(start, &limits_of(mllp)) {
        Ok(header) => answers(&header, &fate, now),
        Err(_) => nameless(&fate, now),
    }
}

fn limits_of(mllp: &Mllp) -> Limits {
    Limits { message_bytes_max: mllp.limits.frame_bytes_max, ..Limits::default() }
}

async fn fate_of<I: Inbox>(message: &Message, bytes: Vec<u8>, mllp: &Mllp, inbox: &I, now: Instant) -> Fate {
    let events = match v2::events_of(message, &mllp.sources, now) {
        Ok(events) => events,
        Err(refusal) => {
            let letter = letter(Some(message), "", bytes, refusal.slug(), refusal.to_string(), now);
            return aside(letter, error_of(&refusal), mllp, inbox).await;
        }
    };
    let hash = Sha256::digest(&bytes).into();
    let (source, control_id) = (source_of(message), message.control_id().unwrap_or_default().into_owned());
    let received = Received { source, control_id, hash, events, received_at: now };
    match inbox.receive(received).await {
        Kept::Stored => {
            up(&mllp.stats.stored);
            Fate::Accepted
        }
        Kept::StoredBefore => {
            up(&mllp.stats.repeated);
            Fate::Accepted
        }
        Kept::OtherContent => {
            let text = "this control id was used before for another message; use a new one".to_owned();
            let letter = letter(Some(message), "", bytes, "other-content", text.clone(), now);
            let error = AckError { place: Path::parse("MSH-10").ok(), code: 205, text };
            let fate = aside(letter, error, mllp, inbox).await;
            if matches!(fate, Fate::Error(_)) {
                up(&mllp.stats.conflicts);
            }
            fate
        }
        Kept::Unavailable(error) => {
            up(&mllp.stats.unavailable);
            tracing::warn!(%error, "a message of HL7 v2 could not be kept; its sender is asked to send it again");
            Fate::Rejected(not_now())
        }
    }
}

fn not_now() -> AckError {
    AckError { place: None, code: 207, text: "the message cannot be kept now; send it again".to_owned() }
}

/// Says that a message is wrong only when it is kept as a dead letter.
async fn aside<I: Inbox>(letter: Letter, error: AckError, mllp: &Mllp, inbox: &I) -> Fate {
    let is_conflict = letter.slug == "other-content";
    match inbox.set_aside(letter).await {
        Ok(()) => {
            if !is_conflict {
                up(&mllp.stats.refused);
            }
            Fate::Error(error)
        }
        Err(problem) => {
            up(&mllp.stats.unavailable);
            tracing::warn!(error = %problem, "a message of HL7 v2 could not be set aside");
            Fate::Rejected(not_now())
        }
    }
}

fn letter(
    message: Option<&Message>,
    peer: &str,
    bytes: Vec<u8>,
    slug: &'static str,
    reason: String,
    received_at: Instant,
) -> Letter {
    let source =
        message.map(source_of).filter(|source| !source.is_empty()).unwrap_or_else(|| peer.to_owned());
    let control_id = message.and_then(|message| Some(message.control_id()?.into_owned()));
    Letter { source, control_id, bytes, slug, reason, received_at }
}

/// `MSH-3@MSH-4`, as the door of events names the source.
fn source_of(message: &Message) -> String {
    match (message.sending_application(), message.sending_facility()) {
        (Some(application), Some(facility)) => format!("{}@{}", application.trim(), facility.trim()),
        (one, other) => one.or(other).map(|name| name.trim().to_owned()).unwrap_or_default(),
    }
}

/// The code of table 0357 that fits.
fn error_of(refusal: &Refusal) -> AckError {
    let code = match refusal.slug() {
        "missing" => 101,
        "not-a-number" | "too-many-digits" | "malformed" | "wrong-type" | "no-offset" => 102,
        "unknown-unit" | "missing-unit" | "unknown-name" => 103,
        _ => 207,
    };
    AckError { place: Path::parse(&refusal.place).ok(), code, text: refusal.to_string() }
}

/// The answers that the mode of a message asks for.
fn answers(message: &Message, fate: &Fate, now: Instant) -> Vec<Vec<u8>> {
    let (commit, application, error) = match fate {
        Fate::Accepted => (AckCode::CommitAccept, AckCode::ApplicationAccept, None),
        Fate::Error(error) => (AckCode::CommitError, AckCode::ApplicationError, Some(error)),
        Fate::Rejected(error) => (AckCode::CommitReject, AckCode::ApplicationReject, Some(error)),
    };
    // A sender whose MSH-15 or MSH-16 cannot be understood wants to hear something.
    let mode = message.ack_mode().unwrap_or(Mode::Original);
    let wanted = [commit, application].into_iter().filter(|code| mode.wants(*code));
    wanted.filter_map(|code| one(message, code, error, now)).collect()
}

fn one(message: &Message, code: AckCode, error: Option<&AckError>, now: Instant) -> Option<Vec<u8>> {
    let at = Timestamp::of_utc_micros(now.0);
    let made = match error {
        None => message.ack(code, None, at, || control_id(now)),
        Some(error) => message
            .ack_error(code, error, at, || control_id(now))
            // The text may have a character that the message's set lacks.
            .or_else(|_| message.ack(code, None, at, || control_id(now))),
    };
    match made.and_then(|ack| ack.to_bytes()) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            tracing::warn!(%error, "an answer could not be written in the delimiters of its message");
            None
        }
    }
}

/// The answer to what has no header: without it, its sender would wait in vain.
fn nameless(fate: &Fate, now: Instant) -> Vec<Vec<u8>> {
    let (code, error) = match fate {
        Fate::Accepted => return Vec::new(),
        Fate::Error(error) => (AckCode::ApplicationError, error),
        Fate::Rejected(error) => (AckCode::ApplicationReject, error),
    };
    let at = Timestamp::of_utc_micros(now.0).map(|at| at.to_hl7()).unwrap_or_default();
    let header = format!("MSH|^~\\&|||||{at}||ACK||P|2.5\r");
    let message = Message::parse(header.as_bytes(), &Limits::default()).ok();
    message.and_then(|message| one(&message, code, Some(error), now)).into_iter().collect()
}

/// At most 20 characters, as the standard wants.
fn control_id(now: Instant) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) % 0x1_0000;
    format!("{:X}{number:04X}", now.0.max(0))
}
