//! Cells of text to typed batches with the numbers of their records; and which keys of JSON objects are columns.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray as _, BooleanArray, StringViewBuilder};
use arrow::datatypes::TimestampMicrosecondType;
use fhir::{Object, Value};
use table::{Batch, Column, Nulled, Place, Places, Reject, Type, TypedColumn, Typing};

use super::window::Window;
use crate::source::declared::{Declared, Drift};
use crate::source::{Out, Piece};
use crate::{EtlError, source::declared::Bound};

/// Gathers the cells of records.
pub(crate) struct Rows {
    typing: Typing,
    builders: Vec<StringViewBuilder>,
    places: Vec<Place>,
    rejects: Vec<Reject>,
    /// The column of instants that says which window a row belongs to, and the window.
    window: Option<(String, Window)>,
}

/// What a page becomes.
pub(crate) struct Made {
    rows: Option<Batch>,
    rejects: Vec<Reject>,
    nulled: Vec<Nulled>,
}

impl Rows {
    /// For these columns; only rows within the window, when there is one.
    pub(crate) fn new(columns: Vec<TypedColumn>, window: Option<(String, Window)>) -> Rows {
        let builders = columns.iter().map(|_| StringViewBuilder::new()).collect();
        Rows { typing: Typing::new(columns), builders, places: Vec::new(), rejects: Vec::new(), window }
    }

    /// Adds a record, cell by cell.
    pub(crate) fn push<T: AsRef<str>>(&mut self, cells: impl Iterator<Item = Option<T>>, place: Place) {
        for (builder, cell) in self.builders.iter_mut().zip(cells) {
            builder.append_option(cell);
        }
        self.places.push(place);
    }

    /// Adds a record that cannot be read.
    pub(crate) fn reject(&mut self, place: Place, reason: &'static str, message: String, raw: Vec<u8>) {
        let (rule, reason) = ("record".into(), reason.into());
        self.rejects.push(Reject { place, rule, column: None, reason, message, raw });
    }

    /// What was gathered, in its types.
    pub(crate) fn take(&mut self) -> Result<Made, EtlError> {
        let mut rejects = std::mem::take(&mut self.rejects);
        if self.places.is_empty() {
            return Ok(Made { rows: None, rejects, nulled: Vec::new() });
        }
        let names = self.typing.columns().iter().map(|column| column.from.clone());
        let arrays = self.builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        let columns: Vec<(Arc<str>, ArrayRef)> = names.zip(arrays).collect();
        let batch = Batch::new(columns, Places::of(&std::mem::take(&mut self.places)))?;
        let typed = self.typing.apply(&batch)?;
        rejects.extend(typed.rejects);
        let mut rows = typed.batch;
        if let Some((column, window)) = &self.window {
            rows = within(&rows, column, *window, &mut rejects)?;
        }
        Ok(Made { rows: Some(rows).filter(|rows| rows.n_rows() > 0), rejects, nulled: typed.nulled })
    }
}

/// The rows of a window. A row without its instant belongs to none.
fn within(batch: &Batch, column: &str, window: Window, rejects: &mut Vec<Reject>) -> Result<Batch, EtlError> {
    let Some(instants) = batch.array(column)?.as_primitive_opt::<TimestampMicrosecondType>() else {
        return Ok(batch.clone());
    };
    let message = format!("`{column}` is missing: the row belongs to no window of time");
    rejects.extend((0..batch.n_rows()).filter(|row| instants.is_null(*row)).map(|row| Reject {
        place: batch.place(row),
        rule: "record".into(),
        column: Some(column.to_owned()),
        reason: "no_instant".into(),
        message: message.clone(),
        raw: Vec::new(),
    }));
    let keep: BooleanArray =
        instants.iter().map(|at| Some(at.is_some_and(|at| window.has(fhir::Instant(at))))).collect();
    Ok(batch.filter(&keep)?)
}

impl Made {
    /// Gives it on.
    pub(crate) async fn send(self, out: &Out, n_bytes: usize) -> Result<(), EtlError> {
        if let Some(rows) = self.rows {
            out.send(Piece::Rows(rows)).await?;
        }
        if !self.rejects.is_empty() {
            out.send(Piece::Rejects(self.rejects)).await?;
        }
        if !self.nulled.is_empty() {
            out.send(Piece::Nulled(self.nulled)).await?;
        }
        out.send(Piece::Consumed(n_bytes as u64)).await
    }
}

/// Reads objects: where the value of each column stands, and which keys are known.
pub(crate) struct Objects {
    paths: Vec<Path>,
    /// First keys that are known; `None` when others do not matter.
    known: Option<HashSet<String>>,
}

/// Where the value of a column stands in an object.
struct Path {
    key: String,
    /// The key divided at its points.
    steps: Vec<String>,
    /// Whether any record had it.
    is_seen: bool,
}

impl Path {
    fn value<'r>(&self, record: &'r Object) -> Option<&'r Value> {
        if let Some(value) = record.get(&self.key) {
            return Some(value);
        }
        let (first, rest) = self.steps.split_first()?;
        rest.iter().try_fold(record.get(first)?, |value, step| value.get(step))
    }
}

fn first_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The columns of records: the declared ones, then the other keys that they have.
pub(crate) fn columns_of(declared: &Declared, records: &[Value]) -> Vec<Column> {
    let mut names: Vec<&str> = declared.wanted().collect();
    if declared.is_empty() || declared.drift() == Drift::Add {
        let firsts: HashSet<&str> = names.iter().map(|name| first_of(name)).collect();
        let mut seen: HashSet<&str> = names.iter().copied().chain(firsts).collect();
        let keys = records.iter().filter_map(Value::as_object).flat_map(Object::keys);
        names.extend(keys.filter(|key| seen.insert(key)));
    }
    names.into_iter().map(|name| Column::new(name, Type::Text)).collect()
}

impl Objects {
    /// For the columns that were found and those of them that are read.
    pub(crate) fn new(declared: &Declared, found: &[Column], bound: &[Bound]) -> Objects {
        let names = found.iter().map(|column| &*column.name);
        let known = names.clone().chain(names.map(first_of)).map(str::to_owned).collect();
        let ignores = !declared.is_empty() && declared.drift() == Drift::Ignore;
        let paths = bound.iter().map(|bound| {
            let key = found[bound.found].name.to_string();
            let steps = key.split('.').map(str::to_owned).collect();
            Path { key, steps, is_seen: false }
        });
        Objects { paths: paths.collect(), known: (!ignores).then_some(known) }
    }

    /// Adds a record to the rows. A key that is not known is an error: it would be lost unseen.
    pub(crate) fn push(&mut self, record: &Value, place: Place, rows: &mut Rows) -> Result<(), String> {
        let Value::Object(object) = record else {
            let message = format!("the record is {}, not an object", record.type_name());
            rows.reject(place, "not_an_object", message, record.to_bytes());
            return Ok(());
        };
        if let Some(known) = &self.known
            && let Some(new) = object.keys().find(|key| !known.contains(*key))
        {
            return Err(format!(
                "record {}: the key `{new}` is not among the columns: declare it, or say `drift: {{columns: ignore}}`",
                place.line
            ));
        }
        let cells = self.paths.iter_mut().map(|path| {
            let value = path.value(object);
            path.is_seen |= value.is_some();
            value.and_then(text_of)
        });
        rows.push(cells, place);
        Ok(())
    }

    /// The key of a column that no record had: it was renamed, or is not what was meant.
    pub(crate) fn never_seen(&self) -> Option<&str> {
        self.paths.iter().find(|path| !path.is_seen).map(|path| path.key.as_str())
    }
}

/// A value as text: numbers as they are written, objects and arrays as JSON.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.as_str().to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_text(),
    })
}
