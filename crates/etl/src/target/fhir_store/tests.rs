//! Loads are written once, cut-off loads are written again, and what was loaded is known.

use std::sync::Mutex;

use gate::{Access, Action, Gate, GateConfig, GateError, Principal, Tenant, WriteOp, WriteOutcome};
use table::{Column, Value};

use super::*;
use crate::step::testing::Bench;

/// The store of a folder behind its gate; it can be made to go away after some resources.
struct Door {
    gate: Gate,
    access: Access,
    fails_after: Mutex<Option<usize>>,
    _folder: tempfile::TempDir,
}

impl Door {
    fn new() -> Arc<Door> {
        let folder = tempfile::tempdir().unwrap();
        let config = GateConfig::new(folder.path().join("data"), "http://localhost/fhir");
        let clock = Arc::new(testkit::FixedClock::at("2026-01-15T12:00:00Z"));
        let gate = Gate::open(config, clock).unwrap();
        let principal = Arc::new(Principal::local("tester", Tenant::main()));
        let access = Access::new(principal, None, "test".to_owned()).unwrap();
        Arc::new(Door { gate, access, fails_after: Mutex::new(None), _folder: folder })
    }
}

impl ResourceDoor for Door {
    fn write(&self, resources: Vec<Fhir>) -> BoxFuture<'_, Result<Vec<Written>, EtlError>> {
        async move {
            let mut outcomes = Vec::new();
            for resource in resources {
                if let Some(left) = &mut *self.fails_after.lock().unwrap() {
                    if *left == 0 {
                        return Err(failed("fhir", "the store is gone"));
                    }
                    *left -= 1;
                }
                let resource = Resource::from_value(resource).unwrap();
                let op = WriteOp { full_url: None, action: Action::Update { resource, if_match: None } };
                let answer = self.gate.write(&self.access, false, vec![op]).await.unwrap();
                outcomes.push(match answer.results.into_iter().next().unwrap() {
                    Ok(written) => match written.outcome {
                        WriteOutcome::Created => Written::Created,
                        WriteOutcome::Updated => Written::Updated,
                        _ => Written::Unchanged,
                    },
                    Err(error) => Written::Refused(error.to_string()),
                });
            }
            Ok(outcomes)
        }
        .boxed()
    }

    fn read<'a>(&'a self, kind: &'a str, id: &'a str) -> BoxFuture<'a, Result<Option<Fhir>, EtlError>> {
        async move {
            match self.gate.read(&self.access, fhir::Kind::parse(kind).unwrap(), id).await {
                Ok(stored) => Ok(Some(fhir::json::parse(stored.body.bytes(), &Limits::default()).unwrap())),
                Err(GateError::NotFound { .. }) => Ok(None),
                Err(error) => panic!("{error}"),
            }
        }
        .boxed()
    }
}

fn columns() -> Columns {
    let columns = [RESOURCE_TYPE, RESOURCE_ID, RESOURCE].map(|name| Column::new(name, Type::Text));
    Columns::new(columns.to_vec()).unwrap()
}

/// Patients by id and gender.
fn patients(rows: &[(&str, &str)]) -> Batch {
    let rows = rows.iter().map(|(id, gender)| {
        let json = format!(r#"{{"resourceType":"Patient","id":"{id}","gender":"{gender}"}}"#);
        vec![Value::from("Patient"), Value::from(*id), Value::Text(json)]
    });
    Batch::from_rows(&columns(), &rows.collect::<Vec<_>>()).unwrap()
}

fn unit(id: &str) -> Unit {
    Unit { id: id.to_owned(), name: id.to_owned(), watermark: None, n_bytes: None, n_rows: None }
}

fn load() -> Load {
    let text = str::to_owned;
    Load {
        pipeline: text("p"),
        source: text("s"),
        target: text("fhir"),
        run: text("r"),
        pipeline_hash: text("h"),
    }
}

async fn open(store: &Arc<Door>, bench: &Bench, batch: usize) -> Open {
    Open {
        name: "fhir".to_owned(),
        batch,
        load: load(),
        store: Arc::clone(store) as Arc<dyn ResourceDoor>,
        world: Arc::clone(&bench.world),
        spool: None,
        prepared: None,
        refused: Vec::new(),
    }
}

#[tokio::test]
async fn a_load_is_written_once_and_its_units_are_known() {
    let (bench, store) = (Bench::new(), Door::new());
    let mut target = open(&store, &bench, 2).await;
    assert_eq!(target.committed().await.unwrap(), Committed::default());
    target.begin(&columns()).await.unwrap();
    target.write(patients(&[("a", "male"), ("b", "mael"), ("c", "female")])).await.unwrap();
    target.write(patients(&[("a", "other")])).await.unwrap();
    assert!(store.read("Patient", "a").await.unwrap().is_none());
    let loaded = target.commit(&[unit("u1")], Some("2026-01-01")).await.unwrap();
    assert_eq!((loaded.inserted, loaded.deduplicated, loaded.refused), (2, 1, 1));
    let refused = target.refused();
    assert_eq!(
        refused[0].message,
        "the store refused the resource: `code-not-in-value-set` at `Patient.gender`"
    );
    assert_eq!(refused[0].place.line, 2);
    let held = store.read("Patient", "a").await.unwrap().unwrap();
    assert_eq!(held.text("gender"), Some("other"));

    let mut again = open(&store, &bench, 2).await;
    let committed = again.committed().await.unwrap();
    assert_eq!(
        (committed.units, committed.watermark.as_deref()),
        (vec!["u1".to_owned()], Some("2026-01-01"))
    );
    again.begin(&columns()).await.unwrap();
    again.write(patients(&[("a", "other"), ("c", "male")])).await.unwrap();
    let loaded = again.commit(&[unit("u2")], None).await.unwrap();
    assert_eq!((loaded.inserted, loaded.updated, loaded.unchanged), (0, 1, 1));
    let committed = again.committed().await.unwrap();
    assert_eq!((committed.units.len(), committed.watermark.as_deref()), (2, Some("2026-01-01")));
}

#[tokio::test]
async fn a_load_that_was_cut_off_is_not_known_and_can_be_written_again() {
    let (bench, store) = (Bench::new(), Door::new());
    let rows = patients(&[("a", "male"), ("b", "male"), ("c", "female")]);
    for after in 0..=4 {
        *store.fails_after.lock().unwrap() = Some(after);
        let mut target = open(&store, &bench, 1).await;
        target.begin(&columns()).await.unwrap();
        target.write(rows.clone()).await.unwrap();
        assert!(target.commit(&[unit("u")], None).await.is_err(), "{after}");
        *store.fails_after.lock().unwrap() = None;
        assert_eq!(target.committed().await.unwrap(), Committed::default(), "{after}");
    }
    let mut target = open(&store, &bench, 1).await;
    target.begin(&columns()).await.unwrap();
    target.write(rows).await.unwrap();
    assert_eq!(target.commit(&[unit("u")], None).await.unwrap().unchanged, 3);
    assert_eq!(target.committed().await.unwrap().units, ["u"]);
}

#[tokio::test]
async fn more_units_than_a_page_are_all_known_and_valid() {
    let store = Door::new();
    let mut record = Record::default();
    let units: Vec<Unit> = (0..2_500).map(|n| unit(&format!("u{n}"))).collect();
    record.add(&units, Some("w"));
    record.write(&*store, &load()).await.unwrap();
    assert_eq!(Record::read(&*store, &load()).await.unwrap(), record);
    for page in [None, Some(0), Some(1), Some(2)] {
        assert!(store.read("Basic", &committed::id(&load(), page)).await.unwrap().is_some());
    }
    let mut other = load();
    other.source = "t".to_owned();
    assert_eq!(Record::read(&*store, &other).await.unwrap(), Record::default());
}
