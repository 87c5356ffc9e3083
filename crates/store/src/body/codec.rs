//! The bytes of a stored body: a header that says how it was made, then the content.
//!
//! | byte | what |
//! |---|---|
//! | 0 | format: 1 = zstd |
//! | 1–4 | key that seals it, little endian; 0 = not sealed |
//! | 5 | compression dictionary; 0 = none |
//! | 6– | length of the content, 7 bits a byte, lowest first; then a zstd frame |

use std::cell::RefCell;
use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

const FORMAT_ZSTD: u8 = 1;
const NOT_SEALED: [u8; 4] = [0; 4];
const HEAD_BYTES: usize = 6;
/// Fast: the store is limited by processor time, and a dictionary gives more than a higher level.
const LEVEL: i32 = 1;
/// Longest content that is unpacked: a damaged length must not ask for all memory.
const CONTENT_BYTES_MAX: usize = 1 << 30;

/// Dictionaries by number: older ones stay, so that older bodies stay readable. A new one comes with a migration, so that older programs, which
/// cannot read what it packs, refuse the file. Trained on synthetic data only.
const DICTIONARIES: [&[u8]; 2] = [
    include_bytes!("../../definitions/dictionary-1.zdict"),
    // With claims, and with what many sources write into `meta`.
    include_bytes!("../../definitions/dictionary-2.zdict"),
];
/// The one for new bodies.
const DICTIONARY: u8 = 2;

thread_local! {
    static PACK: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACK: RefCell<Vec<Option<Decompressor<'static>>>> = const { RefCell::new(Vec::new()) };
}

/// The bytes to store for a content.
pub(crate) fn encode(content: &[u8]) -> std::io::Result<Vec<u8>> {
    PACK.with_borrow_mut(|pack| {
        if pack.is_none() {
            *pack = Some(compressor()?);
        }
        let pack = pack.as_mut().expect("it was made above");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + 5 + zstd::zstd_safe::compress_bound(content.len()));
        bytes.push(FORMAT_ZSTD);
        bytes.extend_from_slice(&NOT_SEALED);
        bytes.push(DICTIONARY);
        put_varint(&mut bytes, content.len());
        let head = bytes.len();
        bytes.resize(head + zstd::zstd_safe::compress_bound(content.len()), 0);
        let packed = pack.compress_to_buffer(content, &mut bytes[head..])?;
        bytes.truncate(head + packed);
        bytes.shrink_to_fit();
        Ok(bytes)
    })
}

/// The content of stored bytes; `None` when they are damaged, or sealed or made in a way that this program does not know.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    if head[0] != FORMAT_ZSTD || head[1..5] != NOT_SEALED {
        return None;
    }
    let (length, packed) = take_varint(rest)?;
    if length > CONTENT_BYTES_MAX {
        return None;
    }
    UNPACK.with_borrow_mut(|unpack| {
        let slot = usize::from(head[5]);
        if slot > DICTIONARIES.len() {
            return None;
        }
        unpack.resize_with(DICTIONARIES.len() + 1, || None);
        if unpack[slot].is_none() {
            unpack[slot] = Some(decompressor(slot).ok()?);
        }
        let content = unpack[slot].as_mut()?.decompress(packed, length).ok()?;
        (content.len() == length).then_some(content)
    })
}

fn compressor() -> std::io::Result<Compressor<'static>> {
    static PREPARED: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
    let mut compressor = match usize::from(DICTIONARY).checked_sub(1) {
        None => Compressor::new(LEVEL)?,
        Some(at) => Compressor::with_prepared_dictionary(
            PREPARED.get_or_init(|| EncoderDictionary::copy(DICTIONARIES[at], LEVEL)),
        )?,
    };
    // The header says all of this.
    compressor.include_contentsize(false)?;
    compressor.include_dictid(false)?;
    compressor.include_checksum(false)?;
    Ok(compressor)
}

fn decompressor(slot: usize) -> std::io::Result<Decompressor<'static>> {
    static PREPARED: [OnceLock<DecoderDictionary<'static>>; DICTIONARIES.len()] =
        [const { OnceLock::new() }; DICTIONARIES.len()];
    match slot.checked_sub(1) {
        None => Decompressor::new(),
        Some(at) => Decompressor::with_prepared_dictionary(
            PREPARED[at].get_or_init(|| DecoderDictionary::copy(DICTIONARIES[at])),
        ),
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0usize;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        number |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};
    use zstd::bulk::Compressor;

    use super::{DICTIONARIES, DICTIONARY, FORMAT_ZSTD, LEVEL, decode, encode, put_varint};

    fn check(content: &[u8]) {
        let bytes = encode(content).unwrap();
        assert_eq!(decode(&bytes).as_deref(), Some(content));
        for cut in 0..bytes.len().min(40) {
            assert_ne!(decode(&bytes[..cut]).as_deref(), Some(content), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        check(b"x");
        check(&[b'a'; 100_000]);
        check("\"status\":\"final\",\"code\":{\"text\":\"é\"}".as_bytes());
        assert_eq!(decode(&encode(b"").unwrap()).as_deref(), Some(b"".as_slice()));
    }

    /// A database outlives programs: what any earlier one packed must open.
    #[test]
    fn bodies_of_every_dictionary_open_and_no_dictionary_changes() {
        let content =
            "\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\"}]}".as_bytes();
        let sums = ["3bd93617d1ad5327df5ddd63", "66669d8a1dfb7a8352234ebc"];
        for ((number, dictionary), sum) in (1u8..).zip(DICTIONARIES).zip(sums) {
            let mut bytes = vec![FORMAT_ZSTD, 0, 0, 0, 0, number];
            put_varint(&mut bytes, content.len());
            let mut compressor = Compressor::with_dictionary(LEVEL, dictionary).unwrap();
            compressor.include_dictid(false).unwrap();
            bytes.extend(compressor.compress(content).unwrap());
            assert_eq!(decode(&bytes).as_deref(), Some(content), "dictionary {number}");
            let found: String =
                Sha256::digest(dictionary).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, sum, "dictionary {number} was changed: give a new one the next number");
        }
        assert_eq!(usize::from(DICTIONARY), DICTIONARIES.len());
    }

    #[test]
    fn an_unknown_way_of_packing_is_refused() {
        let bytes = encode(b"content").unwrap();
        for at in 0..6 {
            let mut other = bytes.clone();
            other[at] ^= 0x40;
            assert_eq!(decode(&other), None, "byte {at}");
        }
    }
}
