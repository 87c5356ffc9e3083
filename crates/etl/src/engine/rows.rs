//! The answer of a sort or query, batch by batch, while the engine still works on the rest.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{SendableRecordBatchStream, execute_stream};
use futures_util::StreamExt as _;
use table::{Batch, Columns, LINE, OFFSET, Places, UNIT, place_fields};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::EtlError;
use crate::engine::{Engine, Spooled, words};

/// The unit of rows that a step made: they come from no place of the source.
pub(crate) const MADE_UNIT: u32 = u32::MAX;

/// Batches that wait for whoever reads. Dropping it stops the work.
pub struct Rows {
    what: &'static str,
    columns: Columns,
    n_numbered: u64,
    memory_bytes_max: u64,
    threads: tokio::runtime::Handle,
    results: mpsc::Receiver<Result<RecordBatch, DataFusionError>>,
    /// What gives the results; taken when it has ended.
    task: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rows({} columns of a {})", self.columns.len(), self.what)
    }
}

impl Rows {
    /// Starts a plan. `what` is it for errors: "sort", "query".
    pub(super) fn start(
        engine: &Engine,
        what: &'static str,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
        columns: Columns,
    ) -> Rows {
        Rows::given(engine, what, columns, |sender| async move {
            let mut stream = match execute_stream(plan, context) {
                Ok(stream) => stream,
                Err(error) => {
                    // Nobody may listen any more: then nobody wants the error either.
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            };
            while let Some(next) = stream.next().await {
                let is_last = next.is_err();
                if sender.send(next).await.is_err() || is_last {
                    return;
                }
            }
        })
    }

    fn given<F: Future<Output = ()> + Send + 'static>(
        engine: &Engine,
        what: &'static str,
        columns: Columns,
        give: impl FnOnce(mpsc::Sender<Result<RecordBatch, DataFusionError>>) -> F,
    ) -> Rows {
        let (sender, results) = mpsc::channel(2);
        let task = Some(engine.threads().spawn(give(sender)));
        Rows {
            what,
            columns,
            n_numbered: 0,
            memory_bytes_max: engine.memory_bytes_max,
            threads: engine.threads().clone(),
            results,
            task,
        }
    }

    /// The columns of the batches.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    fn batch(&mut self, record: &RecordBatch) -> Result<Batch, EtlError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let mut arrays = Vec::with_capacity(self.columns.len() + 3);
        for column in &self.columns {
            let array = record
                .column_by_name(&column.name)
                .ok_or_else(|| table::TableError::NoSuchColumn(column.name.to_string()))?;
            let wanted = column.kind.data_type();
            arrays.push((
                Arc::clone(&column.name),
                if *array.data_type() == wanted {
                    Arc::clone(array)
                } else {
                    cast_with_options(array, &wanted, &options)
                        .map_err(|error| words::running(&error.into(), self.what, self.memory_bytes_max))?
                },
            ));
        }
        if let Some(places) = places_of(record) {
            let mut all: Vec<ArrayRef> = arrays.into_iter().map(|(_, array)| array).collect();
            all.extend(places);
            return Ok(Batch::from_record(RecordBatch::try_new(self.columns.schema(), all)?)?);
        }
        let first = self.n_numbered + 1;
        self.n_numbered += record.num_rows() as u64;
        Ok(Batch::new(arrays, Places::numbered(MADE_UNIT, first, record.num_rows()))?)
    }
}

/// The three columns of places, when a result kept them all.
fn places_of(record: &RecordBatch) -> Option<[ArrayRef; 3]> {
    let found = [UNIT, LINE, OFFSET].map(|name| record.column_by_name(name).cloned());
    let [Some(unit), Some(line), Some(offset)] = found else { return None };
    let places = [unit, line, offset];
    let fits = places.iter().zip(place_fields()).all(|(array, field)| array.data_type() == field.data_type());
    (fits && places[0].null_count() == 0 && places[1].null_count() == 0).then_some(places)
}

impl Iterator for Rows {
    type Item = Result<Batch, EtlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let results = &mut self.results;
        let Some(next) = self.threads.block_on(results.recv()) else {
            // A plan that panicked has not come to its end: the rest of the rows would be lost.
            let ended = self.threads.block_on(self.task.take()?);
            return ended.err().map(|_| Err(words::broken(self.what)));
        };
        Some(match next {
            Ok(record) => self.batch(&record),
            Err(error) => Err(words::running(&error, self.what, self.memory_bytes_max)),
        })
    }
}

/// A spooled table as a part of a plan.
#[derive(Debug)]
pub(super) struct SpoolStream {
    pub(super) rows: Spooled,
    pub(super) schema: arrow::datatypes::SchemaRef,
    /// Turns a batch of the file (and the number of rows before it) into one of the plan.
    pub(super) shape: fn(&SpoolStream, &RecordBatch, u64) -> Result<RecordBatch, DataFusionError>,
}

impl PartitionStream for SpoolStream {
    fn schema(&self) -> &arrow::datatypes::SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 2);
        let sender = builder.tx();
        let this =
            SpoolStream { rows: self.rows.clone(), schema: Arc::clone(&self.schema), shape: self.shape };
        builder.spawn_blocking(move || {
            let outside = |error: EtlError| DataFusionError::External(Box::new(error));
            let mut reader = this.rows.read().map_err(outside)?;
            let mut n_before = 0;
            while let Some(record) = reader.next_record() {
                let record = record.map_err(outside)?;
                let n_rows = record.num_rows() as u64;
                if sender.blocking_send((this.shape)(&this, &record, n_before)).is_err() {
                    break;
                }
                n_before += n_rows;
            }
            Ok(())
        });
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without its error the rows up to the panic would look like all of them.
    #[test]
    fn a_plan_that_panics_is_an_error_and_not_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(dir.path(), 64 << 20).unwrap();
        let rows = |breaks: bool| {
            Rows::given(&engine, "sort", Columns::new(Vec::new()).unwrap(), move |sender| async move {
                let empty = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
                sender.send(Ok(empty)).await.unwrap();
                assert!(!breaks, "as the test wants");
            })
        };
        let read = |breaks| rows(breaks).map(|batch| batch.map(drop)).collect::<Vec<_>>();
        assert!(matches!(read(false)[..], [Ok(())]));
        let broken = read(true);
        assert!(matches!(broken[..], [Ok(()), Err(EtlError::Step { .. })]), "{broken:?}");
    }
}
