//! Checks from text, rows from cells: what tests of checks and reports share.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value as Json;
use table::{Batch, Column, Columns, Reject, Type, Value};
use testkit::FixedClock;

use crate::check::Checks;
use crate::engine::Engine;
use crate::report::SourceQuality;
use crate::step::{Output, Step as _};
use crate::world::World;
use crate::{EtlError, Point, Problems, Secrets, Word};

/// The time of all tests.
pub(crate) const NOW: &str = "2026-11-25T12:00:00Z";

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        Err(format!("`{reference}` is not set"))
    }
}

/// A world with a scratch folder of its own.
pub(crate) fn world() -> (Arc<World>, tempfile::TempDir) {
    world_with(64 << 20)
}

/// A world with so much memory.
pub(crate) fn world_with(memory_bytes: u64) -> (Arc<World>, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let world = World {
        secrets: Arc::new(NoSecrets),
        roots: vec![scratch.path().to_owned()],
        clock: Arc::new(FixedClock::at(NOW)),
        keys: None,
        store: None,
        scratch: scratch.path().to_owned(),
        home: scratch.path().to_owned(),
        engine: Arc::new(Engine::new(scratch.path(), memory_bytes).unwrap()),
        cancelled: Arc::new(AtomicBool::new(false)),
        checkpoint: Arc::new(|_| {}),
    };
    (Arc::new(world), scratch)
}

/// What checks did.
pub(crate) struct Ran {
    /// Lines of the rows that passed, in order.
    pub(crate) passed: Vec<u64>,
    /// Line, rule and reason of the rows that were rejected.
    pub(crate) rejected: Vec<(u64, String, String)>,
    pub(crate) messages: Vec<String>,
    pub(crate) quality: SourceQuality,
}

impl Output for (&mut Vec<u64>, &mut Vec<Reject>) {
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError> {
        self.0.extend((0..batch.n_rows()).map(|row| batch.place(row).line));
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.1.push(reject);
        Ok(())
    }

    fn filtered(&mut self, _rule: &str, _n_rows: u64) {}
    fn deduplicated(&mut self, _key: &str, _n_rows: u64) {}
    fn replaced(&mut self, _consumed: u64, _produced: u64) {}
    fn fact(&mut self, _name: &str, _value: Json) {}
}

/// `id text, n integer`.
pub(crate) fn columns(text: &str) -> Columns {
    let columns = text.split(", ").map(|column| {
        let (name, kind) = column.split_once(' ').unwrap();
        Column::new(name, Type::parse(kind).unwrap())
    });
    Columns::new(columns.collect()).unwrap()
}

/// A cell as it is written: `-` is missing.
pub(crate) fn cell(text: &str, kind: Type) -> Value {
    if text == "-" {
        return Value::Null;
    }
    match kind {
        Type::Text => Value::from(text),
        Type::Integer => Value::Integer(text.parse().unwrap()),
        Type::Number => Value::Number(text.parse().unwrap()),
        Type::Boolean => Value::Boolean(text.parse().unwrap()),
        Type::Date => {
            let day = clinical::age::parse_day(text).unwrap().number();
            Value::Date(i32::try_from(day - 719_162).unwrap())
        }
        Type::Instant => Value::Instant(fhir::Instant::parse(text).unwrap().0),
        Type::Decimal { scale, .. } => {
            let (whole, part) = text.split_once('.').unwrap_or((text, ""));
            let digits = format!("{whole}{part:0<width$}", width = usize::from(scale));
            Value::Decimal(digits.parse().unwrap(), scale)
        }
    }
}

/// Rows as they are written: cells between ` | `.
pub(crate) fn rows(columns: &Columns, text: &[&str]) -> Vec<Vec<Value>> {
    let row = |row: &&str| {
        let cells = row.split(" | ").zip(columns);
        cells.map(|(text, column)| cell(text, column.kind)).collect()
    };
    text.iter().map(row).collect()
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned(), at: Point::default() }
}

/// Checks from the items of their list.
pub(crate) fn checks(yaml: &str, columns: &Columns) -> Result<Checks, Vec<String>> {
    let mut problems = Problems::default();
    let node = crate::yaml::parse(yaml, &mut problems).unwrap();
    let checks = Checks::decode(&word("ehr"), &node, &mut problems);
    checks.plan(columns, &mut problems);
    if problems.is_empty() {
        return Ok(checks);
    }
    Err(problems.into_sorted().iter().map(ToString::to_string).collect())
}

/// Runs checks over rows, which come in batches of at most three.
pub(crate) fn run(yaml: &str, of: &str, text: &[&str]) -> Ran {
    let columns = columns(of);
    let rows = rows(&columns, text);
    run_rows(yaml, &columns, &rows, &[], None)
}

/// Runs checks over rows.
pub(crate) fn run_rows(
    yaml: &str,
    columns: &Columns,
    rows: &[Vec<Value>],
    tapped: &[(&str, Batch)],
    previous: Option<&SourceQuality>,
) -> Ran {
    let (world, _scratch) = world();
    run_in(&world, 3, yaml, columns, rows, tapped, previous)
}

/// Runs checks over rows in a world, in batches of so many.
pub(crate) fn run_in(
    world: &Arc<World>,
    batch_rows: usize,
    yaml: &str,
    columns: &Columns,
    rows: &[Vec<Value>],
    tapped: &[(&str, Batch)],
    previous: Option<&SourceQuality>,
) -> Ran {
    let checks = checks(yaml, columns).unwrap();
    let mut gathered: Vec<Arc<dyn Any + Send + Sync>> = Vec::new();
    for spec in checks.taps() {
        let (_, batch) = tapped.iter().find(|(source, _)| *source == spec.source.text).unwrap();
        let mut tap = checks.start_tap(&spec.source, &batch.columns().unwrap(), world).unwrap();
        tap.push(batch).unwrap();
        gathered.push(tap.finish().unwrap());
    }
    let mut checker = checks.start(columns, &gathered, world).unwrap();
    let (mut passed, mut rejected) = (Vec::new(), Vec::new());
    let whole = Batch::from_rows(columns, rows).unwrap();
    let mut out = (&mut passed, &mut rejected);
    for start in (0..rows.len()).step_by(batch_rows) {
        checker.push(whole.slice(start, batch_rows.min(rows.len() - start)), &mut out).unwrap();
    }
    checker.finish(&mut out).unwrap();
    Ran {
        passed,
        messages: rejected.iter().map(|reject| reject.message.clone()).collect(),
        rejected: rejected
            .into_iter()
            .map(|reject| (reject.place.line, reject.rule.into_owned(), reject.reason.into_owned()))
            .collect(),
        quality: checker.quality(0, previous),
    }
}
