//! What these tests share: a world below a temporary folder, and a load in one call.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use etl::source::Unit;
use etl::target::{KINDS, Load, Loaded, Target, TargetSpec};
use etl::world::World;
use etl::{EtlError, Problems, Secrets, Word};
use table::{Batch, Column, Columns, Type, Value};
use testkit::FixedClock;

/// Secrets by name.
#[derive(Default)]
pub(crate) struct Known(pub(crate) HashMap<String, String>);

impl Secrets for Known {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        self.0.get(reference).cloned().ok_or_else(|| format!("{reference} is not set"))
    }
}

/// A folder, and a world in which it is the only root.
pub(crate) struct Ground {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) secrets: Arc<Known>,
    /// The points that a load passed.
    pub(crate) passed: Arc<Mutex<Vec<String>>>,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        Ground { folder: tempfile::tempdir().unwrap(), secrets: Arc::default(), passed: Arc::default() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// A world; a load stops (by a panic) at the point `stop_at`.
    pub(crate) fn world(&self, stop_at: Option<&'static str>) -> Arc<World> {
        let (data, scratch) = (self.folder.path().join("data"), self.folder.path().join("scratch"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::create_dir_all(&scratch).unwrap();
        let passed = self.passed.clone();
        Arc::new(World {
            secrets: self.secrets.clone(),
            roots: vec![data.clone()],
            clock: Arc::new(FixedClock::at("2026-01-15T12:00:00Z")),
            keys: None,
            store: None,
            scratch: scratch.clone(),
            home: data,
            engine: Arc::new(etl::engine::Engine::new(&scratch, 64 << 20).unwrap()),
            cancelled: Arc::new(AtomicBool::new(false)),
            checkpoint: Arc::new(move |point| {
                passed.lock().unwrap().push(point.to_owned());
                assert!(stop_at != Some(point), "the process ends here");
            }),
        })
    }

    /// Every file below a folder with its bytes.
    pub(crate) fn content(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(name), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), files);
        } else {
            files.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
}

/// A target from the text of its options.
pub(crate) fn spec(kind: &str, options: &str) -> Result<Box<dyn TargetSpec>, Vec<String>> {
    let mut problems = Problems::default();
    let node = etl::yaml::parse(options, &mut problems).expect("the options are YAML");
    let mut fields = node.fields("the target `lake`", &mut problems);
    let name = Word { text: "lake".to_owned(), at: fields.at() };
    let decode = KINDS.iter().find(|(name, ..)| *name == kind).expect("the kind is known").2;
    let spec = decode(&name, &mut fields, &mut problems);
    fields.end(&mut problems);
    let problems: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(spec.unwrap()) } else { Err(problems) }
}

/// The columns that most tests use: `id`, `name`, `state`, `n`.
pub(crate) fn people() -> Columns {
    Columns::new(vec![
        Column::new("id", Type::Text),
        Column::new("name", Type::Text),
        Column::new("state", Type::Text),
        Column::new("n", Type::Integer),
    ])
    .unwrap()
}

/// Rows of [`people`]. An empty text stands for a missing one.
pub(crate) fn rows(rows: &[(&str, &str, &str, i64)]) -> Batch {
    let text = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    let rows =
        rows.iter().map(|(id, name, state, n)| vec![text(id), text(name), text(state), Value::Integer(*n)]);
    Batch::from_rows(&people(), &rows.collect::<Vec<_>>()).unwrap()
}

pub(crate) fn unit(id: &str) -> Unit {
    Unit { id: id.to_owned(), name: id.to_owned(), watermark: None, n_bytes: None, n_rows: None }
}

pub(crate) fn a_load(run: &str) -> Load {
    Load {
        pipeline: "test".to_owned(),
        source: "ehr".to_owned(),
        target: "lake".to_owned(),
        run: run.to_owned(),
        pipeline_hash: "abc".to_owned(),
    }
}

/// Loads batches as one unit.
pub(crate) async fn load(
    world: &Arc<World>,
    spec: &dyn TargetSpec,
    run: &str,
    unit_id: &str,
    batches: Vec<Batch>,
) -> Result<Loaded, EtlError> {
    let mut target = spec.open(a_load(run), world).await?;
    load_into(target.as_mut(), unit_id, batches).await
}

pub(crate) async fn load_into(
    target: &mut dyn Target,
    unit_id: &str,
    batches: Vec<Batch>,
) -> Result<Loaded, EtlError> {
    let columns = batches.first().map_or_else(people, |batch| batch.columns().unwrap());
    target.begin(&columns).await?;
    for batch in batches {
        target.write(batch).await?;
    }
    target.commit(&[unit(unit_id)], Some("w1")).await
}

/// Runs a test on the async runtime of a run.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

/// Inserted, updated, unchanged, deduplicated.
pub(crate) fn counts(loaded: &Loaded) -> (u64, u64, u64, u64) {
    (loaded.inserted, loaded.updated, loaded.unchanged, loaded.deduplicated)
}
