//! The commit: rows, units and watermark in one transaction.

use crate::source::Unit;
use crate::sql::{Dialect, Failure, postgres, quoted};
use crate::target::postgres::load::{Keys, STAGE, Staged};
use crate::target::postgres::shape::{create_index, list};
use crate::target::postgres::{Open, encode, ledger};
use crate::target::sql::{Forgets, is_compared};
use crate::target::{Loaded, Mode};

impl Open {
    /// Ends the COPY and makes everything visible.
    pub(super) async fn finish(
        &mut self,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        let Some(mut staged) = self.staged.take() else {
            return Err(Failure::lasting("the commit came before the load began"));
        };
        self.end_copy(&mut staged).await?;
        (self.world.checkpoint)("postgres-staged");
        let mut loaded = if staged.is_direct {
            self.finish_direct(&staged, units, watermark).await?
        } else {
            self.finish_merge(&staged, units, watermark).await?
        };
        (self.world.checkpoint)("postgres-committed");
        loaded.refused = self.refused.len() as u64;
        self.known = None;
        // The rows are in; what cannot be cleaned up now is cleaned up with the session.
        let _ = self.clean_up().await;
        Ok(loaded)
    }

    async fn end_copy(&self, staged: &mut Staged) -> Result<(), Failure> {
        use futures_util::SinkExt as _;
        staged.buffer.extend_from_slice(encode::END);
        let last = staged.buffer.split().freeze();
        // When the server has ended the COPY early, its answer says why.
        let sent = staged.sink.send(last).await;
        let n_copied = staged.sink.as_mut().finish().await.map_err(|error| postgres::failure(&error))?;
        sent.map_err(|error| postgres::failure(&error))?;
        if n_copied == staged.n_rows {
            Ok(())
        } else {
            Err(Failure::lasting(format!(
                "{} rows were sent, but the server counts {n_copied}",
                staged.n_rows
            )))
        }
    }

    /// The rows are in the table already.
    async fn finish_direct(
        &self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        let mut n_rows = staged.n_rows;
        if self.target.mode == Mode::Merge {
            n_rows -= self.make_unique().await?;
        }
        self.write_ledger(staged, units, watermark, n_rows).await?;
        self.commit_transaction().await?;
        Ok(Loaded { inserted: n_rows, deduplicated: staged.n_rows - n_rows, ..Loaded::default() })
    }

    /// Makes the key of a new table unique: of several rows with one key, the last stays. Gives how many went.
    async fn make_unique(&self) -> Result<u64, Failure> {
        let index = create_index(&self.target);
        self.run("SAVEPOINT before_index; SET LOCAL maintenance_work_mem = '256MB'").await?;
        let created = self.client.batch_execute(&index).await;
        let Err(error) = created else { return Ok(0) };
        if error.code() != Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION) {
            return Err(postgres::failure(&error));
        }
        self.run("ROLLBACK TO SAVEPOINT before_index").await?;
        let n_deleted = self.delete_earlier(&self.target.table.quoted(Dialect::Standard)).await?;
        self.run(&index).await?;
        Ok(n_deleted)
    }

    /// Of several rows with one key, the last stays. Rows of one COPY lie in the order in which they came.
    async fn delete_earlier(&self, table: &str) -> Result<u64, Failure> {
        let key = list(self.target.key.iter().map(|key| key.text.as_str()));
        let sql = format!(
            "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM (SELECT ctid, row_number() OVER (PARTITION BY {key} \
             ORDER BY ctid DESC) AS n FROM {table}) AS numbered WHERE n > 1))"
        );
        self.execute(&sql).await
    }

    async fn execute(&self, sql: &str) -> Result<u64, Failure> {
        self.client.execute(sql, &[]).await.map_err(|error| postgres::failure(&error))
    }

    /// Merges, and tries again when the server could not order it with what others did at the same time.
    async fn finish_merge(
        &self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        let key = list(self.target.key.iter().map(|key| key.text.as_str()));
        self.run(&format!("ANALYZE {STAGE} ({key})")).await?;
        let mut retries = self.connector.retries();
        loop {
            let failure = match self.merge_once(staged, units, watermark).await {
                Ok(loaded) => return Ok(loaded),
                Err(failure) => failure,
            };
            if self.client.is_closed() {
                return Err(failure);
            }
            self.run("ROLLBACK").await?;
            retries.wait_or(failure).await?;
        }
    }

    async fn merge_once(
        &self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
    ) -> Result<Loaded, Failure> {
        let table = self.target.table.quoted(Dialect::Standard);
        // Writers wait, readers do not: the counts are exact, and no row appears between the two statements.
        self.run(&format!(
            "BEGIN; SET LOCAL work_mem = '128MB'; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"
        ))
        .await?;
        let repeats = match staged.keys {
            Keys::Differ(_) => false,
            Keys::Repeat => true,
            Keys::Unknown => self.has_duplicates().await?,
        };
        let n_earlier = if repeats { self.delete_earlier(STAGE).await? } else { 0 };
        let n_rows = staged.n_rows - n_earlier;
        let updated = match self.update(staged, &table) {
            Some(sql) => self.execute(&sql).await?,
            None => 0,
        };
        let inserted = self.execute(&self.insert(staged, &table)).await?;
        (self.world.checkpoint)("postgres-merged");
        self.write_ledger(staged, units, watermark, n_rows).await?;
        self.commit_transaction().await?;
        Ok(Loaded {
            inserted,
            updated,
            unchanged: n_rows - inserted - updated,
            deduplicated: n_earlier,
            ..Loaded::default()
        })
    }

    async fn has_duplicates(&self) -> Result<bool, Failure> {
        let key = list(self.target.key.iter().map(|key| key.text.as_str()));
        let sql = format!("SELECT 1 FROM {STAGE} GROUP BY {key} HAVING count(*) > 1 LIMIT 1");
        let row = self.client.query_opt(&sql, &[]).await.map_err(|error| postgres::failure(&error))?;
        Ok(row.is_some())
    }

    /// Updates rows that differ in a column that counts. `None`: no column counts.
    fn update(&self, staged: &Staged, table: &str) -> Option<String> {
        let mut sets = Vec::new();
        let mut differences = Vec::new();
        for (name, encode) in staged.names.iter().zip(&staged.encodes) {
            let column = quoted(Dialect::Standard, name);
            if !self.target.is_key(name) {
                sets.push(format!("{column} = s.{column}"));
            }
            if is_compared(&self.target, name) {
                // Texts are compared byte by byte, whatever the column's collation calls equal.
                let bytes = if matches!(encode, encode::Encode::Text { .. }) { " COLLATE \"C\"" } else { "" };
                differences.push(format!("t.{column}{bytes} IS DISTINCT FROM s.{column}{bytes}"));
            }
        }
        if differences.is_empty() {
            return None;
        }
        Some(format!(
            "UPDATE {table} AS t SET {} FROM {STAGE} AS s WHERE {} AND ({})",
            sets.join(", "),
            self.same_key(),
            differences.join(" OR ")
        ))
    }

    /// Inserts rows with a new key, in the order of the key: neighbours in the index are then written together. Without an order the
    /// index of a large table is walked at random, twice as long.
    fn insert(&self, staged: &Staged, table: &str) -> String {
        let names = list(staged.names.iter().map(String::as_str));
        let selected: Vec<String> =
            staged.names.iter().map(|name| format!("s.{}", quoted(Dialect::Standard, name))).collect();
        let order: Vec<String> =
            self.target.key.iter().map(|key| Open::in_order(staged, &key.text)).collect();
        format!(
            "INSERT INTO {table} ({names}) SELECT {} FROM {STAGE} AS s WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {}) ORDER BY {}",
            selected.join(", "),
            self.same_key(),
            order.join(", ")
        )
    }

    /// Texts are sorted by their bytes: much faster than by the rules of a language, and nearly the order of the index.
    fn in_order(staged: &Staged, key: &str) -> String {
        let is_text = staged
            .names
            .iter()
            .zip(&staged.encodes)
            .any(|(name, encode)| name == key && matches!(encode, encode::Encode::Text { .. }));
        format!("s.{}{}", quoted(Dialect::Standard, key), if is_text { " COLLATE \"C\"" } else { "" })
    }

    fn same_key(&self) -> String {
        let equal = |key: &str| {
            let column = quoted(Dialect::Standard, key);
            format!("t.{column} = s.{column}")
        };
        let terms: Vec<String> = self.target.key.iter().map(|key| equal(key)).collect();
        terms.join(" AND ")
    }

    async fn write_ledger(
        &self,
        staged: &Staged,
        units: &[Unit],
        watermark: Option<&str>,
        n_rows: u64,
    ) -> Result<(), Failure> {
        let entry = ledger::Entry {
            load: &self.load,
            table: &self.target.table,
            units,
            watermark,
            n_rows,
            at: self.world.now(),
            forgets: Forgets::of(self.target.mode, staged.is_new_table),
        };
        ledger::write(&self.client, &entry).await
    }

    async fn commit_transaction(&self) -> Result<(), Failure> {
        (self.world.checkpoint)("postgres-before-commit");
        match self.client.batch_execute("COMMIT").await {
            Ok(()) => Ok(()),
            Err(error) if self.client.is_closed() => {
                let failure = postgres::failure(&error);
                let why = format!(
                    "the connection broke off while the load was committed, so it may be in or not: run again, what is in is not \
                     loaded twice ({})",
                    failure.why
                );
                Err(Failure { why, ..failure })
            }
            Err(error) => Err(postgres::failure(&error)),
        }
    }
}
