//! Reading files back, with the columns that are only in folder names, and comparing them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use table::Batch;

use super::{LakeError, Rows, format, merge, partition};

/// Reads the rows of one file.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) format: format::Format,
    pub(crate) by: Vec<String>,
    pub(crate) schema: SchemaRef,
    /// Whether a column that a file does not have is missing in all of its rows; an error otherwise.
    pub(crate) missing_is_null: bool,
}

impl Reader {
    /// All columns, or those with the given numbers, with the partition columns put back.
    pub(crate) fn rows(
        self,
        values: partition::Values,
        columns: Option<&[usize]>,
    ) -> Result<Rows, LakeError> {
        let wanted = match columns {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        let inside = self.schema.fields().iter().filter(|field| !self.by.contains(field.name()));
        let inside: SchemaRef = Arc::new(Schema::new(inside.cloned().collect::<Vec<_>>()));
        let mut read: Vec<usize> =
            wanted.fields().iter().filter_map(|field| inside.index_of(field.name()).ok()).collect();
        if read.is_empty() {
            // Only partition columns are wanted: any column says how many rows there are.
            read.push(0);
        }
        let name = self.name;
        let batches = format::read(&self.path, self.format, &inside, Some(&read), self.missing_is_null)
            .map_err(|error| LakeError::file("read", &name, error))?;
        Ok(Box::new(batches.map(move |rows| {
            let rows = rows.map_err(|error| LakeError::file("read", &name, error))?;
            partition::restore(&rows, &self.by, &values, &wanted).map_err(LakeError::rows)
        })))
    }
}

/// A file whose rows are compared.
pub(crate) struct Piece {
    /// Its name.
    pub(crate) name: String,
    /// Where it is, when it has not got its name yet.
    pub(crate) staged: Option<PathBuf>,
    /// The values of the partition columns.
    pub(crate) partition: partition::Values,
    /// Rows.
    pub(crate) rows: u64,
    /// SHA-256, when it is known.
    pub(crate) sha256: Option<String>,
}

/// Whether files hold the same rows in the same order, but for audit columns, in every partition.
pub(crate) fn is_same_content(
    before: Vec<Piece>,
    now: Vec<Piece>,
    schema: &SchemaRef,
    read: &dyn Fn(&Piece) -> Result<Rows, LakeError>,
) -> Result<bool, LakeError> {
    let n_rows = |pieces: &[Piece]| pieces.iter().map(|piece| piece.rows).sum::<u64>();
    if n_rows(&before) != n_rows(&now) {
        return Ok(false);
    }
    let mut by_partition: BTreeMap<partition::Values, [Vec<Piece>; 2]> = BTreeMap::new();
    for (side, pieces) in [before, now].into_iter().enumerate() {
        for piece in pieces {
            by_partition.entry(piece.partition.clone()).or_default()[side].push(piece);
        }
    }
    for mut sides in by_partition.into_values() {
        for side in &mut sides {
            side.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let [before, now] = &sides;
        let is_hashed = before.iter().all(|piece| piece.sha256.is_some());
        if is_hashed && before.iter().map(|piece| &piece.sha256).eq(now.iter().map(|piece| &piece.sha256)) {
            continue;
        }
        let rows = |pieces: &[Piece]| pieces.iter().map(read).collect::<Result<Vec<_>, _>>();
        let (before, now) = (rows(before)?, rows(now)?);
        if !merge::is_same(schema, before.into_iter().flatten(), now.into_iter().flatten())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The columns of a batch in the order of a schema, without the places.
pub(crate) fn in_order(batch: &Batch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let batch = batch.select(&names).map_err(|error| LakeError::new(error.to_string()))?;
    for (field, array) in schema.fields().iter().zip(batch.record().columns()) {
        let (wanted, found) = (table::Type::of(field.data_type()), table::Type::of(array.data_type()));
        if wanted != found {
            return Err(LakeError::new(format!(
                "the column `{}` changed its type within the load",
                field.name()
            )));
        }
    }
    Ok(batch.without_places())
}
