//! Messages of a file: one, several in a row, batches with headers and trailers, or one per line. Reads no file itself.
//!
//! ```
//! use hl7v2::files::split_messages;
//! let file = b"FHS|^~\\&|\rBHS|^~\\&|\rMSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\rBTS|3\rFTS|1\r";
//! let split = split_messages(file);
//! let places: Vec<(u64, u64)> = split.messages.iter().map(|message| (message.line, message.offset)).collect();
//! assert_eq!(places, [(3, 20), (5, 37)]);
//! assert_eq!(split.issues[0].to_string(), "line 6, byte 48: the batch's trailer says 3 messages, there are 2");
//! ```
//!
//! A message begins on a line that begins with `MSH` and goes on to the next such line, or to a batch or file segment (`FHS`, `BHS`, `BTS`, `FTS`). Lines end
//! with CR, LF or CRLF. Blank lines, a byte order mark and the frame bytes VT and FS that captured traffic has are passed over. A message that is one line
//! with `\r` (backslash and letter, or `\r\n`) where its segments end is given with real ends. Headers and trailers are checked and left out; nothing else
//! is without an [`Issue`].

mod scan;

use scan::{Piece, Scanner};
use std::borrow::Cow;
use std::fmt;

/// A message of a file, not yet parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct FileMessage<'a> {
    /// Its bytes, for [`Message::parse`](crate::Message::parse).
    pub bytes: Cow<'a, [u8]>,
    /// Bytes of the file before it.
    pub offset: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The batch in which it stands, from 1, if it stands in one.
    pub batch: Option<u64>,
    /// Where each segment begins, in bytes after `offset`, when all stand on one line of the file.
    starts: Option<Vec<u64>>,
}

impl<'a> FileMessage<'a> {
    fn new(message: &'a [u8], offset: u64, line: u64, n_lines: u64, batch: Option<u64>) -> FileMessage<'a> {
        match with_real_ends(message, n_lines) {
            None => FileMessage { bytes: message.into(), offset, line, batch, starts: None },
            Some((bytes, starts)) => {
                FileMessage { bytes: bytes.into(), offset, line, batch, starts: Some(starts) }
            }
        }
    }

    /// Line and byte offset in the file of each segment, in the order in which a parsed message has them.
    pub fn segment_places(&self) -> Vec<(u64, u64)> {
        if let Some(starts) = &self.starts {
            return starts.iter().map(|start| (self.line, self.offset + start)).collect();
        }
        let (mut places, mut line, mut offset) = (Vec::new(), self.line, self.offset);
        for part in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            // What ends with LF may hold lines that end with CR, the last of which takes the LF too.
            let whole =
                part.strip_suffix(b"\n").map_or(part, |rest| rest.strip_suffix(b"\r").unwrap_or(rest));
            for text in whole.split(|byte| *byte == b'\r') {
                if !text.is_empty() {
                    places.push((line, offset));
                }
                offset += as_u64(text.len()) + 1;
                line += 1;
            }
            offset = offset - as_u64(whole.len()) - 1 + as_u64(part.len());
        }
        places
    }

    fn into_owned(self) -> FileMessage<'static> {
        let FileMessage { bytes, offset, line, batch, starts } = self;
        FileMessage { bytes: bytes.into_owned().into(), offset, line, batch, starts }
    }
}

/// Without contents.
impl fmt::Debug for FileMessage<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "FileMessage(line {}, {} bytes)", self.line, self.bytes.len())
    }
}

/// Something in a file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Bytes of the file before it.
    pub offset: u64,
    /// The line, from 1.
    pub line: u64,
    /// What it is.
    pub problem: FileProblem,
}

impl fmt::Display for Issue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, byte {}: {}", self.line, self.offset, self.problem)
    }
}

/// What may be wrong with a file of messages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Lines that belong to no message.
    #[error("{n_lines} lines ({n_bytes} bytes) belong to no message: none begins with `MSH` before them")]
    Outside {
        /// How many lines, without blank ones.
        n_lines: u64,
        /// How many bytes, without their ends.
        n_bytes: u64,
    },
    /// A message that is longer than is allowed; it was left out.
    #[error("the message has {n_bytes} bytes, more than `message_bytes_max`, {max}, and is left out")]
    TooLong {
        /// Its length.
        n_bytes: u64,
        /// The limit.
        max: u64,
    },
    /// BTS-1 is not the number of messages since BHS: the batch may be cut off or put together.
    #[error("the batch's trailer says {said} messages, there are {found}")]
    MessageCount {
        /// What BTS-1 says.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// FTS-1 is not the number of batches since FHS.
    #[error("the file's trailer says {said} batches, there are {found}")]
    BatchCount {
        /// What FTS-1 says.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// BTS-1 or FTS-1 holds something else than a number.
    #[error("the count in field 1 of `{segment}` is no number")]
    Count {
        /// `BTS` or `FTS`.
        segment: &'static str,
    },
    /// A header whose trailer is missing: the file may be cut off.
    #[error("`{header}` has no `{trailer}`: the file may be cut off")]
    NotEnded {
        /// `BHS` or `FHS`.
        header: &'static str,
        /// `BTS` or `FTS`.
        trailer: &'static str,
    },
    /// A trailer whose header is missing.
    #[error("`{trailer}` has no `{header}` before it")]
    NotBegun {
        /// `BTS` or `FTS`.
        trailer: &'static str,
        /// `BHS` or `FHS`.
        header: &'static str,
    },
}

/// The messages of a file, and what is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split<'a> {
    /// The messages, in order.
    pub messages: Vec<FileMessage<'a>>,
    /// Everything else, in order.
    pub issues: Vec<Issue>,
}

/// The messages of a file that is in memory, as ranges of it.
pub fn split_messages(bytes: &[u8]) -> Split<'_> {
    let mut split = Split::default();
    let mut scanner = Scanner::new(None);
    let mut pieces = Vec::new();
    scanner.scan(bytes, &mut pieces);
    scanner.finish(bytes, &mut pieces);
    for piece in pieces {
        match piece {
            Piece::Issue(issue) => split.issues.push(issue),
            Piece::Message { from, to, offset, line, n_lines, batch } => {
                split.messages.push(FileMessage::new(&bytes[from..to], offset, line, n_lines, batch));
            }
        }
    }
    split
}

/// Splits a file that comes piece by piece, such as a large or a compressed one. Keeps one message.
pub struct Splitter {
    scanner: Scanner,
    buffer: Vec<u8>,
}

impl Splitter {
    /// For messages of at most that many bytes; longer ones are issues.
    pub fn new(message_bytes_max: usize) -> Splitter {
        Splitter { scanner: Scanner::new(Some(message_bytes_max)), buffer: Vec::new() }
    }

    /// Takes the next bytes of the file and gives what ended with them.
    pub fn push(&mut self, bytes: &[u8]) -> Split<'static> {
        self.buffer.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        self.scanner.scan(&self.buffer, &mut pieces);
        let split = self.owned(pieces);
        let n_done = self.scanner.forget(&self.buffer);
        self.buffer.drain(..n_done);
        split
    }

    /// The file has ended: gives what was still open.
    pub fn finish(mut self) -> Split<'static> {
        let mut pieces = Vec::new();
        self.scanner.finish(&self.buffer, &mut pieces);
        self.owned(pieces)
    }

    fn owned(&self, pieces: Vec<Piece>) -> Split<'static> {
        let mut split = Split::default();
        for piece in pieces {
            match piece {
                Piece::Issue(issue) => split.issues.push(issue),
                Piece::Message { from, to, offset, line, n_lines, batch } => {
                    let message = FileMessage::new(&self.buffer[from..to], offset, line, n_lines, batch);
                    split.messages.push(message.into_owned());
                }
            }
        }
        split
    }
}

/// A message on one line, with CR where `\r` or `\r\n` is written between its segments and at its end, and where its segments began. `None` when it
/// is another.
fn with_real_ends(message: &[u8], n_lines: u64) -> Option<(Vec<u8>, Vec<u64>)> {
    const WRITTEN: &[u8] = b"\\r";
    let separator = *message.get(3)?;
    if n_lines != 1 || !message.windows(WRITTEN.len()).any(|window| window == WRITTEN) {
        return None;
    }
    let mut out = Vec::with_capacity(message.len());
    let mut starts = vec![0];
    let mut rest = message;
    while let Some((first, after)) = rest.split_first() {
        let end = rest.strip_prefix(WRITTEN).map(|after| after.strip_prefix(b"\\n").unwrap_or(after));
        match end.filter(|after| is_segment_or_end(after, separator)) {
            Some(after) => {
                if !after.is_empty() {
                    starts.push(as_u64(message.len() - after.len()));
                }
                out.push(b'\r');
                rest = after;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    (starts.len() > 1).then_some((out, starts))
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).expect("lengths in memory fit in 64 bits")
}

fn is_segment_or_end(bytes: &[u8], separator: u8) -> bool {
    let is_segment =
        bytes.len() >= 4 && bytes[3] == separator && crate::path::segment_id(&bytes[..3]).is_some();
    bytes.is_empty() || is_segment
}

#[cfg(test)]
mod tests;
