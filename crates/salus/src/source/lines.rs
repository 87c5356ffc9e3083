//! Cuts a stream of NDJSON into pieces of whole lines, in bounded memory.

use std::io::{self, Read};

use super::limits::SourceLimits;

/// Whole lines, as they stand in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Number of the first line, from 1.
    pub(crate) first: u64,
    pub(crate) bytes: Vec<u8>,
    /// The file ends here without a line end, so the last line may be cut.
    pub(crate) open_end: bool,
}

/// What a stream of lines gives.
#[derive(Debug)]
pub(crate) enum LinesEvent {
    Piece(Lines),
    /// This line is longer than allowed and was left out; reading goes on behind it.
    TooLong {
        line: u64,
    },
    /// Nothing more can be read. Lines before were given; `line` is the first that was not.
    Broken {
        line: u64,
        error: io::Error,
    },
}

/// Reads to the end and hands out pieces of about `limits.piece_bytes`, each of whole lines. Stops early when `give` says `false`.
pub(crate) fn read_lines(
    mut reader: impl Read,
    limits: &SourceLimits,
    mut give: impl FnMut(LinesEvent) -> bool,
) {
    let mut cutter = Cutter { pending: Vec::new(), line: 1, overlong: false, limits };
    let mut chunk = vec![0; limits.piece_bytes.max(1)];
    loop {
        match fill(&mut reader, &mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                if !cutter.take(&chunk[..n], &mut give) {
                    return;
                }
            }
            Err(error) => {
                give(LinesEvent::Broken { line: cutter.line, error });
                return;
            }
        }
    }
    if !cutter.pending.is_empty() && !cutter.overlong {
        give(LinesEvent::Piece(Lines { first: cutter.line, bytes: cutter.pending, open_end: true }));
    }
}

// Fills the chunk as far as the reader gives; an error after some bytes is met again by the next call.
fn fill(reader: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match reader.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if filled == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(filled)
}

struct Cutter<'a> {
    pending: Vec<u8>,
    line: u64,
    overlong: bool,
    limits: &'a SourceLimits,
}

impl Cutter<'_> {
    fn take(&mut self, mut chunk: &[u8], give: &mut impl FnMut(LinesEvent) -> bool) -> bool {
        if self.overlong {
            let Some(end) = chunk.iter().position(|byte| *byte == b'\n') else { return true };
            self.overlong = false;
            self.line += 1;
            chunk = &chunk[end + 1..];
        }
        let Some(last) = chunk.iter().rposition(|byte| *byte == b'\n') else {
            self.pending.extend_from_slice(chunk);
            return self.check_pending(give);
        };
        let mut bytes = std::mem::take(&mut self.pending);
        bytes.extend_from_slice(&chunk[..=last]);
        let first = self.line;
        self.line += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let whole = Lines { first, bytes, open_end: false };
        if !give(LinesEvent::Piece(whole)) {
            return false;
        }
        self.pending.extend_from_slice(&chunk[last + 1..]);
        self.check_pending(give)
    }

    fn check_pending(&mut self, give: &mut impl FnMut(LinesEvent) -> bool) -> bool {
        if self.pending.len() <= self.limits.line_bytes_max {
            return true;
        }
        self.pending = Vec::new();
        self.overlong = true;
        give(LinesEvent::TooLong { line: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, piece_bytes: usize, line_bytes_max: usize) -> Vec<String> {
        let limits = SourceLimits { piece_bytes, line_bytes_max, ..SourceLimits::default() };
        let mut seen = Vec::new();
        read_lines(text.as_bytes(), &limits, |event| {
            seen.push(match event {
                LinesEvent::Piece(lines) => {
                    let open = if lines.open_end { " open" } else { "" };
                    format!(
                        "{}{open}: {}",
                        lines.first,
                        String::from_utf8(lines.bytes).unwrap().replace('\n', "/")
                    )
                }
                LinesEvent::TooLong { line } => format!("{line} too long"),
                LinesEvent::Broken { line, .. } => format!("{line} broken"),
            });
            true
        });
        seen
    }

    #[test]
    fn pieces_are_whole_lines_with_their_numbers() {
        assert_eq!(check("aa\nbb\ncc\n", 4, 100), ["1: aa/", "2: bb/", "3: cc/"]);
        assert_eq!(check("aa\nbb\ncc\n", 100, 100), ["1: aa/bb/cc/"]);
        assert_eq!(check("aa\n\nbb", 100, 100), ["1: aa//", "3 open: bb"]);
        assert_eq!(check("", 4, 100), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_alone() {
        assert_eq!(check("a\nbbbbbbbbbb\nc\n", 2, 5), ["1: a/", "2 too long", "3: c/"]);
        assert_eq!(check("a\nbbbbbbbbbb", 2, 5), ["1: a/", "2 too long"]);
    }

    struct Breaks(usize);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.0 -= 1;
            buffer[..3].copy_from_slice(b"ab\n");
            Ok(3)
        }
    }

    #[test]
    fn lines_before_a_broken_read_are_given() {
        let limits = SourceLimits::default();
        let mut given = Vec::new();
        read_lines(Breaks(2), &limits, |event| {
            given.push(event);
            true
        });
        assert!(matches!(&given[0], LinesEvent::Piece(lines) if lines.bytes == b"ab\nab\n"));
        assert!(matches!(&given[1], LinesEvent::Broken { line: 3, .. }));
    }
}
