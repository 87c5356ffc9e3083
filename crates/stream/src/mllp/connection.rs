//! One connection: bytes to frames, frames to answers, one message after the other so that their order holds.

use std::net::SocketAddr;
use std::time::Duration;

use hl7v2::mllp::{Decoder, Found, encode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant as Moment, timeout};

use super::answer::{answer, too_large};
use super::stats::up;
use super::{Inbox, Mllp};

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;
/// More noise between frames than this is no sender of HL7 v2.
const OUTSIDE_BYTES_MAX: usize = 64 * 1024;

/// Why a connection ended: for the log, without contents.
enum End {
    Closed,
    Stopped,
    TimedOut,
    Noise,
    Broken(std::io::Error),
}

pub(super) async fn talk<S, I>(
    stream: S,
    peer: SocketAddr,
    mllp: &Mllp,
    inbox: &I,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    I: Inbox,
{
    let mut talk = Talk {
        stream,
        peer,
        mllp,
        inbox,
        decoder: Decoder::new(mllp.limits.frame_bytes_max),
        began: None,
        n_outside: 0,
    };
    let end = loop {
        if let Some(end) = talk.step(&mut stop).await {
            break end;
        }
    };
    if let Some(event) = talk.decoder.finish() {
        talk.count(&event.found);
    }
    match end {
        End::TimedOut => up(&mllp.stats.timed_out),
        End::Noise => tracing::warn!(%peer, "a connection sent no frames of MLLP and was closed"),
        End::Broken(error) => tracing::debug!(%peer, %error, "a connection of HL7 v2 broke"),
        End::Closed | End::Stopped => {}
    }
    let _ = timeout(Duration::from_secs(1), talk.stream.shutdown()).await;
}

struct Talk<'a, S, I> {
    stream: S,
    peer: SocketAddr,
    mllp: &'a Mllp,
    inbox: &'a I,
    decoder: Decoder,
    /// When the frame that is open began.
    began: Option<Moment>,
    n_outside: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin, I: Inbox> Talk<'_, S, I> {
    /// Reads once and answers what has come.
    async fn step(&mut self, stop: &mut watch::Receiver<bool>) -> Option<End> {
        if *stop.borrow() {
            return Some(End::Stopped);
        }
        let mut bytes = [0; READ_BYTES];
        let read = tokio::select! {
            read = timeout(self.patience(), self.stream.read(&mut bytes)) => read,
            _ = stop.changed() => return Some(End::Stopped),
        };
        match read {
            Err(_) if self.decoder.awaits_cr() => match self.decoder.finish() {
                Some(event) => self.handle(event.found).await,
                None => None,
            },
            Err(_) => Some(End::TimedOut),
            Ok(Err(error)) => Some(End::Broken(error)),
            Ok(Ok(0)) => self.ended().await,
            Ok(Ok(n)) => {
                for event in self.decoder.push(&bytes[..n]) {
                    if let Some(end) = self.handle(event.found).await {
                        return Some(end);
                    }
                }
                let is_inside = self.decoder.is_inside();
                self.began = self.began.filter(|_| is_inside).or_else(|| is_inside.then(Moment::now));
                None
            }
        }
    }

    /// The sender has closed its side. A frame that only lacks its CR is whole, and its sender may still listen.
    async fn ended(&mut self) -> Option<End> {
        if self.decoder.awaits_cr()
            && let Some(event) = self.decoder.finish()
        {
            return self.handle(event.found).await.or(Some(End::Closed));
        }
        Some(End::Closed)
    }

    /// How long the next bytes may take.
    fn patience(&self) -> Duration {
        let limits = &self.mllp.limits;
        if self.decoder.awaits_cr() {
            return Duration::from_millis(limits.cr_millis_max.into());
        }
        match self.began {
            Some(began) => Duration::from_secs(limits.frame_secs_max.into()).saturating_sub(began.elapsed()),
            None => Duration::from_secs(limits.idle_secs_max.into()),
        }
    }

    async fn handle(&mut self, found: Found) -> Option<End> {
        self.count(&found);
        let answers = match found {
            Found::Message(bytes) | Found::MissingCr(bytes) => {
                self.began = None;
                answer(bytes, self.peer, self.mllp, self.inbox).await
            }
            Found::TooLarge(start) => too_large(&start, self.mllp),
            Found::Outside(bytes) => {
                self.n_outside += bytes.len();
                return (self.n_outside > OUTSIDE_BYTES_MAX).then_some(End::Noise);
            }
            // Not whole: its sender has no answer and sends it again.
            Found::NestedStart(_) | Found::CutOff(_) | Found::Skipped { .. } => return None,
        };
        for message in answers {
            let mut frame = Vec::with_capacity(message.len() + 3);
            if encode(&message, &mut frame).is_err() {
                continue;
            }
            let patience = Duration::from_secs(self.mllp.limits.answer_secs_max.into());
            match timeout(patience, self.stream.write_all(&frame)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(End::Broken(error)),
                Err(_) => return Some(End::TimedOut),
            }
        }
        // TLS keeps what is small until it is told.
        match self.stream.flush().await {
            Ok(()) => None,
            Err(error) => Some(End::Broken(error)),
        }
    }

    fn count(&self, found: &Found) {
        let stats = &self.mllp.stats;
        match found {
            Found::NestedStart(_) | Found::CutOff(_) => up(&stats.cut_off),
            Found::TooLarge(_) => up(&stats.too_large),
            Found::Outside(bytes) => {
                let n = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                stats.outside_bytes.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
            }
            Found::Message(_) | Found::MissingCr(_) | Found::Skipped { .. } => {}
        }
    }
}
