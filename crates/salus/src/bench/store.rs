//! The store alone against raw SQLite: the same resources with the same index rows, the same number of resources per commit, each commit
//! on disk. Raw SQLite is given its rows ready made; the store has to extract, compare, version and log.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use fhir::{Resource, Value};
use rusqlite::{Connection, params};
use search::{Extractor, IndexRows, Restrictions, Target};
use serde::Serialize;
use store::{Action, Author, PermitAll, Store, StoreConfig, Tenant, WriteOp, WriteRequest};

use super::process::usage_of;

/// Writes waiting for the store at once.
const WRITES_IN_FLIGHT: usize = 4;

/// One side of the comparison.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) resources: u64,
    pub(crate) secs: f64,
    pub(crate) cpu_secs: f64,
    pub(crate) per_sec: f64,
    pub(crate) per_cpu_sec: f64,
    pub(crate) bytes_per_resource: f64,
}

/// The comparison.
#[derive(Debug, Serialize)]
pub(crate) struct StoreResult {
    pub(crate) store: Side,
    pub(crate) raw_sqlite: Side,
    /// Rate of the store by the rate of raw SQLite.
    pub(crate) ratio: f64,
    pub(crate) rows_per_resource: f64,
    pub(crate) json_bytes_per_resource: f64,
    /// Point reads a second, one after the other, body unpacked.
    pub(crate) reads_per_sec: f64,
}

/// Generates resources, writes them both ways, reads some.
pub(crate) async fn run(dir: &Path, n_resources: usize, per_write: usize) -> anyhow::Result<StoreResult> {
    let resources = generate(n_resources)?;
    let extractor = Extractor::new(Vec::new(), search::EquityRules::default());
    let json_bytes: usize = resources.iter().map(|resource| resource.value().to_bytes().len()).sum();
    let rows_of = |resource: &Resource| {
        let mut rows = extractor.extract(resource, fhir::Instant(0));
        // The store does not keep them either.
        rows.drop_unions();
        rows
    };
    let rows: Vec<IndexRows> = resources.iter().map(rows_of).collect();
    let n_rows: usize = rows.iter().map(n_rows_of).sum();
    let raw_sqlite = raw(&dir.join("raw.db"), &resources, &rows, per_write)?;
    drop(rows);
    let (store, reads_per_sec) = through_store(&dir.join("store"), resources, per_write).await?;
    let count = store.resources as f64;
    Ok(StoreResult {
        ratio: store.per_sec / raw_sqlite.per_sec,
        store,
        raw_sqlite,
        rows_per_resource: n_rows as f64 / count,
        json_bytes_per_resource: json_bytes as f64 / count,
        reads_per_sec,
    })
}

fn generate(n_resources: usize) -> anyhow::Result<Vec<Resource>> {
    let population =
        synth::Population::new(synth::Config { patients: u32::MAX, seed: 1, ..synth::Config::default() });
    let mut resources = Vec::with_capacity(n_resources);
    let add = |values: Vec<Value>, resources: &mut Vec<Resource>| -> anyhow::Result<()> {
        for value in values {
            resources.push(
                Resource::from_value(value).map_err(|issues| anyhow::anyhow!("{}", issues[0].diagnostics))?,
            );
        }
        Ok(())
    };
    let mut index = 0;
    while resources.len() < n_resources {
        add(population.patient(index), &mut resources)?;
        index += 1;
    }
    resources.truncate(n_resources);
    Ok(resources)
}

fn n_rows_of(rows: &IndexRows) -> usize {
    rows.tokens.len()
        + rows.token_texts.len()
        + rows.of_types.len()
        + rows.strings.len()
        + rows.dates.len()
        + rows.numbers.len()
        + rows.quantities.len()
        + rows.references.len()
        + rows.uris.len()
        + rows.composites.len()
}

fn side(resources: usize, started: Instant, cpu_before: f64, bytes: u64) -> anyhow::Result<Side> {
    let secs = started.elapsed().as_secs_f64();
    let cpu_secs = usage_of(std::process::id())?.cpu_secs - cpu_before;
    let count = resources as f64;
    Ok(Side {
        resources: resources as u64,
        secs,
        cpu_secs,
        per_sec: count / secs,
        per_cpu_sec: count / cpu_secs.max(0.001),
        bytes_per_resource: bytes as f64 / count,
    })
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(meta) = std::fs::metadata(path) else { return 0 };
    if meta.is_file() {
        return meta.len();
    }
    std::fs::read_dir(path)
        .map_or(0, |entries| entries.flatten().map(|entry| folder_bytes(&entry.path())).sum())
}

async fn through_store(
    dir: &Path,
    resources: Vec<Resource>,
    per_write: usize,
) -> anyhow::Result<(Side, f64)> {
    let store = Store::open(StoreConfig::new(dir, "http://localhost/fhir"), Arc::new(db::SystemClock))?;
    let names: Vec<(fhir::Kind, String)> =
        resources.iter().filter_map(|resource| Some((resource.kind(), resource.id()?.to_owned()))).collect();
    let n_resources = resources.len();
    let cpu_before = usage_of(std::process::id())?.cpu_secs;
    let started = Instant::now();
    let mut writes = tokio::task::JoinSet::new();
    let mut resources = resources.into_iter();
    loop {
        let ops: Vec<WriteOp> = resources
            .by_ref()
            .take(per_write)
            .map(|resource| WriteOp { full_url: None, action: Action::Update { resource, if_match: None } })
            .collect();
        if ops.is_empty() {
            break;
        }
        if writes.len() >= WRITES_IN_FLIGHT {
            writes.join_next().await.context("a write is in flight")???;
        }
        let store = store.clone();
        writes.spawn(async move { store.write(request_of(ops)).await.map(drop) });
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    let mut side = side(n_resources, started, cpu_before, 0)?;
    let reads_per_sec = read(&store, &names).await?;
    drop(store);
    side.bytes_per_resource = folder_bytes(dir) as f64 / n_resources as f64;
    Ok((side, reads_per_sec))
}

fn request_of(ops: Vec<WriteOp>) -> WriteRequest {
    let author = Author {
        principal: "local:bench".to_owned(),
        purpose: "HOPERAT".to_owned(),
        request: "bench".to_owned(),
        decision: "bench".to_owned(),
        on_behalf_of: None,
    };
    WriteRequest {
        tenant: Tenant::main(),
        author,
        atomic: true,
        ops,
        decide: Arc::new(PermitAll),
        restrictions: Restrictions::all(),
    }
}

async fn read(store: &Store, names: &[(fhir::Kind, String)]) -> anyhow::Result<f64> {
    const READS: usize = 50_000;
    let started = Instant::now();
    for turn in 0..READS {
        // A stride that is coprime to most counts visits all of them in a scattered order.
        let (kind, id) = &names[(turn * 7_919) % names.len()];
        let stored = store.read(&Tenant::main(), *kind, id).await?;
        anyhow::ensure!(
            stored.is_some_and(|stored| !stored.body.bytes().is_empty()),
            "`{kind}/{id}` was written but is not there"
        );
    }
    Ok(READS as f64 / started.elapsed().as_secs_f64())
}

const RAW_TABLES: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE res (rid INTEGER PRIMARY KEY, kind INTEGER, id TEXT, body BLOB);
    CREATE TABLE rkey (k INTEGER PRIMARY KEY, rid INTEGER);
    CREATE TABLE word (p INTEGER, v INTEGER, rid INTEGER, PRIMARY KEY (p, v, rid)) WITHOUT ROWID;
    CREATE TABLE span (p INTEGER, lo INTEGER, hi INTEGER, rid INTEGER, PRIMARY KEY (p, lo, hi, rid)) WITHOUT ROWID;
    CREATE TABLE text (p INTEGER, v TEXT, rid INTEGER, PRIMARY KEY (p, v, rid)) WITHOUT ROWID;
    CREATE TABLE number (p INTEGER, v BLOB, rid INTEGER, PRIMARY KEY (p, v, rid)) WITHOUT ROWID;
";

/// The plainest clustered layout that could answer the same searches, written by one thread.
fn raw(path: &Path, resources: &[Resource], rows: &[IndexRows], per_write: usize) -> anyhow::Result<Side> {
    let bodies: Vec<Vec<u8>> = resources.iter().map(|resource| resource.value().to_bytes()).collect();
    let mut connection = Connection::open(path)?;
    connection.execute_batch(RAW_TABLES)?;
    let cpu_before = usage_of(std::process::id())?.cpu_secs;
    let started = Instant::now();
    let mut rid = 0i64;
    for (start, chunk) in rows.chunks(per_write).enumerate().map(|(n, chunk)| (n * per_write, chunk)) {
        let transaction = connection.transaction()?;
        let first = rid + 1;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO res VALUES (?1, ?2, ?3, ?4)")?;
            let mut key = transaction.prepare_cached("INSERT OR IGNORE INTO rkey VALUES (?1, ?2)")?;
            for at in start..start + chunk.len() {
                rid += 1;
                let body = zstd::bulk::compress(&bodies[at], 1)?;
                let id = resources[at].id().unwrap_or_default();
                insert.execute(params![rid, resources[at].kind().index() as i64, id, body])?;
                key.execute(params![hash_of(&[id]), rid])?;
            }
        }
        insert_rows(&transaction, chunk, first)?;
        transaction.commit()?;
    }
    let bytes = || std::fs::metadata(path).map_or(0, |meta| meta.len());
    let mut side = side(rows.len(), started, cpu_before, 0)?;
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
    side.bytes_per_resource = bytes() as f64 / rows.len() as f64;
    Ok(side)
}

fn insert_rows(connection: &Connection, chunk: &[IndexRows], first: i64) -> anyhow::Result<()> {
    let (mut words, mut spans, mut texts, mut numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (rid, rows) in (first..).zip(chunk) {
        let p = |param: search::ParamId| param.index() as i64;
        for row in &rows.tokens {
            words.push((
                p(row.param),
                hash_of(&[row.system.as_deref().unwrap_or(""), row.code.as_deref().unwrap_or("")]),
                rid,
            ));
        }
        for row in &rows.references {
            let target = match &row.target {
                Target::Local { kind, id } => hash_of(&[kind.name(), id]),
                Target::Url(url) => hash_of(&[url]),
            };
            words.push((p(row.param), target, rid));
        }
        words.extend(rows.uris.iter().map(|row| (p(row.param), hash_of(&[&row.text]), rid)));
        words.extend(rows.composites.iter().enumerate().map(|(n, row)| (p(row.param), n as i64, rid)));
        spans.extend(rows.dates.iter().map(|row| (p(row.param), row.low, row.high, rid)));
        texts.extend(rows.strings.iter().map(|row| (p(row.param), row.folded.as_str(), rid)));
        texts.extend(rows.token_texts.iter().map(|row| (p(row.param), row.text.as_str(), rid)));
        numbers.extend(rows.numbers.iter().map(|row| (p(row.param), row.low.as_slice(), rid)));
        numbers.extend(rows.quantities.iter().map(|row| (p(row.param), row.value.low.as_slice(), rid)));
    }
    words.sort_unstable();
    spans.sort_unstable();
    texts.sort_unstable();
    numbers.sort_unstable();
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO word VALUES (?1, ?2, ?3)")?;
    words.into_iter().try_for_each(|row| insert.execute(row).map(drop))?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO span VALUES (?1, ?2, ?3, ?4)")?;
    spans.into_iter().try_for_each(|row| insert.execute(row).map(drop))?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO text VALUES (?1, ?2, ?3)")?;
    texts.into_iter().try_for_each(|row| insert.execute(row).map(drop))?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO number VALUES (?1, ?2, ?3)")?;
    numbers.into_iter().try_for_each(|row| insert.execute(row).map(drop))?;
    Ok(())
}

fn hash_of(parts: &[&str]) -> i64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish().cast_signed()
}
