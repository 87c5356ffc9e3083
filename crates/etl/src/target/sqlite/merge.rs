//! The commit: one transaction that holds the file's write lock.

use rusqlite::{Connection, TransactionBehavior};

use crate::source::Unit;
use crate::sql::{Dialect, Failure, quoted, sqlite};
use crate::target::sql::{Forgets, SqlTarget, is_compared};
use crate::target::sqlite::ledger;
use crate::target::sqlite::load::{STAGE, Staged, Work};
use crate::target::sqlite::shape::{self, list};
use crate::target::{Loaded, Mode};

impl Work {
    /// Makes rows, units and watermark visible.
    pub(super) fn commit(&mut self, units: &[Unit], watermark: Option<&str>) -> Result<Loaded, Failure> {
        let Some(mut staged) = self.staged.take() else {
            return Err(Failure::lasting("the commit came before the load began"));
        };
        let failed = |error: rusqlite::Error| sqlite::failure(&error);
        (self.world.checkpoint)("sqlite-staged");
        let mut connection =
            std::mem::replace(&mut staged.connection, Connection::open_in_memory().map_err(failed)?);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        self.check_overtaken(&transaction)?;
        self.fit(&transaction, &staged)?;
        let mut loaded = self.take_over(&transaction, &staged)?;
        (self.world.checkpoint)("sqlite-merged");
        let n_rows = loaded.inserted + loaded.updated + loaded.unchanged;
        let table = &self.target.table.table;
        let at = self.world.now();
        let forgets = Forgets::of(self.target.mode, staged.is_new_table);
        ledger::write(&transaction, &self.load, table, (units, watermark), n_rows, at, forgets)?;
        (self.world.checkpoint)("sqlite-before-commit");
        transaction.commit().map_err(failed)?;
        (self.world.checkpoint)("sqlite-committed");
        self.known = None;
        loaded.refused = self.refused.len() as u64;
        Ok(loaded)
    }

    /// Creates the table, or the columns that it lacks.
    fn fit(&self, connection: &Connection, staged: &Staged) -> Result<(), Failure> {
        let run = |sql: &str| connection.execute_batch(sql).map_err(|error| sqlite::failure(&error));
        if staged.is_new_table {
            return run(&shape::create_table(&self.target, &staged.columns));
        }
        for column in staged.missing.iter().filter_map(|index| staged.columns.iter().nth(*index)) {
            let name = quoted(Dialect::Standard, &column.name);
            run(&format!(
                "ALTER TABLE main.{} ADD COLUMN {name} {}",
                self.table(),
                shape::sql_type(column.kind)
            ))?;
        }
        if self.target.mode == Mode::Merge && !shape::has_index(connection, &self.target)? {
            let created = run(&shape::create_index(&self.target));
            return created.map_err(|failure| Failure {
                why: format!(
                    "the table `{}` has no unique index on its key, and none can be made: {}",
                    self.target.table, failure.why
                ),
                ..failure
            });
        }
        Ok(())
    }

    fn table(&self) -> String {
        quoted(Dialect::Standard, &self.target.table.table)
    }

    fn take_over(&self, connection: &Connection, staged: &Staged) -> Result<Loaded, Failure> {
        let run = |sql: &str| {
            connection.execute(sql, []).map(|n| n as u64).map_err(|error| sqlite::failure(&error))
        };
        let names = list(staged.columns.names().into_iter());
        let table = format!("main.{}", self.table());
        let insert = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {STAGE} AS s");
        if self.target.mode == Mode::Replace {
            run(&format!("DELETE FROM {table}"))?;
        }
        if self.target.mode != Mode::Merge {
            return Ok(Loaded { inserted: run(&insert)?, ..Loaded::default() });
        }
        let key = list(self.target.key.iter().map(|key| key.text.as_str()));
        // Of several rows with one key, the last stays.
        let n_earlier = run(&format!(
            "DELETE FROM {STAGE} WHERE rowid NOT IN (SELECT max(rowid) FROM {STAGE} GROUP BY {key})"
        ))?;
        let n_rows = staged.n_rows - n_earlier;
        if staged.is_new_table {
            let inserted = run(&format!("{insert} ORDER BY rowid"))?;
            connection
                .execute_batch(&shape::create_index(&self.target))
                .map_err(|error| sqlite::failure(&error))?;
            return Ok(Loaded { inserted, deduplicated: n_earlier, ..Loaded::default() });
        }
        let same_key = same_key(&self.target);
        let updated = match update(&self.target, staged, &table, &same_key) {
            Some(sql) => run(&sql)?,
            None => 0,
        };
        let inserted = run(&format!(
            "{insert} WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {same_key}) ORDER BY rowid"
        ))?;
        Ok(Loaded {
            inserted,
            updated,
            unchanged: n_rows - inserted - updated,
            deduplicated: n_earlier,
            ..Loaded::default()
        })
    }
}

/// Updates rows that differ in a column that counts. `None`: no column counts.
fn update(target: &SqlTarget, staged: &Staged, table: &str, same_key: &str) -> Option<String> {
    let mut sets = Vec::new();
    let mut differences = Vec::new();
    for column in &staged.columns {
        let name = quoted(Dialect::Standard, &column.name);
        if !target.is_key(&column.name) {
            sets.push(format!("{name} = s.{name}"));
        }
        if is_compared(target, &column.name) {
            differences.push(format!("t.{name} COLLATE BINARY IS NOT s.{name}"));
        }
    }
    if differences.is_empty() {
        return None;
    }
    let (sets, differences) = (sets.join(", "), differences.join(" OR "));
    Some(format!("UPDATE {table} AS t SET {sets} FROM {STAGE} AS s WHERE {same_key} AND ({differences})"))
}

fn same_key(target: &SqlTarget) -> String {
    let terms: Vec<String> = target
        .key
        .iter()
        .map(|key| {
            let name = quoted(Dialect::Standard, key);
            format!("t.{name} = s.{name}")
        })
        .collect();
    terms.join(" AND ")
}
