//! Columns and rejects of the records that were divided into fields.

use crate::csv::column::{Cells, Column, extend_typed};
use crate::csv::reader::Reader;
use crate::csv::rows::{Note, Wrong};
use crate::typing::values::RowFault;
use crate::{Fault, Place, Reject, TableError};

/// After this many records a file of another encoding is given up before its end.
const RECORDS_TO_JUDGE: u64 = 10_000;

/// A record that is no row.
pub(super) struct Refused {
    /// Without its offset.
    place: Place,
    start: usize,
    end: usize,
    why: Why,
}

#[derive(Clone, Copy)]
enum Why {
    /// Of the record.
    Wrong(Wrong),
    /// Of a value in this wanted column.
    Fault(usize, Fault),
}

impl Reader {
    /// Builds the columns of the rows, and the rejects of everything else.
    pub(super) fn build(&mut self) -> Result<(), TableError> {
        if self.rows.starts.is_empty() && self.rows.notes.is_empty() {
            return Ok(());
        }
        self.n_records += (self.rows.starts.len() + self.rows.notes.len()) as u64;
        for note in std::mem::take(&mut self.rows.notes) {
            self.refuse_note(&note);
        }
        self.take_out_bad_bytes();
        if self.n_records > RECORDS_TO_JUDGE {
            self.check_encoding()?;
        }
        if !self.rows.starts.is_empty() {
            self.build_columns()?;
        }
        self.lines.extend_from_slice(&self.rows.lines);
        let mut cursor = self.window.cursor();
        let bytes = &self.window.bytes;
        self.offsets.extend(self.rows.starts.iter().map(|start| cursor.offset(bytes, *start as usize)));
        self.place_refused();
        Ok(())
    }

    fn refuse_note(&mut self, note: &Note) {
        let Note { wrong, start, end, line } = *note;
        let place = Place { unit: self.unit, line, offset: None };
        self.refused.push(Refused { place, start, end, why: Why::Wrong(wrong) });
    }

    fn refuse_row(&mut self, row: usize, why: Why) {
        let place = Place { unit: self.unit, line: self.rows.lines[row], offset: None };
        let (start, end) = (self.rows.starts[row] as usize, self.rows.end_of(row));
        self.refused.push(Refused { place, start, end, why });
    }

    /// Rows with NUL bytes or with bytes that are not of the encoding become rejects; such bytes are then replaced, so that the text
    /// of the others can be looked at as a whole.
    fn take_out_bad_bytes(&mut self) {
        let Some(first) = self.rows.starts.first() else { return };
        let (from, to) = (*first as usize, self.rows.end_of(self.rows.starts.len() - 1));
        let mut bad: Vec<(usize, Wrong)> = Vec::new();
        let text = &self.window.bytes[from..to];
        bad.extend(memchr::memchr_iter(0, text).map(|at| (from + at, Wrong::Nul)));
        let (mut at, mut unreadable) = (from, Vec::new());
        while let Err(error) = std::str::from_utf8(&self.window.bytes[at..to]) {
            let start = at + error.valid_up_to();
            at = error.error_len().map_or(to, |len| start + len);
            bad.push((start, Wrong::Encoding));
            unreadable.push(start..at);
        }
        if bad.is_empty() {
            return;
        }
        let starts = &self.rows.starts;
        let row_of = |at: usize| starts.partition_point(|start| *start as usize <= at) - 1;
        let mut rows: Vec<(usize, Wrong)> = bad
            .into_iter()
            .map(|(at, wrong)| (row_of(at), at, wrong))
            // Between two rows there are records that are rejects already.
            .filter(|(row, at, _)| *at < self.rows.end_of(*row))
            .map(|(row, _, wrong)| (row, wrong))
            .collect();
        rows.sort_by_key(|(row, wrong)| (*row, *wrong == Wrong::Nul));
        rows.dedup_by_key(|(row, _)| *row);
        for (row, wrong) in &rows {
            self.refuse_row(*row, Why::Wrong(*wrong));
            self.n_unreadable += u64::from(*wrong == Wrong::Encoding);
        }
        // The raw bytes of these rejects are kept before the bytes are replaced.
        self.place_refused();
        for range in unreadable {
            self.window.bytes[range].fill(b'?');
        }
        let rows: Vec<usize> = rows.into_iter().map(|(row, _)| row).collect();
        self.rows.take_out(&rows);
    }

    fn build_columns(&mut self) -> Result<(), TableError> {
        let faulty = self.build_typed();
        if !faulty.is_empty() {
            for (row, column, fault) in &faulty {
                self.refuse_row(*row, Why::Fault(*column, *fault));
            }
            let rows: Vec<usize> = faulty.into_iter().map(|(row, ..)| row).collect();
            let start = self.lines.len();
            for column in &mut self.columns {
                if let Column::Typed(values) = column {
                    values.take_out(start, &rows);
                }
            }
            self.rows.take_out(&rows);
        }
        let Some(first) = self.rows.starts.first() else { return Ok(()) };
        let (from, to) = (*first as usize, self.rows.end_of(self.rows.starts.len() - 1));
        let bytes = &self.window.bytes;
        let text = std::str::from_utf8(&bytes[from..to])
            .map_err(|_| TableError::Malformed("the text of a block is not UTF-8".to_owned()))?;
        let cells = Cells { bytes, text, text_start: from, rows: &self.rows, dialect: &self.options.dialect };
        for (column, (at, _)) in self.columns.iter_mut().zip(&self.wanted) {
            if let Column::Text(text) = column {
                text.extend(&cells, *at);
            }
        }
        Ok(())
    }

    /// Builds the columns that are not text. Gives the first fault of each row that has one, by row.
    fn build_typed(&mut self) -> Vec<(usize, usize, Fault)> {
        let bytes = &self.window.bytes;
        let cells =
            Cells { bytes, text: "", text_start: 0, rows: &self.rows, dialect: &self.options.dialect };
        let (mut faulty, mut faults): (Vec<(usize, usize, Fault)>, Vec<RowFault>) = (Vec::new(), Vec::new());
        for (index, (column, (at, _))) in self.columns.iter_mut().zip(&self.wanted).enumerate() {
            if let Column::Typed(values) = column {
                extend_typed(values, &cells, *at, &mut faults);
                faulty.extend(faults.drain(..).map(|(row, fault)| (row, index, fault)));
            }
        }
        faulty.sort_unstable_by_key(|(row, column, _)| (*row, *column));
        faulty.dedup_by_key(|(row, ..)| *row);
        faulty
    }

    /// Makes rejects of the records that were refused.
    fn place_refused(&mut self) {
        if self.refused.is_empty() {
            return;
        }
        self.refused.sort_by_key(|refused| refused.start);
        let mut cursor = self.window.cursor();
        for Refused { place, start, end, why } in std::mem::take(&mut self.refused) {
            let place = Place { offset: Some(cursor.offset(&self.window.bytes, start)), ..place };
            let mut reject = match why {
                Why::Wrong(wrong) => self.reject_of(wrong, place),
                Why::Fault(column, fault) => self.wanted[column].1.reject(fault, place),
            };
            let record = self.window.record(start, end);
            let raw = &record[..record.len().min(self.options.limits.raw_bytes_max)];
            reject.raw = match self.options.encoding {
                super::Encoding::Utf8 => raw.to_vec(),
                // The marks of unreadable characters are ours, not the file's.
                _ => String::from_utf8_lossy(raw).into_owned().into_bytes(),
            };
            self.rejects.push(reject);
        }
    }

    fn reject_of(&self, wrong: Wrong, place: Place) -> Reject {
        let limit = self.rows.record_bytes_max;
        let n_wanted = self.rows.stride - usize::from(self.options.dialect.trailing_delimiter);
        let (reason, message) = match wrong {
            Wrong::Ragged { n_fields } => {
                ("ragged", format!("the record has {n_fields} fields, {n_wanted} are expected"))
            }
            Wrong::Header => ("repeated_header", "the header stands here again".to_owned()),
            Wrong::Quote => (
                "quote",
                "there is text behind a closing quote: the line is refused, reading goes on at the next one"
                    .to_owned(),
            ),
            Wrong::Unterminated => (
                "unterminated",
                "a quote is not closed: the line is refused, reading goes on at the next one".to_owned(),
            ),
            Wrong::TooLong => (
                "too_long",
                format!("the record is longer than {limit} bytes, or a quote in it is not closed"),
            ),
            Wrong::Encoding => {
                ("encoding", "the record has bytes that are not of the encoding of the file".to_owned())
            }
            Wrong::Nul => ("nul_byte", "the record has a NUL byte".to_owned()),
        };
        Reject { place, rule: "record".into(), column: None, reason: reason.into(), message, raw: Vec::new() }
    }
}
