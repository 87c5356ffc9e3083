//! Delivers what is in the outbox: takes what is due, sends, records. A process that is killed between sending and recording sends again, under
//! the same idempotency key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use db::{Database, DbError};
use fhir::{Clock, Instant};
use tokio::task::JoinSet;

use crate::outbox::{self, Claimed, Outcome};
use crate::{Channels, Settings};

/// Messages that are sent at the same time.
const AT_ONCE_MAX: usize = 16;
/// Nobody else takes a message for so long: longer than any channel's time-outs.
const BUSY_MICROS: i64 = 15 * 60 * 1_000_000;
/// How long the worker sleeps when nothing is due: what is put meanwhile waits at most so long.
const SLEEP: Duration = Duration::from_millis(200);
const RETRY_SECS_MAX: i64 = 900;

/// What became of attempts since the process started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages that were delivered.
    pub sent: AtomicU64,
    /// Attempts that failed and are tried again.
    pub retried: AtomicU64,
    /// Messages that are given up.
    pub failed: AtomicU64,
}

/// Delivers the outbox of one file.
#[derive(Clone)]
pub struct Worker {
    database: Database,
    channels: Arc<Channels>,
    clock: Arc<dyn Clock>,
    attempts_max: u32,
    retry_first_secs: u32,
    counts: Arc<Counts>,
}

impl Worker {
    /// A worker on the file that holds the outbox.
    pub fn new(database: Database, channels: Channels, settings: &Settings, clock: Arc<dyn Clock>) -> Worker {
        Worker {
            database,
            channels: Arc::new(channels),
            clock,
            attempts_max: settings.attempts_max.unwrap_or(6).max(1),
            retry_first_secs: settings.retry_first_secs.unwrap_or(5),
            counts: Arc::default(),
        }
    }

    /// Counts there what becomes of attempts.
    #[must_use]
    pub fn counting(self, counts: Arc<Counts>) -> Worker {
        Worker { counts, ..self }
    }

    /// Delivers until it is dropped. A database that fails is asked again.
    pub async fn run(&self) {
        let now = self.clock.now();
        if let Err(error) = self.database.write(move |conn| outbox::release(conn, now)).await {
            tracing::error!(%error, "messages that were under way could not be taken again");
        }
        loop {
            match self.deliver().await {
                Ok(0) => tokio::time::sleep(SLEEP).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "messages could not be delivered, trying again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Delivers what is due now, once. Returns how many messages were tried.
    ///
    /// # Errors
    /// The database fails: what was sent then is sent again later, under the same key.
    pub async fn deliver(&self) -> Result<usize, DbError> {
        let now = self.clock.now();
        // A read first: an idle worker does not make the writer commit.
        let next = self.database.read(outbox::next_due).await?;
        if next.is_none_or(|next| next > now) {
            return Ok(0);
        }
        let busy_until = Instant(now.0 + BUSY_MICROS);
        let claimed =
            self.database.write(move |conn| outbox::claim(conn, now, busy_until, AT_ONCE_MAX)).await?;
        let n_claimed = claimed.len();
        let mut sending = JoinSet::new();
        for message in claimed {
            let (channels, now) = (Arc::clone(&self.channels), self.clock.now());
            sending.spawn(async move {
                let outcome = channels.send(&message, now).await;
                (message, outcome)
            });
        }
        while let Some(sent) = sending.join_next().await {
            // A panic of a channel is a bug: its message stays claimed and is taken again.
            let Ok((message, outcome)) = sent else {
                tracing::error!("a channel broke, which is a bug: its message waits until it is taken again");
                continue;
            };
            self.record(message, outcome).await?;
        }
        Ok(n_claimed)
    }

    async fn record(&self, message: Claimed, outcome: Outcome) -> Result<(), DbError> {
        let now = self.clock.now();
        let again = self.again(&message, &outcome, now);
        let channel = message.channel.name();
        match &outcome {
            Outcome::Delivered(_) => {
                tracing::debug!(channel, key = message.key, "message delivered");
            }
            Outcome::Failed(why, _) | Outcome::Refused(why) => {
                let (attempt, is_dead) = (message.attempt, again.is_none());
                tracing::warn!(channel, key = message.key, attempt, is_dead, why, "message not delivered");
            }
        }
        let counter = match (&outcome, again) {
            (Outcome::Delivered(_), _) => &self.counts.sent,
            (_, Some(_)) => &self.counts.retried,
            (_, None) => &self.counts.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.database.write(move |conn| outbox::record(conn, &message, &outcome, again, now)).await
    }

    /// When it is tried again: each wait is twice the one before, and at least what the gateway asks for. `None`: not at all.
    fn again(&self, message: &Claimed, outcome: &Outcome, now: Instant) -> Option<Instant> {
        let Outcome::Failed(_, asked) = outcome else { return None };
        if message.attempt >= self.attempts_max {
            return None;
        }
        let doubled = i64::from(self.retry_first_secs) << (message.attempt - 1).min(16);
        let own = Instant(now.0 + doubled.min(RETRY_SECS_MAX) * 1_000_000);
        Some(asked.map_or(own, |asked| asked.max(own)))
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}
