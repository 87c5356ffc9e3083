//! Lines of a file with their places, for formats with a record per line: unpacked and decoded like delimited text.

use std::io::Read;

use crate::TableError;
use crate::csv::Options;
use crate::csv::feed::Feed;
use crate::csv::window::Window;

/// The lines of a file. Of [`Options`], encoding, packing and limits count.
pub struct Lines {
    feed: Feed,
    window: Window,
    line: u64,
    record_bytes_max: usize,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lines(at line {})", self.line)
    }
}

/// A line without its end.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub line: u64,
    /// Offset of its first byte in the (unpacked) file.
    pub offset: u64,
    /// Its bytes; of a line that is too long, the first ones.
    pub bytes: &'a [u8],
    /// It is longer than `record_bytes_max`.
    pub is_too_long: bool,
}

impl Lines {
    /// Begins to read.
    pub fn open(stream: Box<dyn Read + Send>, options: &Options) -> Result<Lines, TableError> {
        options.check()?;
        let feed = Feed::start(stream, options)?;
        let window = Window::new(options.encoding);
        Ok(Lines { feed, window, line: 0, record_bytes_max: options.limits.record_bytes_max })
    }

    /// The next line; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, TableError> {
        if self.line > 0 && !self.finish_line()? {
            return Ok(None);
        }
        self.line += 1;
        let mut looked = 0;
        let end = loop {
            let (at, end) = (self.window.at, self.window.end);
            match self.window.line_end(at + looked) {
                Some(newline) => break newline,
                None if end - at > self.record_bytes_max => break end,
                None => looked = end - at,
            }
            if !self.window.fill(&mut self.feed)? && self.window.at == self.window.end {
                return Ok(None);
            }
        };
        let (at, is_too_long) = (self.window.at, end - self.window.at > self.record_bytes_max);
        let bytes = self.window.record(at, end.min(at + self.record_bytes_max));
        let offset = self.window.cursor().offset(&self.window.bytes, at);
        Ok(Some(Line { line: self.line, offset, bytes, is_too_long }))
    }

    /// Goes behind the end of the line that was given; `false`: there is no more text.
    fn finish_line(&mut self) -> Result<bool, TableError> {
        loop {
            if let Some(newline) = self.window.line_end(self.window.at) {
                self.window.go_to(newline + 1);
                return Ok(true);
            }
            self.window.go_to(self.window.end);
            if !self.window.fill(&mut self.feed)? {
                return Ok(false);
            }
        }
    }

    /// Bytes of the (packed) file that were read since the last call.
    pub fn consumed(&mut self) -> u64 {
        self.feed.consumed()
    }
}

/// The whole of a file, unpacked; an error when it is larger than `bytes_max`.
pub fn read_whole(
    stream: Box<dyn Read + Send>,
    options: &Options,
    bytes_max: u64,
) -> Result<Vec<u8>, TableError> {
    let mut whole = Vec::new();
    let mut feed = Feed::start(stream, options)?;
    while let Some(block) = feed.next()? {
        whole.extend_from_slice(&block.bytes[crate::csv::feed::HEAD_BYTES..block.end]);
        feed.give_back(block.bytes);
        if whole.len() as u64 > bytes_max {
            return Err(TableError::Limit(format!(
                "the file is larger than {bytes_max} bytes, which are held at once"
            )));
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::Limits;

    fn check(text: &str, block_bytes: usize, expected: &[&str]) {
        let limits = Limits { block_bytes, record_bytes_max: 1_024, ..Limits::default() };
        let options = Options { limits, ..Options::default() };
        let mut lines = Lines::open(Box::new(std::io::Cursor::new(text.to_owned())), &options).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            let text = if line.is_too_long { "(too long)" } else { std::str::from_utf8(line.bytes).unwrap() };
            found.push(format!("{}@{} {text}", line.line, line.offset));
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_have_places() {
        for block_bytes in 1..12 {
            check("ab\r\n\ncd\ne", block_bytes, &["1@0 ab", "2@4 ", "3@5 cd", "4@8 e"]);
            check("\u{feff}ab\n", block_bytes + 3, &["1@3 ab"]);
        }
        check("", 10, &[]);
        let long = format!("a\n{}\nb\n", "x".repeat(5_000));
        check(&long, 100, &["1@0 a", "2@2 (too long)", "3@5003 b"]);
    }
}
