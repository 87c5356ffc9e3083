//! Writes of every kind from several tasks at once, each noted when it is acknowledged, and the check that a store kept what was noted.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests, each of which uses a part"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use fhir::json::Limits;
use fhir::{Clock, Instant, Kind, Resource};
use search::Restrictions;
use store::{Action, Author, Op, Page, PermitAll, Store, StoreError, Tenant, WriteOp, WriteRequest, Written};

/// Something a crash must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A version was acknowledged; `value` is in it unless it is a deletion.
    Acked { kind: Kind, id: String, version: u64, value: Option<String> },
    /// A transaction over a patient of this id and two observations was handed over: all of it or nothing.
    Begun { id: String },
    /// A transaction over a patient of this id was handed over that must be refused: nothing of it.
    Refused { id: String },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Acked { kind, id, version, value } => {
                write!(f, "acked {kind} {id} {version} {}", value.as_deref().unwrap_or("deleted"))
            }
            Note::Begun { id } => write!(f, "begun {id}"),
            Note::Refused { id } => write!(f, "refused {id}"),
        }
    }
}

impl Note {
    /// Reads what `Display` wrote; other lines are none.
    pub fn parse(line: &str) -> Option<Note> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["acked", kind, id, version, value] => Some(Note::Acked {
                kind: Kind::named(kind),
                id: id.to_owned(),
                version: version.parse().unwrap(),
                value: (value != "deleted").then(|| value.to_owned()),
            }),
            ["begun", id] => Some(Note::Begun { id: id.to_owned() }),
            ["refused", id] => Some(Note::Refused { id: id.to_owned() }),
            _ => None,
        }
    }
}

/// Kinds of steps that a task takes in turn.
pub const STEPS: u64 = 6;

pub type Notes = Arc<dyn Fn(Note) + Send + Sync>;

/// One run's writers: `n_tasks` tasks write `n_steps` times each, or until a write fails. Runs on one store need different numbers.
pub async fn write(store: &Store, run: u64, n_tasks: u64, n_steps: u64, notes: Notes) {
    let tasks = (0..n_tasks).map(|number| {
        let task = Task { store: store.clone(), name: format!("{run}-{number}"), notes: Arc::clone(&notes) };
        tokio::spawn(async move {
            for step in 0..n_steps {
                if task.step(step + number).await.is_err() {
                    break;
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

struct Task {
    store: Store,
    name: String,
    notes: Notes,
}

impl Task {
    async fn step(&self, step: u64) -> Result<(), StoreError> {
        let value = format!("v-{}-{step}", self.name);
        match step % STEPS {
            0 => self.send(vec![create(&value)], false, &[&value]).await.map(drop),
            1 => self
                .send(vec![update(patient(&format!("p-{}", self.name), &value))], false, &[&value])
                .await
                .map(drop),
            2 => self.transaction(step, &value).await,
            3 => self.create_and_delete(&value).await,
            4 => self.refused(step, &value).await,
            _ => {
                let values = [0, 1, 2].map(|n| format!("{value}-{n}"));
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                self.send(values.iter().map(|value| create(value)).collect(), false, &values).await.map(drop)
            }
        }
    }

    async fn transaction(&self, step: u64, value: &str) -> Result<(), StoreError> {
        let id = format!("t-{}-{step}", self.name);
        (self.notes)(Note::Begun { id: id.clone() });
        let mut ops = vec![update(patient(&id, value))];
        // The second refers to a patient who is mentioned and never stored.
        let subjects = [("a", id.clone()), ("b", format!("m-{}", self.name))];
        ops.extend(
            subjects.map(|(part, patient)| update(observation(&format!("{id}-{part}"), &patient, value))),
        );
        self.send(ops, true, &[value; 3]).await.map(drop)
    }

    /// A transaction whose last entry expects a version that is not there.
    async fn refused(&self, step: u64, value: &str) -> Result<(), StoreError> {
        let id = format!("x-{}-{step}", self.name);
        (self.notes)(Note::Refused { id: id.clone() });
        let last =
            Action::Update { resource: observation(&format!("{id}-a"), &id, value), if_match: Some(9) };
        let ops = vec![update(patient(&id, value)), WriteOp { full_url: None, action: last }];
        match self.send(ops, true, &[value; 2]).await {
            Err(StoreError::InEntry { entry: 1, error })
                if matches!(*error, StoreError::VersionConflict { .. }) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => panic!("a conflict was stored"),
        }
    }

    async fn create_and_delete(&self, value: &str) -> Result<(), StoreError> {
        let created = self.send(vec![create(value)], false, &[value]).await?;
        let (kind, id) = (Kind::named("Patient"), created[0].stored.id.clone());
        let action = Action::Delete { kind, id, if_match: Some(1) };
        self.send(vec![WriteOp { full_url: None, action }], false, &[]).await.map(drop)
    }

    /// Writes and notes what was acknowledged.
    async fn send(
        &self,
        ops: Vec<WriteOp>,
        atomic: bool,
        values: &[&str],
    ) -> Result<Vec<Written>, StoreError> {
        let answer = self.store.write(request(&self.name, ops, atomic)).await?;
        let written = answer.results.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (at, written) in written.iter().enumerate() {
            let stored = &written.stored;
            let (kind, id, version) = (stored.kind, stored.id.to_string(), stored.version);
            (self.notes)(Note::Acked { kind, id, version, value: values.get(at).map(ToString::to_string) });
        }
        Ok(written)
    }
}

/// One more patient.
pub async fn write_once(store: &Store) -> Result<(), StoreError> {
    let answer = store.write(request("once", vec![create("once")], false)).await?;
    answer.results.into_iter().collect::<Result<Vec<_>, _>>().map(drop)
}

fn request(task: &str, ops: Vec<WriteOp>, atomic: bool) -> WriteRequest {
    let author = Author {
        principal: format!("tester-{task}"),
        purpose: "TREAT".into(),
        request: "r".into(),
        decision: "d".into(),
        on_behalf_of: None,
    };
    let (tenant, decide) = (Tenant::main(), Arc::new(PermitAll));
    WriteRequest { tenant, author, atomic, ops, decide, restrictions: Restrictions::all() }
}

fn create(value: &str) -> WriteOp {
    let action = Action::Create { resource: patient("any", value), if_none_exist: None };
    WriteOp { full_url: None, action }
}

fn update(resource: Resource) -> WriteOp {
    WriteOp { full_url: None, action: Action::Update { resource, if_match: None } }
}

/// Each task has a system and a unit of its own, which the store meets for the first time in the task's first write.
fn system_of(value: &str) -> String {
    let task: Vec<&str> = value.splitn(4, '-').take(3).collect();
    format!("urn:test:{}", task.join(":"))
}

fn patient(id: &str, value: &str) -> Resource {
    let system = system_of(value);
    resource(&format!(
        r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"{system}","value":"{value}"}}],
            "name":[{{"family":"{value}"}}],"birthDate":"1980-01-02"}}"#
    ))
}

fn observation(id: &str, patient: &str, value: &str) -> Resource {
    let system = system_of(value);
    resource(&format!(
        r#"{{"resourceType":"Observation","id":"{id}","identifier":[{{"system":"{system}","value":"{value}"}}],
            "status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},
            "subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"2024-03-01T10:00:00Z",
            "valueQuantity":{{"value":72,"unit":"{system}"}}}}"#
    ))
}

fn resource(json: &str) -> Resource {
    Resource::parse(json.as_bytes(), &Limits::default()).unwrap()
}

/// How many of the noted versions are not there. Everything else that must hold is asserted: what is there is whole, and
/// index, versions and change log agree.
pub async fn count_lost(store: &Store, notes: &[Note], context: &str) -> usize {
    let report = store.check().await.unwrap();
    assert!(report.problems.is_empty(), "{context}: {:?}", report.problems);
    let logged = changes(store, context).await;
    let mut n_lost = 0;
    for note in notes {
        match note {
            Note::Acked { kind, id, version, value } => {
                let there = has_version(store, *kind, id, *version, value.as_deref(), context).await;
                let author = logged.get(&(*kind, id.clone(), *version));
                assert_eq!(there, author.is_some(), "{context}: {note} and the change log");
                if let (Some(author), Some(value)) = (author, value) {
                    assert!(
                        value.starts_with(&author.replace("tester", "v")),
                        "{context}: {note} by {author}"
                    );
                }
                n_lost += usize::from(!there);
            }
            Note::Begun { id } => {
                let parts = parts(store, id).await;
                assert!(
                    parts == [true; 3] || parts == [false; 3],
                    "{context}: half of transaction {id}: {parts:?}"
                );
            }
            Note::Refused { id } => assert_eq!(parts(store, id).await, [false; 3], "{context}: refused {id}"),
        }
    }
    n_lost
}

/// Which resources of a transaction are there.
async fn parts(store: &Store, id: &str) -> [bool; 3] {
    let mut parts = [false; 3];
    for (part, (kind, suffix)) in
        parts.iter_mut().zip([("Patient", ""), ("Observation", "-a"), ("Observation", "-b")])
    {
        let found = store.read(&Tenant::main(), Kind::named(kind), &format!("{id}{suffix}")).await.unwrap();
        *part = found.is_some();
    }
    parts
}

async fn has_version(
    store: &Store,
    kind: Kind,
    id: &str,
    version: u64,
    value: Option<&str>,
    context: &str,
) -> bool {
    let Some(stored) = store.read_version(&Tenant::main(), kind, id, version).await.unwrap() else {
        return false;
    };
    assert_eq!(stored.op == Op::Delete, value.is_none(), "{context}: {kind}/{id}");
    if let Some(value) = value {
        let resource = stored.body.resource().unwrap();
        let found = resource.value().get("identifier").and_then(|list| list.items()[0].text("value"));
        assert_eq!(found, Some(value), "{context}: {kind}/{id}");
    }
    let current = store.read(&Tenant::main(), kind, id).await.unwrap().unwrap();
    assert!(current.version >= version, "{context}: {kind}/{id}");
    true
}

/// Who wrote which version, by the whole change log; positions rise.
async fn changes(store: &Store, context: &str) -> BTreeMap<(Kind, String, u64), String> {
    let (mut all, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = store.changes(after, 500).await.unwrap();
        let Some(last) = page.last() else { return all };
        assert!(page[0].seq > after && page.is_sorted_by(|a, b| a.seq < b.seq), "{context}: positions");
        after = last.seq;
        all.extend(page.into_iter().map(|c| ((c.kind, c.id.to_string(), c.version), c.author.principal)));
    }
}

/// Searches for some of the noted patients by what they say now, and writes once more: the store is of use.
pub async fn check_usable(store: &Store, run: u64, notes: &[Note], context: &str) {
    let mut latest: BTreeMap<&str, (u64, Option<&str>)> = BTreeMap::new();
    for note in notes {
        if let Note::Acked { kind, id, version, value } = note
            && *kind == Kind::named("Patient")
        {
            let entry = latest.entry(id).or_default();
            *entry = (*entry).max((*version, value.as_deref()));
        }
    }
    for (id, (version, value)) in latest.into_iter().rev().take(10) {
        let current = store.read(&Tenant::main(), Kind::named("Patient"), id).await.unwrap().unwrap();
        // A newer version was stored, but not acknowledged, when the crash came.
        let Some(value) = value.filter(|_| current.version == version) else { continue };
        assert_eq!(search(store, value).await, [id], "{context}: identifier {value}");
    }
    let noted = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes: Notes = Arc::new({
        let noted = Arc::clone(&noted);
        move |note| noted.lock().unwrap().push(note)
    });
    write(store, run, 1, STEPS, notes).await;
    let noted = noted.lock().unwrap().clone();
    assert_eq!(noted.len(), 1 + 1 + 4 + 2 + 1 + 3, "{context}: {noted:?}");
    assert_eq!(count_lost(store, &noted, context).await, 0, "{context}");
}

async fn search(store: &Store, value: &str) -> Vec<String> {
    let options = search::Options::new(true, Vec::new(), Instant(0));
    let text = format!("identifier={}|{value}", system_of(value));
    let query = search::parse(Some(Kind::named("Patient")), &text, &options).unwrap().query;
    let page = Page { count: 10, cursor_secret: &[7; 32], principal: "tester" };
    let found = store.search(&Tenant::main(), &query, &Restrictions::all(), &page).await.unwrap();
    found.matches.into_iter().map(|stored| stored.id.to_string()).collect()
}

/// A clock that moves with each look.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(db::SystemClock)
}
