//! Files of delimited text: `csv`, and `tsv` with the tab.

use std::sync::Arc;

use table::csv::{Dialect, Escape, Header, Options, Wanted, open};
use table::{Column, Type};

use super::SourceSpec;
use super::declared::Declared;
use super::files::{FileAt, FileError, FileSpec, Form, Sink};
use super::text;
use crate::yaml::{Fields, Kind};
use crate::{Problems, Word};

/// `csv`.
pub(super) fn decode_csv(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    decode(b',', name, fields, problems)
}

/// `tsv`.
pub(super) fn decode_tsv(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    decode(b'\t', name, fields, problems)
}

fn decode(
    delimiter: u8,
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let at = fields.at();
    let (encoding, compression, limits) = text::decode(fields, problems);
    let dialect = Dialect { delimiter, ..Dialect::default() };
    let dialect = decode_dialect(dialect, fields, problems);
    if let Err(why) = dialect.check() {
        problems.add(at, why);
    }
    let form = Csv { options: Options { dialect, encoding, compression, limits } };
    FileSpec::decode(name, fields, problems, Some(form))
}

fn decode_dialect(mut dialect: Dialect, fields: &mut Fields<'_>, problems: &mut Problems) -> Dialect {
    if let Some(delimiter) = character("delimiter", fields, problems) {
        dialect.delimiter = delimiter.unwrap_or(dialect.delimiter);
    }
    if let Some(quote) = character("quote", fields, problems) {
        dialect.quote = quote;
    }
    if let Some(comment) = character("comment", fields, problems) {
        dialect.comment = comment;
    }
    let escapes = [("doubled", Escape::Doubled), ("backslash", Escape::Backslash)];
    dialect.escape = fields.choice("escape", &escapes, problems).unwrap_or(dialect.escape);
    dialect.header = decode_header(fields, problems);
    dialect.trailing_delimiter = fields.flag("trailing_delimiter", problems).unwrap_or(false);
    dialect.skip_lines = fields.whole("skip_lines", problems).unwrap_or(0);
    dialect
}

/// One ASCII character, `tab`, or `none`.
fn character(key: &'static str, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Option<u8>> {
    let word = fields.text(key, problems)?;
    match word.as_bytes() {
        b"none" if key != "delimiter" => Some(None),
        b"tab" | b"\\t" => Some(Some(b'\t')),
        [byte] if byte.is_ascii() => Some(Some(*byte)),
        _ => {
            let none = if key == "delimiter" { "" } else { ", or `none`" };
            problems.add(word.at, format!("`{key}` must be one ASCII character, or `tab`{none}"));
            None
        }
    }
}

/// `true`, `false`, or the names.
fn decode_header(fields: &mut Fields<'_>, problems: &mut Problems) -> Header {
    let Some(node) = fields.node("header") else { return Header::First };
    if let Kind::List(_) = node.kind {
        let names = node.texts("`header`", problems);
        return Header::Names(names.iter().map(|name| Arc::from(name.text.as_str())).collect());
    }
    match node.text("`header`", problems).as_deref() {
        Some("true") | None => Header::First,
        Some("false") => Header::Numbered,
        Some(_) => {
            problems.add(node.at, "`header` must be `true`, `false`, or a list of names");
            Header::First
        }
    }
}

/// Delimited text.
#[derive(Debug)]
struct Csv {
    options: Options,
}

fn columns_of(names: &[String]) -> Vec<Column> {
    names.iter().map(|name| Column::new(name.as_str(), Type::Text)).collect()
}

impl Form for Csv {
    fn look(&self, file: &FileAt, _declared: &Declared) -> Result<Vec<Column>, FileError> {
        let opened = open(file.stream()?, self.options.clone())?;
        Ok(columns_of(opened.names()))
    }

    fn read(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError> {
        let opened = open(file.stream()?, self.options.clone())?;
        let bound = sink.bind(&columns_of(opened.names()))?;
        let wanted = bound.into_iter().map(|bound| Wanted {
            name: bound.name,
            at: bound.found,
            reading: bound.reading,
        });
        for piece in opened.read(sink.number, wanted.collect()) {
            let piece = piece?;
            sink.send(piece.batch, piece.rejects, piece.nulled, piece.n_bytes)?;
        }
        Ok(())
    }
}
