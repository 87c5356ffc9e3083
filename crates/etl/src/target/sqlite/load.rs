//! Staging: rows go into a file in the run's scratch folder, so that the target file is locked only while they are merged.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use table::{Batch, Columns, Reject, Type};

use crate::sql::{Failure, sqlite};
use crate::target::sql::{SqlTarget, compare, is_overtaken, refusal};
use crate::target::sqlite::cell::Cells;
use crate::target::sqlite::ledger;
use crate::target::sqlite::shape::{self, Existing, list};
use crate::target::{Committed, Load};
use crate::world::World;

/// The staging table.
pub(super) const STAGE: &str = "salus_stage.staged";

/// The state of a load.
pub(super) struct Work {
    pub(super) target: SqlTarget,
    pub(super) load: Load,
    pub(super) world: Arc<World>,
    path: PathBuf,
    written: String,
    /// What was committed when the run asked.
    pub(super) known: Option<Committed>,
    pub(super) staged: Option<Staged>,
    pub(super) refused: Vec<Reject>,
}

/// A load that has begun.
pub(super) struct Staged {
    pub(super) connection: Connection,
    pub(super) columns: Columns,
    pub(super) n_rows: u64,
    /// Numbers of the columns that the table lacks.
    pub(super) missing: Vec<usize>,
    pub(super) is_new_table: bool,
    /// Removed when the load ends.
    _folder: tempfile::TempDir,
}

impl Work {
    pub(super) fn new(
        target: SqlTarget,
        load: Load,
        world: Arc<World>,
        path: PathBuf,
        written: String,
    ) -> Work {
        Work { target, load, world, path, written, known: None, staged: None, refused: Vec::new() }
    }

    fn connect(&self, may_create: bool) -> Result<Connection, Failure> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if may_create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let cannot = |error: rusqlite::Error| {
            let failure = sqlite::failure(&error);
            Failure { why: format!("cannot open `{}`: {}", self.written, failure.why), ..failure }
        };
        let connection = Connection::open_with_flags(&self.path, flags).map_err(cannot)?;
        connection.busy_timeout(self.target.timeout).map_err(cannot)?;
        Ok(connection)
    }

    /// What was committed.
    pub(super) fn committed(&mut self) -> Result<Committed, Failure> {
        let committed = if self.path.exists() {
            ledger::read(&self.connect(false)?, &self.load, &self.target.table.table)?
        } else {
            Committed::default()
        };
        self.known = Some(committed.clone());
        Ok(committed)
    }

    /// Whether somebody else loaded the same since this run looked.
    pub(super) fn check_overtaken(&self, connection: &Connection) -> Result<(), Failure> {
        let now = ledger::read(connection, &self.load, &self.target.table.table)?;
        if self.known.as_ref().is_some_and(|known| *known != now) {
            return Err(Failure::transient(is_overtaken(&self.load, &self.target.table)));
        }
        Ok(())
    }

    /// Makes ready.
    pub(super) fn begin(&mut self, columns: &Columns) -> Result<(), Failure> {
        self.staged = None;
        let failed = |error: rusqlite::Error| sqlite::failure(&error);
        let target = &self.target;
        if target.table.schema.is_some() {
            return Err(Failure::lasting(format!(
                "`{}`: a file of SQLite has no schemas, name the table only",
                target.table
            )));
        }
        let connection = self.connect(target.create)?;
        self.check_overtaken(&connection)?;
        let existing = shape::existing(&connection, target)?;
        let missing = self.missing(&connection, existing.as_deref(), columns)?;
        let io = |error: std::io::Error| {
            Failure::lasting(format!("cannot make a file in the scratch folder: {error}"))
        };
        std::fs::create_dir_all(&self.world.scratch).map_err(io)?;
        let folder =
            tempfile::Builder::new().prefix("sqlite-").tempdir_in(&self.world.scratch).map_err(io)?;
        let stage = folder.path().join("stage.db");
        connection.execute("ATTACH DATABASE ?1 AS salus_stage", [stage.to_string_lossy()]).map_err(failed)?;
        let declared = columns.iter().map(|column| {
            let found = existing.iter().flatten().find(|existing| existing.name == *column.name);
            let kind = found.map_or_else(|| shape::sql_type(column.kind), |found| found.declaration.clone());
            format!("{} {kind}", list(std::iter::once(&*column.name)))
        });
        let declared: Vec<String> = declared.collect();
        // Nobody needs the stage after a failure.
        let create = format!(
            "PRAGMA salus_stage.journal_mode = OFF; PRAGMA salus_stage.synchronous = OFF; CREATE TABLE {STAGE} ({})",
            declared.join(", ")
        );
        connection.execute_batch(&create).map_err(failed)?;
        self.staged = Some(Staged {
            connection,
            columns: columns.clone(),
            n_rows: 0,
            missing,
            is_new_table: existing.is_none(),
            _folder: folder,
        });
        Ok(())
    }

    /// Numbers of the columns that the table lacks. A table that does not fit is a failure.
    fn missing(
        &self,
        connection: &Connection,
        existing: Option<&[Existing]>,
        columns: &Columns,
    ) -> Result<Vec<usize>, Failure> {
        let target = &self.target;
        let Some(existing) = existing else {
            if target.create {
                return Ok(Vec::new());
            }
            let why =
                format!("the table `{}` is not there: create it, or leave `create: false` out", target.table);
            return Err(Failure::lasting(why));
        };
        let matched = compare(
            target,
            columns,
            existing,
            |existing| &existing.name,
            shape::keeps,
            |_, _| (),
            |existing| existing.must_be_given,
        );
        let missing = matched.map_err(Failure::lasting)?.missing;
        if !target.key.is_empty() && !target.create && !shape::has_index(connection, target)? {
            return Err(Failure::lasting(format!(
                "the table `{}` has no unique index on its key: create it, or leave `create: false` out",
                target.table
            )));
        }
        Ok(missing)
    }

    /// Stages rows.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Failure> {
        let Some(staged) = &mut self.staged else {
            return Err(Failure::lasting("rows came before the load began"));
        };
        let failed = |error: rusqlite::Error| sqlite::failure(&error);
        let names = staged.columns.names();
        let wrong = |error: table::TableError| Failure::lasting(error.to_string());
        let mut cells = Vec::with_capacity(names.len());
        for column in &staged.columns {
            let array = batch.array(&column.name).map_err(wrong)?;
            let of_column = Cells::of(array, column.kind);
            cells.push(of_column.ok_or_else(|| other_type(&column.name, column.kind))?);
        }
        staged.connection.execute_batch("BEGIN").map_err(failed)?;
        let parameters = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT INTO {STAGE} VALUES ({parameters})");
        let mut statement = staged.connection.prepare_cached(&sql).map_err(failed)?;
        let mut text = String::new();
        for row in 0..batch.n_rows() {
            let checked = cells
                .iter()
                .enumerate()
                .try_for_each(|(index, cells)| cells.check(row).map_err(|why| (index, why)));
            if let Err((index, why)) = checked {
                self.refused.push(refusal(batch, row, names[index], why));
                continue;
            }
            for (index, cells) in cells.iter().enumerate() {
                cells.bind(row, index + 1, &mut statement, &mut text)?;
            }
            statement.raw_execute().map_err(failed)?;
            staged.n_rows += 1;
        }
        drop(statement);
        staged.connection.execute_batch("COMMIT").map_err(failed)
    }

    /// Throws the staged rows away.
    pub(super) fn abort(&mut self) -> Result<(), Failure> {
        self.staged = None;
        self.refused.clear();
        Ok(())
    }
}

fn other_type(name: &str, kind: Type) -> Failure {
    Failure::lasting(format!("the column `{name}` changed its type while it was loaded: it was {kind}"))
}
