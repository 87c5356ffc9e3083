//! Runs a step on small tables written as text, and keeps what it gives. For tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value as Json;
use table::{Batch, Column, Columns, Reject, Type, Value};

use crate::engine::Engine;
use crate::step::{Decode, Output, StepSpec};
use crate::world::World;
use crate::{EtlError, Problems, Secrets};

/// A world with a folder of its own.
pub(crate) struct Bench {
    _folder: tempfile::TempDir,
    pub(crate) world: Arc<World>,
}

struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        Err(format!("`{reference}` is not there"))
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::changed(|_, _| {})
    }

    /// With something changed in the world before it is shared.
    pub(crate) fn changed(change: impl FnOnce(&mut World, &std::path::Path)) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let home: PathBuf = folder.path().canonicalize().unwrap();
        let engine = Arc::new(Engine::new(&home.join("scratch"), 8 << 20).unwrap());
        let mut world = World {
            secrets: Arc::new(NoSecrets),
            roots: vec![home.clone()],
            clock: Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z")),
            keys: None,
            store: None,
            scratch: home.join("scratch"),
            home: home.clone(),
            engine,
            cancelled: Arc::new(AtomicBool::new(false)),
            checkpoint: Arc::new(|_| {}),
        };
        change(&mut world, &home);
        Bench { _folder: folder, world: Arc::new(world) }
    }

    /// The step that options describe.
    pub(crate) fn spec(&self, decode: Decode, options: &str) -> Result<Box<dyn StepSpec>, Vec<String>> {
        let mut problems = Problems::default();
        let node = crate::yaml::parse(options, &mut problems).expect("the options are YAML");
        let spec = decode(&node, &mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        spec.filter(|_| found.is_empty()).ok_or(found)
    }

    /// What is wrong with options, given the columns of a table.
    pub(crate) fn problems(&self, decode: Decode, options: &str, input: &Batch) -> Vec<String> {
        match self.spec(decode, options) {
            Err(found) => found,
            Ok(spec) => {
                let mut problems = Problems::default();
                spec.plan(&input.columns().unwrap(), &mut problems);
                problems.into_sorted().iter().map(ToString::to_string).collect()
            }
        }
    }

    /// Runs a step that must not fail.
    pub(crate) fn run(&self, decode: Decode, options: &str, batches: &[Batch]) -> Kept {
        self.try_run(decode, options, &[], batches).expect("the step works")
    }

    /// Runs a step over batches of one table, with the tables that it looks at.
    pub(crate) fn try_run(
        &self,
        decode: Decode,
        options: &str,
        others: &[Batch],
        batches: &[Batch],
    ) -> Result<Kept, EtlError> {
        let spec = self.spec(decode, options).unwrap_or_else(|found| panic!("{found:?}"));
        let input = batches[0].columns().unwrap();
        let mut problems = Problems::default();
        let taps = spec.taps();
        let columns_of = |name: &str| {
            let index = taps.iter().position(|tap| tap.source.text == name)?;
            others.get(index).map(|other| other.columns().unwrap())
        };
        let planned = spec.plan_among(&input, &columns_of, &mut problems);
        assert!(problems.is_empty(), "{:?}", problems.into_sorted());
        let mut tapped = Vec::new();
        for (tap, other) in taps.iter().zip(others) {
            let mut at_work = spec.start_tap(&tap.source, &other.columns().unwrap(), &self.world)?;
            at_work.push(other)?;
            tapped.push(at_work.finish()?);
        }
        let mut step = spec.start(&input, &tapped, &self.world)?;
        let mut kept = Kept { columns: planned, ..Kept::default() };
        for batch in batches {
            step.push(batch.clone(), &mut kept)?;
        }
        step.finish(&mut kept)?;
        kept.check_sums(batches.iter().map(|batch| batch.n_rows() as u64).sum());
        Ok(kept)
    }
}

/// What a step gave.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) columns: Columns,
    pub(crate) batches: Vec<Batch>,
    pub(crate) rejected: Vec<Reject>,
    pub(crate) filtered: Vec<(String, u64)>,
    pub(crate) deduplicated: Vec<(String, u64)>,
    pub(crate) replaced: (u64, u64),
    pub(crate) facts: BTreeMap<String, Json>,
}

impl Kept {
    /// Every row that came in went somewhere.
    fn check_sums(&self, n_in: u64) {
        let n_out: u64 = self.batches.iter().map(|batch| batch.n_rows() as u64).sum();
        let left_out: u64 = self.filtered.iter().chain(&self.deduplicated).map(|(_, n)| n).sum();
        let (consumed, produced) = self.replaced;
        assert_eq!(n_in + produced, n_out + left_out + self.rejected.len() as u64 + consumed);
    }

    /// Cells of some columns: `-` for missing, rows apart by ` | `.
    pub(crate) fn table(&self, names: &str) -> String {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        let mut rows = Vec::new();
        for batch in &self.batches {
            for row in 0..batch.n_rows() {
                let cells = names
                    .iter()
                    .map(|name| batch.value(name, row).unwrap().to_text().unwrap_or_else(|| "-".to_owned()));
                rows.push(cells.collect::<Vec<_>>().join(" "));
            }
        }
        rows.join(" | ")
    }

    /// Line, rule and reason of each reject.
    pub(crate) fn rejects(&self) -> Vec<String> {
        let text = |reject: &Reject| format!("{} {} {}", reject.place.line, reject.rule, reject.reason);
        self.rejected.iter().map(text).collect()
    }
}

impl Output for Kept {
    fn rows(&mut self, batch: Batch) -> Result<(), EtlError> {
        if batch.n_rows() > 0 {
            assert_eq!(batch.columns()?, self.columns, "the columns are not the planned ones");
            self.batches.push(batch);
        }
        Ok(())
    }

    fn reject(&mut self, reject: Reject) -> Result<(), EtlError> {
        self.rejected.push(reject);
        Ok(())
    }

    fn filtered(&mut self, rule: &str, n_rows: u64) {
        self.filtered.push((rule.to_owned(), n_rows));
    }

    fn deduplicated(&mut self, key: &str, n_rows: u64) {
        self.deduplicated.push((key.to_owned(), n_rows));
    }

    fn replaced(&mut self, consumed: u64, produced: u64) {
        self.replaced.0 += consumed;
        self.replaced.1 += produced;
    }

    fn fact(&mut self, name: &str, value: Json) {
        self.facts.insert(name.to_owned(), value);
    }
}

/// A table as text: `state text, n integer` and rows `AL 1 | - 2`, where `-` is missing and `_` in a text is a space.
pub(crate) fn table(columns: &str, rows: &str) -> Batch {
    let columns = columns.split(", ").map(|column| {
        let (name, kind) = column.trim().split_once(' ').unwrap();
        Column::new(name, Type::parse(kind.trim()).unwrap())
    });
    let columns = Columns::new(columns.collect()).unwrap();
    let cell = |text: &str, kind: Type| match (text, kind) {
        ("-", _) => Value::Null,
        (text, Type::Text) => Value::Text(text.replace('_', " ")),
        (text, Type::Integer) => Value::Integer(text.parse().unwrap()),
        (text, Type::Number) => Value::Number(text.parse().unwrap()),
        (text, Type::Boolean) => Value::Boolean(text.parse().unwrap()),
        (text, Type::Date) => {
            let epoch = jiff::civil::date(1970, 1, 1);
            let days = text.parse::<jiff::civil::Date>().unwrap().since(epoch).unwrap().get_days();
            Value::Date(days)
        }
        (text, Type::Instant) => Value::Instant(text.parse::<jiff::Timestamp>().unwrap().as_microsecond()),
        (text, Type::Decimal { scale, .. }) => {
            let number: f64 = text.parse().unwrap();
            Value::Decimal((number * 10_f64.powi(i32::from(scale))).round() as i128, scale)
        }
    };
    let rows = rows.split(" | ").map(str::trim).filter(|row| !row.is_empty()).map(|row| {
        let cells = row.split(' ').zip(columns.iter());
        cells.map(|(text, column)| cell(text, column.kind)).collect::<Vec<_>>()
    });
    Batch::from_rows(&columns, &rows.collect::<Vec<_>>()).unwrap()
}
