//! Ranges of a column, read side by side by several sessions that share one snapshot, and put together in an order that is the same
//! every time.

use std::sync::Arc;

use arrow::array::{AsArray as _, UInt64Array};
use arrow::datatypes::UInt64Type;
use futures_util::future::{try_join, try_join_all};
use table::{Batch, LINE};
use tokio::sync::mpsc;

use crate::EtlError;
use crate::source::Out;
use crate::source::postgres::Open;
use crate::source::postgres::describe::{Found, Wire, relation_sql};
use crate::source::postgres::read::{Stop, Taken};
use crate::source::postgres::window::setting;
use crate::source::sql::SqlSource;
use crate::sql::{Dialect, Failure, postgres, quoted};

/// Batches of a range that wait for their turn.
const WAITING_MAX: usize = 2;

/// Ranges are cut between integers.
pub(super) fn check(source: &SqlSource, found: &[Found]) -> Result<(), Failure> {
    let Some(partition) = &source.partition else { return Ok(()) };
    let column = found.iter().find(|found| *found.name == partition.column.text);
    match column.map(|column| column.wire) {
        Some(Wire::Int2 | Wire::Int4 | Wire::Int8) => Ok(()),
        _ => Err(Failure::lasting(format!(
            "`partition` needs a column of integers, which `{}` is not",
            partition.column
        ))),
    }
}

impl Open {
    /// Reads the unit in ranges.
    pub(super) async fn read_partitions(
        &mut self,
        number: u32,
        out: &Out,
        n_given: &mut u64,
    ) -> Result<(), Stop> {
        let (conditions, snapshot) = self.ranges().await?;
        let mut receivers = Vec::new();
        let mut readers = Vec::new();
        let this = &*self;
        for condition in conditions {
            let (sender, receiver) = mpsc::channel(WAITING_MAX);
            receivers.push(receiver);
            readers.push(this.read_range(condition, &snapshot, number, sender));
        }
        try_join(try_join_all(readers), this.put_together(receivers, out, n_given)).await.map(|_| ())
    }

    /// The conditions of the ranges, and the name of the snapshot.
    async fn ranges(&self) -> Result<(Vec<String>, String), Failure> {
        let Some(partition) = &self.source.partition else { return Ok((Vec::new(), String::new())) };
        let column = quoted(Dialect::Standard, &partition.column);
        let from = relation_sql(&self.source.relation, &setting("watermark", self.cursor.unwrap_or("text")));
        let sql =
            format!("SELECT min({column})::int8, max({column})::int8, pg_export_snapshot() FROM {from}");
        let asking =
            async { self.client.query_one(&sql, &[]).await.map_err(|error| postgres::failure(&error)) };
        let row = postgres::within(self.connector.timeout, asking).await?;
        let wrong = |_| Failure::lasting("the server's answer about the ranges has another form");
        let (low, high): (Option<i64>, Option<i64>) =
            (row.try_get(0).map_err(wrong)?, row.try_get(1).map_err(wrong)?);
        let snapshot: String = row.try_get(2).map_err(wrong)?;
        Ok((conditions(&column, low, high, partition.n), snapshot))
    }

    /// One session reads one range.
    async fn read_range(
        &self,
        condition: String,
        snapshot: &str,
        number: u32,
        sender: mpsc::Sender<Taken>,
    ) -> Result<(), Stop> {
        let client = self.connector.connect().await?;
        self.settings.apply(&client).await?;
        let window = self.window.as_ref();
        for (name, value) in [
            ("salus.watermark", window.and_then(|window| window.from.as_deref())),
            ("salus.from", window.and_then(|window| window.from.as_deref())),
            ("salus.to", window.and_then(|window| window.to.as_deref())),
        ] {
            super::set(&client, name, value.unwrap_or_default()).await?;
        }
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{}'; \
             SET LOCAL synchronize_seqscans = off; SET LOCAL max_parallel_workers_per_gather = 0",
            snapshot.replace('\'', "''")
        );
        client.batch_execute(&begin).await.map_err(|error| postgres::failure(&error))?;
        let mut copying = self.copy(&client, &self.statement(&condition), number).await?;
        while let Some(taken) = copying.next().await? {
            sender.send(taken).await.map_err(|_| EtlError::Cancelled)?;
        }
        Ok(())
    }

    /// Takes a batch of each range in turn, and numbers the rows anew.
    async fn put_together(
        &self,
        receivers: Vec<mpsc::Receiver<Taken>>,
        out: &Out,
        n_given: &mut u64,
    ) -> Result<(), Stop> {
        let mut ranges: Vec<(mpsc::Receiver<Taken>, u64)> =
            receivers.into_iter().map(|receiver| (receiver, 1)).collect();
        let mut next_line = 1;
        while !ranges.is_empty() {
            let mut index = 0;
            while let Some((receiver, first_line)) = ranges.get_mut(index) {
                match receiver.recv().await {
                    None => drop(ranges.remove(index)),
                    Some(taken) => {
                        let n_lines = taken.n_lines;
                        let taken = renumbered(taken, *first_line, next_line)?;
                        *first_line += n_lines;
                        next_line += n_lines;
                        self.give(taken, out, n_given).await?;
                        index += 1;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The rows with lines that begin with `next` instead of `first`.
fn renumbered(taken: Taken, first: u64, next: u64) -> Result<Taken, EtlError> {
    let Taken { batch, mut rejects, n_lines, n_bytes } = taken;
    for reject in &mut rejects {
        reject.place.line = reject.place.line - first + next;
    }
    let record = batch.into_record();
    let schema = record.schema();
    let index = schema.index_of(LINE)?;
    let mut arrays = record.columns().to_vec();
    let lines: UInt64Array = arrays[index].as_primitive::<UInt64Type>().unary(|line| line - first + next);
    arrays[index] = Arc::new(lines);
    let batch = Batch::from_record(arrow::array::RecordBatch::try_new(schema, arrays)?)?;
    Ok(Taken { batch, rejects, n_lines, n_bytes })
}

/// Ranges of about the same width; the first also has the rows without a value.
fn conditions(column: &str, low: Option<i64>, high: Option<i64>, n: u32) -> Vec<String> {
    let (Some(low), Some(high)) = (low, high) else { return vec![format!("{column} IS NULL")] };
    let (low, high) = (i128::from(low), i128::from(high));
    let bound = |index: u32| low + (high + 1 - low) * i128::from(index) / i128::from(n);
    let range = |index: u32| match index {
        0 => format!("({column} IS NULL OR {column} < {})", bound(1)),
        _ if index + 1 == n => format!("({column} >= {})", bound(index)),
        _ => format!("({column} >= {} AND {column} < {})", bound(index), bound(index + 1)),
    };
    (0..n).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_range() {
        let check = |low, high, expected: &[&str]| assert_eq!(conditions("p", low, high, 3), expected);
        check(Some(0), Some(8), &["(p IS NULL OR p < 3)", "(p >= 3 AND p < 6)", "(p >= 6)"]);
        check(Some(5), Some(5), &["(p IS NULL OR p < 5)", "(p >= 5 AND p < 5)", "(p >= 5)"]);
        check(
            Some(i64::MIN),
            Some(i64::MAX),
            &[
                "(p IS NULL OR p < -3074457345618258603)",
                "(p >= -3074457345618258603 AND p < 3074457345618258602)",
                "(p >= 3074457345618258602)",
            ],
        );
        check(None, None, &["p IS NULL"]);
    }
}
