//! An entry as a message of Kafka, and back. The key is the message's key; identifier and hash of the content are its last two headers.

use event::Kind;
use fhir::Instant;
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::log::{Append, Entry, Position, TOPIC_PREFIX};

const ID: &str = "salus-id";
const CONTENT: &str = "salus-content";

/// The message of an entry, for the partition that was computed.
pub(super) fn message_of<'a>(
    topic: &'a str,
    partition: u32,
    append: &'a Append,
    at: Instant,
) -> FutureRecord<'a, str, [u8]> {
    let mut headers = OwnedHeaders::new_with_capacity(append.headers.len() + 2);
    for (key, value) in &append.headers {
        headers = headers.insert(Header { key, value: Some(value.as_bytes()) });
    }
    let content = format!("{:032x}", append.content);
    headers = headers
        .insert(Header { key: ID, value: Some(append.id.as_bytes()) })
        .insert(Header { key: CONTENT, value: Some(content.as_bytes()) });
    let partition = i32::try_from(partition).expect("a topic has fewer partitions than that");
    FutureRecord::to(topic)
        .partition(partition)
        .key(append.key.as_str())
        .payload(append.body.as_slice())
        .timestamp(at.0.div_euclid(1000))
        .headers(headers)
}

/// The entry of a message; `None` when it is of a topic that is not ours. A message that somebody else's producer wrote has its place as
/// identifier, and the door reads the rest.
pub(super) fn entry_of(message: &BorrowedMessage<'_>) -> Option<Entry> {
    let kind = Kind::named(message.topic().strip_prefix(TOPIC_PREFIX)?);
    let partition = u32::try_from(message.partition()).ok()?;
    let offset = u64::try_from(message.offset()).ok()?;
    let body = message.payload().unwrap_or_default().to_vec();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut headers: Vec<(String, String)> = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default()))).collect()
    });
    let position = Position { kind: kind.clone(), partition, offset };
    let foreign = || (format!("kafka|{position}"), Append::content_of(&body));
    let (id, content) = identity(&mut headers).unwrap_or_else(foreign);
    let key = message.key().map(text).unwrap_or_default();
    let millis = message.timestamp().to_millis().unwrap_or_default();
    let append = Append { kind, key, id, content, headers, body };
    Some(Entry { position, append, appended_at: Instant(millis.saturating_mul(1000)) })
}

/// Takes our two headers from the end.
fn identity(headers: &mut Vec<(String, String)>) -> Option<(String, u128)> {
    let [.., (id, _), (content, hex)] = headers.as_slice() else { return None };
    if id != ID || content != CONTENT {
        return None;
    }
    let content = u128::from_str_radix(hex, 16).ok()?;
    headers.pop();
    let (_, id) = headers.pop()?;
    Some((id, content))
}
