//! From text to pieces: records are divided into fields some at a time, and [`super::build`] makes columns of them.

use crate::csv::build::Refused;
use crate::csv::column::Column;
use crate::csv::feed::Feed;
use crate::csv::open::{Opened, Wanted};
use crate::csv::record::{Outcome, record, refuse};
use crate::csv::rows::{Note, Rows, Wrong};
use crate::csv::scan::{Stop, scan};
use crate::csv::window::Window;
use crate::csv::{Encoding, Options};
use crate::{Batch, Nulled, Places, Reject, TableError, TypedColumn};

/// Rows that are divided into fields before their columns are built: their text stays in the cache.
const ROWS_AT_ONCE: usize = 1_024;
/// Rejects of a piece.
const REJECTS_MAX: usize = 1_024;
/// A file in which more than this many records, and more than half of all, are not of the encoding has another encoding.
const UNREADABLE_RECORDS: u64 = 10;

/// What a reader gives at once.
#[derive(Debug)]
pub struct Piece {
    /// Rows.
    pub batch: Option<Batch>,
    /// Records that are no rows, in the order of the file.
    pub rejects: Vec<Reject>,
    /// Values that are missing because they could not be read and their columns say so.
    pub nulled: Vec<Nulled>,
    /// Bytes of the (packed) file that were read since the last piece.
    pub n_bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// In a record that is too long, which is not held.
    Skipping,
    Done,
}

/// Gives the pieces of a file.
pub struct Reader {
    feed: Feed,
    state: State,
    pub(super) window: Window,
    pub(super) options: Options,
    pub(super) unit: u32,
    pub(super) rows: Rows,
    /// Wanted columns: their place in the file, and how they are read.
    pub(super) wanted: Vec<(usize, TypedColumn)>,
    pub(super) columns: Vec<Column>,
    /// Places of the rows of the next batch.
    pub(super) lines: Vec<u64>,
    pub(super) offsets: Vec<u64>,
    pub(super) rejects: Vec<Reject>,
    pub(super) refused: Vec<Refused>,
    pub(super) n_records: u64,
    pub(super) n_unreadable: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} columns, {} records so far)", self.wanted.len(), self.n_records)
    }
}

impl Iterator for Reader {
    type Item = Result<Piece, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.piece() {
            Ok(piece) => piece.map(Ok),
            Err(error) => {
                self.state = State::Done;
                Some(Err(error))
            }
        }
    }
}

impl Reader {
    pub(super) fn new(opened: Opened, unit: u32, wanted: Vec<Wanted>) -> Reader {
        let Opened { feed, window, options, names, header, line } = opened;
        let has_trailing = options.dialect.trailing_delimiter;
        let mut rows = Rows::new(names.len(), has_trailing, header, options.limits.record_bytes_max);
        rows.line = line;
        let columns = wanted.iter().map(|wanted| Column::new(&wanted.reading)).collect();
        let typed = wanted
            .into_iter()
            .map(|Wanted { name, at, reading }| (at, TypedColumn { from: name.clone(), name, reading }));
        Reader {
            feed,
            state: State::Reading,
            window,
            options,
            unit,
            rows,
            wanted: typed.collect(),
            columns,
            lines: Vec::new(),
            offsets: Vec::new(),
            rejects: Vec::new(),
            refused: Vec::new(),
            n_records: 0,
            n_unreadable: 0,
        }
    }

    fn piece(&mut self) -> Result<Option<Piece>, TableError> {
        while self.state != State::Done {
            if self.lines.len() >= self.options.limits.batch_rows || self.rejects.len() >= REJECTS_MAX {
                return self.give().map(Some);
            }
            if self.state == State::Skipping { self.skip()? } else { self.step()? }
        }
        let is_empty = self.lines.is_empty() && self.rejects.is_empty();
        if is_empty { Ok(None) } else { self.give().map(Some) }
    }

    /// What was gathered.
    fn give(&mut self) -> Result<Piece, TableError> {
        let (lines, offsets) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.offsets));
        let mut nulled = Vec::new();
        for (column, (_, wanted)) in self.columns.iter_mut().zip(&self.wanted) {
            if let Column::Typed(values) = column {
                nulled.extend(values.take_nulled().map(|(fault, n)| wanted.nulled(fault, n)));
            }
        }
        let batch = if lines.is_empty() {
            None
        } else {
            let arrays = self.columns.iter_mut().zip(&self.wanted);
            let arrays = arrays.map(|(column, (_, wanted))| Ok((wanted.name.clone(), column.finish()?)));
            let arrays = arrays.collect::<Result<Vec<_>, TableError>>()?;
            Some(Batch::new(arrays, Places::of_file(self.unit, lines, offsets))?)
        };
        let rejects = std::mem::take(&mut self.rejects);
        Ok(Piece { batch, rejects, nulled, n_bytes: self.feed.consumed() })
    }

    /// Some rows more, or more text.
    fn step(&mut self) -> Result<(), TableError> {
        self.rows.restart(self.window.at);
        let room = self.options.limits.batch_rows - self.lines.len();
        let is_hungry = self.divide(ROWS_AT_ONCE.min(room));
        self.build()?;
        self.window.go_to(self.rows.start);
        if is_hungry { self.feed_more() } else { Ok(()) }
    }

    /// Divides text into rows; `true`: the next record does not end in the text.
    fn divide(&mut self, rows_max: usize) -> bool {
        let Reader { window, rows, options, .. } = self;
        let dialect = &options.dialect;
        let (delimiter, quote) = (dialect.delimiter, dialect.quote);
        while rows.starts.len() < rows_max && rows.notes.len() < REJECTS_MAX {
            let stop = match (dialect.is_plain(), quote) {
                (false, _) => Stop::Odd,
                (true, Some(quote)) => {
                    scan::<true>(&window.bytes, window.end, delimiter, quote, rows, rows_max)
                }
                (true, None) => scan::<false>(&window.bytes, window.end, delimiter, 0, rows, rows_max),
            };
            match stop {
                Stop::Full => return false,
                Stop::Need => return true,
                Stop::Odd if record(window, dialect, rows) == Outcome::Need => return true,
                Stop::Odd => {}
            }
        }
        false
    }

    /// The record at the beginning of the window does not end in it.
    fn feed_more(&mut self) -> Result<(), TableError> {
        let held = self.window.end - self.window.at;
        if held > self.options.limits.record_bytes_max {
            return self.refuse_first(Wrong::TooLong);
        }
        if self.window.fill(&mut self.feed)? {
            return Ok(());
        }
        if self.window.at < self.window.end {
            return self.refuse_first(Wrong::Unterminated);
        }
        self.state = State::Done;
        self.check_encoding()
    }

    /// An error when the file is of another encoding altogether.
    pub(super) fn check_encoding(&self) -> Result<(), TableError> {
        if self.n_unreadable <= UNREADABLE_RECORDS || self.n_unreadable * 2 <= self.n_records {
            return Ok(());
        }
        let hint = match self.options.encoding {
            Encoding::Utf8 => "UTF-8: set its `encoding`, for example `windows-1252`",
            _ => "of its `encoding`",
        };
        Err(TableError::Malformed(format!("more than half of the records are not {hint}")))
    }

    /// Refuses the first line in the window, or all of it when the line does not end.
    fn refuse_first(&mut self, wrong: Wrong) -> Result<(), TableError> {
        self.rows.restart(self.window.at);
        if refuse(&self.window, &mut self.rows, wrong) == Outcome::Done {
            self.build()?;
            self.window.go_to(self.rows.start);
            return Ok(());
        }
        let (start, end) = (self.window.at, self.window.end);
        self.rows.notes.push(Note { wrong, start, end, line: self.rows.line });
        self.build()?;
        self.window.go_to(end);
        self.state = State::Skipping;
        Ok(())
    }

    /// Goes to the end of a record that is not held.
    fn skip(&mut self) -> Result<(), TableError> {
        if let Some(newline) = self.window.line_end(self.window.at) {
            self.window.go_to(newline + 1);
            self.rows.line += 1;
            self.state = State::Reading;
        } else {
            self.window.go_to(self.window.end);
            if !self.window.fill(&mut self.feed)? {
                self.state = State::Done;
            }
        }
        Ok(())
    }
}
