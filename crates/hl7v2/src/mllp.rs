//! MLLP: messages in frames, VT before and FS CR after, on a stream of bytes that the caller reads and writes.
//!
//! ```
//! use hl7v2::mllp::{Decoder, Found, encode};
//! let mut stream = Vec::new();
//! encode(b"MSH|^~\\&|\r", &mut stream).unwrap();
//! let mut decoder = Decoder::new(1_048_576);
//! let events = decoder.push(&stream);
//! assert_eq!(events[0].found, Found::Message(b"MSH|^~\\&|\r".to_vec()));
//! assert_eq!(decoder.finish(), None); // nothing was cut off
//! ```

use std::fmt;

/// Begins a frame.
pub const START: u8 = 0x0B;
/// Ends a frame, together with [`CARRIAGE_RETURN`].
pub const END: u8 = 0x1C;
/// The last byte of a frame.
pub const CARRIAGE_RETURN: u8 = b'\r';

/// Something that the decoder found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Bytes of the stream before it: before the frame's first byte, or the first byte outside.
    pub offset: u64,
    /// What it is.
    pub found: Found,
}

/// What the decoder found. Every byte of the stream is in exactly one of these, or counted by [`Found::Skipped`], or one of a frame's own three.
#[derive(Clone, PartialEq, Eq)]
pub enum Found {
    /// A whole frame's content.
    Message(Vec<u8>),
    /// A frame's content, whole, but something else than CR followed its FS.
    MissingCr(Vec<u8>),
    /// Content of a frame that did not end before the next began: its end is missing.
    NestedStart(Vec<u8>),
    /// Content of a frame that did not end before the stream did.
    CutOff(Vec<u8>),
    /// A frame is longer than `frame_bytes_max`: its content up to there. What follows up to its end is skipped.
    TooLarge(Vec<u8>),
    /// A frame that was too large has ended, after that many more bytes of content.
    Skipped {
        /// Bytes that were not kept.
        n_bytes: u64,
    },
    /// Bytes that stand in no frame, as they came in one call of [`Decoder::push`].
    Outside(Vec<u8>),
}

/// Without contents.
impl fmt::Debug for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, n_bytes) = match self {
            Found::Message(bytes) => ("Message", bytes.len()),
            Found::MissingCr(bytes) => ("MissingCr", bytes.len()),
            Found::NestedStart(bytes) => ("NestedStart", bytes.len()),
            Found::CutOff(bytes) => ("CutOff", bytes.len()),
            Found::TooLarge(bytes) => ("TooLarge", bytes.len()),
            Found::Outside(bytes) => ("Outside", bytes.len()),
            Found::Skipped { n_bytes } => return write!(out, "Skipped({n_bytes} bytes)"),
        };
        write!(out, "{name}({n_bytes} bytes)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    Inside,
    /// After FS: CR is due.
    Ended,
    /// Inside a frame that is too large.
    Skipping,
    /// After FS of a frame that is too large.
    SkippingEnded,
}

/// Finds frames in bytes that come piece by piece. Keeps at most one frame.
pub struct Decoder {
    frame_bytes_max: usize,
    state: State,
    content: Vec<u8>,
    /// Bytes of the stream before the frame that is open.
    frame_offset: u64,
    n_skipped: u64,
    /// Bytes of the stream that were seen.
    n_seen: u64,
}

impl Decoder {
    /// For frames of at most that many bytes of content.
    pub fn new(frame_bytes_max: usize) -> Decoder {
        Decoder {
            frame_bytes_max,
            state: State::Outside,
            content: Vec::new(),
            frame_offset: 0,
            n_skipped: 0,
            n_seen: 0,
        }
    }

    /// Takes the next bytes of the stream and gives what was found with them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let n_taken = match self.state {
                State::Outside => self.outside(rest, &mut events),
                State::Inside => self.inside(rest, &mut events),
                State::Skipping => self.skipping(rest, &mut events),
                State::Ended | State::SkippingEnded => self.ended(*first, &mut events),
            };
            self.n_seen += as_u64(n_taken);
            rest = &rest[n_taken..];
        }
        events
    }

    /// The stream has ended: gives what it left unfinished. The decoder is then as new, and goes on counting bytes.
    pub fn finish(&mut self) -> Option<Event> {
        let found = match self.state {
            State::Outside => return None,
            State::Inside => Found::CutOff(self.take()),
            State::Ended => Found::MissingCr(self.take()),
            State::Skipping | State::SkippingEnded => self.skipped(),
        };
        self.state = State::Outside;
        Some(Event { offset: self.frame_offset, found })
    }

    /// Whether only the CR of a frame is due. A sender that never writes it waits for an answer now: after a while, call [`Decoder::finish`].
    pub fn awaits_cr(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether a frame has begun and not ended.
    pub fn is_inside(&self) -> bool {
        self.state != State::Outside
    }

    fn outside(&mut self, rest: &[u8], events: &mut Vec<Event>) -> usize {
        let n_before = rest.iter().position(|byte| *byte == START).unwrap_or(rest.len());
        if n_before > 0 {
            events.push(Event { offset: self.n_seen, found: Found::Outside(rest[..n_before].to_vec()) });
            return n_before;
        }
        self.open(self.n_seen);
        1
    }

    fn inside(&mut self, rest: &[u8], events: &mut Vec<Event>) -> usize {
        let n_content = rest.iter().position(|byte| matches!(*byte, START | END)).unwrap_or(rest.len());
        let n_room = self.frame_bytes_max - self.content.len();
        self.content.extend_from_slice(&rest[..n_content.min(n_room)]);
        if n_content > n_room {
            self.state = State::Skipping;
            self.n_skipped = 0;
            let found = Found::TooLarge(self.take());
            events.push(Event { offset: self.frame_offset, found });
            return n_room;
        }
        match rest.get(n_content) {
            None => n_content,
            Some(&END) => {
                self.state = State::Ended;
                n_content + 1
            }
            Some(_) => {
                let found = Found::NestedStart(self.take());
                events.push(Event { offset: self.frame_offset, found });
                self.open(self.n_seen + as_u64(n_content));
                n_content + 1
            }
        }
    }

    fn skipping(&mut self, rest: &[u8], events: &mut Vec<Event>) -> usize {
        let n_content = rest.iter().position(|byte| matches!(*byte, START | END)).unwrap_or(rest.len());
        self.n_skipped += as_u64(n_content);
        match rest.get(n_content) {
            None => n_content,
            Some(&END) => {
                self.state = State::SkippingEnded;
                n_content + 1
            }
            Some(_) => {
                let found = self.skipped();
                events.push(Event { offset: self.frame_offset, found });
                self.open(self.n_seen + as_u64(n_content));
                n_content + 1
            }
        }
    }

    /// After FS. A byte that is not CR is looked at again, outside.
    fn ended(&mut self, first: u8, events: &mut Vec<Event>) -> usize {
        let is_cr = first == CARRIAGE_RETURN;
        let found = match self.state {
            State::SkippingEnded => self.skipped(),
            _ if is_cr => Found::Message(self.take()),
            _ => Found::MissingCr(self.take()),
        };
        events.push(Event { offset: self.frame_offset, found });
        self.state = State::Outside;
        usize::from(is_cr)
    }

    fn open(&mut self, offset: u64) {
        self.state = State::Inside;
        self.frame_offset = offset;
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.content)
    }

    fn skipped(&mut self) -> Found {
        Found::Skipped { n_bytes: std::mem::take(&mut self.n_skipped) }
    }
}

fn as_u64(n_bytes: usize) -> u64 {
    u64::try_from(n_bytes).expect("lengths in memory fit in 64 bits")
}

/// A message that no frame can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "byte {offset} of the message is a control character of frames (VT or FS); escape it as `\\X0B\\` or `\\X1C\\`"
)]
pub struct FrameError {
    /// Bytes of the message before it.
    pub offset: usize,
}

/// Writes a message in a frame at the end of `out`.
///
/// # Errors
/// When the message holds VT or FS; nothing is written then.
pub fn encode(message: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
    if let Some(offset) = message.iter().position(|byte| matches!(*byte, START | END)) {
        return Err(FrameError { offset });
    }
    out.reserve(message.len() + 3);
    out.push(START);
    out.extend_from_slice(message);
    out.extend_from_slice(&[END, CARRIAGE_RETURN]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All events, with `<`, `>` and `.` for VT, FS and CR, in pieces of each length.
    fn check(stream: &str, expected: &str) {
        let bytes: Vec<u8> = stream
            .bytes()
            .map(|byte| match byte {
                b'<' => START,
                b'>' => END,
                b'.' => CARRIAGE_RETURN,
                other => other,
            })
            .collect();
        let whole = shown(&bytes, bytes.len().max(1));
        assert_eq!(whole, expected, "{stream}");
        for n_bytes in 1..bytes.len() {
            assert_eq!(joined(&shown(&bytes, n_bytes)), joined(expected), "{stream} by {n_bytes}");
        }
    }

    fn events(bytes: &[u8], n_bytes: usize) -> Vec<Event> {
        let mut decoder = Decoder::new(6);
        let mut events: Vec<Event> = bytes.chunks(n_bytes).flat_map(|piece| decoder.push(piece)).collect();
        events.extend(decoder.finish());
        assert!(!decoder.is_inside() && !decoder.awaits_cr());
        events
    }

    fn shown(bytes: &[u8], n_bytes: usize) -> String {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let lines = events(bytes, n_bytes).into_iter().map(|event| {
            let what = match &event.found {
                Found::Message(bytes) => format!("message {}", text(bytes)),
                Found::MissingCr(bytes) => format!("missing-cr {}", text(bytes)),
                Found::NestedStart(bytes) => format!("nested-start {}", text(bytes)),
                Found::CutOff(bytes) => format!("cut-off {}", text(bytes)),
                Found::TooLarge(bytes) => format!("too-large {}", text(bytes)),
                Found::Skipped { n_bytes } => format!("skipped {n_bytes}"),
                Found::Outside(bytes) => format!("outside {}", text(bytes).replace('\r', ".")),
            };
            format!("{}: {what}", event.offset)
        });
        lines.collect::<Vec<String>>().join("\n")
    }

    /// Bytes outside come as they are pushed: their pieces are put together.
    fn joined(shown: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for line in shown.lines() {
            let outside = line.split_once(": outside ").map(|(_, text)| text);
            match (outside, lines.last_mut()) {
                (Some(text), Some(last)) if last.contains(": outside ") => last.push_str(text),
                _ => lines.push(line.to_owned()),
            }
        }
        lines.join("\n")
    }

    #[test]
    fn whole_frames() {
        check("<abc>.", "0: message abc");
        check("<abc>.<d>.<>.", "0: message abc\n6: message d\n10: message ");
        check("<a.b.>.", "0: message a\rb\r");
        check("<123456>.", "0: message 123456");
        check("", "");
    }

    #[test]
    fn nothing_is_lost_silently() {
        check("x<abc>.y.<d>.z", "0: outside x\n1: message abc\n7: outside y.\n9: message d\n13: outside z");
        check("<abc><d>.", "0: missing-cr abc\n5: message d");
        check("<abc>x<d>.", "0: missing-cr abc\n5: outside x\n6: message d");
        check("<abc>", "0: missing-cr abc");
        check("<ab<cd>.", "0: nested-start ab\n3: message cd");
        check("<ab", "0: cut-off ab");
        check("<", "0: cut-off ");
        check(">.", "0: outside \u{1c}.");
    }

    #[test]
    fn too_large_frames_are_left_and_the_next_is_read() {
        check("<1234567>.<a>.", "0: too-large 123456\n0: skipped 1\n10: message a");
        check("<1234567890", "0: too-large 123456\n0: skipped 4");
        check("<12345678<a>.", "0: too-large 123456\n0: skipped 2\n9: message a");
        check("<12345678><a>.", "0: too-large 123456\n0: skipped 2\n10: message a");
    }

    #[test]
    fn what_no_frame_can_carry_is_refused() {
        let mut out = vec![1];
        assert_eq!(encode(b"ab\x1c", &mut out), Err(FrameError { offset: 2 }));
        assert_eq!(out, [1]);
    }

    proptest! {
        #[test]
        fn frames_come_back(messages in proptest::collection::vec(proptest::collection::vec(0x20u8..0x7f, 0..6), 0..5), n_bytes in 1usize..9) {
            let mut stream = Vec::new();
            for message in &messages {
                encode(message, &mut stream).unwrap();
            }
            let found: Vec<Found> = events(&stream, n_bytes).into_iter().map(|event| event.found).collect();
            prop_assert_eq!(found, messages.into_iter().map(Found::Message).collect::<Vec<_>>());
        }

        #[test]
        fn every_byte_is_accounted_for(bytes in proptest::collection::vec(prop_oneof![Just(START), Just(END), Just(b'\r'), Just(b'a')], 0..60), n_bytes in 1usize..9) {
            let n_in_events: u64 = events(&bytes, n_bytes).into_iter().map(|event| match event.found {
                Found::Message(bytes) => as_u64(bytes.len()) + 3,
                Found::MissingCr(bytes) => as_u64(bytes.len()) + 2,
                Found::NestedStart(bytes) | Found::CutOff(bytes) | Found::TooLarge(bytes) => as_u64(bytes.len()) + 1,
                Found::Outside(bytes) => as_u64(bytes.len()),
                Found::Skipped { n_bytes } => n_bytes,
            }).sum();
            // After a frame that was too large, FS and CR are in no event.
            let n_bytes = as_u64(bytes.len());
            let n_large = as_u64(bytes.split(|byte| *byte == START).filter(|part| part.len() > 6).count());
            prop_assert!(n_in_events <= n_bytes && n_in_events + 2 * n_large >= n_bytes);
        }
    }
}
