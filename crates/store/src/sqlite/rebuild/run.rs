//! The other part: reads what is stored, extracts it, and hands it to the writer.

use rusqlite::{Connection, params};

use super::{Filled, Step};
use crate::StoreError;
use crate::Stored;
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::hash::id_text;
use crate::sqlite::read::current::{current_of, stored};
use crate::sqlite::write::{Answer, Job, Task};
use crate::sqlite::{Shared, SqliteStore, blocking};

/// Resources that are read and handed over at once.
const CHUNK: i64 = 500;

/// A stored resource and its place.
struct Read {
    rid: i64,
    t: u32,
    stored: Stored,
}

/// Builds a new generation and removes the old one. Gives the number of resources.
pub(crate) async fn run(store: &SqliteStore) -> Result<u64, StoreError> {
    // One at a time: two would remove each other's generations.
    let _one = store.rebuilding.lock().await;
    let known = store.shared.catalog().generations;
    for g in generations(store).await? {
        // One whose building ended early, by a full disk or a caller that went away, is written to ever since: it is completed.
        if g == known.serving || Some(g) == known.building {
            continue;
        }
        remove(store, g).await?;
    }
    let g = ask(store, Step::Begin).await?;
    let mut n = 0;
    let mut after = 0;
    loop {
        let read = store.snapshot(move |conn, _, catalog| chunk(conn, catalog, after)).await?;
        let Some(last) = read.last() else { break };
        after = last.rid;
        n += read.len() as u64;
        let shared = std::sync::Arc::clone(&store.shared);
        let filled = blocking(move || extract(&shared, read)).await?;
        ask(store, Step::Fill(filled)).await?;
    }
    let old = ask(store, Step::Switch).await?;
    tracing::info!(generation = g, resources = n, "the search index was built anew");
    remove(store, old).await?;
    Ok(n)
}

async fn ask(store: &SqliteStore, step: Step) -> Result<u32, StoreError> {
    match store.writer.send(Job(Task::Rebuild(step))).await? {
        Answer::Rebuilt(answer) => answer,
        Answer::Written(..) => Err(StoreError::Bug { what: "the writer answered another question".into() }),
    }
}

async fn remove(store: &SqliteStore, g: u32) -> Result<(), StoreError> {
    while ask(store, Step::Drop(g)).await? == 1 {}
    Ok(())
}

/// Generations that are there, among them those that a rebuild which did not end has left.
async fn generations(store: &SqliteStore) -> Result<Vec<u32>, StoreError> {
    let read = |conn: &Connection, _: &Shared, _: &Catalog| -> Try<Vec<u32>> {
        let mut statement = conn.prepare("SELECT g FROM generation")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    };
    store.snapshot(read).await
}

fn chunk(conn: &Connection, catalog: &Catalog, after: i64) -> Try<Vec<Read>> {
    let sql = "SELECT t, id, rid, version, seq, updated, op, body FROM resource
               WHERE rid > ?1 AND version > 0 AND op <> 3 ORDER BY rid LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![after, CHUNK])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (t, id, current) = (row.get(0)?, id_text(row, 1)?, current_of(row, 2)?);
        let (_, kind) =
            catalog.of_t(t).ok_or_else(|| damaged(format!("row {} is of no known type", current.rid)))?;
        let stored = stored(kind, id, current.version, current.updated, current.op, &current.body)?;
        all.push(Read { rid: current.rid, t, stored });
    }
    Ok(all)
}

fn extract(shared: &Shared, read: Vec<Read>) -> Result<Vec<Filled>, StoreError> {
    let fill = |read: Read| {
        let rows = shared.planner.extractor.extract(&read.stored.body.resource()?, read.stored.updated);
        Ok(Filled { rid: read.rid, t: read.t, version: read.stored.version.cast_signed(), rows })
    };
    read.into_iter().map(fill).collect()
}
