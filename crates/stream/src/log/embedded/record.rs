//! How entries stand in a row: a format byte, then records, each with its length, a CRC-32C, the time and the entry.
//!
//! The checksum covers the entry, its kind, the time, the slot and the offset: neither a flipped bit nor an entry in a wrong place is taken for what was
//! written. Numbers are little-endian. Another format byte is for bodies that are sealed.

use event::Kind;
use fhir::Instant;

use super::slot::Slot;
use crate::log::{Append, Entry, Position};

/// Plain records.
pub(super) const FORMAT_PLAIN: u8 = 1;

const HEAD_BYTES: usize = 4 + 4 + 8;

/// An entry as it is written, without time and place.
pub(super) struct Encoded {
    bytes: Vec<u8>,
    crc: u32,
}

/// Encodes what does not depend on the place, on the thread of the one who appends.
pub(super) fn encode(append: &Append) -> Encoded {
    let mut bytes = Vec::with_capacity(append.n_bytes() + 16);
    bytes.extend(append.content.to_le_bytes());
    text(&mut bytes, &append.key);
    text(&mut bytes, &append.id);
    bytes.extend(length(append.headers.len()));
    for (name, value) in &append.headers {
        text(&mut bytes, name);
        text(&mut bytes, value);
    }
    bytes.extend(&append.body);
    let crc = entry_checksum(&append.kind, &bytes);
    Encoded { bytes, crc }
}

/// Adds a record to the row.
pub(super) fn push(row: &mut Vec<u8>, encoded: &Encoded, at: Instant, slot: Slot, offset: u64) {
    row.extend(length(encoded.bytes.len()));
    row.extend(checksum(encoded.crc, at, slot, offset).to_le_bytes());
    row.extend(at.0.to_le_bytes());
    row.extend(&encoded.bytes);
}

/// The record that `row` begins with, and what follows it.
pub(super) struct Record<'a> {
    crc: u32,
    at: Instant,
    bytes: &'a [u8],
    /// The rest of the row.
    pub(super) rest: &'a [u8],
}

/// Finds the record that `row` begins with; `None` when the row is damaged.
pub(super) fn split(row: &[u8]) -> Option<Record<'_>> {
    let (head, rest) = row.split_at_checked(HEAD_BYTES)?;
    let mut head = Reader(head);
    let n = usize::try_from(head.u32()?).ok()?;
    let crc = head.u32()?;
    let at = Instant(i64::from_le_bytes(head.array()?));
    let (bytes, rest) = rest.split_at_checked(n)?;
    Some(Record { crc, at, bytes, rest })
}

impl Record<'_> {
    /// The entry; says why not when it is not what was written.
    pub(super) fn decode(&self, kind: &Kind, slot: Slot, offset: u64) -> Result<Entry, &'static str> {
        if checksum(entry_checksum(kind, self.bytes), self.at, slot, offset) != self.crc {
            return Err("its checksum does not agree");
        }
        let append = append_of(self.bytes, kind).ok_or("it cannot be read, though its checksum agrees")?;
        let position = Position { kind: kind.clone(), partition: slot.partition(), offset };
        Ok(Entry { position, append, appended_at: self.at })
    }
}

fn append_of(bytes: &[u8], kind: &Kind) -> Option<Append> {
    let mut reader = Reader(bytes);
    let content = u128::from_le_bytes(reader.array()?);
    let key = reader.text()?;
    let id = reader.text()?;
    let n = reader.u32()?;
    let mut headers = Vec::new();
    for _ in 0..n {
        headers.push((reader.text()?, reader.text()?));
    }
    Some(Append { kind: kind.clone(), key, id, content, headers, body: reader.0.to_vec() })
}

/// The kind stands in a table of its own, and must be the one that was written.
fn entry_checksum(kind: &Kind, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(kind.name().as_bytes()), bytes)
}

fn checksum(entry: u32, at: Instant, slot: Slot, offset: u64) -> u32 {
    let mut place = [0; 24];
    place[..8].copy_from_slice(&at.0.to_le_bytes());
    place[8..16].copy_from_slice(&slot.0.to_le_bytes());
    place[16..].copy_from_slice(&offset.to_le_bytes());
    crc32c::crc32c_append(entry, &place)
}

fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).expect("an entry is limited to a million bytes").to_le_bytes()
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(length(text.len()));
    bytes.extend(text.as_bytes());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let n = usize::try_from(self.u32()?).ok()?;
        let (text, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOT: Slot = Slot(1 << 10 | 3);

    fn check(append: &Append) -> Vec<u8> {
        let mut row = Vec::new();
        push(&mut row, &encode(append), Instant(17), SLOT, 5);
        let record = split(&row).unwrap();
        assert!(record.rest.is_empty());
        let entry = record.decode(&append.kind, SLOT, 5).unwrap();
        assert!(entry.append == *append);
        assert_eq!((entry.appended_at, entry.position.offset, entry.position.partition), (Instant(17), 5, 3));
        row
    }

    fn example() -> Append {
        let headers = vec![("tenant".to_owned(), "main".to_owned()), (String::new(), "å".to_owned())];
        let key = event::key_of("main", "Patient/1");
        Append {
            kind: Kind::VitalSigns,
            key,
            id: "a|1".into(),
            content: u128::MAX - 5,
            headers,
            body: b"{}".to_vec(),
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let row = check(&example());
        for bit in 0..row.len() * 8 {
            let mut damaged = row.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = split(&damaged).map(|record| record.decode(&Kind::VitalSigns, SLOT, 5).is_ok());
            assert_ne!(read, Some(true), "bit {bit}");
        }
    }

    #[test]
    fn every_torn_row_is_found() {
        let row = check(&example());
        for n in 0..row.len() {
            assert!(split(&row[..n]).is_none(), "{n}");
        }
    }

    #[test]
    fn an_entry_in_a_wrong_place_is_found() {
        let row = check(&example());
        let record = split(&row).unwrap();
        assert!(record.decode(&Kind::VitalSigns, SLOT, 6).is_err());
        assert!(record.decode(&Kind::VitalSigns, Slot(SLOT.0 + 1), 5).is_err());
        assert!(record.decode(&Kind::LabResults, SLOT, 5).is_err());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            (key, id, content) in (".*", ".*", any::<u128>()),
            headers in proptest::collection::vec((".*", ".*"), 0..4),
            body in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            check(&Append { kind: Kind::LabResults, key, id, content, headers, body });
        }
    }
}
