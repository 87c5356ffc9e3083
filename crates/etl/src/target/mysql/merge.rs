//! The commit: rows, units and watermark in one transaction.

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::source::Unit;
use crate::sql::{Dialect, Failure, mysql, quoted};
use crate::target::mysql::load::{STAGE, Staged};
use crate::target::mysql::shape::list;
use crate::target::mysql::{Open, ledger};
use crate::target::sql::{Forgets, SqlTarget, is_compared};
use crate::target::{Loaded, Mode};

impl Open {
    /// Makes everything visible.
    pub(super) async fn finish(
        &mut self,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        let Some(mut staged) = self.staged.take() else {
            return Err(Failure::lasting("the commit came before the load began"));
        };
        self.send(&mut staged).await?;
        (self.world.checkpoint)("mysql-staged");
        let mut loaded = if self.target.mode == Mode::Merge {
            self.finish_merge(&staged, units, watermark).await?
        } else {
            self.write_ledger(units, watermark, staged.n_rows).await?;
            self.commit_transaction().await?;
            Loaded { inserted: staged.n_rows, ..Loaded::default() }
        };
        (self.world.checkpoint)("mysql-committed");
        loaded.refused = self.refused.len() as u64;
        self.known = None;
        // The rows are in; what cannot be cleaned up now is cleaned up with the session.
        let _ = self.clean_up().await;
        Ok(loaded)
    }

    /// Merges, and tries again when the server could not order it with what others did at the same time.
    async fn finish_merge(
        &mut self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        // The staged rows must outlive a transaction that is rolled back.
        self.run("COMMIT").await?;
        let mut retries = self.connector.retries();
        loop {
            let failure = match self.merge_once(staged, units, watermark).await {
                Ok(loaded) => return Ok(loaded),
                Err(failure) => failure,
            };
            self.run("ROLLBACK").await.map_err(|_| failure.clone())?;
            retries.wait_or(failure).await?;
        }
    }

    async fn merge_once(
        &mut self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        self.run("START TRANSACTION").await?;
        let n_rows: Option<u64> = self
            .conn
            .query_first(format!("SELECT COUNT(*) FROM {STAGE}"))
            .await
            .map_err(|error| mysql::failure(&error))?;
        let n_rows = n_rows.unwrap_or(0);
        // Both statements lock the rows that they look at: the counts are exact.
        let updated = match update(&self.target, staged) {
            Some(sql) => affected(&mut self.conn, &sql).await?,
            None => 0,
        };
        let inserted = affected(&mut self.conn, &insert(&self.target, staged)).await?;
        (self.world.checkpoint)("mysql-merged");
        self.write_ledger(units, watermark, n_rows).await?;
        self.commit_transaction().await?;
        Ok(Loaded {
            inserted,
            updated,
            unchanged: n_rows - inserted - updated,
            deduplicated: staged.n_rows - n_rows,
            ..Loaded::default()
        })
    }

    async fn write_ledger(
        &mut self,
        units: &[Unit],
        watermark: Option<&str>,
        n_rows: u64,
    ) -> Result<(), Failure> {
        let at = self.world.now();
        let forgets = Forgets::of(self.target.mode, false);
        ledger::forget(&mut self.conn, &self.load, &self.target.table, forgets).await?;
        ledger::write(&mut self.conn, &self.load, &self.target.table, (units, watermark), n_rows, at).await
    }

    async fn commit_transaction(&mut self) -> Result<(), Failure> {
        (self.world.checkpoint)("mysql-before-commit");
        self.run("COMMIT").await.map_err(|failure| {
            if !failure.is_transient {
                return failure;
            }
            let why = format!(
                "the connection broke off while the load was committed, so it may be in or not: run again, what is in is not loaded \
                 twice ({})",
                failure.why
            );
            Failure { why, ..failure }
        })
    }
}

/// Runs a statement; gives how many rows it changed.
async fn affected(conn: &mut Conn, sql: &str) -> Result<u64, Failure> {
    mysql::run(conn, sql).await?;
    Ok(conn.affected_rows())
}

/// Updates rows that differ in a column that counts. `None`: no column counts.
fn update(target: &SqlTarget, staged: &Staged) -> Option<String> {
    let mut sets = Vec::new();
    let mut differences = Vec::new();
    for column in &staged.columns {
        let name = quoted(Dialect::Mysql, &column.name);
        if !target.is_key(&column.name) {
            sets.push(format!("t.{name} = s.{name}"));
        }
        if is_compared(target, &column.name) {
            // Texts are compared byte by byte, whatever the column's collation calls equal.
            let side = |table: &str| match column.kind {
                table::Type::Text => format!("CAST({table}.{name} AS BINARY)"),
                _ => format!("{table}.{name}"),
            };
            differences.push(format!("NOT ({} <=> {})", side("t"), side("s")));
        }
    }
    if differences.is_empty() {
        return None;
    }
    Some(format!(
        "UPDATE {} AS t JOIN {STAGE} AS s ON {} SET {} WHERE {}",
        target.table.quoted(Dialect::Mysql),
        same_key(target),
        sets.join(", "),
        differences.join(" OR ")
    ))
}

/// Inserts rows whose key is not there. Not `ON DUPLICATE KEY UPDATE`, which would also update a row that shares another unique column.
fn insert(target: &SqlTarget, staged: &Staged) -> String {
    let table = target.table.quoted(Dialect::Mysql);
    let names = staged.columns.names();
    let selected: Vec<String> =
        names.iter().map(|name| format!("s.{}", quoted(Dialect::Mysql, name))).collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {STAGE} AS s WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {})",
        list(names.into_iter()),
        selected.join(", "),
        same_key(target)
    )
}

fn same_key(target: &SqlTarget) -> String {
    let equal = |key: &str| {
        let name = quoted(Dialect::Mysql, key);
        format!("t.{name} = s.{name}")
    };
    let terms: Vec<String> = target.key.iter().map(|key| equal(key)).collect();
    terms.join(" AND ")
}
