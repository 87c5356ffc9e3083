//! The part of the text that is looked at, and where it is in the file.

use crate::TableError;
use crate::csv::Encoding;
use crate::csv::feed::{Feed, HEAD_BYTES, PAD_BYTES};

/// Where a position of the text is in the file. Positions are asked for in ascending order.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    position: usize,
    offset: u64,
    encoding: Encoding,
}

impl Cursor {
    /// The offset of a position.
    #[inline]
    pub(crate) fn offset(&mut self, bytes: &[u8], position: usize) -> u64 {
        self.offset += self.encoding.source_bytes(&bytes[self.position..position]);
        self.position = position;
        self.offset
    }
}

/// Text from the first byte that is not done to the last one that came.
pub(crate) struct Window {
    pub(crate) bytes: Vec<u8>,
    /// First byte that is not done.
    pub(crate) at: usize,
    /// Behind the last byte of text. [`PAD_BYTES`] zeros follow.
    pub(crate) end: usize,
    /// Where `at` is in the file.
    known: Cursor,
    is_last: bool,
    is_empty_file: bool,
}

impl Window {
    pub(crate) fn new(encoding: Encoding) -> Window {
        let (at, end) = (HEAD_BYTES, HEAD_BYTES);
        let bytes = vec![0; HEAD_BYTES + PAD_BYTES];
        let known = Cursor { position: at, offset: 0, encoding };
        Window { bytes, at, end, known, is_last: false, is_empty_file: true }
    }

    /// Whether no text came at all.
    pub(crate) fn is_empty_file(&self) -> bool {
        self.is_empty_file
    }

    /// Goes on to a position: what is before it is done.
    pub(crate) fn go_to(&mut self, position: usize) {
        self.at = position;
        self.known.offset(&self.bytes, position);
    }

    /// Tells offsets of positions from `at` on.
    pub(crate) fn cursor(&self) -> Cursor {
        self.known
    }

    /// More text behind what is there; `false`: the text is complete, and ends with a line end.
    pub(crate) fn fill(&mut self, feed: &mut Feed) -> Result<bool, TableError> {
        let wanted = (self.end - self.at).max(1);
        let mut n_new = 0;
        // A long record takes as much again each time, so that it is not looked at too often.
        while n_new < wanted {
            let Some(block) = feed.next()? else { return Ok(n_new > 0 || self.finish()) };
            n_new += block.end - HEAD_BYTES;
            self.take(block.bytes, block.end, feed);
            self.known.offset += block.n_mark as u64;
            self.is_empty_file &= block.end == HEAD_BYTES;
        }
        Ok(true)
    }

    fn take(&mut self, mut next: Vec<u8>, next_end: usize, feed: &Feed) {
        let at = self.at;
        let tail = self.end - at;
        if tail <= HEAD_BYTES {
            let start = HEAD_BYTES - tail;
            next[start..HEAD_BYTES].copy_from_slice(&self.bytes[at..self.end]);
            feed.give_back(std::mem::replace(&mut self.bytes, next));
            (self.at, self.end) = (start, next_end);
        } else {
            self.bytes.copy_within(at..self.end, HEAD_BYTES);
            self.bytes.truncate(HEAD_BYTES + tail);
            self.bytes.extend_from_slice(&next[HEAD_BYTES..next_end + PAD_BYTES]);
            (self.at, self.end) = (HEAD_BYTES, HEAD_BYTES + tail + next_end - HEAD_BYTES);
            feed.give_back(next);
        }
        self.known.position = self.at;
    }

    /// The end of the file: the last record gets a line end if it has none. `true` when that made it complete.
    fn finish(&mut self) -> bool {
        let was_last = std::mem::replace(&mut self.is_last, true);
        if was_last || self.at == self.end || self.bytes[self.end - 1] == b'\n' {
            return false;
        }
        self.bytes.resize(self.bytes.len().max(self.end + 1 + PAD_BYTES), 0);
        self.bytes[self.end] = b'\n';
        self.bytes[self.end + 1..self.end + 1 + PAD_BYTES].fill(0);
        self.end += 1;
        true
    }

    /// A record up to its line end.
    pub(crate) fn record(&self, start: usize, end: usize) -> &[u8] {
        let record = &self.bytes[start..end.max(start)];
        record.strip_suffix(b"\r").unwrap_or(record)
    }

    /// Position of the first line end from a position on.
    pub(crate) fn line_end(&self, from: usize) -> Option<usize> {
        memchr::memchr(b'\n', &self.bytes[from..self.end]).map(|at| from + at)
    }
}
