//! Messages of a file to batches and rejects, each row with the place of its segment.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, Date32Builder, StringViewBuilder, TimestampMicrosecondBuilder};
use hl7v2::files::{FileMessage, FileProblem, Issue, Split};
use hl7v2::{Message, Precision, Problem, Timestamp};
use table::{Batch, Place, Places, Reject, Value};

use super::options::{Form, Options};
use crate::EtlError;
use crate::source::{Out, Piece};

const ROWS_PER_BATCH: usize = 8192;
const REJECTS_PER_PIECE: usize = 1000;
/// Long texts (documents in an OBX) make a batch of fewer rows.
const BYTES_PER_BATCH: usize = 8 * 1024 * 1024;

/// Gathers rows and rejects and sends them.
pub(super) struct Rows<'a> {
    options: &'a Options,
    unit: u32,
    out: &'a Out,
    columns: Vec<Cells>,
    lines: Vec<u64>,
    offsets: Vec<u64>,
    n_bytes: usize,
    rejects: Vec<Reject>,
    n_reject_bytes: usize,
}

enum Cells {
    Text(StringViewBuilder),
    Date(Date32Builder),
    Instant(TimestampMicrosecondBuilder),
}

/// A cell in the form of its column.
enum Cell<'v> {
    Text(Option<Cow<'v, str>>),
    Date(Option<i32>),
    Instant(Option<i64>),
}

/// Why a text has not the form of its column: a word for machines and a sentence.
type Unfit = (&'static str, &'static str);

impl<'a> Rows<'a> {
    pub(super) fn new(options: &'a Options, unit: u32, out: &'a Out) -> Rows<'a> {
        let columns = options.forms.iter().map(|form| match form {
            Form::Text | Form::IsoTime => Cells::Text(StringViewBuilder::new()),
            Form::Date => Cells::Date(Date32Builder::new()),
            Form::Instant(_) => Cells::Instant(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
        });
        Rows {
            options,
            unit,
            out,
            columns: columns.collect(),
            lines: Vec::new(),
            offsets: Vec::new(),
            n_bytes: 0,
            rejects: Vec::new(),
            n_reject_bytes: 0,
        }
    }

    pub(super) fn take(&mut self, split: &Split<'_>) -> Result<(), EtlError> {
        for message in &split.messages {
            self.message(message)?;
        }
        for issue in &split.issues {
            self.reject(reject_of_issue(issue, self.unit))?;
        }
        Ok(())
    }

    /// Sends what is left.
    pub(super) fn finish(mut self) -> Result<(), EtlError> {
        self.send_rows()?;
        self.send_rejects()
    }

    fn message(&mut self, message: &FileMessage<'_>) -> Result<(), EtlError> {
        let of_message = |reason: &'static str, text: String| Reject {
            place: Place { unit: self.unit, line: message.line, offset: Some(message.offset) },
            rule: Cow::Borrowed("record"),
            column: None,
            reason: Cow::Borrowed(reason),
            message: text,
            raw: message.bytes.to_vec(),
        };
        let parsed = match Message::parse_as(&message.bytes, &self.options.limits, self.options.charset) {
            Ok(parsed) => parsed,
            Err(error) => return self.reject(of_message(reason_of(&error.problem), error.to_string())),
        };
        let rows = self.options.projection.rows(&parsed);
        if rows.is_empty() && self.options.quarantines_rowless {
            let per = self.options.per.as_deref().unwrap_or_default();
            let text = format!(
                "the message has no `{per}`, so that it gives no row; write `without_per: skip` to pass over such messages"
            );
            return self.reject(of_message("no_segment", text));
        }
        let places = message.segment_places();
        for row in rows {
            let segment = row.segment.unwrap_or(1);
            let place = places.get(segment - 1).copied().unwrap_or((message.line, message.offset));
            self.row(&row.values, place)?;
        }
        Ok(())
    }

    fn row(&mut self, values: &[Option<String>], (line, offset): (u64, u64)) -> Result<(), EtlError> {
        let mut cells = Vec::with_capacity(values.len());
        for ((form, column), value) in self.options.forms.iter().zip(self.options.columns.iter()).zip(values)
        {
            match cell(*form, value.as_deref()) {
                Ok(cell) => cells.push(cell),
                Err((reason, why)) => {
                    return self.reject(Reject {
                        place: Place { unit: self.unit, line, offset: Some(offset) },
                        rule: Cow::Borrowed("record"),
                        column: Some(column.name.to_string()),
                        reason: Cow::Borrowed(reason),
                        message: format!("`{}` {why}", column.name),
                        raw: object(self.options.projection.names().zip(values.iter().cloned())),
                    });
                }
            }
        }
        for (cell, cells) in cells.into_iter().zip(&mut self.columns) {
            match (cell, cells) {
                (Cell::Text(text), Cells::Text(builder)) => {
                    self.n_bytes += text.as_ref().map_or(0, |text| text.len());
                    builder.append_option(text);
                }
                (Cell::Date(days), Cells::Date(builder)) => builder.append_option(days),
                (Cell::Instant(micros), Cells::Instant(builder)) => builder.append_option(micros),
                _ => unreachable!("a cell has the form of its column"),
            }
        }
        self.lines.push(line);
        self.offsets.push(offset);
        if self.lines.len() >= ROWS_PER_BATCH || self.n_bytes >= BYTES_PER_BATCH {
            self.send_rows()?;
        }
        Ok(())
    }

    fn send_rows(&mut self) -> Result<(), EtlError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let arrays = self.columns.iter_mut().map(|cells| match cells {
            Cells::Text(builder) => Arc::new(builder.finish()) as ArrayRef,
            Cells::Date(builder) => Arc::new(builder.finish()),
            Cells::Instant(builder) => Arc::new(builder.finish()),
        });
        let names = self.options.columns.iter().map(|column| column.name.clone());
        let (lines, offsets) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.offsets));
        let places = Places::of_file(self.unit, lines, offsets);
        let read = Batch::new(names.zip(arrays).collect(), places)?;
        self.n_bytes = 0;
        let Some(typing) = &self.options.typing else { return self.out.blocking_send(Piece::Rows(read)) };
        let typed = typing.apply(&read)?;
        if !typed.rejects.is_empty() {
            let rows: HashMap<Option<u64>, usize> =
                (0..read.n_rows()).map(|row| (read.place(row).offset, row)).collect();
            for mut reject in typed.rejects {
                reject.raw = row_of(&read, rows.get(&reject.place.offset).copied().unwrap_or_default())?;
                self.reject(reject)?;
            }
        }
        if typed.batch.n_rows() == 0 {
            return Ok(());
        }
        self.out.blocking_send(Piece::Rows(typed.batch))
    }

    fn send_rejects(&mut self) -> Result<(), EtlError> {
        if self.rejects.is_empty() {
            return Ok(());
        }
        self.n_reject_bytes = 0;
        self.out.blocking_send(Piece::Rejects(std::mem::take(&mut self.rejects)))
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.n_reject_bytes += reject.raw.len();
        self.rejects.push(reject);
        if self.rejects.len() < REJECTS_PER_PIECE && self.n_reject_bytes < BYTES_PER_BATCH {
            return Ok(());
        }
        self.send_rejects()
    }
}

/// A row as it was read, and not its message, which may be large and have many rows that are refused.
fn object<'n>(cells: impl Iterator<Item = (&'n str, Option<String>)>) -> Vec<u8> {
    let cells = cells.map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)));
    serde_json::Value::Object(cells.collect()).to_string().into_bytes()
}

fn row_of(batch: &Batch, row: usize) -> Result<Vec<u8>, EtlError> {
    let columns = batch.columns()?;
    let cells = columns.iter().map(|column| {
        let value: Value = batch.value(&column.name, row)?;
        Ok((&*column.name, if batch.array(&column.name)?.is_null(row) { None } else { value.to_text() }))
    });
    Ok(object(cells.collect::<Result<Vec<_>, EtlError>>()?.into_iter()))
}

fn cell(form: Form, value: Option<&str>) -> Result<Cell<'_>, Unfit> {
    // A null that is kept as it was written is no time.
    let sent = value.filter(|text| *text != "\"\"");
    let at = match (form, sent) {
        (Form::Text, _) | (Form::IsoTime, None) => return Ok(Cell::Text(value.map(Cow::Borrowed))),
        (Form::Date, None) => return Ok(Cell::Date(None)),
        (Form::Instant(_), None) => return Ok(Cell::Instant(None)),
        (_, Some(text)) => Timestamp::parse(text)
            .map_err(|_| ("bad_time", "is no HL7 timestamp such as `20240601123015.25+0200`"))?,
    };
    match form {
        Form::Text | Form::IsoTime => Ok(Cell::Text(Some(at.to_iso().into()))),
        Form::Date => at
            .days_since_1970()
            .map(|days| Cell::Date(Some(days)))
            .ok_or(("no_day", "names no day; `type: iso_time` keeps what was sent")),
        Form::Instant(zone_minutes) => {
            if at.precision() < Precision::Minute {
                return Err(("no_minute", "names no minute; `type: iso_time` keeps what was sent"));
            }
            let zone = zone_minutes.and_then(|minutes| i16::try_from(minutes).ok());
            let micros = at
                .first_utc_micros(zone)
                .ok_or(("no_zone", "is an instant without a zone: declare `zone`"))?;
            Ok(Cell::Instant(Some(micros)))
        }
    }
}

/// Something in the file that is no message: it has no record but its description, the bytes stay in the file.
fn reject_of_issue(issue: &Issue, unit: u32) -> Reject {
    let reason = match issue.problem {
        FileProblem::Outside { .. } => "no_message",
        FileProblem::TooLong { .. } => "too_long",
        FileProblem::MessageCount { .. } | FileProblem::BatchCount { .. } | FileProblem::Count { .. } => {
            "batch_count"
        }
        FileProblem::NotEnded { .. } | FileProblem::NotBegun { .. } => "batch_incomplete",
    };
    let message = issue.problem.to_string();
    Reject {
        place: Place { unit, line: issue.line, offset: Some(issue.offset) },
        rule: Cow::Borrowed("record"),
        column: None,
        reason: Cow::Borrowed(reason),
        raw: message.clone().into_bytes(),
        message,
    }
}

fn reason_of(problem: &Problem) -> &'static str {
    match problem {
        Problem::Empty | Problem::NoHeader | Problem::Delimiters | Problem::SecondHeader => "bad_header",
        Problem::NoSegment { .. } => "bad_segment",
        Problem::UnsupportedCharset | Problem::ByteOrderMark | Problem::InvalidByte { .. } => "bad_encoding",
        Problem::MessageTooLong { .. }
        | Problem::TooManySegments { .. }
        | Problem::TooManyFields { .. }
        | Problem::TooManyRepetitions { .. } => "too_long",
    }
}
