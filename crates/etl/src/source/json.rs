//! Files of JSON: `json`, one document with an array of records, and `ndjson`, one record per line.

use fhir::json::{Limits as JsonLimits, parse};
use fhir::{Object, Value};
use table::csv::{Lines, Options, read_whole};
use table::{Column, Place, Reject};

use super::SourceSpec;
use super::declared::Declared;
use super::files::{FileAt, FileError, FileSpec, Form, Sink};
use super::records::{Keys, Records};
use super::text;
use crate::yaml::Fields;
use crate::{Problems, Word};

/// So many records are looked at to find out which columns there are.
const RECORDS_TO_LOOK: usize = 1_000;
const DOCUMENT_BYTES: u64 = 256 << 20;
const DOCUMENT_VALUES: usize = 100_000_000;

/// `ndjson`.
pub(super) fn decode_ndjson(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let form = Ndjson { options: options_of(fields, problems) };
    FileSpec::decode(name, fields, problems, Some(form))
}

/// `json`.
pub(super) fn decode_json(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let options = options_of(fields, problems);
    let records = fields.text("records", problems).map(|word| word.text);
    let bytes_max = fields.size("document_bytes_max", problems).unwrap_or(DOCUMENT_BYTES);
    let path = records.map(|path| path.split('.').map(str::to_owned).collect()).unwrap_or_default();
    FileSpec::decode(name, fields, problems, Some(Json { options, path, bytes_max }))
}

fn options_of(fields: &mut Fields<'_>, problems: &mut Problems) -> Options {
    let (encoding, compression, limits) = text::decode(fields, problems);
    Options { encoding, compression, limits, ..Options::default() }
}

/// A record per line.
#[derive(Debug)]
struct Ndjson {
    options: Options,
}

fn line_limits() -> JsonLimits {
    JsonLimits::default()
}

impl Form for Ndjson {
    fn look(&self, file: &FileAt, declared: &Declared) -> Result<Vec<Column>, FileError> {
        let mut lines = Lines::open(file.stream()?, &self.options)?;
        let mut keys = Keys::default();
        let mut n_records = 0;
        while n_records < RECORDS_TO_LOOK
            && let Some(line) = lines.next_line()?
        {
            if !line.is_too_long
                && let Ok(Value::Object(record)) = parse(line.bytes, &line_limits())
            {
                keys.see(&record);
                n_records += 1;
            }
        }
        Ok(keys.columns(declared))
    }

    fn read(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError> {
        let found = self.look(file, sink.declared)?;
        let mut records = Records::new(&found, sink.bind(&found)?, sink, self.options.limits.batch_rows);
        let mut lines = Lines::open(file.stream()?, &self.options)?;
        loop {
            let Some(line) = lines.next_line()? else { break };
            let place = Place { unit: sink.number, line: line.line, offset: Some(line.offset) };
            let reject = |reason: &'static str, message: String| Reject {
                place,
                rule: "record".into(),
                column: None,
                reason: reason.into(),
                message,
                raw: line.bytes[..line.bytes.len().min(self.options.limits.raw_bytes_max)].to_vec(),
            };
            if line.is_too_long {
                let max = self.options.limits.record_bytes_max;
                records.reject(reject("too_long", format!("the record is longer than {max} bytes")));
            } else if !line.bytes.trim_ascii().is_empty() {
                match parse(line.bytes, &line_limits()) {
                    Ok(Value::Object(record)) => records.push(&record, place)?,
                    Ok(other) => {
                        let what = other.type_name();
                        records
                            .reject(reject("not_an_object", format!("the record is {what}, not an object")));
                    }
                    Err(error) => {
                        let (column, problem) = (error.column, shown(&error.problem));
                        records.reject(reject(
                            "bad_json",
                            format!("the record is not JSON: at column {column}, {problem}"),
                        ));
                    }
                }
            }
            if records.is_full() {
                let n_bytes = lines.consumed();
                records.send(n_bytes)?;
            }
        }
        let n_bytes = lines.consumed();
        records.finish(n_bytes)
    }
}

/// What is wrong, without names that stand in the record.
fn shown(problem: &fhir::json::JsonProblem) -> String {
    match problem {
        fhir::json::JsonProblem::Duplicate(_) => "a name comes twice in one object".to_owned(),
        other => other.to_string(),
    }
}

/// One document with an array of records: the document itself, or behind a path of names.
#[derive(Debug)]
struct Json {
    options: Options,
    path: Vec<String>,
    bytes_max: u64,
}

impl Json {
    /// The records of the document.
    fn document(&self, file: &FileAt) -> Result<Vec<Value>, FileError> {
        let whole =
            read_whole(file.stream()?, &self.options, self.bytes_max).map_err(|error| match error {
                table::TableError::Limit(why) => FileError::Content(format!(
                    "{why}: raise `document_bytes_max`, or write one record per line (`ndjson`)"
                )),
                other => other.into(),
            })?;
        let limits = JsonLimits { values_max: DOCUMENT_VALUES, ..JsonLimits::default() };
        let mut document = parse(&whole, &limits).map_err(|error| {
            let (line, column) = (error.line, error.column);
            FileError::Content(format!("this is not JSON: {line}:{column}: {}", shown(&error.problem)))
        })?;
        for name in &self.path {
            document = match document {
                Value::Object(mut object) => object.remove(name).ok_or_else(|| {
                    FileError::Content(format!(
                        "`records: {}` leads nowhere: there is no `{name}`",
                        self.path.join(".")
                    ))
                })?,
                other => {
                    let what = other.type_name();
                    return Err(FileError::Content(format!(
                        "`{name}` of `records` is looked for in {what}, not in an object"
                    )));
                }
            };
        }
        match document {
            Value::Array(records) => Ok(records),
            other => Err(FileError::Content(format!(
                "the records are {}, not an array: set `records` to where the array is",
                other.type_name()
            ))),
        }
    }
}

impl Form for Json {
    fn look(&self, file: &FileAt, declared: &Declared) -> Result<Vec<Column>, FileError> {
        Ok(keys_of(&self.document(file)?).columns(declared))
    }

    fn read(&self, file: &FileAt, sink: &Sink<'_>) -> Result<(), FileError> {
        let all = self.document(file)?;
        let found = keys_of(&all).columns(sink.declared);
        let mut records = Records::new(&found, sink.bind(&found)?, sink, self.options.limits.batch_rows);
        for (index, record) in all.iter().enumerate() {
            let place = Place { unit: sink.number, line: index as u64 + 1, offset: None };
            match record {
                Value::Object(record) => records.push(record, place)?,
                other => records.reject(Reject {
                    place,
                    rule: "record".into(),
                    column: None,
                    reason: "not_an_object".into(),
                    message: format!("the record is {}, not an object", other.type_name()),
                    raw: other.to_bytes(),
                }),
            }
            if records.is_full() {
                records.send(0)?;
            }
        }
        records.finish(file.found.n_bytes)
    }
}

fn keys_of(records: &[Value]) -> Keys {
    let mut keys = Keys::default();
    let objects = records.iter().filter_map(Value::as_object);
    objects.for_each(|record: &Object| keys.see(record));
    keys
}
