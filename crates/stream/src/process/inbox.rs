//! Where messages of HL7 v2 go: the log, once for each message; what cannot be read becomes a dead letter.

use bytes::Bytes;

use super::dead::{NewDead, seal};
use super::publish::{Published, Publisher, Sent};
use crate::StreamError;
use crate::mllp::{Claim, Inbox, Kept, Letter, MessageKey, Received, claim, release, settle};
use crate::platform::Platform;

/// The door of a tenant for messages.
pub struct PlatformInbox {
    /// Where events go.
    pub platform: Platform,
    /// Whose they are.
    pub tenant: String,
}

impl PlatformInbox {
    fn publisher(&self, source: &str) -> Publisher {
        Publisher { tenant: self.tenant.clone(), principal: format!("service:mllp:{source}"), door: "mllp" }
    }

    async fn keep(&self, received: Received) -> Result<Kept, StreamError> {
        let key = MessageKey {
            tenant: self.tenant.clone(),
            source: received.source.clone(),
            control_id: received.control_id,
        };
        let (claimed, hash, at) = (key.clone(), received.hash, received.received_at);
        let database = self.platform.database();
        match database.write(move |conn| claim(conn, &claimed, &hash, at)).await? {
            Claim::Kept => return Ok(Kept::StoredBefore),
            Claim::Other => return Ok(Kept::OtherContent),
            Claim::Publish => {}
        }
        let sent =
            received.events.into_iter().map(|event| Sent { original: Bytes::from(event.to_bytes()), event });
        let published = self.platform.append(&self.publisher(&received.source), sent.collect()).await;
        match published {
            // Events of one message have identifiers of their own; one that was there with other content is a dead letter, and told.
            Ok(published) if published.iter().any(|one| matches!(one, Published::Conflict(_))) => {
                database.write(move |conn| settle(conn, &key)).await?;
                Ok(Kept::OtherContent)
            }
            Ok(_) => {
                database.write(move |conn| settle(conn, &key)).await?;
                Ok(Kept::Stored)
            }
            Err(error) => {
                database.write(move |conn| release(conn, &key)).await?;
                Err(error)
            }
        }
    }
}

impl Inbox for PlatformInbox {
    async fn receive(&self, received: Received) -> Kept {
        self.keep(received).await.unwrap_or_else(Kept::Unavailable)
    }

    async fn set_aside(&self, letter: Letter) -> Result<(), StreamError> {
        let body = seal(self.platform.keys().map(|keys| &**keys), &self.tenant, &letter.bytes)?;
        let letter = NewDead {
            tenant: self.tenant.clone(),
            at: letter.received_at,
            door: "mllp",
            source: Some(letter.source),
            event: letter.control_id,
            patient: None,
            position: None,
            cause: letter.slug.to_owned(),
            place: String::new(),
            message: letter.reason,
            body,
        };
        self.platform.bury(vec![letter]).await.map(drop)
    }
}
