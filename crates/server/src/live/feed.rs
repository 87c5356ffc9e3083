//! The work of one stream: waits for something new, reads what is behind its place, sends it in order, and moves the place.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use stream::Platform;
use stream::alert::{Alert, Transition};
use stream::ward::Bed;
use tokio::sync::mpsc::Sender;

use super::render::Piece;
use super::sight::Sight;
use super::{Cursor, end, message, render};
use crate::dashboard::{person_id, refused};
use crate::error::ServerError;
use crate::state::AppState;

/// Changes that are read at once.
const BATCH_MAX: usize = 200;
/// Who is farther behind than this reads its page anew instead.
const BEHIND_MAX: i64 = 5_000;
/// A reader that hears nothing for longer thinks that the line is dead.
const ALIVE: Duration = Duration::from_secs(15);
/// A ward of monitors changes all the time: changes of so long are sent together.
const TOGETHER: Duration = Duration::from_millis(50);

pub(super) struct Feed {
    app: AppState,
    platform: Platform,
    sight: Sight,
    sender: Sender<Bytes>,
    at: Cursor,
}

/// What happened behind the place of a stream.
pub(super) struct News {
    /// Changes of alerts, in order, each with the alert as it is now.
    pub(super) alerts: Vec<(Transition, Alert)>,
    /// Patients with new readings, in order.
    pub(super) beds: Vec<Bed>,
}

/// Why a stream ends.
enum End {
    /// Nobody listens, or the server stops.
    Gone,
    /// Its person may no longer see it, or something broke; a new attempt says what.
    Refused(ServerError),
}

impl From<ServerError> for End {
    fn from(error: ServerError) -> End {
        End::Refused(error)
    }
}

impl Feed {
    pub(super) fn new(
        app: AppState,
        platform: Platform,
        sight: Sight,
        sender: Sender<Bytes>,
        at: Cursor,
    ) -> Feed {
        Feed { app, platform, sight, sender, at }
    }

    pub(super) async fn run(mut self) {
        if let Err(End::Refused(error)) = self.keep_going().await
            && let Some(cause) = error.cause()
        {
            tracing::error!(cause, "a live stream broke off");
        }
    }

    async fn keep_going(&mut self) -> Result<(), End> {
        self.send(message::hello(self.at)).await?;
        let mut changed = self.platform.watch();
        loop {
            // Marked before reading: what is written meanwhile wakes it again.
            changed.borrow_and_update();
            self.sight.renew().await?;
            let has_more = self.catch_up().await?;
            if has_more {
                continue;
            }
            tokio::select! {
                told = changed.changed() => {
                    if told.is_err() { return Err(End::Gone); }
                }
                () = tokio::time::sleep(ALIVE) => self.send(message::alive()).await?,
                () = self.sender.closed() => return Err(End::Gone),
                () = self.app.stopping() => return Err(End::Gone),
            }
        }
    }

    /// Sends what is new; `true` when there may be more.
    async fn catch_up(&mut self) -> Result<bool, End> {
        let last = end(&self.platform).await?;
        if last == self.at {
            return Ok(false);
        }
        let behind = (last.alerts - self.at.alerts).max(last.beds - self.at.beds);
        let is_elsewhere = last.alerts < self.at.alerts || last.beds < self.at.beds;
        if behind > BEHIND_MAX || is_elsewhere {
            self.at = last;
            self.send(message::event("resync", self.at, "")).await?;
            return Ok(false);
        }
        let news = self.read().await?;
        let n = (news.alerts.len(), news.beds.len());
        self.tell(news).await?;
        if n.1 > 0 {
            tokio::time::sleep(TOGETHER).await;
        }
        // Nothing of this tenant is behind the place: the sequences are of all.
        if n == (0, 0) {
            self.at = last;
        }
        Ok(n.0 >= BATCH_MAX || n.1 >= BATCH_MAX)
    }

    async fn read(&self) -> Result<News, ServerError> {
        let permit = &self.sight.permit;
        let alerts =
            self.platform.alerts().changes(permit, self.at.alerts, BATCH_MAX).await.map_err(refused)?;
        let beds = self.platform.beds_after(permit, self.at.beds, BATCH_MAX).await?;
        Ok(News { alerts, beds })
    }

    async fn tell(&mut self, news: News) -> Result<(), End> {
        let pieces = render::pieces(&self.platform, &mut self.sight, self.at, news).await?;
        let patients: BTreeSet<String> =
            pieces.iter().filter_map(|piece| person_id(piece.subject.as_ref()?).map(String::from)).collect();
        self.sight.tell(patients).await?;
        for Piece { name, at, data, .. } in pieces {
            self.send(message::event(name, at, &data)).await?;
            self.at = at;
        }
        Ok(())
    }

    async fn send(&self, message: Bytes) -> Result<(), End> {
        self.sender.send(message).await.map_err(|_| End::Gone)
    }
}
