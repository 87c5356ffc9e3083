//! A world for tests, and short ways to read a source and to load a target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use etl::source::{Division, Out, Piece, Source, SourceSpec, Unit};
use etl::target::{Load, Loaded, Target, TargetSpec};
use etl::world::World;
use etl::{EtlError, Problems, Secrets, Word, engine::Engine};
use table::{Batch, Column, Columns, Reject, Type, Value};

/// A world with a folder of its own.
pub(crate) struct Bench {
    pub(crate) world: Arc<World>,
    _folder: tempfile::TempDir,
}

struct Known(BTreeMap<String, String>);

impl Secrets for Known {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        self.0.get(reference).cloned().ok_or_else(|| format!("the secret `{reference}` is not there"))
    }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::changed(|_| {})
    }

    pub(crate) fn changed(change: impl FnOnce(&mut World)) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let secrets = [("${env:STATE}".to_owned(), "AL' OR 'x' = 'x".to_owned())];
        let mut world = World {
            secrets: Arc::new(Known(secrets.into_iter().collect())),
            roots: vec![home.clone()],
            clock: Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z")),
            keys: None,
            store: None,
            scratch: home.join("scratch"),
            home: home.clone(),
            engine: Arc::new(Engine::new(&home.join("scratch"), 64 << 20).unwrap()),
            cancelled: Arc::new(AtomicBool::new(false)),
            checkpoint: Arc::new(|_| {}),
        };
        change(&mut world);
        Bench { world: Arc::new(world), _folder: folder }
    }

    /// A file in the folder that pipelines may use.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.world.home.join(name)
    }

    /// The source that options describe, or what is wrong with them.
    pub(crate) fn source(&self, kind: &str, options: &str) -> Result<Box<dyn SourceSpec>, Vec<String>> {
        let decode = etl::source::KINDS.iter().find(|(name, ..)| *name == kind).unwrap().2;
        let mut problems = Problems::default();
        let node = etl::yaml::parse(options, &mut problems).expect("the options are YAML");
        let mut fields = node.fields("the source `it`", &mut problems);
        let spec = decode(&word("it"), &mut fields, &mut problems);
        fields.end(&mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        spec.filter(|_| found.is_empty()).ok_or(found)
    }

    /// An open source.
    pub(crate) async fn open(&self, kind: &str, options: &str) -> Result<Box<dyn Source>, EtlError> {
        self.source(kind, options).unwrap().open(&self.world).await
    }

    /// Everything a source gives since a watermark.
    pub(crate) async fn read(
        &self,
        kind: &str,
        options: &str,
        since: Option<&str>,
    ) -> Result<Read, EtlError> {
        read_all(&mut *self.open(kind, options).await?, since).await
    }

    /// The target that options describe, or what is wrong with them.
    pub(crate) fn target(&self, kind: &str, options: &str) -> Result<Box<dyn TargetSpec>, Vec<String>> {
        let decode = etl::target::KINDS.iter().find(|(name, ..)| *name == kind).unwrap().2;
        let mut problems = Problems::default();
        let node = etl::yaml::parse(options, &mut problems).expect("the options are YAML");
        let mut fields = node.fields("the target `out`", &mut problems);
        let spec = decode(&word("out"), &mut fields, &mut problems);
        fields.end(&mut problems);
        let found: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
        spec.filter(|_| found.is_empty()).ok_or(found)
    }

    /// What is wrong with a target for columns and a division.
    pub(crate) fn misfits(
        &self,
        kind: &str,
        options: &str,
        columns: &Columns,
        division: Division,
    ) -> Vec<String> {
        let mut problems = Problems::default();
        self.target(kind, options).unwrap().plan(columns, division, &mut problems);
        problems.into_sorted().iter().map(|problem| problem.message.clone()).collect()
    }

    /// An open target.
    pub(crate) async fn open_target(&self, kind: &str, options: &str) -> Result<Box<dyn Target>, EtlError> {
        self.target(kind, options).unwrap().open(load_of("it"), &self.world).await
    }

    /// Loads batches as one unit.
    pub(crate) async fn load(
        &self,
        kind: &str,
        options: &str,
        unit: &str,
        batches: Vec<Batch>,
    ) -> Result<Loaded, EtlError> {
        let mut target = self.open_target(kind, options).await?;
        let columns = batches[0].columns().unwrap();
        target.committed().await?;
        target.begin(&columns).await?;
        for batch in batches {
            target.write(batch).await?;
        }
        target.commit(&[unit_of(unit)], Some(unit)).await
    }
}

/// What a source gave.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) columns: Columns,
    pub(crate) units: Vec<Unit>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) rejects: Vec<Reject>,
}

impl Read {
    /// All cells as text, row by row; `-` for a missing one.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        rows_of(&self.batches)
    }

    /// The names of the types.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect()
    }
}

pub(crate) fn rows_of(batches: &[Batch]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns().unwrap();
        for row in 0..batch.n_rows() {
            let cell = |name| batch.value(name, row).unwrap().to_text().unwrap_or("-".to_owned());
            rows.push(columns.names().into_iter().map(cell).collect());
        }
    }
    rows
}

pub(crate) async fn read_all(source: &mut dyn Source, since: Option<&str>) -> Result<Read, EtlError> {
    let units = source.units(since).await?;
    let mut read = Read {
        columns: source.columns().clone(),
        units: units.clone(),
        batches: Vec::new(),
        rejects: Vec::new(),
    };
    for (number, unit) in units.iter().enumerate() {
        let (out, mut pieces) = Out::channel(2);
        let reading = source.read(unit, number as u32, out);
        let taking = async {
            while let Some(piece) = pieces.recv().await {
                match piece {
                    Piece::Rows(batch) => read.batches.push(batch),
                    Piece::Rejects(rejects) => read.rejects.extend(rejects),
                    _ => {}
                }
            }
        };
        let (result, ()) = tokio::join!(reading, taking);
        result?;
    }
    Ok(read)
}

/// What a commit did.
pub(crate) fn loaded(inserted: u64, updated: u64, unchanged: u64, deduplicated: u64) -> Loaded {
    Loaded { inserted, updated, unchanged, deduplicated, ..Loaded::default() }
}

pub(crate) fn word(text: &str) -> Word {
    Word { text: text.to_owned(), at: etl::Point::default() }
}

pub(crate) fn load_of(source: &str) -> Load {
    Load {
        pipeline: "test".to_owned(),
        source: source.to_owned(),
        target: "out".to_owned(),
        run: "run-1".to_owned(),
        pipeline_hash: "hash-1".to_owned(),
    }
}

pub(crate) fn unit_of(id: &str) -> Unit {
    Unit {
        id: id.to_owned(),
        name: id.to_owned(),
        watermark: Some(id.to_owned()),
        n_bytes: None,
        n_rows: None,
    }
}

/// Columns from `name type` words.
pub(crate) fn columns(of: &[&str]) -> Columns {
    let column = |text: &&str| {
        let (name, kind) = text.rsplit_once(' ').unwrap();
        Column::new(name, Type::parse(kind).unwrap())
    };
    Columns::new(of.iter().map(column).collect()).unwrap()
}

/// Rows with an integer key and a text.
pub(crate) fn pairs(rows: &[(i64, &str)]) -> Batch {
    let cells: Vec<Vec<Value>> =
        rows.iter().map(|(id, text)| vec![Value::Integer(*id), Value::from(*text)]).collect();
    Batch::from_rows(&columns(&["id integer", "name text"]), &cells).unwrap()
}

/// Every type with usual, extreme and missing values.
pub(crate) fn all_types() -> Batch {
    let columns = columns(&[
        "id integer",
        "text text",
        "decimal decimal(38,10)",
        "number number",
        "date date",
        "instant instant",
        "boolean boolean",
    ]);
    let extreme = 10_i128.pow(38) - 1;
    let row = |id: i64, cells: [Value; 6]| {
        let mut row = vec![Value::Integer(id)];
        row.extend(cells);
        row
    };
    let null = || Value::Null;
    let rows = vec![
        row(
            1,
            [
                Value::from("Zoë \"quoted\" 'x' \\ \t\n, ; 漢字 🩺"),
                Value::Decimal(15_000_000_000, 10),
                Value::Number(0.1),
                Value::Date(20_000),
                Value::Instant(1_700_000_000_123_456),
                Value::Boolean(true),
            ],
        ),
        row(
            i64::MAX,
            [
                Value::from(""),
                Value::Decimal(extreme, 10),
                Value::Number(f64::MAX),
                Value::Date(2_932_896),
                Value::Instant(253_402_300_799_999_999),
                Value::Boolean(false),
            ],
        ),
        row(
            i64::MIN,
            [
                Value::from("NULL"),
                Value::Decimal(-extreme, 10),
                Value::Number(f64::MIN_POSITIVE),
                Value::Date(-354_285),
                Value::Instant(-30_610_224_000_000_000),
                Value::Boolean(true),
            ],
        ),
        row(0, [null(), null(), null(), null(), null(), null()]),
        row(
            -1,
            [
                Value::from("00501"),
                Value::Decimal(1, 10),
                Value::Number(-1.5e-300),
                Value::Date(-1),
                Value::Instant(-1),
                null(),
            ],
        ),
    ];
    Batch::from_rows(&columns, &rows).unwrap()
}
