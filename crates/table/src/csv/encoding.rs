//! Characters of a file to UTF-8, and positions in the UTF-8 text back to positions in the file.

use encoding_rs::{Decoder, DecoderResult};

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// UTF-16, little endian unless a byte order mark says otherwise.
    Utf16,
    /// ISO 8859-1: the first 256 characters of Unicode.
    Latin1,
    /// Another encoding of one byte per character.
    SingleByte(&'static encoding_rs::Encoding),
}

/// Stands in the text where a character could not be read. It is never valid UTF-8, so the record is found with the others that are
/// not.
pub(crate) const UNREADABLE: u8 = 0xFF;

impl Encoding {
    /// `utf-8`, `utf-16`, `latin1` (`iso-8859-1`), or a label of another single-byte encoding of the WHATWG: `windows-1252`,
    /// `iso-8859-15`.
    pub fn parse(name: &str) -> Option<Encoding> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => return Some(Encoding::Utf8),
            "utf-16" | "utf16" | "utf-16le" => return Some(Encoding::Utf16),
            "latin1" | "latin-1" | "iso-8859-1" => return Some(Encoding::Latin1),
            _ => {}
        }
        let other = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())?;
        other.is_single_byte().then_some(Encoding::SingleByte(other))
    }

    /// Bytes of the file for a part of the UTF-8 text that was made of it.
    pub(crate) fn source_bytes(self, text: &[u8]) -> u64 {
        // A character begins with a byte that is no continuation; one of four bytes is two units of UTF-16.
        let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
        match self {
            Encoding::Utf8 => text.len() as u64,
            Encoding::Latin1 | Encoding::SingleByte(_) => text.iter().filter(begins).count() as u64,
            Encoding::Utf16 => {
                let pairs = text.iter().filter(|byte| (0xF0..0xF8).contains(*byte)).count();
                2 * (text.iter().filter(begins).count() + pairs) as u64
            }
        }
    }
}

/// Turns bytes of a file into UTF-8, block by block.
pub(crate) enum Transcoder {
    Latin1,
    Other(Box<Decoder>),
}

impl Transcoder {
    /// For a file that begins with these bytes; `None` when it is UTF-8 already. Also the length of a byte order mark, and whether
    /// the file is plainly of another encoding.
    pub(crate) fn of(encoding: Encoding, start: &[u8]) -> Result<(Option<Transcoder>, usize), String> {
        let has_utf16_mark = matches!(start, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]);
        let has_utf8_mark = start.starts_with(&[0xEF, 0xBB, 0xBF]);
        match encoding {
            Encoding::Utf16 => {
                if has_utf8_mark {
                    return Err("the file is UTF-8, not UTF-16: set `encoding: utf-8`".to_owned());
                }
                if !has_utf16_mark && start.len() >= 4 && !start.contains(&0) {
                    return Err("the file is not UTF-16: set its `encoding`".to_owned());
                }
                let big = start.starts_with(&[0xFE, 0xFF]);
                let of = if big { encoding_rs::UTF_16BE } else { encoding_rs::UTF_16LE };
                let decoder = Box::new(of.new_decoder_without_bom_handling());
                Ok((Some(Transcoder::Other(decoder)), if has_utf16_mark { 2 } else { 0 }))
            }
            _ if has_utf16_mark => Err("the file is UTF-16: set `encoding: utf-16`".to_owned()),
            Encoding::Utf8 => Ok((None, if has_utf8_mark { 3 } else { 0 })),
            Encoding::Latin1 | Encoding::SingleByte(_) if has_utf8_mark => {
                Err("the file is UTF-8 (it begins with its mark): set `encoding: utf-8`".to_owned())
            }
            Encoding::Latin1 => Ok((Some(Transcoder::Latin1), 0)),
            Encoding::SingleByte(of) => {
                Ok((Some(Transcoder::Other(Box::new(of.new_decoder_without_bom_handling()))), 0))
            }
        }
    }

    /// Turns all of `raw` into text behind `text`; `is_last`: nothing follows.
    pub(crate) fn decode(&mut self, raw: &[u8], text: &mut Vec<u8>, is_last: bool) {
        match self {
            Transcoder::Latin1 => {
                let start = text.len();
                text.resize(start + 2 * raw.len(), 0);
                let n = encoding_rs::mem::convert_latin1_to_utf8(raw, &mut text[start..]);
                text.truncate(start + n);
            }
            Transcoder::Other(decoder) => decode(decoder, raw, text, is_last),
        }
    }
}

fn decode(decoder: &mut Decoder, mut raw: &[u8], text: &mut Vec<u8>, is_last: bool) {
    loop {
        let start = text.len();
        let room =
            decoder.max_utf8_buffer_length_without_replacement(raw.len()).unwrap_or(4 * raw.len() + 16);
        text.resize(start + room, 0);
        let (result, n_read, n_written) =
            decoder.decode_to_utf8_without_replacement(raw, &mut text[start..], is_last);
        text.truncate(start + n_written);
        raw = &raw[n_read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(UNREADABLE),
        }
    }
}

/// Text back to the encoding, for tests that look into a file at an offset.
#[cfg(test)]
pub(crate) fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        Encoding::SingleByte(of) => {
            let mut encoder = of.new_encoder();
            let mut bytes = vec![0; 8 * text.len() + 16];
            let (result, _, n, _) = encoder.encode_from_utf8(text, &mut bytes, true);
            assert_eq!(result, encoding_rs::CoderResult::InputEmpty);
            bytes.truncate(n);
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_across_blocks_and_positions_lead_back() {
        for (name, sample) in
            [("windows-1252", "Zoë – Müller €5\n"), ("latin1", "Zoë Müller\n"), ("utf-16", "Zoë 👩🏽 – Ω\n")]
        {
            let encoding = Encoding::parse(name).unwrap();
            let raw = encoded(encoding, sample);
            for cut in 0..raw.len() {
                let (mut transcoder, _) = Transcoder::of(encoding, &raw).unwrap();
                let transcoder = transcoder.as_mut().unwrap();
                let mut text = Vec::new();
                transcoder.decode(&raw[..cut], &mut text, false);
                transcoder.decode(&raw[cut..], &mut text, true);
                assert_eq!(std::str::from_utf8(&text).unwrap(), sample, "{name}");
            }
            assert_eq!(encoding.source_bytes(sample.as_bytes()), raw.len() as u64, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_marked() {
        let (transcoder, mark) = Transcoder::of(Encoding::Utf16, &[0xFF, 0xFE]).unwrap();
        let mut text = Vec::new();
        transcoder.unwrap().decode(&[b'a', 0, 0x00, 0xD8, b'b', 0, b'c'], &mut text, true);
        assert_eq!((mark, text.as_slice()), (2, &b"a\xFFb\xFF"[..]));
    }

    #[test]
    fn another_encoding_is_noticed_at_the_start() {
        let refused = |encoding, start: &[u8]| Transcoder::of(encoding, start).err().unwrap();
        assert!(refused(Encoding::Utf8, b"\xFF\xFEi\0").contains("utf-16"));
        assert!(refused(Encoding::Utf16, b"id,n\n").contains("not UTF-16"));
        assert!(refused(Encoding::Latin1, b"\xEF\xBB\xBFid").contains("utf-8"));
        assert_eq!(Encoding::parse("shift_jis"), None);
        assert_eq!(Encoding::parse("nonsense"), None);
    }
}
