//! Staging: a lock, a table that fits, and an open COPY. Appended and replacing rows go straight into the table, in the transaction that
//! makes them visible; rows to be merged go into a temporary table, which ends with the session.

use std::pin::Pin;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt as _;
use table::{Batch, Columns};
use tokio_postgres::CopyInSink;

use crate::keyed::Keyed;
use crate::sql::{Dialect, Failure, postgres};
use crate::step::key::hashes;
use crate::target::Mode;
use crate::target::postgres::encode::{self, Encode};
use crate::target::postgres::shape::{self, Existing, list};
use crate::target::postgres::{Open, ledger};
use crate::target::sql::{SqlTarget, compare, is_locked, is_overtaken, lock_name};
use crate::world::World;
use crate::{EtlError, Word};

/// The temporary table of rows to be merged. Its name is the session's own.
pub(super) const STAGE: &str = "pg_temp.\"salus_stage\"";
/// Bytes of one message of the COPY.
const MESSAGE_BYTES: usize = 128 << 10;
/// The session of a process that was killed may live on for a moment.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A load that has begun.
pub(super) struct Staged {
    pub(super) names: Vec<String>,
    pub(super) encodes: Vec<Encode>,
    pub(super) sink: Pin<Box<CopyInSink<Bytes>>>,
    pub(super) buffer: BytesMut,
    pub(super) n_rows: u64,
    /// The table is created by this load.
    pub(super) is_new_table: bool,
    /// Rows are in the table already, invisible until the commit.
    pub(super) is_direct: bool,
    /// Keys of the rows to be merged.
    pub(super) keys: Keys,
}

/// Whether two of the rows to be merged have the same key: known here, the server need not group all rows to find out.
pub(super) enum Keys {
    /// None so far.
    Differ(Keyed<()>),
    /// Two have.
    Repeat,
    /// Only the server can tell: values that are written differently may be equal to it, or nobody needs to know.
    Unknown,
}

impl Keys {
    fn of(target: &SqlTarget, names: &[String], encodes: &[Encode], world: &World) -> Keys {
        let is_equal_as_written = |key: &Word| {
            let encode = names.iter().position(|name| **name == key.text).map(|at| encodes[at]);
            matches!(
                encode,
                Some(
                    Encode::Text { .. }
                        | Encode::Int8
                        | Encode::Int4
                        | Encode::Int2
                        | Encode::Date
                        | Encode::Timestamptz
                        | Encode::Bool
                )
            )
        };
        if target.key.iter().all(is_equal_as_written) {
            Keys::Differ(Keyed::new(world.engine.keys()))
        } else {
            Keys::Unknown
        }
    }

    fn take(&mut self, batch: &Batch, target: &SqlTarget) -> Result<(), EtlError> {
        let Keys::Differ(keys) = self else { return Ok(()) };
        let columns: Vec<String> = target.key.iter().map(|key| key.text.clone()).collect();
        for hash in hashes(batch, &columns)?.into_iter().flatten() {
            if !keys.put(hash, ())? {
                *self = Keys::Repeat;
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Open {
    /// Makes ready.
    pub(super) async fn start(&mut self, columns: &Columns) -> Result<Staged, Failure> {
        self.staged = None;
        self.clean_up().await?;
        self.lock().await?;
        let known = ledger::read(&self.client, &self.load, &self.target.table).await?;
        if self.known.as_ref().is_some_and(|before| *before != known) {
            return Err(Failure::transient(is_overtaken(&self.load, &self.target.table)));
        }
        let existing = shape::existing(&self.client, &self.target).await?;
        let is_new_table = existing.is_none();
        let (encodes, types) = self.fit(columns, existing).await?;
        let is_direct = is_new_table || self.target.mode != Mode::Merge;
        let table = self.target.table.quoted(Dialect::Standard);
        if is_direct {
            self.run("BEGIN").await?;
            if is_new_table {
                self.run(&shape::create_table(&self.target, columns)).await?;
            } else if self.target.mode == Mode::Replace {
                // Not TRUNCATE: readers go on seeing the rows until the commit.
                self.run(&format!("DELETE FROM {table}")).await?;
            }
        } else {
            let columns: Vec<String> = columns
                .iter()
                .zip(types)
                .map(|(column, kind)| format!("{} {kind}", list(std::iter::once(&*column.name))))
                .collect();
            self.run(&format!("CREATE TEMPORARY TABLE \"salus_stage\" ({})", columns.join(", "))).await?;
        }
        let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let into = if is_direct { table.as_str() } else { STAGE };
        let copy =
            format!("COPY {into} ({}) FROM STDIN (FORMAT binary)", list(names.iter().map(String::as_str)));
        let sink = self.client.copy_in(&copy).await.map_err(|error| postgres::failure(&error))?;
        let mut buffer = BytesMut::with_capacity(2 * MESSAGE_BYTES);
        buffer.extend_from_slice(encode::HEAD);
        let keys =
            if is_direct { Keys::Unknown } else { Keys::of(&self.target, &names, &encodes, &self.world) };
        Ok(Staged { names, encodes, sink: Box::pin(sink), buffer, n_rows: 0, is_new_table, is_direct, keys })
    }

    /// How each column is written, and as which type it is staged. Makes an existing table fit where the options allow it.
    async fn fit(
        &self,
        columns: &Columns,
        existing: Option<Vec<Existing>>,
    ) -> Result<(Vec<Encode>, Vec<String>), Failure> {
        let target = &self.target;
        let Some(existing) = existing else {
            if !target.create {
                let why = format!(
                    "the table `{}` is not there: create it, or leave `create: false` out",
                    target.table
                );
                return Err(Failure::lasting(why));
            }
            let types = columns.iter().map(|column| shape::sql_type(column.kind)).collect();
            return Ok((columns.iter().map(|column| Encode::of(column.kind)).collect(), types));
        };
        let matched = compare(
            target,
            columns,
            &existing,
            |existing| &existing.name,
            shape::written_as,
            |_, kind| Encode::of(kind),
            |existing| existing.must_be_given,
        );
        let matched = matched.map_err(Failure::lasting)?;
        if !matched.missing.is_empty() {
            self.run(&shape::add_columns(target, columns, &matched.missing)).await?;
        }
        if target.mode == Mode::Merge && !shape::has_index(&self.client, target).await? {
            let why = format!("the table `{}` has no unique index on its key", target.table);
            if !target.create {
                return Err(Failure::lasting(format!("{why}: create it, or leave `create: false` out")));
            }
            let created = self.run(&shape::create_index(target)).await;
            created.map_err(|failure| Failure {
                why: format!("{why}, and none can be made: {}", failure.why),
                ..failure
            })?;
        }
        let types = columns.iter().map(|column| {
            let existing = existing.iter().find(|existing| existing.name == *column.name);
            existing.map_or_else(|| shape::sql_type(column.kind), |existing| existing.written_type.clone())
        });
        Ok((matched.written, types.collect()))
    }

    /// Keeps other runs of the same pipeline out.
    async fn lock(&self) -> Result<(), Failure> {
        let name = lock_name(&self.load, &self.target.table);
        let until = Instant::now() + LOCK_WAIT;
        loop {
            let row =
                self.client.query_one("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name]).await;
            let row = row.map_err(|error| postgres::failure(&error))?;
            if row.try_get(0).unwrap_or(false) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Failure::transient(is_locked(&self.load, &self.target.table)));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends what an earlier load of this session left: its transaction, its staging, its lock.
    pub(super) async fn clean_up(&self) -> Result<(), Failure> {
        self.run(&format!("ROLLBACK; DROP TABLE IF EXISTS {STAGE}; SELECT pg_advisory_unlock_all()")).await
    }

    /// Sends rows.
    pub(super) async fn stage(&mut self, batch: Batch) -> Result<(), EtlError> {
        let Some(staged) = self.staged.as_mut() else {
            return Err(self.failed(Failure::lasting("rows came before the load began")));
        };
        staged.keys.take(&batch, &self.target)?;
        let mut row = 0;
        while row < batch.n_rows() {
            let (next, n_written) = encode::write_rows(
                &batch,
                &staged.names,
                &staged.encodes,
                row,
                MESSAGE_BYTES,
                &mut staged.buffer,
                &mut self.refused,
            )?;
            row = next;
            staged.n_rows += n_written;
            if staged.buffer.len() >= MESSAGE_BYTES {
                let message = staged.buffer.split().freeze();
                let sending = staged.sink.send(message);
                let sent = match tokio::time::timeout(self.connector.timeout, sending).await {
                    Ok(sent) => sent,
                    Err(_) => return Err(self.failed(postgres::too_slow(self.connector.timeout))),
                };
                if sent.is_err() {
                    return Err(self.why_refused().await);
                }
            }
        }
        Ok(())
    }

    /// The COPY ended early: its answer says why.
    async fn why_refused(&mut self) -> EtlError {
        let failure = match self.staged.take() {
            Some(mut staged) => match staged.sink.as_mut().finish().await {
                Ok(_) => Failure::transient("the server ended the load"),
                Err(error) => postgres::failure(&error),
            },
            None => Failure::transient("the server ended the load"),
        };
        self.failed(failure)
    }
}
