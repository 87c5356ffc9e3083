//! One resource of one row. What is missing is left out; an element whose values are all missing is left out whole, so that constants
//! alone make none.

use std::sync::Arc;

use arrow::array::ArrayRef;
use fhir::json::Number;
use fhir::{Issue, Object, Value as Fhir};
use sha2::{Digest as _, Sha256};
use table::{Batch, Value};

use crate::EtlError;
use crate::engine::BadRow;

use super::template::{Bound, Form, Shape, Slot};

/// The values of the leaves for the rows of a batch.
pub(super) struct Cells(Vec<ArrayRef>);

impl Cells {
    /// Evaluates the leaves, and says for which rows one cannot be computed.
    pub(super) fn of(bound: &Bound, batch: &Batch) -> Result<(Cells, Vec<BadRow>), EtlError> {
        let (mut arrays, mut bad) = (Vec::with_capacity(bound.slots.len()), Vec::new());
        for slot in &bound.slots {
            arrays.push(match slot {
                Slot::Column(name) => Arc::clone(batch.array(name)?),
                Slot::Sql(expression) => {
                    let (values, found) = expression.evaluate_rows(batch)?;
                    bad.extend(found);
                    values
                }
            });
        }
        Ok((Cells(arrays), bad))
    }

    fn get(&self, slot: usize, row: usize) -> Value {
        // A type that pipelines do not know was refused when the batch was made.
        Value::of(&self.0[slot], row).unwrap_or(Value::Null)
    }
}

/// Why a row gives no resource. No value of the row is in it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) reason: &'static str,
    pub(super) place: String,
    pub(super) n_issues: usize,
}

impl Broken {
    pub(super) fn at(reason: &'static str, place: &str) -> Broken {
        Broken { reason, place: place.to_owned(), n_issues: 1 }
    }

    /// The first error, and how many there are. The texts of issues may quote values: they are left out.
    pub(super) fn of_issues(issues: &[Issue]) -> Broken {
        let errors: Vec<&Issue> = issues.iter().filter(|issue| issue.is_error()).collect();
        let first = errors.first();
        Broken {
            reason: first.map_or("invalid", |issue| issue.slug),
            place: first
                .and_then(|issue| issue.expression.clone())
                .unwrap_or_else(|| "the resource".to_owned()),
            n_issues: errors.len(),
        }
    }
}

/// What a part gives.
enum Made {
    /// A value that hangs on the row.
    Value(Fhir),
    /// A value that is the same for every row.
    Constant(Fhir),
    Missing,
}

/// The resource of a row.
pub(super) fn resource(bound: &Bound, cells: &Cells, row: usize) -> Result<Fhir, Broken> {
    let mut place = bound.kind().to_owned();
    match make(&bound.root, cells, row, &mut place)? {
        Made::Value(value) | Made::Constant(value) => Ok(value),
        Made::Missing => Err(Broken::at("missing_id", &format!("{}.id", bound.kind()))),
    }
}

fn make(shape: &Shape<usize>, cells: &Cells, row: usize, place: &mut String) -> Result<Made, Broken> {
    Ok(match shape {
        Shape::Constant(value) => Made::Constant(value.clone()),
        Shape::Cell(slot, form) => match leaf(&cells.get(*slot, row), *form) {
            Ok(Some(value)) => Made::Value(value),
            Ok(None) => Made::Missing,
            Err(reason) => return Err(Broken::at(reason, place)),
        },
        Shape::Hash(kind, slots) => match hash(kind, slots, cells, row) {
            Some(id) => Made::Value(Fhir::String(id.as_str().into())),
            None => Made::Missing,
        },
        Shape::Reference(kind, id) => match make(id, cells, row, place)? {
            Made::Value(Fhir::String(id)) => {
                Made::Value(Fhir::String(format!("{kind}/{id}").as_str().into()))
            }
            Made::Constant(Fhir::String(id)) => {
                Made::Constant(Fhir::String(format!("{kind}/{id}").as_str().into()))
            }
            Made::Missing => Made::Missing,
            _ => return Err(Broken::at("bad-id", place)),
        },
        Shape::If(condition, then, other) => match (cells.get(*condition, row), other) {
            (Value::Boolean(true), _) => as_value(make(then, cells, row, place)?),
            (_, Some(other)) => as_value(make(other, cells, row, place)?),
            (_, None) => Made::Missing,
        },
        Shape::Object(members) => object(members, cells, row, place)?,
        Shape::Array(items) => array(items, cells, row, place)?,
    })
}

/// What a condition chose hangs on the row.
fn as_value(made: Made) -> Made {
    if let Made::Constant(value) = made { Made::Value(value) } else { made }
}

fn object(
    members: &[(String, Shape<usize>)],
    cells: &Cells,
    row: usize,
    place: &mut String,
) -> Result<Made, Broken> {
    let mut object = Object::new();
    let (mut n_values, mut n_missing) = (0, 0);
    for (name, shape) in members {
        let end = place.len();
        place.push('.');
        place.push_str(name);
        let made = make(shape, cells, row, place)?;
        place.truncate(end);
        match made {
            Made::Value(value) => {
                n_values += 1;
                object.insert(name.as_str(), value);
            }
            Made::Constant(value) => {
                object.insert(name.as_str(), value);
            }
            Made::Missing => n_missing += 1,
        }
    }
    Ok(if n_values > 0 {
        Made::Value(Fhir::Object(object))
    } else if n_missing > 0 || object.is_empty() {
        Made::Missing
    } else {
        Made::Constant(Fhir::Object(object))
    })
}

fn array(items: &[Shape<usize>], cells: &Cells, row: usize, place: &mut String) -> Result<Made, Broken> {
    let mut list = Vec::with_capacity(items.len());
    let mut has_value = false;
    for (index, item) in items.iter().enumerate() {
        let end = place.len();
        place.push_str(&format!("[{index}]"));
        let made = make(item, cells, row, place)?;
        place.truncate(end);
        match made {
            Made::Value(value) => {
                has_value = true;
                list.push(value);
            }
            Made::Constant(value) => list.push(value),
            Made::Missing => {}
        }
    }
    Ok(match (list.is_empty(), has_value) {
        (true, _) => Made::Missing,
        (false, true) => Made::Value(Fhir::Array(list)),
        (false, false) => Made::Constant(Fhir::Array(list)),
    })
}

/// The JSON of a cell. An empty text is a missing one: FHIR has no empty strings.
fn leaf(value: &Value, form: Form) -> Result<Option<Fhir>, &'static str> {
    let kind = match value {
        Value::Integer(_) | Value::Decimal(..) | Value::Number(_) => Form::Number,
        Value::Boolean(_) => Form::Boolean,
        _ => Form::String,
    };
    let Some(text) = value.to_text().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let text = text.trim();
    Ok(Some(match if form == Form::Own { kind } else { form } {
        Form::Number => Fhir::Number(Number::parse(text).ok_or("not_a_number")?),
        Form::Boolean => match text {
            "true" => Fhir::Bool(true),
            "false" => Fhir::Bool(false),
            _ => return Err("not_a_boolean"),
        },
        Form::String | Form::Own => Fhir::String(text.into()),
    }))
}

/// An id made of the type and the values: 32 hexadecimal digits of SHA-256.
fn hash(kind: &str, slots: &[usize], cells: &Cells, row: usize) -> Option<String> {
    let mut digest = Sha256::new();
    digest.update(b"salus/fhir-id/v1");
    digest.update([0]);
    digest.update(kind.as_bytes());
    for slot in slots {
        let text = cells.get(*slot, row).to_text().filter(|text| !text.is_empty())?;
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    Some(digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}
