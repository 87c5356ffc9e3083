//! Records with named values (JSON objects) to typed batches: which keys are columns, and what becomes of keys that come later.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewBuilder};
use fhir::{Object, Value};
use table::{Batch, Column, Place, Places, Reject, Type, TypedColumn, Typing};

use super::declared::{Bound, Declared, Drift};
use super::files::{FileError, Sink};

/// Rejects that wait.
const REJECTS_MAX: usize = 1_024;

/// Keys of records, in the order in which they come.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<String>);

impl Keys {
    /// Looks at a record.
    pub(crate) fn see(&mut self, record: &Object) {
        for key in record.keys() {
            if !self.0.iter().any(|known| known == key) {
                self.0.push(key.to_owned());
            }
        }
    }

    /// The keys as columns of text. A declared path (`address.city`) stands for its first key.
    pub(crate) fn columns(&self, declared: &Declared) -> Vec<Column> {
        let has = |key: &str| self.0.iter().any(|known| known == key);
        let paths: Vec<&str> = declared
            .wanted()
            .filter(|wanted| !has(wanted) && wanted.split_once('.').is_some_and(|(first, _)| has(first)))
            .collect();
        let is_opened = |key: &&String| paths.iter().any(|path| path.split('.').next() == Some(key));
        let is_wanted = |key: &str| declared.wanted().any(|wanted| wanted == key);
        let keys = self.0.iter().filter(|key| is_wanted(key) || !is_opened(key)).map(String::as_str);
        keys.chain(paths.iter().copied()).map(|name| Column::new(name, Type::Text)).collect()
    }
}

/// Batches under construction.
pub(crate) struct Records<'a> {
    sink: &'a Sink<'a>,
    paths: Vec<Path>,
    /// First keys that are known.
    known: Vec<String>,
    typing: Typing,
    builders: Vec<StringViewBuilder>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    batch_rows: usize,
    n_rows: u64,
}

/// Where the value of a column stands in a record.
struct Path {
    key: String,
    /// The key divided at its points, when it has some.
    steps: Vec<String>,
    /// Whether any record had it.
    is_seen: bool,
}

impl Path {
    fn new(key: &str) -> Path {
        Path { key: key.to_owned(), steps: key.split('.').map(str::to_owned).collect(), is_seen: false }
    }

    fn value<'r>(&self, record: &'r Object) -> Option<&'r Value> {
        if let Some(value) = record.get(&self.key) {
            return Some(value);
        }
        let (first, rest) = self.steps.split_first()?;
        rest.iter().try_fold(record.get(first)?, |value, step| value.get(step))
    }
}

impl<'a> Records<'a> {
    /// For the columns that were found and those of them that are read.
    pub(crate) fn new(
        found: &[Column],
        bound: Vec<Bound>,
        sink: &'a Sink<'a>,
        batch_rows: usize,
    ) -> Records<'a> {
        let first = |column: &Column| column.name.split('.').next().unwrap_or_default().to_owned();
        let known =
            found.iter().map(|column| column.name.to_string()).chain(found.iter().map(first)).collect();
        let paths = bound.iter().map(|bound| Path::new(&found[bound.found].name)).collect();
        let builders = bound.iter().map(|_| StringViewBuilder::new()).collect();
        let typed = bound.into_iter().map(|bound| TypedColumn {
            from: bound.name.clone(),
            name: bound.name,
            reading: bound.reading,
        });
        let typing = Typing::new(typed.collect());
        Records {
            sink,
            paths,
            known,
            typing,
            builders,
            places: Vec::new(),
            rejects: Vec::new(),
            batch_rows,
            n_rows: 0,
        }
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &Object, place: Place) -> Result<(), FileError> {
        let takes_all = self.sink.declared.is_empty() || self.sink.declared.drift() != Drift::Ignore;
        if takes_all && let Some(new) = record.keys().find(|key| !self.known.iter().any(|known| known == key))
        {
            return Err(FileError::Content(format!(
                "record {}: the key `{new}` is not among the columns: declare it, or say `drift: {{columns: ignore}}`",
                place.line
            )));
        }
        for (path, builder) in self.paths.iter_mut().zip(&mut self.builders) {
            let value = path.value(record);
            path.is_seen |= value.is_some();
            match value.and_then(text_of) {
                Some(text) => builder.append_value(text),
                None => builder.append_null(),
            }
        }
        self.places.push(place);
        self.n_rows += 1;
        Ok(())
    }

    /// Adds a record that is none.
    pub(crate) fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }

    /// Whether it is time to send.
    pub(crate) fn is_full(&self) -> bool {
        self.places.len() >= self.batch_rows || self.rejects.len() >= REJECTS_MAX
    }

    /// Sends what was gathered.
    pub(crate) fn send(&mut self, n_bytes: u64) -> Result<(), FileError> {
        let mut rejects = std::mem::take(&mut self.rejects);
        if self.places.is_empty() {
            return self.sink.send(None, rejects, Vec::new(), n_bytes);
        }
        let names = self.typing.columns().iter().map(|column| column.from.clone());
        let arrays = self.builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        let columns: Vec<(Arc<str>, ArrayRef)> = names.zip(arrays).collect();
        let places = Places::of(&std::mem::take(&mut self.places));
        let batch = Batch::new(columns, places)?;
        let typed = self.typing.apply(&batch)?;
        rejects.extend(typed.rejects);
        self.sink.send(Some(typed.batch), rejects, typed.nulled, n_bytes)
    }

    /// Sends the rest. A column that no record had is an error: its key was renamed, or is not what was meant.
    pub(crate) fn finish(mut self, n_bytes: u64) -> Result<(), FileError> {
        self.send(n_bytes)?;
        match self.paths.iter().find(|path| !path.is_seen) {
            Some(path) if self.n_rows > 0 => {
                let found: Vec<Column> =
                    self.known.iter().map(|key| Column::new(key.as_str(), Type::Text)).collect();
                Err(FileError::Content(self.sink.declared.missing(&path.key, &found)))
            }
            _ => Ok(()),
        }
    }
}

/// A value as text: numbers as they are written, objects and arrays as JSON.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => Cow::Borrowed(number.as_str()),
        Value::Bool(yes) => Cow::Borrowed(if *yes { "true" } else { "false" }),
        Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_text()),
    })
}
