//! Where messages are kept: the listener's other side.

use std::future::Future;

use event::Event;
use fhir::Instant;

use crate::StreamError;

/// A message that was read, to be made durable.
pub struct Received {
    /// Sending application and facility, `MSH-3@MSH-4`.
    pub source: String,
    /// MSH-10.
    pub control_id: String,
    /// SHA-256 of the message as it came.
    pub hash: [u8; 32],
    /// What it became.
    pub events: Vec<Event>,
    /// When it came.
    pub received_at: Instant,
}

/// What became of a message.
#[derive(Debug)]
pub enum Kept {
    /// It is durable.
    Stored,
    /// It was durable before: the sender did not get the answer.
    StoredBefore,
    /// Its sender used the id before for other content; nothing was kept.
    OtherContent,
    /// It cannot be kept now; nothing was kept.
    Unavailable(StreamError),
}

/// What is set aside, as it came, with the reason.
pub struct Letter {
    /// Sending application and facility, or the address when that cannot be read.
    pub source: String,
    /// MSH-10, when it can be read.
    pub control_id: Option<String>,
    /// The message as it came.
    pub bytes: Vec<u8>,
    /// The reason as one stable word.
    pub slug: &'static str,
    /// Where it is wrong and why, without contents.
    pub reason: String,
    /// When it came.
    pub received_at: Instant,
}

/// Keeps messages. What it answers with [`Kept::Stored`] survives whatever happens afterwards.
pub trait Inbox: Send + Sync + 'static {
    /// Makes the events of a message durable, all or none, once.
    fn receive(&self, received: Received) -> impl Future<Output = Kept> + Send;

    /// Makes a dead letter durable.
    fn set_aside(&self, letter: Letter) -> impl Future<Output = Result<(), StreamError>> + Send;
}

/// Content does not print.
impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Received({} {} {:?})", self.source, self.control_id, self.events)
    }
}

/// Content does not print.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({} {} bytes, {})", self.source, self.bytes.len(), self.slug)
    }
}
