//! Rows of MySQL or MariaDB: a table or query, whole or what changed since a watermark, streamed out of one consistent snapshot.

mod cell;
mod read;

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::BoxFuture;
use mysql_async::Conn;
use table::{Columns, Type, Typing};

use crate::source::database::{Database, DatabaseSource};
use crate::source::sql::{self, SqlSource, Window, compare_numbers, need_cursor, snapshot_unit};
use crate::source::{Backfill, Out, Source, SourceSpec, Unit};
use crate::sql::mysql::{self, Connector};
use crate::sql::{Failure, Server};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};
use cell::Found;

/// Everything is seen as it is when the transaction begins; the second statement begins it.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// Decodes a source of the type `mysql`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let server = Server::decode(fields, problems);
    let source = SqlSource::decode(name, fields, false, problems);
    Some(Box::new(DatabaseSource { database: Mysql(server?), source: Arc::new(source?) }))
}

/// A database of the type `mysql`.
#[derive(Debug)]
struct Mysql(Server);

impl Database for Mysql {
    type Open = Open;

    fn place(&self) -> (String, String) {
        self.0.place(&mysql::SCHEMES, mysql::PORT)
    }

    async fn connect(&self, source: &Arc<SqlSource>, world: &World) -> Result<Open, Failure> {
        let SqlSource { timeout, retries, .. } = **source;
        let connector = Connector::new(&self.0.url, &self.0.tls, (timeout, retries), SESSION, world)?;
        let parameters = source.parameter_values(world)?;
        let mut conn = connector.connect().await?;
        read::check_zone(&mut conn, source).await?;
        let found = read::describe(&mut conn, source).await?;
        let columns = sql::columns_of(found.iter().map(|found| (found.name.clone(), found.kind)).collect())?;
        let (typed, typing) = source.typing(&columns)?;
        let cursor = read::cursor_kind(source, &found)?;
        Ok(Open {
            source: source.clone(),
            connector,
            parameters,
            session: Some(Session { conn, is_begun: false }),
            read_columns: columns,
            columns: typed,
            typing,
            found,
            cursor,
            window: None,
            chosen: None,
            cancelled: world.cancelled.clone(),
            clock: world.clock.clone(),
        })
    }
}

/// An open source: a session, in which a read-only transaction is open from the first look at the units on.
struct Open {
    source: Arc<SqlSource>,
    connector: Connector,
    parameters: Vec<(String, String)>,
    /// `None` after it broke.
    session: Option<Session>,
    /// Columns as the database gives them.
    read_columns: Columns,
    /// Columns as they are declared.
    columns: Columns,
    typing: Option<Typing>,
    found: Vec<Found>,
    /// The type of the cursor.
    cursor: Option<Type>,
    window: Option<Window>,
    /// A window that somebody chose.
    chosen: Option<Backfill>,
    cancelled: Arc<AtomicBool>,
    clock: Arc<dyn fhir::Clock>,
}

/// A connection, and whether its transaction has begun.
struct Session {
    conn: Conn,
    is_begun: bool,
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn compare_watermarks(&self, a: &str, b: &str) -> Ordering {
        if self.cursor == Some(Type::Integer) { compare_numbers(a, b) } else { a.cmp(b) }
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.cursor.is_some())?;
        self.chosen = Some(window.clone());
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            if self.cursor.is_none() {
                return Ok(vec![snapshot_unit(self.clock.now())]);
            }
            let looked = self.look(since).await;
            let window = looked.map_err(|failure| failure.of_source(&self.source.name))?;
            let units = window.units(since);
            self.window = Some(window);
            Ok(units)
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(self.read_unit(number, out))
    }
}
