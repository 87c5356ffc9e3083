//! A `SELECT` over spooled tables.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use futures_util::FutureExt as _;
use table::{Columns, is_place};

use crate::EtlError;
use crate::engine::rows::SpoolStream;
use crate::engine::session::PLANNING;
use crate::engine::{Engine, Rows, Spooled, lint, words};

/// The columns that a query over named tables would give. Needs no engine: see [`Engine::query`](crate::engine::Engine::query).
pub fn query_columns(sql: &str, tables: &[(&str, &Columns)]) -> Result<Columns, String> {
    let schemas = tables.iter().enumerate().map(|(index, (_, columns))| table_schema(columns, index == 0));
    let providers: Vec<(&str, Arc<dyn TableProvider>)> = tables
        .iter()
        .zip(schemas)
        .map(|((name, _), schema)| (*name, Arc::new(EmptyTable::new(schema)) as Arc<dyn TableProvider>))
        .collect();
    Ok(planned(PLANNING.clone(), sql, &providers)?.2)
}

pub(super) fn query(engine: &Engine, sql: &str, tables: &[(&str, &Spooled)]) -> Result<Rows, EtlError> {
    let wrong = |why: String| EtlError::Step { step: "query".to_owned(), why };
    let n_bytes: u64 = tables.iter().map(|(_, rows)| rows.n_bytes()).sum();
    // On disk the tables are compressed; some times that, and a hash table of one of them may not fit.
    let state = engine.session(n_bytes > engine.memory_bytes_max / 16);
    let mut providers: Vec<(&str, Arc<dyn TableProvider>)> = Vec::new();
    for (index, (name, rows)) in tables.iter().enumerate() {
        let schema = table_schema(rows.columns(), index == 0);
        let shape = if index == 0 { keep } else { without_places };
        let stream = SpoolStream { rows: (*rows).clone(), schema: Arc::clone(&schema), shape };
        providers.push((name, Arc::new(StreamingTable::try_new(schema, vec![Arc::new(stream)])?)));
    }
    let (context, plan, columns) = planned(state, sql, &providers).map_err(wrong)?;
    let state = context.state();
    let physical = state.create_physical_plan(&plan);
    let physical = engine.threads().block_on(physical);
    let physical = physical.map_err(|error| wrong(words::planning(&error, &[], &[])))?;
    Ok(Rows::start(engine, "query", physical, state.task_ctx(), columns))
}

/// The checked plan of a query, and the columns it gives.
fn planned(
    state: SessionState,
    sql: &str,
    tables: &[(&str, Arc<dyn TableProvider>)],
) -> Result<(SessionContext, LogicalPlan, Columns), String> {
    let context = SessionContext::new_with_state(state);
    let fresh = Arc::new(datafusion::catalog::MemoryCatalogProvider::new());
    let schema = Arc::new(datafusion::catalog::MemorySchemaProvider::new());
    datafusion::catalog::CatalogProvider::register_schema(&*fresh, "public", schema)
        .map_err(|error| error.message().into_owned())?;
    context.register_catalog("datafusion", fresh);
    let mut names: Vec<String> = Vec::new();
    for (name, table) in tables {
        for field in table.schema().fields().iter().filter(|field| !is_place(field.name())) {
            if !names.contains(field.name()) {
                names.push(field.name().clone());
            }
        }
        // Quoted: the name is one name, not a path of catalogue and schema.
        let reference = datafusion::common::TableReference::bare(*name);
        context.register_table(reference, Arc::clone(table)).map_err(|error| error.message().into_owned())?;
    }
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let tables: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    let plain = |error: &DataFusionError| words::planning(error, &columns, &tables);
    let state = context.state();
    let plan = state
        .create_logical_plan(sql)
        .now_or_never()
        .ok_or("the query cannot be planned")?
        .map_err(|error| plain(&error))?;
    let only_reads =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let is_select = only_reads.verify_plan(&plan).is_ok()
        && !matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
    if !is_select {
        return Err("only `SELECT` can stand here".to_owned());
    }
    lint::check_plan(&plan)?;
    let optimized = state.optimize(&plan).map_err(|error| plain(&error))?;
    let found = Columns::of_schema(optimized.schema().as_arrow()).map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("the query gives no columns".to_owned());
    }
    Ok((context, optimized, found))
}

/// The columns of a table in a query: the first one has those of the places.
fn table_schema(columns: &Columns, has_places: bool) -> SchemaRef {
    let all = columns.schema();
    if has_places {
        return all;
    }
    let own = all.fields().iter().filter(|field| !is_place(field.name()));
    Arc::new(Schema::new(own.cloned().collect::<Vec<_>>()))
}

fn keep(_: &SpoolStream, record: &RecordBatch, _: u64) -> Result<RecordBatch, DataFusionError> {
    Ok(record.clone())
}

fn without_places(
    stream: &SpoolStream,
    record: &RecordBatch,
    _: u64,
) -> Result<RecordBatch, DataFusionError> {
    let own: Vec<usize> = (0..stream.schema.fields().len()).collect();
    Ok(record.project(&own)?)
}
