//! Rows into a table of MySQL or MariaDB by inserts of many rows; rows, units and watermark become visible in one transaction.

mod cell;
mod ledger;
mod load;
mod merge;
mod shape;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use mysql_async::Conn;
use table::{Batch, Columns, Reject};

use crate::source::sql::within;
use crate::source::{Dataset, Division, Unit};
use crate::sql::mysql::{self, Connector};
use crate::sql::{Failure, Server};
use crate::target::sql::SqlTarget;
use crate::target::{Committed, Load, Loaded, Mode, Target, TargetSpec};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// A value that does not fit is an error, never cut or rounded.
const SESSION: &str =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'";

/// Decodes a target of the type `mysql`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let server = Server::decode(fields, problems);
    let target = SqlTarget::decode(name, fields, problems);
    Some(Box::new(MysqlTarget { server: server?, target: target? }))
}

/// A target of the type `mysql`.
#[derive(Debug)]
struct MysqlTarget {
    server: Server,
    target: SqlTarget,
}

impl TargetSpec for MysqlTarget {
    fn plan(&self, input: &Columns, division: Division, problems: &mut Problems) {
        self.target.plan(input, division, problems);
    }

    fn key(&self) -> &[Word] {
        &self.target.key
    }

    fn mode(&self) -> Mode {
        self.target.mode
    }

    fn dataset(&self) -> Dataset {
        let (namespace, database) = self.server.place(&mysql::SCHEMES, mysql::PORT);
        Dataset { namespace, name: within(&database, &self.target.table) }
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        Box::pin(async move {
            let opening = async {
                let limits = (self.target.timeout, self.target.retries);
                let connector = Connector::new(&self.server.url, &self.server.tls, limits, SESSION, world)?;
                Ok((connector.connect().await?, connector))
            };
            let opened = opening.await.map_err(|failure: Failure| failure.of_target(&self.target.name));
            let (conn, connector) = opened?;
            let (target, world) = (self.target.clone(), world.clone());
            let open =
                Open { target, load, world, connector, conn, known: None, staged: None, refused: Vec::new() };
            Ok(Box::new(open) as Box<dyn Target>)
        })
    }
}

/// An open target: one session.
struct Open {
    target: SqlTarget,
    load: Load,
    world: Arc<World>,
    connector: Connector,
    conn: Conn,
    /// What was committed when the run asked.
    known: Option<Committed>,
    staged: Option<load::Staged>,
    refused: Vec<Reject>,
}

impl Open {
    fn failed(&self, failure: Failure) -> EtlError {
        failure.of_target(&self.target.name)
    }

    /// Runs a statement that gives no rows.
    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        mysql::run(&mut self.conn, sql).await
    }
}

impl Target for Open {
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>> {
        Box::pin(async move {
            let committed = ledger::read(&mut self.conn, &self.load, &self.target.table).await;
            let committed = committed.map_err(|failure| self.failed(failure))?;
            self.known = Some(committed.clone());
            Ok(committed)
        })
    }

    fn begin<'a>(&'a mut self, columns: &'a Columns) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(async move {
            match self.start(columns).await {
                Ok(staged) => {
                    self.staged = Some(staged);
                    Ok(())
                }
                Err(failure) => {
                    // The lock and the transaction are not needed any more; without the connection they are gone already.
                    let _ = self.clean_up().await;
                    Err(self.failed(failure))
                }
            }
        })
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(self.stage(batch))
    }

    fn commit<'a>(
        &'a mut self,
        units: &'a [Unit],
        watermark: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Loaded, EtlError>> {
        Box::pin(async move {
            let finished = self.finish(units, watermark).await;
            finished.map_err(|failure| self.failed(failure))
        })
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(async move {
            self.staged = None;
            self.refused.clear();
            self.clean_up().await.map_err(|failure| self.failed(failure))
        })
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.refused)
    }
}
