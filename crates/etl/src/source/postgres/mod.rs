//! Rows of PostgreSQL: a table or query, whole or what changed since a watermark, read in one snapshot by binary COPY.

mod decode;
mod describe;
mod partition;
mod read;
mod window;

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::future::BoxFuture;
use table::{Columns, Typing};
use tokio_postgres::Client;

use crate::source::database::{Database, DatabaseSource};
use crate::source::sql::{self, SqlSource, Window, compare_numbers, need_cursor, snapshot_unit};
use crate::source::{Backfill, Out, Source, SourceSpec, Unit};
use crate::sql::postgres::Connector;
use crate::sql::{Failure, Server, postgres};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};
use describe::Found;

/// Decodes a source of the type `postgres`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let server = Server::decode(fields, problems);
    let source = SqlSource::decode(name, fields, true, problems);
    Some(Box::new(DatabaseSource { database: Postgres(server?), source: Arc::new(source?) }))
}

/// A database of the type `postgres`.
#[derive(Debug)]
struct Postgres(Server);

impl Database for Postgres {
    type Open = Open;

    fn place(&self) -> (String, String) {
        self.0.place(&postgres::SCHEMES, postgres::PORT)
    }

    async fn connect(&self, source: &Arc<SqlSource>, world: &World) -> Result<Open, Failure> {
        let SqlSource { timeout, retries, .. } = **source;
        let connector = Connector::new(&self.0.url, &self.0.tls, timeout, retries, world)?;
        let settings = source.parameter_values(world)?;
        let client = connector.connect().await?;
        let settings = Settings::of(source, settings);
        settings.apply(&client).await?;
        let found = postgres::within(timeout, describe::describe(&client, source)).await?;
        let columns =
            sql::columns_of(found.iter().map(|found| (found.name.clone(), found.wire.kind())).collect())?;
        let (typed, typing) = source.typing(&columns)?;
        let cursor = window::cursor_type(source, &found)?;
        partition::check(source, &found)?;
        Ok(Open {
            source: source.clone(),
            connector,
            settings,
            client,
            read_columns: columns,
            columns: typed,
            typing,
            found,
            cursor,
            window: None,
            chosen: None,
            is_begun: false,
            cancelled: world.cancelled.clone(),
            clock: world.clock.clone(),
        })
    }
}

/// Texts that a session knows by name, so that values are bound and never part of a statement.
#[derive(Clone)]
struct Settings(Vec<(String, String)>);

impl Settings {
    fn of(source: &SqlSource, parameters: Vec<(String, String)>) -> Settings {
        let zone = source.time_zone.iter().map(|zone| ("salus.time_zone".to_owned(), zone.text.clone()));
        let parameters =
            parameters.into_iter().map(|(name, value)| (format!("salus.parameter_{name}"), value));
        Settings(zone.chain(parameters).collect())
    }

    async fn apply(&self, client: &Client) -> Result<(), Failure> {
        for (name, value) in &self.0 {
            set(client, name, value).await?;
        }
        if self.0.iter().any(|(name, _)| name == "salus.time_zone") {
            let probe =
                client.batch_execute("SELECT now() AT TIME ZONE current_setting('salus.time_zone')").await;
            probe.map_err(|_| {
                Failure::lasting(
                    "`time_zone` is not a zone that PostgreSQL knows: write for example `America/Chicago`",
                )
            })?;
        }
        Ok(())
    }
}

/// Gives the session a text by name.
async fn set(client: &Client, name: &str, value: &str) -> Result<(), Failure> {
    let set = client.query_one("SELECT set_config($1, $2, false)", &[&name, &value]).await;
    set.map(|_| ()).map_err(|error| postgres::failure(&error))
}

/// An open source: a session, in which a read-only transaction is open from the first look at the units on.
struct Open {
    source: Arc<SqlSource>,
    connector: Connector,
    settings: Settings,
    client: Client,
    /// Columns as the database gives them.
    read_columns: Columns,
    /// Columns as they are declared.
    columns: Columns,
    typing: Option<Typing>,
    found: Vec<Found>,
    /// The type of the cursor.
    cursor: Option<&'static str>,
    window: Option<Window>,
    /// A window that somebody chose.
    chosen: Option<Backfill>,
    is_begun: bool,
    cancelled: Arc<AtomicBool>,
    clock: Arc<dyn fhir::Clock>,
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn compare_watermarks(&self, a: &str, b: &str) -> Ordering {
        match self.cursor {
            Some("int8" | "numeric") => compare_numbers(a, b),
            _ => a.cmp(b),
        }
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.cursor.is_some())?;
        self.chosen = Some(window.clone());
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            let name = self.source.name.clone();
            if self.cursor.is_none() {
                return Ok(vec![snapshot_unit(self.clock.now())]);
            }
            let window = self.look(since).await.map_err(|failure| failure.of_source(&name))?;
            let units = window.units(since);
            self.window = Some(window);
            Ok(units)
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(self.read_unit(number, out))
    }
}

impl Open {
    /// The bounds of what changed, in a new snapshot; tries again with a new connection where that may help.
    async fn look(&mut self, since: Option<&str>) -> Result<Window, Failure> {
        let mut retries = self.connector.retries();
        loop {
            let result = async {
                self.begin().await?;
                let cursor = self.cursor.ok_or_else(|| Failure::lasting("the source has no cursor"))?;
                let behind = match &self.chosen {
                    Some(chosen) => window::Behind::Chosen(chosen),
                    None => window::Behind::Watermark(since),
                };
                window::look(&self.client, &self.source, cursor, behind, self.connector.timeout).await
            };
            match result.await {
                Ok(window) => return Ok(window),
                Err(failure) => retries.wait_or(failure).await?,
            }
            self.reconnect().await?;
        }
    }

    /// Begins a read-only transaction in which everything is seen as it is now.
    async fn begin(&mut self) -> Result<(), Failure> {
        let begin = format!(
            "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL synchronize_seqscans = off; {}",
            // Without an order, rows come as they lie in the table: several workers would mix them.
            if self.has_order() { "" } else { "SET LOCAL max_parallel_workers_per_gather = 0" }
        );
        self.client.batch_execute(&begin).await.map_err(|error| postgres::failure(&error))?;
        self.is_begun = true;
        Ok(())
    }

    fn has_order(&self) -> bool {
        self.cursor.is_some() || !self.source.key.is_empty()
    }

    async fn reconnect(&mut self) -> Result<(), Failure> {
        self.is_begun = false;
        self.client = self.connector.connect().await?;
        self.settings.apply(&self.client).await
    }
}
