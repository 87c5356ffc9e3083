//! Columns under construction: typed values, dictionaries while a column has few distinct texts, views otherwise.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringViewBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;

use crate::csv::Dialect;
use crate::csv::intern::{Interner, MISSING};
use crate::csv::record::unquote;
use crate::csv::rows::Rows;
use crate::typing::values::{Nulls, RowFault, Values};
use crate::{Reading, TableError, Type};

/// After this many rows a column must have so few distinct texts that each stands for several rows.
const ROWS_TO_DECIDE: usize = 4_096;
const ROWS_PER_TEXT: usize = 8;

/// The fields of some rows.
pub(crate) struct Cells<'a> {
    /// The whole window, with room behind every field.
    pub(crate) bytes: &'a [u8],
    /// The text of the rows, and where it begins in the window.
    pub(crate) text: &'a str,
    pub(crate) text_start: usize,
    pub(crate) rows: &'a Rows,
    pub(crate) dialect: &'a Dialect,
}

impl<'a> Cells<'a> {
    /// Start and end of a column's field in each row, with its quotes.
    #[inline]
    fn spans(&self, column: usize) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let rows = self.rows;
        let ends = rows.ends[..rows.n_ends].chunks_exact(rows.stride);
        ends.zip(&rows.starts).map(move |(ends, start)| {
            let start = if column == 0 { *start } else { ends[column - 1] + 1 };
            (start as usize, ends[column] as usize)
        })
    }

    #[inline]
    fn is_quoted(&self, start: usize, end: usize) -> bool {
        end > start && Some(self.bytes[start]) == self.dialect.quote
    }

    /// A field that has quotes around it and none inside, without them. Fields that are typed have none inside, or are no values.
    #[inline]
    fn bare(&self, (start, end): (usize, usize)) -> &'a [u8] {
        if self.is_quoted(start, end) { &self.bytes[start + 1..end - 1] } else { &self.bytes[start..end] }
    }

    #[inline]
    fn str(&self, start: usize, end: usize) -> &'a str {
        &self.text[start - self.text_start..end - self.text_start]
    }
}

/// A column under construction.
pub(crate) enum Column {
    /// Not text.
    Typed(Values),
    /// Text.
    Text(TextColumn),
}

impl Column {
    pub(crate) fn new(reading: &Reading) -> Column {
        if reading.kind == Type::Text {
            Column::Text(TextColumn::new(Nulls::new(&reading.null_values)))
        } else {
            Column::Typed(Values::new(reading))
        }
    }

    /// The column as an array; begins anew.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, TableError> {
        match self {
            Column::Typed(values) => values.finish(),
            Column::Text(text) => text.finish(),
        }
    }
}

/// Adds the fields of a column to typed values.
pub(crate) fn extend_typed(
    values: &mut Values,
    cells: &Cells<'_>,
    column: usize,
    faults: &mut Vec<RowFault>,
) {
    values.extend(cells.spans(column).map(|span| Some(cells.bare(span))), faults);
}

/// A column of text.
pub(crate) struct TextColumn {
    nulls: Nulls,
    form: Form,
    scratch: Vec<u8>,
}

enum Form {
    Coded { interner: Box<Interner>, codes: Vec<i32>, n_seen: usize },
    Plain(StringViewBuilder),
}

impl TextColumn {
    fn new(nulls: Nulls) -> TextColumn {
        let interner = Box::new(Interner::new(nulls.clone()));
        TextColumn {
            nulls,
            form: Form::Coded { interner, codes: Vec::new(), n_seen: 0 },
            scratch: Vec::new(),
        }
    }

    /// Adds the fields of a column.
    pub(crate) fn extend(&mut self, cells: &Cells<'_>, column: usize) {
        let mut n_done = 0;
        if let Form::Coded { interner, codes, n_seen } = &mut self.form {
            let before = codes.len();
            let is_complete = code_all(interner, codes, &mut self.scratch, cells, column);
            n_done = codes.len() - before;
            *n_seen += n_done;
            let is_decided = *n_seen >= ROWS_TO_DECIDE;
            if is_complete && !(is_decided && interner.len() > *n_seen / ROWS_PER_TEXT) {
                return;
            }
            self.form = Form::Plain(plain(interner, codes));
        }
        let Form::Plain(builder) = &mut self.form else { return };
        let nulls = &self.nulls;
        for (start, end) in cells.spans(column).skip(n_done) {
            if cells.is_quoted(start, end) {
                append_quoted(builder, nulls, &mut self.scratch, cells, start, end);
            } else if nulls.has(&cells.bytes[start..end]) {
                builder.append_null();
            } else {
                builder.append_value(cells.str(start, end));
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, TableError> {
        match &mut self.form {
            Form::Plain(builder) => Ok(Arc::new(builder.finish())),
            Form::Coded { interner, codes, .. } => {
                let mut codes = std::mem::take(codes);
                let nulls = codes.contains(&MISSING).then(|| {
                    let is_there: NullBuffer =
                        codes.iter().map(|code| *code != MISSING).collect::<Vec<_>>().into();
                    codes.iter_mut().for_each(|code| *code = (*code).max(0));
                    is_there
                });
                let keys = Int32Array::try_new(codes.into(), nulls)?;
                Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, interner.array())?))
            }
        }
    }
}

/// Adds the codes of all fields; `false`: there are too many distinct ones, some were not added.
fn code_all(
    interner: &mut Interner,
    codes: &mut Vec<i32>,
    scratch: &mut Vec<u8>,
    cells: &Cells<'_>,
    column: usize,
) -> bool {
    codes.reserve(cells.rows.starts.len());
    for (start, end) in cells.spans(column) {
        let code = if cells.is_quoted(start, end) {
            scratch.clear();
            unquote(&cells.bytes[start..end], cells.dialect, scratch);
            let len = scratch.len();
            scratch.resize(len + 16, 0);
            interner.code(scratch, 0, len)
        } else {
            interner.code(cells.bytes, start, end - start)
        };
        let Some(code) = code else { return false };
        codes.push(code);
    }
    true
}

/// The texts of codes as views.
fn plain(interner: &Interner, codes: &[i32]) -> StringViewBuilder {
    let mut builder = StringViewBuilder::new();
    for code in codes {
        builder.append_option(interner.text(*code));
    }
    builder
}

#[inline(never)]
fn append_quoted(
    builder: &mut StringViewBuilder,
    nulls: &Nulls,
    scratch: &mut Vec<u8>,
    cells: &Cells<'_>,
    start: usize,
    end: usize,
) {
    let inner = cells.str(start + 1, end - 1);
    let escape =
        if cells.dialect.escape == crate::csv::Escape::Doubled { cells.dialect.quote } else { Some(b'\\') };
    if escape.is_none_or(|escape| memchr::memchr(escape, inner.as_bytes()).is_none()) {
        if nulls.has(inner.as_bytes()) {
            builder.append_null();
        } else {
            builder.append_value(inner);
        }
        return;
    }
    scratch.clear();
    unquote(&cells.bytes[start..end], cells.dialect, scratch);
    // Quotes were taken out of valid text: what is left is valid.
    match std::str::from_utf8(scratch) {
        Ok(text) if !nulls.has(text.as_bytes()) => builder.append_value(text),
        _ => builder.append_null(),
    }
}
