//! Rows into a table of PostgreSQL by binary COPY; rows, units and watermark become visible in one transaction.

mod encode;
mod ledger;
mod load;
mod merge;
mod shape;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use table::{Batch, Columns, Reject};
use tokio_postgres::Client;

use crate::source::sql::within;
use crate::source::{Dataset, Division, Unit};
use crate::sql::postgres::{self, Connector};
use crate::sql::{Failure, Server};
use crate::target::sql::SqlTarget;
use crate::target::{Committed, Load, Loaded, Mode, Target, TargetSpec};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// Decodes a target of the type `postgres`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let server = Server::decode(fields, problems);
    let target = SqlTarget::decode(name, fields, problems);
    Some(Box::new(PostgresTarget { server: server?, target: target? }))
}

/// A target of the type `postgres`.
#[derive(Debug)]
struct PostgresTarget {
    server: Server,
    target: SqlTarget,
}

impl TargetSpec for PostgresTarget {
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
        let (namespace, database) = self.server.place(&postgres::SCHEMES, postgres::PORT);
        Dataset { namespace, name: within(&database, &self.target.table) }
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        Box::pin(async move {
            let opening = async {
                let SqlTarget { timeout, retries, .. } = self.target;
                let connector = Connector::new(&self.server.url, &self.server.tls, timeout, retries, world)?;
                Ok((connector.connect().await?, connector))
            };
            let (client, connector) =
                opening.await.map_err(|failure: Failure| failure.of_target(&self.target.name))?;
            let target = self.target.clone();
            let world = world.clone();
            let open = Open {
                target,
                load,
                world,
                connector,
                client,
                known: None,
                staged: None,
                refused: Vec::new(),
            };
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
    client: Client,
    /// What was committed when the run asked.
    known: Option<Committed>,
    staged: Option<load::Staged>,
    refused: Vec<Reject>,
}

impl Open {
    fn failed(&self, failure: Failure) -> EtlError {
        failure.of_target(&self.target.name)
    }

    /// Runs statements that give no rows.
    async fn run(&self, sql: &str) -> Result<(), Failure> {
        self.client.batch_execute(sql).await.map_err(|error| postgres::failure(&error))
    }
}

impl Target for Open {
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>> {
        Box::pin(async move {
            let committed = ledger::read(&self.client, &self.load, &self.target.table).await;
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
            // The end of the COPY without its last message makes the server forget its rows.
            self.staged = None;
            self.refused.clear();
            self.clean_up().await.map_err(|failure| self.failed(failure))
        })
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.refused)
    }
}
