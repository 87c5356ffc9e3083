//! Staging: a lock, a table that fits, and inserts of many rows. Appended and replacing rows go straight into the table, in the transaction
//! that makes them visible; rows to be merged go into a temporary table, which ends with the session.

use mysql_async::Value;
use mysql_async::prelude::Queryable as _;
use table::{Batch, Columns};

use crate::EtlError;
use crate::sql::{Dialect, Failure, mysql};
use crate::target::Mode;
use crate::target::mysql::cell::Cells;
use crate::target::mysql::shape::{self, Written, list};
use crate::target::mysql::{Open, ledger};
use crate::target::sql::{Forgets, compare, is_locked, is_overtaken, lock_name, refusal};

/// The temporary table of rows to be merged. Its name is the session's own.
pub(super) const STAGE: &str = "`salus_stage`";
/// The session of a process that was killed may live on for a moment.
const LOCK_SECS: u64 = 5;
/// Rows of one insert: each number of rows is a prepared statement of its own, so there are few.
const CHUNKS: [usize; 5] = [512, 128, 32, 8, 1];
/// A statement has at most so many parameters.
const PARAMETERS_MAX: usize = 65_535;
/// Bytes of one insert, well below the smallest usual `max_allowed_packet`.
const CHUNK_BYTES: usize = 768 << 10;

/// A load that has begun.
pub(super) struct Staged {
    pub(super) columns: Columns,
    written: Vec<Written>,
    into: String,
    verb: &'static str,
    /// Cells of rows that are not sent yet.
    pending: Vec<Value>,
    n_pending: usize,
    n_bytes: usize,
    pub(super) n_rows: u64,
}

impl Open {
    /// Makes ready. What changes the schema commits, so it comes first.
    pub(super) async fn start(&mut self, columns: &Columns) -> Result<Staged, Failure> {
        self.staged = None;
        self.clean_up().await?;
        self.lock().await?;
        let known = ledger::read(&mut self.conn, &self.load, &self.target.table).await?;
        if self.known.as_ref().is_some_and(|before| *before != known) {
            return Err(Failure::transient(is_overtaken(&self.load, &self.target.table)));
        }
        let written = self.fit(columns).await?;
        let table = self.target.table.quoted(Dialect::Mysql);
        let is_merge = self.target.mode == Mode::Merge;
        if is_merge {
            let declared = shape::declared(&self.target, columns, &written);
            let key = shape::key_list(&self.target);
            self.run(&format!(
                "CREATE TEMPORARY TABLE {STAGE} ({declared}, PRIMARY KEY ({key})) ENGINE = InnoDB"
            ))
            .await?;
        }
        self.run("START TRANSACTION").await?;
        if self.target.mode == Mode::Replace {
            // Not TRUNCATE, which commits: readers go on seeing the rows.
            self.run(&format!("DELETE FROM {table}")).await?;
        }
        Ok(Staged {
            columns: columns.clone(),
            written,
            into: if is_merge { STAGE.to_owned() } else { table },
            // Of several rows with one key, the last stays.
            verb: if is_merge { "REPLACE" } else { "INSERT" },
            pending: Vec::new(),
            n_pending: 0,
            n_bytes: 0,
            n_rows: 0,
        })
    }

    /// How each column is written. Makes a table that fits where the options allow it.
    async fn fit(&mut self, columns: &Columns) -> Result<Vec<Written>, Failure> {
        let target = self.target.clone();
        let collation = shape::exact_collation(&mut self.conn).await?;
        if let Some(column) =
            columns.iter().find(|column| matches!(column.kind, table::Type::Decimal { scale: 31.., .. }))
        {
            return Err(Failure::lasting(format!(
                "the column `{}` has more than 30 digits behind the point, which MySQL cannot store",
                column.name
            )));
        }
        ledger::create(&mut self.conn, &target.table).await?;
        let Some(existing) = shape::existing(&mut self.conn, &target).await? else {
            if !target.create {
                let why = format!(
                    "the table `{}` is not there: create it, or leave `create: false` out",
                    target.table
                );
                return Err(Failure::lasting(why));
            }
            let created = columns
                .iter()
                .map(|column| shape::created_as(&target, &column.name, column.kind, &collation));
            let written: Vec<Written> = created.collect();
            ledger::forget(&mut self.conn, &self.load, &target.table, Forgets::Everything).await?;
            self.run(&shape::create_table(&target, columns, &written)).await?;
            return Ok(written);
        };
        let matched = compare(
            &target,
            columns,
            &existing,
            |existing| &existing.name,
            shape::written_as,
            |name, kind| shape::created_as(&target, name, kind, &collation),
            |existing| existing.must_be_given,
        );
        let matched = matched.map_err(Failure::lasting)?;
        let table = target.table.quoted(Dialect::Mysql);
        for index in matched.missing {
            let Some(column) = columns.iter().nth(index) else { continue };
            let name = list(std::iter::once(&*column.name));
            self.run(&format!(
                "ALTER TABLE {table} ADD COLUMN {name} {} NULL",
                matched.written[index].declaration
            ))
            .await?;
        }
        if target.mode == Mode::Merge && !shape::has_index(&mut self.conn, &target).await? {
            let why = format!("the table `{}` has no unique index on its key", target.table);
            if !target.create {
                return Err(Failure::lasting(format!("{why}: create it, or leave `create: false` out")));
            }
            let created =
                self.run(&format!("ALTER TABLE {table} ADD UNIQUE ({})", shape::key_list(&target))).await;
            created.map_err(|failure| Failure {
                why: format!("{why}, and none can be made: {}", failure.why),
                ..failure
            })?;
        }
        Ok(matched.written)
    }

    /// The name of the lock: names of locks are limited to 64 characters.
    fn lock_name(&self) -> String {
        let name = lock_name(&self.load, &self.target.table);
        format!("salus_etl/{:032x}", twox_hash::XxHash3_128::oneshot(name.as_bytes()))
    }

    /// Keeps other runs of the same pipeline out.
    async fn lock(&mut self) -> Result<(), Failure> {
        let name = self.lock_name();
        let got: Option<Option<i64>> = self
            .conn
            .exec_first("SELECT GET_LOCK(?, ?)", (name, LOCK_SECS))
            .await
            .map_err(|error| mysql::failure(&error))?;
        if got.flatten() == Some(1) {
            Ok(())
        } else {
            Err(Failure::transient(is_locked(&self.load, &self.target.table)))
        }
    }

    /// Ends what an earlier load of this session left: its transaction, its staging, its lock.
    pub(super) async fn clean_up(&mut self) -> Result<(), Failure> {
        self.run("ROLLBACK").await?;
        self.run(&format!("DROP TEMPORARY TABLE IF EXISTS {STAGE}")).await?;
        let name = self.lock_name();
        self.conn.exec_drop("DO RELEASE_LOCK(?)", (name,)).await.map_err(|error| mysql::failure(&error))
    }

    /// Sends rows.
    pub(super) async fn stage(&mut self, batch: Batch) -> Result<(), EtlError> {
        let Some(mut staged) = self.staged.take() else {
            return Err(self.failed(Failure::lasting("rows came before the load began")));
        };
        let rows_max = CHUNKS[0].min(PARAMETERS_MAX / staged.columns.len().max(1)).max(1);
        for row in 0..batch.n_rows() {
            self.take_row(&mut staged, &batch, row)?;
            if staged.n_pending >= rows_max || staged.n_bytes >= CHUNK_BYTES {
                self.send(&mut staged).await.map_err(|failure| self.failed(failure))?;
            }
        }
        self.staged = Some(staged);
        Ok(())
    }

    /// Adds the cells of a row to those that are sent next; a row with a value that cannot be stored is refused.
    fn take_row(&mut self, staged: &mut Staged, batch: &Batch, row: usize) -> Result<(), EtlError> {
        let begin = staged.pending.len();
        for (column, written) in staged.columns.iter().zip(&staged.written) {
            let array = batch.array(&column.name)?;
            let cells =
                Cells::of(array, column.kind, written.room).ok_or_else(|| table::TableError::WrongType {
                    column: column.name.to_string(),
                    found: array.data_type().to_string(),
                    wanted: column.kind.to_string(),
                })?;
            match cells.value(row) {
                Ok(value) => {
                    staged.n_bytes += if let Value::Bytes(bytes) = &value { bytes.len() + 8 } else { 12 };
                    staged.pending.push(value);
                }
                Err(why) => {
                    staged.pending.truncate(begin);
                    self.refused.push(refusal(batch, row, &column.name, why));
                    return Ok(());
                }
            }
        }
        staged.n_pending += 1;
        Ok(())
    }

    /// Sends the rows that wait.
    pub(super) async fn send(&mut self, staged: &mut Staged) -> Result<(), Failure> {
        let n_columns = staged.columns.len();
        let names = list(staged.columns.names().into_iter());
        let row = format!("({})", vec!["?"; n_columns].join(", "));
        let mut left = std::mem::take(&mut staged.pending);
        let mut n_left = std::mem::take(&mut staged.n_pending);
        staged.n_bytes = 0;
        while n_left > 0 {
            let n = CHUNKS.into_iter().find(|n| *n <= n_left && n * n_columns <= PARAMETERS_MAX).unwrap_or(1);
            let rest = left.split_off(n * n_columns);
            let rows = vec![row.as_str(); n].join(", ");
            let sql = format!("{} INTO {} ({names}) VALUES {rows}", staged.verb, staged.into);
            let sent = self.conn.exec_drop(sql, left).await;
            sent.map_err(|error| mysql::failure(&error))?;
            staged.n_rows += n as u64;
            (left, n_left) = (rest, n_left - n);
        }
        Ok(())
    }
}
