//! Takes connections, within their number.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connection::talk;
use super::stats::up;
use super::{Inbox, Mllp};

/// After a failure to take a connection (too many open files), so long is waited.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true, then lets every message at hand be answered.
pub async fn serve<I: Inbox>(
    listener: TcpListener,
    mllp: Arc<Mllp>,
    inbox: Arc<I>,
    mut stop: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(mllp.limits.connections_max));
    let mut talks = JoinSet::new();
    while !*stop.borrow() {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            changed = stop.changed() => match changed {
                Ok(()) => continue,
                // Nobody is left who could stop it in order.
                Err(_) => break,
            },
        };
        while talks.try_join_next().is_some() {}
        let (stream, peer) = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "a connection of HL7 v2 could not be taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            up(&mllp.stats.turned_away);
            continue;
        };
        up(&mllp.stats.connections);
        let (mllp, inbox, stop) = (Arc::clone(&mllp), Arc::clone(&inbox), stop.clone());
        talks.spawn(async move {
            // Answers are small; without this each waits for the sender's delayed acknowledgement of TCP.
            let _ = stream.set_nodelay(true);
            match &mllp.tls {
                None => talk(stream, peer, &mllp, &*inbox, stop).await,
                Some(tls) => {
                    let hello = Duration::from_secs(mllp.limits.answer_secs_max.into());
                    match tokio::time::timeout(hello, tls.accept(stream)).await {
                        Ok(Ok(stream)) => talk(stream, peer, &mllp, &*inbox, stop).await,
                        Ok(Err(error)) => {
                            tracing::warn!(%peer, %error, "TLS of a connection of HL7 v2 failed");
                        }
                        Err(_) => up(&mllp.stats.timed_out),
                    }
                }
            }
            drop(permit);
        });
    }
    drop(listener);
    while talks.join_next().await.is_some() {}
}
