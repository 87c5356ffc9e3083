//! The door for HL7 v2 over MLLP: messages in frames on TCP, each answered when it is durable and not before.
//!
//! What a sender gets back:
//!
//! | happened | original mode | enhanced mode, when wanted |
//! |---|---|---|
//! | durable, now or by an earlier sending of the same bytes | `AA` | `CA`, `AA` |
//! | it cannot be read, or the id was used for other content; it is a dead letter | `AE` with `ERR` | `CE`, `AE` |
//! | it cannot be kept now (log, disk, too many waiting): send it again | `AR` with `ERR` | `CR`, `AR` |
//!
//! A message that was cut off is not answered: its sender knows nothing of its fate and sends it again.

mod answer;
mod connection;
mod inbox;
mod listen;
mod seen;
mod stats;
mod tls;

use std::sync::Arc;

use event::Sources;
use fhir::Clock;
use tokio_rustls::TlsAcceptor;

pub use inbox::{Inbox, Kept, Letter, Received};
pub use listen::serve;
pub use seen::{Claim, MessageKey, claim, forget_before, release, settle};
pub use stats::{MllpCounts, MllpStats};
pub use tls::tls_acceptor;

/// Limits of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpLimits {
    /// Largest message.
    pub frame_bytes_max: usize,
    /// Connections at one time; one more is closed.
    pub connections_max: usize,
    /// A connection on which nothing comes for so long is closed.
    pub idle_secs_max: u32,
    /// A message must have come within this time from its first byte.
    pub frame_secs_max: u32,
    /// An answer must be taken within this time.
    pub answer_secs_max: u32,
    /// For so long the CR behind a frame is waited for; some senders never write it.
    pub cr_millis_max: u32,
}

impl Default for MllpLimits {
    fn default() -> MllpLimits {
        MllpLimits {
            frame_bytes_max: 4 * 1024 * 1024,
            connections_max: 256,
            idle_secs_max: 3600,
            frame_secs_max: 60,
            answer_secs_max: 30,
            cr_millis_max: 500,
        }
    }
}

/// A listener, apart from where it keeps messages.
pub struct Mllp {
    /// Its limits.
    pub limits: MllpLimits,
    /// What is configured of senders.
    pub sources: Arc<Sources>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// TLS, with client certificates when the acceptor asks for them.
    pub tls: Option<TlsAcceptor>,
    /// What happened.
    pub stats: Arc<MllpStats>,
}

#[cfg(test)]
mod tests;
