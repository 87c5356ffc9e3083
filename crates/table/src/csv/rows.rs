//! Positions of the fields of some records, all with the same number of fields, and notes on those that are not rows.

/// What is wrong with a record, found while it was divided into fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Another number of fields.
    Ragged { n_fields: usize },
    /// The header again.
    Header,
    /// Text behind a closing quote.
    Quote,
    /// The quote of the last field is not closed.
    Unterminated,
    /// Longer than the limit.
    TooLong,
    /// Bytes that are not of the encoding.
    Encoding,
    /// A NUL.
    Nul,
}

/// A record that is not a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) wrong: Wrong,
    pub(crate) start: usize,
    /// Behind its last byte, which may be its line end.
    pub(crate) end: usize,
    pub(crate) line: u64,
}

/// Fields of some records.
pub(crate) struct Rows {
    /// Ends of the fields of the rows, `stride` each; behind `n_ends` there is only room.
    pub(crate) ends: Vec<u32>,
    pub(crate) n_ends: usize,
    /// Starts of the rows.
    pub(crate) starts: Vec<u32>,
    /// Lines of the rows.
    pub(crate) lines: Vec<u64>,
    /// Fields of a row.
    pub(crate) stride: usize,
    /// Records that are no rows.
    pub(crate) notes: Vec<Note>,
    /// Start and line of the record that is being divided.
    pub(crate) start: usize,
    pub(crate) line: u64,
    /// Its first field in `ends`.
    pub(crate) first: usize,
    /// Line ends inside of its fields so far.
    pub(crate) inner_lines: u64,
    pub(crate) record_bytes_max: usize,
    has_trailing: bool,
    header: Option<Box<[u8]>>,
}

/// Room for the fields of one look at 64 bytes.
pub(crate) const ROOM: usize = 64;

impl Rows {
    /// For rows of some fields. With `has_trailing`, a last field follows that must be empty. `header`: a record that is no row.
    pub(crate) fn new(
        n_fields: usize,
        has_trailing: bool,
        header: Option<Box<[u8]>>,
        record_bytes_max: usize,
    ) -> Rows {
        Rows {
            ends: vec![0; 4 * ROOM],
            n_ends: 0,
            starts: Vec::new(),
            lines: Vec::new(),
            stride: n_fields + usize::from(has_trailing),
            notes: Vec::new(),
            start: 0,
            line: 1,
            first: 0,
            inner_lines: 0,
            record_bytes_max,
            has_trailing,
            header,
        }
    }

    /// Forgets the rows and notes; goes on at a position.
    pub(crate) fn restart(&mut self, start: usize) {
        self.starts.clear();
        self.lines.clear();
        self.notes.clear();
        (self.n_ends, self.first, self.start, self.inner_lines) = (0, 0, start, 0);
    }

    /// Adds the end of a field.
    pub(crate) fn push(&mut self, end: usize) {
        self.make_room();
        self.ends[self.n_ends] = end as u32;
        self.n_ends += 1;
    }

    /// Room for [`ROOM`] more ends.
    #[inline]
    pub(crate) fn make_room(&mut self) {
        if self.ends.len() < self.n_ends + ROOM {
            self.ends.resize(2 * self.ends.len(), 0);
        }
    }

    /// Forgets the fields of the record that is being divided.
    pub(crate) fn reopen(&mut self) {
        (self.n_ends, self.inner_lines) = (self.first, 0);
    }

    /// The record ends at a line end, which is the end of its last field, number `last` in `ends`. Gives how many ends were taken
    /// out because it is no row.
    #[inline]
    pub(crate) fn close(&mut self, bytes: &[u8], last: usize, newline: usize) -> usize {
        let (start, mut end) = (self.start, newline);
        if end > start && bytes[end - 1] == b'\r' {
            end -= 1;
            self.ends[last] = end as u32;
        }
        let is_row =
            last + 1 - self.first == self.stride && !self.has_trailing && !self.is_header(bytes, start, end);
        let n_out = if is_row {
            self.starts.push(start as u32);
            self.lines.push(self.line);
            self.first = last + 1;
            0
        } else {
            self.close_odd(bytes, last, newline)
        };
        self.line += 1 + self.inner_lines;
        self.inner_lines = 0;
        self.start = newline + 1;
        n_out
    }

    /// The rare ways: a field too many or too few, a blank line, the header again; and any row that must end with a delimiter.
    #[inline(never)]
    fn close_odd(&mut self, bytes: &[u8], last: usize, newline: usize) -> usize {
        let (start, end) = (self.start, self.ends[last] as usize);
        let n_fields = last + 1 - self.first;
        let is_trailed = !self.has_trailing || (last > self.first && self.ends[last - 1] as usize + 1 == end);
        let wrong = if self.is_header(bytes, start, end) {
            Some(Wrong::Header)
        } else if n_fields == self.stride && is_trailed {
            self.starts.push(start as u32);
            self.lines.push(self.line);
            self.first = last + 1;
            return 0;
        } else if start == end {
            // A blank line is no record where records have several fields.
            None
        } else {
            Some(Wrong::Ragged { n_fields: n_fields - usize::from(self.has_trailing && is_trailed) })
        };
        if let Some(wrong) = wrong {
            self.notes.push(Note { wrong, start, end: newline, line: self.line });
        }
        self.ends.copy_within(last + 1..self.n_ends, self.first);
        self.n_ends -= n_fields;
        n_fields
    }

    #[inline]
    fn is_header(&self, bytes: &[u8], start: usize, end: usize) -> bool {
        self.header
            .as_ref()
            .is_some_and(|header| header.len() == end - start && **header == bytes[start..end])
    }

    /// The record is refused up to a position; what follows is another one.
    pub(crate) fn refuse(&mut self, wrong: Wrong, end: usize) {
        self.reopen();
        self.notes.push(Note { wrong, start: self.start, end, line: self.line });
        self.line += 1;
        self.start = end + 1;
    }

    /// Where a row ends.
    pub(crate) fn end_of(&self, row: usize) -> usize {
        self.ends[(row + 1) * self.stride - 1] as usize
    }

    /// Takes out rows: their numbers in ascending order.
    pub(crate) fn take_out(&mut self, rows: &[usize]) {
        let Some(first) = rows.first() else { return };
        let (mut kept, mut leaving) = (*first, rows.iter().peekable());
        for row in *first..self.starts.len() {
            if leaving.next_if_eq(&&row).is_some() {
                continue;
            }
            (self.starts[kept], self.lines[kept]) = (self.starts[row], self.lines[row]);
            self.ends.copy_within(row * self.stride..(row + 1) * self.stride, kept * self.stride);
            kept += 1;
        }
        self.starts.truncate(kept);
        self.lines.truncate(kept);
        self.n_ends = kept * self.stride;
    }
}
