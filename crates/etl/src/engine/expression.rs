//! A SQL scalar expression: checked against columns once, evaluated batch by batch.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions,
};
use arrow::compute::{CastOptions, cast, cast_with_options, take};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable as _};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use table::{Batch, Columns, Type};

use crate::engine::session::PLANNING;
use crate::engine::{lint, words};
use crate::{EtlError, RowError};

/// A checked expression over the columns of a table.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    kind: Type,
    columns: Vec<String>,
    schema: SchemaRef,
    physical: Arc<dyn PhysicalExpr>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({} -> {})", self.text, self.kind)
    }
}

/// A row for which an expression cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its number in the batch, from 0.
    pub row: usize,
    /// Why.
    pub error: RowError,
}

/// A SQL scalar expression over columns, checked. What is wrong is said with the names that exist. Needs no engine: the texts of a
/// pipeline file can be checked before anything is opened.
pub fn expression(text: &str, columns: &Columns) -> Result<Expression, String> {
    let own = Schema::new(own_fields(columns.iter().map(|column| (&*column.name, column.kind))));
    let plain = |error: DataFusionError| words::planning(&error, &columns.names(), &[]);
    let schema = DFSchema::try_from(own.clone()).map_err(plain)?;
    let written = PLANNING.create_logical_expr(text, &schema).map_err(plain)?.unalias();
    lint::check_scalar(&written, &schema)?;
    let used: Vec<String> = columns
        .names()
        .into_iter()
        .filter(|name| written.column_refs().iter().any(|column| column.name == *name))
        .map(str::to_owned)
        .collect();
    let simple = simplified(written, &schema).map_err(plain)?;
    let found = simple.get_type(&schema).map_err(plain)?;
    let kind = Type::of(&found).ok_or_else(|| {
        let what = if found == DataType::Null { "always missing".to_owned() } else { format!("a {found}") };
        format!("the expression is {what}: cast it to {}", Type::NAMES)
    })?;
    let used_fields = columns.iter().filter(|column| used.iter().any(|name| **name == *column.name));
    let schema = Schema::new(own_fields(used_fields.map(|column| (&*column.name, column.kind))));
    let bound = DFSchema::try_from(schema.clone()).map_err(plain)?;
    let physical = PLANNING.create_physical_expr(simple, &bound).map_err(plain)?;
    Ok(Expression { text: text.into(), kind, columns: used, schema: Arc::new(schema), physical })
}

fn own_fields<'a>(columns: impl Iterator<Item = (&'a str, Type)>) -> Vec<Field> {
    columns.map(|(name, kind)| Field::new(name, kind.data_type(), true)).collect()
}

fn simplified(expr: Expr, schema: &DFSchema) -> Result<Expr, DataFusionError> {
    let schema = Arc::new(schema.clone());
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(&schema))
        .with_config_options(Arc::clone(PLANNING.config_options()))
        .build();
    let simplifier = ExprSimplifier::new(context);
    let coerced = simplifier.coerce(expr, &schema)?;
    simplifier.simplify(coerced)
}

impl Expression {
    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it gives.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// The columns it looks at, in the order of the table.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Its value for every row, in the Arrow form of [`Expression::kind`]. A row for which it cannot be computed (a cast, a division
    /// by zero) is an error of the whole batch: see [`Expression::evaluate_rows`].
    pub fn evaluate(&self, batch: &Batch) -> Result<ArrayRef, EtlError> {
        let input = self.input(batch)?;
        self.compute(&input).map_err(|error| self.failed(&error))
    }

    /// Its value for every row, and the rows for which it cannot be computed (their value is null).
    pub fn evaluate_rows(&self, batch: &Batch) -> Result<(ArrayRef, Vec<BadRow>), EtlError> {
        let input = self.input(batch)?;
        let mut bad = Vec::new();
        let values = self.compute_rows(&input, 0, &mut bad)?;
        Ok((values, bad))
    }

    /// The rows for which it is true. Missing counts as false. An error when it is not boolean.
    pub fn select(&self, batch: &Batch) -> Result<BooleanArray, EtlError> {
        chosen(&self.evaluate(batch)?).ok_or_else(|| self.not_boolean())
    }

    /// The rows for which it is true, and those for which it cannot be computed (they count as false).
    pub fn select_rows(&self, batch: &Batch) -> Result<(BooleanArray, Vec<BadRow>), EtlError> {
        let (values, bad) = self.evaluate_rows(batch)?;
        Ok((chosen(&values).ok_or_else(|| self.not_boolean())?, bad))
    }

    fn not_boolean(&self) -> EtlError {
        let why = format!("`{}` is {}, not boolean", self.text, self.kind);
        EtlError::Step { step: "expression".to_owned(), why }
    }

    fn failed(&self, error: &DataFusionError) -> EtlError {
        let why = format!("`{}`: {}", self.text, words::failure(error).1);
        EtlError::Step { step: "expression".to_owned(), why }
    }

    /// The columns that are used, in the forms they were planned for, except that a dictionary may stay when it is all there is.
    fn input(&self, batch: &Batch) -> Result<RecordBatch, EtlError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for field in self.schema.fields() {
            let array = batch.array(field.name())?;
            let is_lone_dictionary = self.columns.len() == 1 && array.data_type() == &Type::dictionary();
            if array.data_type() == field.data_type() || is_lone_dictionary {
                arrays.push(Arc::clone(array));
            } else {
                arrays.push(cast(array, field.data_type())?);
            }
        }
        let fields = self.schema.fields().iter().zip(&arrays);
        let fields = fields.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.n_rows()));
        Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
    }

    fn compute(&self, input: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
        if let Some(coded) = lone_dictionary(input) {
            // A value that no row uses may be the one that cannot be computed: the rows decide.
            if coded.values().len() < coded.len()
                && let Ok(values) = self.compute_values(coded)
            {
                return Ok(values);
            }
            let plain = cast(input.column(0), self.schema.field(0).data_type())?;
            return self.compute_plain(&RecordBatch::try_new(Arc::clone(&self.schema), vec![plain])?);
        }
        self.compute_plain(input)
    }

    fn compute_plain(&self, input: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
        let values = self.physical.evaluate(input)?.into_array(input.num_rows())?;
        let wanted = self.kind.data_type();
        if *values.data_type() == wanted {
            return Ok(values);
        }
        let options = CastOptions { safe: false, ..CastOptions::default() };
        Ok(cast_with_options(&values, &wanted, &options)?)
    }

    /// Ten distinct values cost ten evaluations: the expression on the dictionary's values and on a missing one, spread over the rows.
    fn compute_values(&self, coded: &DictionaryArray<Int32Type>) -> Result<ArrayRef, DataFusionError> {
        let n_values = coded.values().len();
        let one_more = Int32Array::from_iter(
            (0..n_values).map(|key| i32::try_from(key).ok()).chain(std::iter::once(None)),
        );
        let distinct = take(&cast(coded.values(), self.schema.field(0).data_type())?, &one_more, None)?;
        let values = self.compute_plain(&RecordBatch::try_new(Arc::clone(&self.schema), vec![distinct])?)?;
        let missing = i32::try_from(n_values).unwrap_or(i32::MAX);
        let keys = coded.keys().iter().map(|key| key.unwrap_or(missing));
        Ok(take(&values, &Int32Array::from_iter_values(keys), None)?)
    }

    /// Halves what fails until the rows that fail are found.
    fn compute_rows(
        &self,
        input: &RecordBatch,
        first: usize,
        bad: &mut Vec<BadRow>,
    ) -> Result<ArrayRef, EtlError> {
        let error = match self.compute(input) {
            Ok(values) => return Ok(values),
            Err(error) => error,
        };
        let n_rows = input.num_rows();
        if n_rows <= 1 {
            let (reason, why) = words::failure(&error);
            let column = (self.columns.len() == 1).then(|| self.columns[0].clone());
            let message = format!("`{}`: {why}", self.text);
            bad.push(BadRow { row: first, error: RowError { column, reason, message } });
            return Ok(arrow::array::new_null_array(&self.kind.data_type(), n_rows));
        }
        let half = n_rows / 2;
        let left = self.compute_rows(&input.slice(0, half), first, bad)?;
        let right = self.compute_rows(&input.slice(half, n_rows - half), first + half, bad)?;
        Ok(arrow::compute::concat(&[&left, &right])?)
    }
}

fn lone_dictionary(input: &RecordBatch) -> Option<&DictionaryArray<Int32Type>> {
    if input.num_columns() == 1 { input.column(0).as_dictionary_opt::<Int32Type>() } else { None }
}

/// Missing is false.
fn chosen(values: &ArrayRef) -> Option<BooleanArray> {
    let values = values.as_boolean_opt()?;
    Some(match values.nulls() {
        None => values.clone(),
        Some(nulls) => BooleanArray::new(values.values() & nulls.inner(), None),
    })
}
