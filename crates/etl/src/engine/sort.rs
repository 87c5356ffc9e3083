//! Rows in the order of some columns, on disk when they do not fit into memory.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::expressions::Column as ColumnExpr;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::streaming::StreamingTableExec;

use crate::EtlError;
use crate::engine::rows::SpoolStream;
use crate::engine::{Engine, Rows, Spooled};

/// The number of a row in the order of coming, the last key of every sort.
const ORDER: &str = "_salus_order";

/// One column to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Its name.
    pub column: String,
    /// Largest first.
    pub descending: bool,
    /// Missing values first.
    pub nulls_first: bool,
}

impl SortKey {
    /// Smallest first, missing values last.
    pub fn ascending(column: impl Into<String>) -> SortKey {
        SortKey { column: column.into(), descending: false, nulls_first: false }
    }

    /// Largest first, missing values last.
    pub fn descending(column: impl Into<String>) -> SortKey {
        SortKey { column: column.into(), descending: true, nulls_first: false }
    }
}

pub(super) fn sort(engine: &Engine, rows: &Spooled, by: &[SortKey]) -> Result<Rows, EtlError> {
    let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
    let order = fields.len();
    fields.push(Arc::new(Field::new(ORDER, DataType::UInt64, false)));
    let schema = Arc::new(Schema::new(fields));
    let mut keys = Vec::with_capacity(by.len() + 1);
    for key in by {
        let index =
            schema.index_of(&key.column).map_err(|_| table::TableError::NoSuchColumn(key.column.clone()))?;
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        keys.push(PhysicalSortExpr::new(Arc::new(ColumnExpr::new(&key.column, index)), options));
    }
    keys.push(PhysicalSortExpr::new(Arc::new(ColumnExpr::new(ORDER, order)), SortOptions::default()));
    let ordering = LexOrdering::new(keys).expect("there is at least the order of coming");
    let stream = SpoolStream { rows: rows.clone(), schema: Arc::clone(&schema), shape: with_order };
    let input = StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, [], false, None)?;
    let plan: Arc<dyn ExecutionPlan> = Arc::new(SortExec::new(ordering, Arc::new(input)));
    let context = engine.session(false).task_ctx();
    Ok(Rows::start(engine, "sort", plan, context, rows.columns().clone()))
}

#[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
fn with_order(
    stream: &SpoolStream,
    record: &RecordBatch,
    n_before: u64,
) -> Result<RecordBatch, DataFusionError> {
    let n_rows = record.num_rows() as u64;
    let mut arrays = record.columns().to_vec();
    arrays.push(Arc::new(UInt64Array::from_iter_values(n_before..n_before + n_rows)));
    Ok(RecordBatch::try_new(Arc::clone(&stream.schema), arrays)?)
}
