//! Rows of a SQLite file: a table or query, whole or what changed since a watermark, read in one read-only transaction.

mod cell;
mod read;

use std::cmp::Ordering;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use rusqlite::{Connection, OpenFlags};
use table::{Columns, Typing};

use crate::source::database::{Database, DatabaseSource};
use crate::source::sql::{self, SqlSource, Window, compare_numbers, need_cursor, snapshot_unit};
use crate::source::{Backfill, Out, Source, SourceSpec, Unit};
use crate::sql::{Failure, sqlite};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// Decodes a source of the type `sqlite`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let path = fields.required_text("path", problems);
    let source = SqlSource::decode(name, fields, false, problems)?;
    if let Some(zone) = &source.time_zone {
        problems.add(
            zone.at,
            "SQLite has no times of its own: declare the column as `instant` with a `zone` instead",
        );
    }
    Some(Box::new(DatabaseSource { database: Sqlite { path: path? }, source: Arc::new(source) }))
}

/// A database of the type `sqlite`.
#[derive(Debug)]
struct Sqlite {
    path: Word,
}

impl Database for Sqlite {
    type Open = Open;

    fn place(&self) -> (String, String) {
        ("sqlite".to_owned(), self.path.text.clone())
    }

    async fn connect(&self, source: &Arc<SqlSource>, world: &World) -> Result<Open, Failure> {
        let path = world.path(&self.path).map_err(Failure::lasting)?;
        let written = self.path.text.clone();
        let source = Arc::clone(source);
        let parameters = source.parameter_values(world)?;
        let (cancelled, clock) = (world.cancelled.clone(), world.clock.clone());
        sqlite::blocking(move || {
            let cannot = |failure: Failure| Failure {
                why: format!("cannot open `{written}`: {}", failure.why),
                ..failure
            };
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection =
                Connection::open_with_flags(&path, flags).map_err(|error| cannot(sqlite::failure(&error)))?;
            connection.busy_timeout(source.timeout).map_err(|error| sqlite::failure(&error))?;
            read::add_hash(&connection)?;
            let found = read::describe(&connection, &source)?;
            let columns =
                sql::columns_of(found.iter().map(|found| (found.name.clone(), found.kind)).collect())?;
            let (typed, typing) = source.typing(&columns)?;
            let cursor = read::cursor_kind(&source, &found)?;
            Ok(Open {
                columns: typed,
                shared: Arc::new(Shared {
                    source,
                    parameters,
                    read_columns: columns,
                    typing,
                    cursor,
                    cancelled,
                    clock,
                }),
                connection: Arc::new(Mutex::new(connection)),
                window: None,
                chosen: None,
            })
        })
        .await
    }
}

/// An open source.
struct Open {
    /// Columns as they are declared.
    columns: Columns,
    shared: Arc<Shared>,
    connection: Arc<Mutex<Connection>>,
    window: Option<Window>,
    /// A window that somebody chose.
    chosen: Option<Backfill>,
}

/// What the reading thread needs.
struct Shared {
    source: Arc<SqlSource>,
    parameters: Vec<(String, String)>,
    /// Columns as the file gives them.
    read_columns: Columns,
    typing: Option<Typing>,
    cursor: Option<table::Type>,
    cancelled: Arc<AtomicBool>,
    clock: Arc<dyn fhir::Clock>,
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn compare_watermarks(&self, a: &str, b: &str) -> Ordering {
        if self.shared.cursor == Some(table::Type::Integer) { compare_numbers(a, b) } else { a.cmp(b) }
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.shared.cursor.is_some())?;
        self.chosen = Some(window.clone());
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            if self.shared.cursor.is_none() {
                return Ok(vec![snapshot_unit(self.shared.clock.now())]);
            }
            let (shared, connection) = (self.shared.clone(), self.connection.clone());
            let (since_text, chosen) = (since.map(str::to_owned), self.chosen.clone());
            let looking = sqlite::blocking(move || {
                read::look(&lock(&connection), &shared, since_text.as_deref(), chosen.as_ref())
            });
            let window =
                looking.await.map_err(|failure: Failure| failure.of_source(&self.shared.source.name))?;
            let units = window.units(since);
            self.window = Some(window);
            Ok(units)
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(async move {
            let (shared, connection) = (self.shared.clone(), self.connection.clone());
            let window = self.window.clone();
            let name = self.shared.source.name.clone();
            let reading = sqlite::blocking(move || {
                read::read(&lock(&connection), &shared, window.as_ref(), number, &out)
            });
            reading.await.map_err(|stop: read::Stop| match stop {
                read::Stop::Failed(failure) => failure.of_source(&name),
                read::Stop::Ended(error) => error,
            })
        })
    }
}
