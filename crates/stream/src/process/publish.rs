//! The way in: events are read at the door, get their patient, and are acknowledged when the log has them on disk.

use std::sync::Arc;
use std::time::Instant as Moment;

use bytes::Bytes;
use event::{Data, Event, Kind, Refusal, Why, key_of};
use gate::{Matter, Permit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::dead::{DeadLetter, NewDead, seal};
use super::metrics::Metrics;
use super::probe::File;
use super::social;
use crate::StreamError;
use crate::log::{Append, Appended, LogError, Novelty, Position};
use crate::platform::{Platform, must_be};

/// Seconds after which a sender that was told to wait may come again.
const RETRY_AFTER_SECS: u32 = 1;
/// From so many events on, reading them leaves the threads that answer requests.
const INLINE_EVENTS_MAX: usize = 8;

/// Who publishes, through which door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// Whose data.
    pub tenant: String,
    /// As the ledger names it.
    pub principal: String,
    /// `http`, `mllp`, `store`, ...
    pub door: &'static str,
}

/// An event that was read, and what it was read of.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The event.
    pub event: Event,
    /// The bytes, kept when the event becomes a dead letter.
    pub original: Bytes,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is on disk, at this position.
    New(Position),
    /// The same was on disk already.
    Duplicate(Position),
    /// It is on disk; whether it was there already shows when it is processed (Kafka).
    Unknown(Position),
    /// The same identifier has other content: it is this dead letter.
    Conflict(i64),
}

/// The answer to a publish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Events that are on disk now and were not before.
    pub accepted: u64,
    /// Events that were there already; `None` where that shows later (Kafka).
    pub duplicates: Option<u64>,
    /// Events that were not taken; each is a dead letter.
    pub rejected: Vec<Rejected>,
}

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Why, with the place in it.
    pub reason: String,
    /// The dead letter that has it.
    pub dead_letter: i64,
}

/// Events and bytes that may wait to become durable.
pub(crate) struct Queue {
    events: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Queue {
        let semaphore = |n: usize| Arc::new(Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        // Bytes are counted in KiB.
        Queue { events: semaphore(events_max), bytes: semaphore(bytes_max / 1024) }
    }

    fn enter(&self, n_events: usize, n_bytes: usize) -> Result<[OwnedSemaphorePermit; 2], StreamError> {
        let busy = |_| StreamError::Busy { retry_after_secs: RETRY_AFTER_SECS };
        let take = |semaphore: &Arc<Semaphore>, n: usize| {
            Arc::clone(semaphore).try_acquire_many_owned(u32::try_from(n).unwrap_or(u32::MAX)).map_err(busy)
        };
        Ok([take(&self.events, n_events.max(1))?, take(&self.bytes, n_bytes.div_ceil(1024).max(1))?])
    }
}

/// An event of a kind that nobody reads would wait for ever: it is a dead letter, which can be sent again when the kind is known.
fn known_kind(event: Event) -> Result<Event, Refusal> {
    match event.kind {
        Kind::Other(_) => {
            let expected =
                "one of the known kinds, such as `vital_signs`, `lab_results` or `medication_orders`";
            Err(Refusal::at("/kind", Why::Expected(expected)))
        }
        Kind::SocialDeterminants => social::check(&event).map(|()| event),
        _ => Ok(event),
    }
}

type Read = (Bytes, Result<Event, Refusal>);

impl Platform {
    /// Reads events as they were sent, and answers when all of them are on disk: in the log, or as dead letters.
    ///
    /// # Errors
    /// [`StreamError::Busy`] when too much waits; nothing was taken then. After any error nothing is acknowledged: sent again, what had
    /// arrived is found to be a duplicate.
    pub async fn publish(&self, permit: &Permit, sent: Vec<Bytes>) -> Result<Receipt, StreamError> {
        must_be(permit, &[Matter::PublishEvents])?;
        let by = Publisher {
            tenant: permit.tenant().to_string(),
            principal: permit.principal().to_owned(),
            door: "http",
        };
        self.publish_by(&by, sent).await
    }

    /// [`Platform::publish`] for a door that has asked the gate itself.
    pub(crate) async fn publish_by(&self, by: &Publisher, sent: Vec<Bytes>) -> Result<Receipt, StreamError> {
        let events_max = self.settings().publish_events_max;
        if sent.len() > events_max {
            return Err(StreamError::Invalid(format!(
                "a request may have at most {events_max} events: send several"
            )));
        }
        let (mut receipt, mut good, mut letters) = (Receipt::default(), Vec::new(), Vec::new());
        for (index, (original, read)) in self.read(sent).await?.into_iter().enumerate() {
            match read {
                Ok(event) => good.push((index, Sent { event, original })),
                Err(refusal) => letters.push((index, refusal, original)),
            }
        }
        let (places, sent): (Vec<usize>, Vec<Sent>) = good.into_iter().unzip();
        let published = self.append(by, sent).await?;
        receipt.duplicates = Some(0);
        for (index, published) in places.into_iter().zip(published) {
            match published {
                Published::New(_) => receipt.accepted += 1,
                Published::Unknown(_) => {
                    receipt.accepted += 1;
                    receipt.duplicates = None;
                }
                Published::Duplicate(_) => receipt.duplicates = receipt.duplicates.map(|n| n + 1),
                Published::Conflict(dead_letter) => {
                    receipt.rejected.push(Rejected { index, reason: CONFLICT.to_owned(), dead_letter });
                }
            }
        }
        let refused: Vec<(usize, String)> =
            letters.iter().map(|(index, refusal, _)| (*index, refusal.to_string())).collect();
        let ids =
            self.refuse(by, letters.into_iter().map(|(_, refusal, body)| (refusal, body)).collect()).await?;
        for ((index, reason), dead_letter) in refused.into_iter().zip(ids) {
            receipt.rejected.push(Rejected { index, reason, dead_letter });
        }
        receipt.rejected.sort_by_key(|rejected| rejected.index);
        Ok(receipt)
    }

    async fn read(&self, sent: Vec<Bytes>) -> Result<Vec<Read>, StreamError> {
        let (sources, now, n) = (Arc::clone(&self.inner.sources), self.now(), sent.len());
        let read = move || {
            sent.into_iter()
                .map(|original| {
                    let event = Event::parse(&original, &sources, now).and_then(known_kind);
                    (original, event)
                })
                .collect()
        };
        if n <= INLINE_EVENTS_MAX {
            return Ok(read());
        }
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|error| StreamError::Unavailable(format!("events were not read: {error}")))
    }

    /// Sets aside what could not be read at a door. Gives the numbers of the dead letters.
    ///
    /// # Errors
    /// They could not be written.
    pub async fn refuse(
        &self,
        by: &Publisher,
        refused: Vec<(Refusal, Bytes)>,
    ) -> Result<Vec<i64>, StreamError> {
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        Metrics::count(&self.inner.metrics.rejected, refused.len() as u64);
        let mut letters = Vec::with_capacity(refused.len());
        for (refusal, original) in refused {
            let hints = Hints::of(&original);
            letters.push(NewDead {
                tenant: by.tenant.clone(),
                at: self.now(),
                door: by.door,
                source: hints.source,
                event: hints.id,
                patient: hints.patient,
                position: None,
                cause: refusal.slug().to_owned(),
                place: refusal.place,
                message: refusal.why.to_string(),
                body: seal(self.keys().map(|keys| &**keys), &by.tenant, &original)?,
            });
        }
        self.bury(letters).await
    }

    /// Appends events of a door; one answer each, when all are on disk.
    ///
    /// # Errors
    /// As [`Platform::publish`].
    pub async fn append(&self, by: &Publisher, sent: Vec<Sent>) -> Result<Vec<Published>, StreamError> {
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let began = Moment::now();
        let n_bytes = sent.iter().map(|sent| sent.original.len()).sum();
        let entered = self.inner.queue.enter(sent.len(), n_bytes);
        let _place = entered.inspect_err(|_| Metrics::count(&self.inner.metrics.busy, 1))?;
        let (mut entries, mut originals) = (Vec::with_capacity(sent.len()), Vec::with_capacity(sent.len()));
        for Sent { mut event, original } in sent {
            let content = event.content_hash();
            if let Some(patient) = &event.patient {
                event.patient = Some(self.canonical_patient(&by.tenant, patient).await?);
            }
            if let Data::Movement(movement) = &mut event.data {
                for merged in &mut movement.merged {
                    *merged = self.canonical_patient(&by.tenant, merged).await?;
                }
            }
            originals.push((original, event.source.clone(), event.id.clone(), event.patient.clone()));
            entries.push(entry_of(by, &event, &content));
        }
        let appended = self.inner.log.append(entries).await.map_err(|error| self.failed(error))?;
        let n = appended.len() as u64;
        self.inner.metrics.append.add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX), n);
        self.answers(by, appended, originals).await
    }

    async fn answers(
        &self,
        by: &Publisher,
        appended: Vec<Appended>,
        originals: Vec<(Bytes, String, String, Option<String>)>,
    ) -> Result<Vec<Published>, StreamError> {
        let (mut answers, mut letters) = (Vec::with_capacity(appended.len()), Vec::new());
        let metrics = &self.inner.metrics;
        for (Appended { position, novelty }, (original, source, event, patient)) in
            appended.into_iter().zip(originals)
        {
            answers.push(match novelty {
                Novelty::New => {
                    Metrics::count(&metrics.published, 1);
                    Published::New(position)
                }
                Novelty::Unknown => {
                    Metrics::count(&metrics.published, 1);
                    Published::Unknown(position)
                }
                Novelty::Duplicate => {
                    Metrics::count(&metrics.duplicates, 1);
                    Published::Duplicate(position)
                }
                Novelty::Conflict => {
                    letters.push(NewDead {
                        tenant: by.tenant.clone(),
                        at: self.now(),
                        door: by.door,
                        source: Some(source),
                        event: Some(event),
                        patient,
                        position: None,
                        cause: "conflict".to_owned(),
                        place: "/id".to_owned(),
                        message: format!("{CONFLICT}: the first is `{position}`"),
                        body: seal(self.keys().map(|keys| &**keys), &by.tenant, &original)?,
                    });
                    Published::Conflict(0)
                }
            });
        }
        if !letters.is_empty() {
            Metrics::count(&metrics.rejected, letters.len() as u64);
            let mut ids = self.bury(letters).await?.into_iter();
            for answer in &mut answers {
                if let Published::Conflict(id) = answer {
                    *id = ids.next().unwrap_or_default();
                }
            }
        }
        Ok(answers)
    }

    /// A letter that was refused at a door comes through it again, unless it is refused again.
    pub(crate) async fn publish_again(
        &self,
        permit: &Permit,
        letter: &DeadLetter,
        body: Vec<u8>,
    ) -> Result<bool, StreamError> {
        let by = Publisher {
            tenant: permit.tenant().to_string(),
            principal: permit.principal().to_owned(),
            door: "replay",
        };
        let again = |why: String| {
            StreamError::Conflict(format!("dead letter `{}` is refused again: {why}", letter.id))
        };
        if letter.door == super::worker::DOOR {
            return self.queue_again(&by.tenant, body).await.map(|()| true);
        }
        let original = Bytes::from(body);
        let read = match letter.door.as_str() {
            "mllp" => self.read_message(&original),
            _ => self.read_event(&original).map(|event| vec![event]),
        };
        let events = read.map_err(|refusal| again(refusal.to_string()))?;
        let sent = events.into_iter().map(|event| Sent { event, original: original.clone() }).collect();
        let published = self.append(&by, sent).await?;
        let is_refused = published.iter().any(|one| matches!(one, Published::Conflict(_)));
        if is_refused || published.is_empty() { Err(again(CONFLICT.to_owned())) } else { Ok(true) }
    }

    fn read_event(&self, original: &[u8]) -> Result<Event, Refusal> {
        Event::parse(original, &self.inner.sources, self.now()).and_then(known_kind)
    }

    fn read_message(&self, original: &[u8]) -> Result<Vec<Event>, Refusal> {
        let message = hl7v2::Message::parse(original, &hl7v2::Limits::default())
            .map_err(|error| Refusal::at("MSH", Why::Malformed(error.to_string())))?;
        event::v2::events_of(&message, &self.inner.sources, self.now())
    }

    /// What a failure of the log means to a sender.
    pub(crate) fn failed(&self, error: LogError) -> StreamError {
        match error {
            LogError::Full { .. } => {
                Metrics::count(&self.inner.metrics.busy, 1);
                StreamError::Busy { retry_after_secs: RETRY_AFTER_SECS }
            }
            LogError::TooLarge { .. } | LogError::KindName | LogError::KindsFull { .. } => {
                StreamError::Invalid(error.to_string())
            }
            LogError::NoSpace => {
                self.cannot_write(File::Log, &db::DbError::Full);
                StreamError::Database(db::DbError::Full)
            }
            LogError::Db(error) => {
                self.cannot_write(File::Log, &error);
                StreamError::Database(error)
            }
            other => StreamError::Unavailable(other.to_string()),
        }
    }
}

const CONFLICT: &str = "this source has sent another event with the same id";

/// What the log keeps of an event. Who published it stands with it: that is the audit record of the event.
fn entry_of(by: &Publisher, event: &Event, content: &[u8; 32]) -> Append {
    let subject = match (&event.patient, &event.data) {
        (Some(patient), _) => patient.clone(),
        (None, Data::Population(count)) => {
            format!("population:{}@{}", count.measure, event.region.as_deref().unwrap_or_default())
        }
        (None, _) => format!("source:{}", event.source),
    };
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("principal".to_owned(), by.principal.clone()),
        ("door".to_owned(), by.door.to_owned()),
    ];
    headers.extend(event.organization.iter().map(|name| ("organization".to_owned(), name.clone())));
    headers.extend(event.population.iter().map(|name| ("population".to_owned(), name.clone())));
    let half: [u8; 16] = std::array::from_fn(|at| content[at]);
    Append {
        kind: event.kind.clone(),
        key: key_of(&by.tenant, &subject),
        id: format!("{}\u{1f}{}", event.source, event.id),
        content: u128::from_le_bytes(half),
        headers,
        body: event.to_bytes(),
    }
}

/// What can be read of something that was refused, so that people find it: texts of the envelope.
#[derive(Default)]
struct Hints {
    id: Option<String>,
    source: Option<String>,
    patient: Option<String>,
}

impl Hints {
    fn of(original: &[u8]) -> Hints {
        let Ok(value) = fhir::json::parse(original, &fhir::json::Limits::default()) else {
            return Hints::default();
        };
        let text = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| value.text(name));
            found.map(|text| text.chars().take(200).collect())
        };
        Hints {
            id: text(["id", "event_id"]),
            source: text(["source", "source_system"]),
            patient: text(["patient", "patient_id"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_bounded_by_events_and_by_bytes() {
        let queue = Queue::new(10, 4 * 1024);
        let first = queue.enter(8, 1_000).unwrap();
        assert!(matches!(queue.enter(3, 1), Err(StreamError::Busy { .. })));
        assert!(matches!(queue.enter(1, 4_000), Err(StreamError::Busy { .. })));
        let second = queue.enter(2, 1_000).unwrap();
        drop(first);
        assert!(queue.enter(8, 3 * 1024).is_ok());
        drop(second);
    }

    #[test]
    fn what_was_refused_is_found_by_its_envelope() {
        let hints = Hints::of(br#"{"event_id":"e1","source":"m","patient":42,"data":{"x":"y"}}"#);
        assert_eq!(
            (hints.id.as_deref(), hints.source.as_deref(), hints.patient),
            (Some("e1"), Some("m"), None)
        );
        assert!(Hints::of(b"{nonsense").id.is_none());
    }
}
