//! Reading a unit: one binary COPY into batches. A connection that breaks before anything was given out is made anew.

use std::pin::Pin;
use std::sync::atomic::Ordering;

use futures_util::{FutureExt as _, StreamExt as _};
use table::{Batch, Reject};
use tokio_postgres::{Client, CopyOutStream};

use crate::EtlError;
use crate::source::postgres::Open;
use crate::source::postgres::decode::decode_message;
use crate::source::postgres::describe::relation_sql;
use crate::source::postgres::window::{condition, setting};
use crate::source::sql::pieces_of;
use crate::source::{Out, Piece};
use crate::sql::{Dialect, Failure, Rows, postgres, quoted};

/// Why reading stopped.
pub(super) enum Stop {
    /// The database failed.
    Failed(Failure),
    /// The run ended, or a batch could not be built.
    Ended(EtlError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<EtlError> for Stop {
    fn from(error: EtlError) -> Stop {
        Stop::Ended(error)
    }
}

impl Open {
    /// Reads the unit.
    pub(super) async fn read_unit(&mut self, number: u32, out: Out) -> Result<(), EtlError> {
        let name = self.source.name.clone();
        let mut retries = self.connector.retries();
        let mut n_given = 0;
        loop {
            let failure = match self.read_once(number, &out, &mut n_given).await {
                Ok(()) => return Ok(()),
                Err(Stop::Ended(error)) => return Err(error),
                Err(Stop::Failed(failure)) => failure,
            };
            if n_given > 0 {
                let why = format!("the connection broke off while rows were read: {}", failure.why);
                return Err(Failure { why, ..failure }.of_source(&name));
            }
            retries.wait_or(failure).await.map_err(|failure| failure.of_source(&name))?;
            self.reconnect().await.map_err(|failure| failure.of_source(&name))?;
        }
    }

    async fn read_once(&mut self, number: u32, out: &Out, n_given: &mut u64) -> Result<(), Stop> {
        if !self.is_begun {
            self.begin().await?;
            self.tell_bounds().await?;
        }
        if self.source.partition.is_some() {
            return self.read_partitions(number, out, n_given).await;
        }
        let sql = self.statement("");
        let mut copying = self.copy(&self.client, &sql, number).await?;
        while let Some(taken) = copying.next().await? {
            self.give(taken, out, n_given).await?;
        }
        Ok(())
    }

    /// Gives rows out.
    pub(super) async fn give(&self, rows: Taken, out: &Out, n_given: &mut u64) -> Result<(), EtlError> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(EtlError::Cancelled);
        }
        out.send(Piece::Consumed(rows.n_bytes)).await?;
        for piece in pieces_of(rows.batch, rows.rejects, self.typing.as_ref())? {
            out.send(piece).await?;
            *n_given += 1;
        }
        Ok(())
    }

    /// After a new connection: the session does not know the bounds.
    async fn tell_bounds(&self) -> Result<(), Failure> {
        let Some(window) = &self.window else { return Ok(()) };
        let (from, to) =
            (window.from.as_deref().unwrap_or_default(), window.to.as_deref().unwrap_or_default());
        for (name, value) in [("salus.watermark", from), ("salus.from", from), ("salus.to", to)] {
            super::set(&self.client, name, value).await?;
        }
        Ok(())
    }

    /// The statement that reads the unit; `more` is a further condition.
    pub(super) fn statement(&self, more: &str) -> String {
        let kind = self.cursor.unwrap_or("text");
        let select: Vec<&str> = self.found.iter().map(|found| found.select.as_str()).collect();
        let window = self.window.as_ref();
        let (has_from, has_to) =
            window.map_or((false, false), |window| (window.from.is_some(), window.to.is_some()));
        let condition = condition(&self.source, kind, has_from, has_to);
        let condition = match (condition.is_empty(), more.is_empty()) {
            (_, true) => condition,
            (true, false) => format!("WHERE {more}"),
            (false, false) => format!("WHERE ({}) AND {more}", condition.trim_start_matches("WHERE ")),
        };
        // Rows without a cursor value come first: what says when it changed counts as newer.
        let cursor = self
            .source
            .cursor
            .iter()
            .map(|cursor| format!("{} NULLS FIRST", quoted(Dialect::Standard, &cursor.column)));
        let keys = self.source.key.iter().map(|key| quoted(Dialect::Standard, key));
        let order: Vec<String> = cursor.chain(keys).collect();
        let order = if order.is_empty() { String::new() } else { format!("ORDER BY {}", order.join(", ")) };
        format!(
            "COPY (SELECT {} FROM {} {condition} {order}) TO STDOUT (FORMAT binary)",
            select.join(", "),
            relation_sql(&self.source.relation, &setting("watermark", kind))
        )
    }

    /// Runs the statement; the rows come from [`Copying::next`].
    pub(super) async fn copy(&self, client: &Client, sql: &str, number: u32) -> Result<Copying<'_>, Failure> {
        let starting = async { client.copy_out(sql).await.map_err(|error| postgres::failure(&error)) };
        let stream = Box::pin(postgres::within(self.connector.timeout, starting).await?);
        let rows = Rows::new(&self.read_columns, number);
        Ok(Copying { open: self, stream, rows, is_first: true, is_done: false, n_bytes: 0 })
    }
}

/// A running COPY.
pub(super) struct Copying<'a> {
    open: &'a Open,
    stream: Pin<Box<CopyOutStream>>,
    rows: Rows,
    is_first: bool,
    is_done: bool,
    n_bytes: u64,
}

impl Copying<'_> {
    /// Some rows; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Taken>, Stop> {
        let timeout = self.open.connector.timeout;
        while !self.is_done && self.rows.len() < self.open.source.fetch_rows {
            // The clock is asked only when there is something to wait for.
            let next = match self.stream.next().now_or_never() {
                Some(next) => next,
                None => tokio::time::timeout(timeout, self.stream.next())
                    .await
                    .map_err(|_| Stop::Failed(postgres::too_slow(timeout)))?,
            };
            let Some(message) = next else {
                self.is_done = true;
                break;
            };
            let message = message.map_err(|error| Stop::Failed(postgres::failure(&error)))?;
            self.n_bytes += message.len() as u64;
            decode_message(&message, self.is_first, &self.open.found, &mut self.rows)?;
            self.is_first = false;
        }
        if self.rows.len() == 0 {
            return Ok(None);
        }
        let n_lines = self.rows.len() as u64;
        let (batch, rejects) = self.rows.take()?;
        Ok(Some(Taken { batch, rejects, n_lines, n_bytes: std::mem::take(&mut self.n_bytes) }))
    }
}

/// Rows as they came.
pub(super) struct Taken {
    pub(super) batch: Batch,
    pub(super) rejects: Vec<Reject>,
    /// Rows with those that are refused.
    pub(super) n_lines: u64,
    pub(super) n_bytes: u64,
}
