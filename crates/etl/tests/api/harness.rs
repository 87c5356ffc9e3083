//! Opens and reads one source, as a run does.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use etl::engine::Engine;
use etl::source::{KINDS, Out, Piece, Unit};
use etl::world::World;
use etl::yaml::parse;
use etl::{EtlError, Point, Problems, Secrets, Word};
use table::{Batch, Reject, Value};
use testkit::FixedClock;

/// Secrets that are given.
pub(crate) struct Given(pub(crate) Vec<(&'static str, String)>);

impl Secrets for Given {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| reference == format!("${{env:{name}}}"));
        found.map(|(_, secret)| secret.clone()).ok_or_else(|| format!("there is no secret `{reference}`"))
    }
}

/// What came of reading a source.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) units: Vec<Unit>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) rejects: Vec<Reject>,
}

impl Read {
    /// The texts of a column, in order.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let cell = |batch: &Batch, row| match batch.value(name, row).unwrap() {
            Value::Null => "-".to_owned(),
            value => value.to_text().unwrap(),
        };
        self.batches.iter().flat_map(|batch| (0..batch.n_rows()).map(move |row| cell(batch, row))).collect()
    }
}

/// Opens and reads the source that the options describe, since a watermark.
pub(crate) fn read(options: &str, secrets: Given, since: Option<&str>) -> Result<Read, EtlError> {
    let mut problems = Problems::default();
    let node = parse(options, &mut problems).unwrap();
    let mut fields = node.fields("the source `x`", &mut problems);
    let kind = fields.required_text("type", &mut problems).unwrap();
    let (_, _, decode) = KINDS.iter().find(|(name, ..)| *name == kind.text).unwrap();
    let name = Word { text: "x".to_owned(), at: Point::default() };
    let spec = decode(&name, &mut fields, &mut problems);
    fields.end(&mut problems);
    let problems: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
    assert_eq!(problems, [""; 0]);
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    std::fs::create_dir_all(root.join("scratch")).unwrap();
    let world = World {
        secrets: Arc::new(secrets),
        roots: vec![root.clone()],
        clock: Arc::new(FixedClock::at("2026-01-15T00:00:00Z")),
        keys: None,
        store: None,
        engine: Arc::new(Engine::new(&root.join("scratch"), 64 << 20).unwrap()),
        scratch: root.join("scratch"),
        home: root,
        cancelled: Arc::new(AtomicBool::new(false)),
        checkpoint: Arc::new(|_| {}),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut source = spec.unwrap().open(&world).await?;
        let mut read = Read { units: source.units(since).await?, ..Read::default() };
        for (number, unit) in (0..).zip(read.units.clone()) {
            let (out, mut pieces) = Out::channel(2);
            let gather = async {
                while let Some(piece) = pieces.recv().await {
                    match piece {
                        Piece::Rows(batch) => read.batches.push(batch),
                        Piece::Rejects(rejects) => read.rejects.extend(rejects),
                        Piece::Nulled(_) | Piece::Consumed(_) => {}
                    }
                }
            };
            let (result, ()) = tokio::join!(source.read(&unit, number, out), gather);
            result?;
        }
        Ok(read)
    })
}
