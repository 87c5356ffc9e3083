//! Lines of a file to messages: where each begins and ends, and whether batches are whole. Holds no bytes.

use super::{FileProblem, Issue};
use crate::mllp;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// So many bytes of a line tell what kind it is: a byte order mark, a frame byte, a name and a separator.
const TELLING_BYTES: usize = 8;

/// A finding in the buffer that was scanned.
pub(super) enum Piece {
    /// A message: bytes `from..to` of the buffer.
    Message {
        from: usize,
        to: usize,
        offset: u64,
        line: u64,
        n_lines: u64,
        batch: Option<u64>,
    },
    Issue(Issue),
}

#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    line: u64,
}

/// What the lines belong to at present.
enum Open {
    /// Nothing.
    None,
    /// A message from a place to an offset of the file.
    Message { from: Place, to: u64, n_lines: u64 },
    /// A message that is too long, of which nothing is kept.
    TooLong { from: Place, to: u64 },
    /// Lines that are of no message.
    Outside { from: Place, n_lines: u64, n_bytes: u64 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Message,
    FileHeader,
    FileTrailer,
    BatchHeader,
    BatchTrailer,
    Other,
}

/// A header without its trailer so far, and what was counted since.
struct Envelope {
    place: Place,
    n_inside: u64,
}

pub(super) struct Scanner {
    message_bytes_max: Option<u64>,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    /// The line that has not ended, its kind when it is known, and the offset up to which it has no end.
    line: Place,
    kind: Option<Kind>,
    searched_to: u64,
    /// Whether the line before ended with CR: an LF belongs to it.
    is_after_cr: bool,
    open: Open,
    batch: Option<Envelope>,
    file: Option<Envelope>,
    n_batches: u64,
}

impl Scanner {
    pub(super) fn new(message_bytes_max: Option<usize>) -> Scanner {
        Scanner {
            message_bytes_max: message_bytes_max.map(as_u64),
            base: 0,
            line: Place { offset: 0, line: 1 },
            kind: None,
            searched_to: 0,
            is_after_cr: false,
            open: Open::None,
            batch: None,
            file: None,
            n_batches: 0,
        }
    }

    /// Takes every line that has ended. The buffer begins where [`Scanner::forget`] left it.
    pub(super) fn scan(&mut self, buffer: &[u8], pieces: &mut Vec<Piece>) {
        loop {
            self.pass_line_feed(buffer);
            let from = self.index(self.searched_to.max(self.line.offset)).min(buffer.len());
            let n_more = buffer[from..].iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let Some(end) = n_more.map(|n| from + n) else {
                self.searched_to = self.offset(buffer.len());
                let is_told = buffer.len().saturating_sub(self.index(self.line.offset)) >= TELLING_BYTES;
                if self.kind.is_none() && is_told {
                    self.begin_line(buffer, buffer.len(), pieces);
                }
                self.limit(self.searched_to);
                return;
            };
            self.whole_line(buffer, end, pieces);
            self.is_after_cr = buffer[end] == b'\r';
            self.line = Place { offset: self.offset(end + 1), line: self.line.line + 1 };
        }
    }

    /// Takes the line that has no end, and ends the file.
    pub(super) fn finish(&mut self, buffer: &[u8], pieces: &mut Vec<Piece>) {
        self.pass_line_feed(buffer);
        if self.offset(buffer.len()) > self.line.offset {
            self.whole_line(buffer, buffer.len(), pieces);
        }
        self.close(pieces);
        self.end_batch(pieces);
        self.end_file(pieces);
    }

    /// How many bytes at the buffer's beginning are needed no more; the caller drops them before the next scan.
    pub(super) fn forget(&mut self, buffer: &[u8]) -> usize {
        let keep_from = match (&self.open, self.kind) {
            (Open::Message { from, .. }, _) => from.offset.min(self.line.offset),
            (Open::TooLong { .. } | Open::Outside { .. }, Some(Kind::Message | Kind::Other)) => {
                self.searched_to
            }
            _ => self.line.offset,
        };
        let n_bytes = self.index(keep_from).min(buffer.len());
        self.base += as_u64(n_bytes);
        n_bytes
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX)
    }

    fn offset(&self, index: usize) -> u64 {
        self.base + as_u64(index)
    }

    fn pass_line_feed(&mut self, buffer: &[u8]) {
        if self.is_after_cr && self.offset(buffer.len()) > self.line.offset {
            if buffer[self.index(self.line.offset)] == b'\n' {
                self.line.offset += 1;
            }
            self.is_after_cr = false;
        }
    }

    fn whole_line(&mut self, buffer: &[u8], end: usize, pieces: &mut Vec<Piece>) {
        if self.kind.is_none() {
            self.begin_line(buffer, end, pieces);
        }
        self.end_line(buffer, end, pieces);
        self.kind = None;
    }

    /// What the line that begins here means for what is open.
    fn begin_line(&mut self, buffer: &[u8], end: usize, pieces: &mut Vec<Piece>) {
        let mut content = &buffer[self.index(self.line.offset)..end];
        let mut place = self.line;
        if self.line.offset == 0 {
            content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
        }
        if let Some(after) = content.strip_prefix(&[mllp::START]) {
            content = after;
            place.offset += 1;
        }
        let kind = kind_of(content);
        if !matches!(kind, Kind::Blank | Kind::Other) {
            self.close(pieces);
        }
        match kind {
            Kind::Message => self.open = Open::Message { from: place, to: place.offset, n_lines: 0 },
            Kind::Other if matches!(self.open, Open::None) => {
                self.open = Open::Outside { from: self.line, n_lines: 0, n_bytes: 0 };
            }
            Kind::BatchHeader => {
                self.end_batch(pieces);
                self.n_batches += 1;
                if let Some(file) = &mut self.file {
                    file.n_inside += 1;
                }
                self.batch = Some(Envelope { place, n_inside: 0 });
            }
            Kind::FileHeader => {
                self.end_batch(pieces);
                self.end_file(pieces);
                self.file = Some(Envelope { place, n_inside: 0 });
            }
            Kind::Blank | Kind::Other | Kind::BatchTrailer | Kind::FileTrailer => {}
        }
        self.kind = Some(kind);
    }

    fn end_line(&mut self, buffer: &[u8], end: usize, pieces: &mut Vec<Piece>) {
        let start = self.index(self.line.offset).min(end);
        let n_end = usize::from(buffer[start..end].ends_with(&[mllp::END]));
        let end_offset = self.offset(end - n_end);
        match (self.kind, &mut self.open) {
            (Some(Kind::Message | Kind::Other), Open::Message { to, n_lines, .. }) => {
                *to = end_offset;
                *n_lines += 1;
            }
            (Some(Kind::Message | Kind::Other), Open::TooLong { to, .. }) => *to = end_offset,
            (Some(Kind::Other), Open::Outside { n_lines, n_bytes, .. }) => {
                *n_lines += 1;
                *n_bytes += self.base + as_u64(end) - self.line.offset;
            }
            (Some(Kind::BatchTrailer), _) => self.batch_trailer(&buffer[start..end - n_end], pieces),
            (Some(Kind::FileTrailer), _) => self.file_trailer(&buffer[start..end - n_end], pieces),
            _ => {}
        }
        self.limit(end_offset);
    }

    /// Gives up what is longer than a message may be, so that it need not be kept.
    fn limit(&mut self, to: u64) {
        let Some(max) = self.message_bytes_max else { return };
        match (&self.open, self.kind) {
            (Open::Message { from, .. }, Some(Kind::Message | Kind::Other)) if to - from.offset > max => {
                self.open = Open::TooLong { from: *from, to };
            }
            (Open::None, Some(kind)) if kind != Kind::Other && to.saturating_sub(self.line.offset) > max => {
                self.kind = Some(Kind::Other);
                self.open = Open::Outside { from: self.line, n_lines: 0, n_bytes: 0 };
            }
            _ => {}
        }
    }

    /// Ends what is open and gives it.
    fn close(&mut self, pieces: &mut Vec<Piece>) {
        let (place, problem) = match std::mem::replace(&mut self.open, Open::None) {
            Open::None => return,
            Open::Message { from, to, n_lines } => {
                let batch = self.count_message();
                pieces.push(Piece::Message {
                    from: self.index(from.offset),
                    to: self.index(to),
                    offset: from.offset,
                    line: from.line,
                    n_lines,
                    batch,
                });
                return;
            }
            Open::TooLong { from, to } => {
                self.count_message();
                let max = self.message_bytes_max.unwrap_or(u64::MAX);
                (from, FileProblem::TooLong { n_bytes: to - from.offset, max })
            }
            Open::Outside { from, n_lines, n_bytes } => (from, FileProblem::Outside { n_lines, n_bytes }),
        };
        pieces.push(issue(place, problem));
    }

    fn count_message(&mut self) -> Option<u64> {
        self.batch.as_mut().map(|batch| batch.n_inside += 1)?;
        Some(self.n_batches)
    }

    fn batch_trailer(&mut self, line: &[u8], pieces: &mut Vec<Piece>) {
        let Some(Envelope { n_inside, .. }) = self.batch.take() else {
            let problem = FileProblem::NotBegun { trailer: "BTS", header: "BHS" };
            return pieces.push(issue(self.line, problem));
        };
        let problem = match count_of(line) {
            Count::None => return,
            Count::Said(said) if said == n_inside => return,
            Count::Said(said) => FileProblem::MessageCount { said, found: n_inside },
            Count::NoNumber => FileProblem::Count { segment: "BTS" },
        };
        pieces.push(issue(self.line, problem));
    }

    fn file_trailer(&mut self, line: &[u8], pieces: &mut Vec<Piece>) {
        self.end_batch(pieces);
        let Some(Envelope { n_inside, .. }) = self.file.take() else {
            let problem = FileProblem::NotBegun { trailer: "FTS", header: "FHS" };
            return pieces.push(issue(self.line, problem));
        };
        let problem = match count_of(line) {
            Count::None => return,
            Count::Said(said) if said == n_inside => return,
            Count::Said(said) => FileProblem::BatchCount { said, found: n_inside },
            Count::NoNumber => FileProblem::Count { segment: "FTS" },
        };
        pieces.push(issue(self.line, problem));
    }

    /// The batch ends without its trailer, if it is open.
    fn end_batch(&mut self, pieces: &mut Vec<Piece>) {
        if let Some(batch) = self.batch.take() {
            let problem = FileProblem::NotEnded { header: "BHS", trailer: "BTS" };
            pieces.push(issue(batch.place, problem));
        }
    }

    /// The file ends without its trailer, if it has a header.
    fn end_file(&mut self, pieces: &mut Vec<Piece>) {
        if let Some(file) = self.file.take() {
            let problem = FileProblem::NotEnded { header: "FHS", trailer: "FTS" };
            pieces.push(issue(file.place, problem));
        }
    }
}

fn issue(place: Place, problem: FileProblem) -> Piece {
    Piece::Issue(Issue { offset: place.offset, line: place.line, problem })
}

fn kind_of(content: &[u8]) -> Kind {
    let has_separator = content.get(3).is_some_and(u8::is_ascii_punctuation);
    match content.get(..3) {
        Some(b"MSH") if has_separator => Kind::Message,
        Some(b"FHS") if has_separator => Kind::FileHeader,
        Some(b"BHS") if has_separator => Kind::BatchHeader,
        Some(b"FTS") if has_separator || content.len() == 3 => Kind::FileTrailer,
        Some(b"BTS") if has_separator || content.len() == 3 => Kind::BatchTrailer,
        _ if matches!(content, [] | [mllp::END]) => Kind::Blank,
        _ => Kind::Other,
    }
}

enum Count {
    None,
    Said(u64),
    NoNumber,
}

/// Field 1 of a trailer.
fn count_of(line: &[u8]) -> Count {
    let Some((separator, fields)) = line.get(3..).and_then(<[u8]>::split_first) else { return Count::None };
    let count = fields.split(|byte| byte == separator).next().unwrap_or_default();
    match std::str::from_utf8(count).map(|count| (count, count.trim().parse())) {
        Ok(("" | "\"\"", _)) => Count::None,
        Ok((_, Ok(said))) => Count::Said(said),
        _ => Count::NoNumber,
    }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).expect("lengths in memory fit in 64 bits")
}
