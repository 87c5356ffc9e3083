//! The beginning of a file: its packing, the lines before the header, the names of the columns.

use std::io::Read;
use std::sync::Arc;

use crate::csv::feed::Feed;
use crate::csv::reader::Reader;
use crate::csv::record::{FirstRecord, first_record};
use crate::csv::window::Window;
use crate::csv::{Encoding, Header, Options};
use crate::{Reading, TableError};

/// A column that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in the batches.
    pub name: Arc<str>,
    /// Its place among the columns of the file, from 0.
    pub at: usize,
    /// How its text is read.
    pub reading: Reading,
}

/// A file whose header was read.
pub struct Opened {
    pub(crate) feed: Feed,
    pub(crate) window: Window,
    pub(crate) options: Options,
    pub(crate) names: Vec<String>,
    /// The header as it is written.
    pub(crate) header: Option<Box<[u8]>>,
    /// The line of the first record.
    pub(crate) line: u64,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} columns)", self.names.len())
    }
}

/// Begins to read delimited text: recognises the packing, and reads the header.
pub fn open(stream: Box<dyn Read + Send>, options: Options) -> Result<Opened, TableError> {
    options.check()?;
    let feed = Feed::start(stream, &options)?;
    let window = Window::new(options.encoding);
    let mut opened = Opened { feed, window, options, names: Vec::new(), header: None, line: 1 };
    opened.skip_lines()?;
    opened.read_header()?;
    Ok(opened)
}

impl Opened {
    /// Names of the columns, in the order of the file. A column without a name is `column_` and its number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn skip_lines(&mut self) -> Result<(), TableError> {
        for _ in 0..self.options.dialect.skip_lines {
            let newline = loop {
                match self.window.line_end(self.window.at) {
                    Some(newline) => break newline,
                    None if self.window.end - self.window.at > self.options.limits.record_bytes_max => {
                        return Err(TableError::Limit(
                            "a line before the header is longer than `record_bytes_max`".to_owned(),
                        ));
                    }
                    None if self.window.fill(&mut self.feed)? => {}
                    None => {
                        return Err(TableError::Malformed(
                            "the file has fewer lines than `skip_lines`".to_owned(),
                        ));
                    }
                }
            };
            self.window.go_to(newline + 1);
            self.line += 1;
        }
        Ok(())
    }

    fn read_header(&mut self) -> Result<(), TableError> {
        if let Header::Names(names) = &self.options.dialect.header {
            self.names = names.iter().map(ToString::to_string).collect();
            return Ok(());
        }
        let is_header = self.options.dialect.header == Header::First;
        let Some((fields, next)) = self.first_record()? else {
            let why =
                if self.window.is_empty_file() { "the file is empty" } else { "the file has no record" };
            return Err(TableError::Malformed(format!("{why}: a header was expected")));
        };
        let n_fields = fields.len();
        for (index, field) in fields.into_iter().enumerate() {
            let name = if is_header { self.name(field)? } else { String::new() };
            // Some writers end every record with a delimiter.
            if index + 1 == n_fields
                && n_fields > 1
                && name.is_empty()
                && self.options.dialect.trailing_delimiter
            {
                continue;
            }
            self.names.push(if name.is_empty() { format!("column_{}", index + 1) } else { name });
        }
        if is_header {
            let record = self.window.record(self.window.at, next - 1);
            self.header = Some(record.into());
            self.line += 1 + memchr::memchr_iter(b'\n', record).count() as u64;
            self.window.go_to(next);
        }
        Ok(())
    }

    fn name(&self, field: Vec<u8>) -> Result<String, TableError> {
        if field.contains(&0) {
            return Err(TableError::Malformed(
                "the header holds NUL bytes: the file may be UTF-16: set its `encoding`".to_owned(),
            ));
        }
        String::from_utf8(field).map_err(|_| {
            let encoding = match self.options.encoding {
                Encoding::Utf8 => "UTF-8: set its `encoding`, for example `windows-1252`",
                _ => "of its `encoding`",
            };
            TableError::Malformed(format!("the header is not {encoding}"))
        })
    }

    /// The fields of the first record that is neither blank nor a comment, and where it ends; `None`: there is none.
    fn first_record(&mut self) -> Result<Option<FirstRecord>, TableError> {
        loop {
            let (at, end) = (self.window.at, self.window.end);
            let is_skipped = at < end
                && (matches!(self.window.bytes[at], b'\n' | b'\r')
                    || Some(self.window.bytes[at]) == self.options.dialect.comment);
            if is_skipped && let Some(newline) = self.window.line_end(at) {
                self.window.go_to(newline + 1);
                self.line += 1;
                continue;
            }
            if !is_skipped && at < end {
                match first_record(&self.window, &self.options.dialect) {
                    Some(Ok(found)) => return Ok(Some(found)),
                    Some(Err(_)) => {
                        return Err(TableError::Malformed(
                            "the header has text behind a closing quote: check `delimiter` and `quote`"
                                .to_owned(),
                        ));
                    }
                    None => {}
                }
            }
            if end - at > self.options.limits.record_bytes_max {
                return Err(TableError::Limit(
                    "the header is longer than `record_bytes_max`: check `delimiter` and `quote`".to_owned(),
                ));
            }
            if !self.window.fill(&mut self.feed)? {
                return match self.window.at == self.window.end {
                    true => Ok(None),
                    false => Err(TableError::Malformed(
                        "the header has a quote that is not closed: check `quote`".to_owned(),
                    )),
                };
            }
        }
    }

    /// Reads the records as rows of the columns that are wanted, as unit number `unit`.
    pub fn read(self, unit: u32, wanted: Vec<Wanted>) -> Reader {
        Reader::new(self, unit, wanted)
    }
}
