//! Runs a step on a small table, with text as views and as dictionaries and in batches of several sizes, which must not matter.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use serde_json::Value as Json;
use table::{Batch, Column, Columns, Reject, Type, Value};

use crate::step::testing::Bench;
use crate::step::{KINDS, Output, StepSpec};
use crate::yaml::{Kind, parse};
use crate::{EtlError, Problems};

/// A table: `name:type` per column, and cells as text, `~` for a missing one.
pub(crate) fn table(columns: &[&str], rows: &[&[&str]]) -> (Columns, Vec<Vec<Value>>) {
    let columns: Vec<Column> = columns
        .iter()
        .map(|column| {
            let (name, kind) = column.split_once(':').unwrap_or((column, "text"));
            Column::new(name, Type::parse(kind).unwrap())
        })
        .collect();
    let columns = Columns::new(columns).unwrap();
    let rows = rows
        .iter()
        .map(|row| {
            assert_eq!(row.len(), columns.len(), "{row:?}");
            row.iter().zip(&columns).map(|(cell, column)| value_of(cell, column.kind)).collect()
        })
        .collect();
    (columns, rows)
}

fn value_of(cell: &str, kind: Type) -> Value {
    if cell == "~" {
        return Value::Null;
    }
    match kind {
        Type::Text => Value::from(cell),
        Type::Integer => Value::Integer(cell.parse().unwrap()),
        Type::Number => Value::Number(cell.parse().unwrap()),
        Type::Boolean => Value::Boolean(cell.parse().unwrap()),
        Type::Date => Value::Date(clinical::age::parse_day(cell).unwrap().epoch_days()),
        Type::Instant => Value::Instant(fhir::Instant::parse(cell).unwrap().0),
        Type::Decimal { scale, .. } => {
            let (digits, places) = clinical::Number::parse(cell).unwrap().parts();
            Value::Decimal(i128::from(digits) * 10_i128.pow(u32::from(scale - places)), scale)
        }
    }
}

/// What a step gave.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Given {
    /// Rows, cells separated by `, `.
    pub(crate) rows: Vec<String>,
    /// `line column reason`.
    pub(crate) rejects: Vec<String>,
    /// Facts.
    pub(crate) facts: BTreeMap<String, Json>,
}

impl Output for Given {
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError> {
        for row in 0..batch.n_rows() {
            let columns = batch.columns()?;
            let cells = columns
                .names()
                .into_iter()
                .map(|name| batch.value(name, row).unwrap().to_text().unwrap_or_else(|| "~".to_owned()));
            self.rows.push(cells.collect::<Vec<_>>().join(", "));
        }
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        let column = reject.column.unwrap_or_default();
        self.rejects.push(format!("{} {column} {}", reject.place.line, reject.reason));
        Ok(())
    }

    fn filtered(&mut self, _: &str, _: u64) {}

    fn deduplicated(&mut self, _: &str, _: u64) {}

    fn replaced(&mut self, _: u64, _: u64) {}

    fn fact(&mut self, name: &str, value: Json) {
        self.facts.insert(name.to_owned(), value);
    }
}

/// A step of its text, `name: {options}`, and what is wrong with it.
pub(crate) fn decode(text: &str) -> (Option<Box<dyn StepSpec>>, Problems) {
    let mut problems = Problems::default();
    let node = parse(text, &mut problems).expect("the text of a step is YAML");
    let Kind::Map(entries) = &node.kind else { panic!("a step is a map of one key") };
    let (name, options) = &entries[0];
    let (_, _, decode) = KINDS.iter().find(|(known, ..)| *known == name.text).expect("a step that is known");
    (decode(options, &mut problems), problems)
}

/// What is wrong with a step before a table with these columns.
pub(crate) fn problems_of(text: &str, columns: &[&str]) -> Vec<String> {
    let (step, mut problems) = decode(text);
    if let Some(step) = step {
        step.plan(&table(columns, &[]).0, &mut problems);
    }
    problems.into_sorted().iter().map(ToString::to_string).collect()
}

/// What a step gives for a table.
pub(crate) fn run(text: &str, columns: &[&str], rows: &[&[&str]]) -> Given {
    run_tapped(text, columns, rows, None)
}

/// Columns and rows of a table.
pub(crate) type Other<'a> = (&'a [&'a str], &'a [&'a [&'a str]]);

/// What a step gives for a table, having looked at another one.
pub(crate) fn run_tapped(text: &str, columns: &[&str], rows: &[&[&str]], other: Option<Other<'_>>) -> Given {
    let whole = run_in(text, (columns, rows), other, usize::MAX, false);
    for (rows_max, coded) in [(1, false), (2, true), (usize::MAX, true)] {
        let again = run_in(text, (columns, rows), other, rows_max, coded);
        assert_eq!(again, whole, "in batches of {rows_max} rows, dictionaries: {coded}");
    }
    whole
}

fn run_in(text: &str, main: Other<'_>, other: Option<Other<'_>>, rows_max: usize, coded: bool) -> Given {
    let (step, mut problems) = decode(text);
    let step = step.unwrap_or_else(|| panic!("{:?}", problems.clone().into_sorted()));
    let (columns, batches) = batches(main, rows_max, coded);
    let planned = step.plan(&columns, &mut problems);
    assert!(problems.is_empty(), "{:?}", problems.into_sorted());
    let bench = Bench::new();
    let world = &bench.world;
    let mut tapped: Vec<Arc<dyn Any + Send + Sync>> = Vec::new();
    for tap in step.taps() {
        let (columns, rows) = other.expect("the step looks at another table");
        let (columns, batches) = self::batches((columns, rows), rows_max, coded);
        let mut looking = step.start_tap(&tap.source, &columns, world).unwrap();
        for batch in &batches {
            looking.push(batch).unwrap();
        }
        tapped.push(looking.finish().unwrap());
    }
    let mut step = step.start(&columns, &tapped, world).unwrap();
    let mut out = Checked { given: Given::default(), planned };
    for batch in batches {
        step.push(batch, &mut out).unwrap();
    }
    step.finish(&mut out).unwrap();
    out.given
}

/// Checks that the columns are those that were planned.
struct Checked {
    given: Given,
    planned: Columns,
}

impl Output for Checked {
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError> {
        assert_eq!(batch.columns().unwrap(), self.planned);
        self.given.rows(batch)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.given.reject(reject)
    }

    fn filtered(&mut self, _: &str, _: u64) {}

    fn deduplicated(&mut self, _: &str, _: u64) {}

    fn replaced(&mut self, _: u64, _: u64) {}

    fn fact(&mut self, name: &str, value: Json) {
        self.given.fact(name, value);
    }
}

fn batches((columns, rows): Other<'_>, rows_max: usize, coded: bool) -> (Columns, Vec<Batch>) {
    let (columns, rows) = table(columns, rows);
    let mut all = Batch::from_rows(&columns, &rows).unwrap();
    for column in columns.iter().filter(|column| coded && column.kind == Type::Text) {
        let array = all.array(&column.name).unwrap();
        let array: ArrayRef = arrow::compute::cast(array, &Type::dictionary()).unwrap();
        all = all.with(&column.name, array).unwrap();
    }
    let n_rows = all.n_rows();
    let starts = (0..n_rows).step_by(rows_max.min(n_rows.max(1)));
    let batches = starts.map(|start| all.slice(start, rows_max.min(n_rows - start))).collect();
    (columns, batches)
}
