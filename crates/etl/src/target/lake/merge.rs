//! A merge by key: which of the new rows are new, changed or the same, and which files must be written anew.
//!
//! In memory are a 128-bit hash of the key and one of the content per new row; the rows themselves wait in a file.

use std::collections::HashMap;
use std::fs::File;
use std::hash::BuildHasherDefault;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use twox_hash::XxHash3_128;

use super::cells::Cells;
use super::{AsIs, LakeError, Rows};
use crate::target::{AUDIT, Loaded};

/// The files that hold the content now.
pub(crate) trait Live {
    /// How many.
    fn n_files(&self) -> usize;
    /// Reads one: the columns with these numbers, or all.
    fn read(&self, file: usize, columns: Option<&[usize]>) -> Result<Rows, LakeError>;
}

/// New rows that wait to be merged.
pub(crate) struct Incoming {
    plan: Plan,
    spool: StreamWriter<BufWriter<File>>,
    keys: Keys,
    n_rows: u64,
}

/// New rows, all there.
pub(crate) struct Waiting {
    plan: Plan,
    keys: Keys,
    n_rows: u64,
}

struct Plan {
    path: PathBuf,
    schema: SchemaRef,
    key: Vec<usize>,
    content: Vec<usize>,
    keys_max: usize,
}

type Keys = HashMap<u128, New, BuildHasherDefault<AsIs>>;

struct New {
    row: u64,
    content: u128,
    found: Found,
}

/// What the files hold for a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Same,
    Other,
}

/// What a merge will do.
pub(crate) struct Resolved {
    /// Numbers of the files that lose rows.
    pub(crate) rewrite: Vec<usize>,
    /// The counts.
    pub(crate) loaded: Loaded,
}

impl Incoming {
    /// Nothing yet. Rows wait in a new file at `path`; more than `keys_max` different keys are refused.
    pub(crate) fn new(
        path: PathBuf,
        schema: &SchemaRef,
        key: &[String],
        keys_max: usize,
    ) -> Result<Incoming, LakeError> {
        let spool = File::options().write(true).create_new(true).open(&path).map_err(LakeError::spool)?;
        let spool = StreamWriter::try_new(BufWriter::new(spool), &compact(schema))?;
        let place = |name: &String| schema.index_of(name).map_err(LakeError::from);
        let content =
            schema.fields().iter().enumerate().filter(|(_, field)| !AUDIT.contains(&field.name().as_str()));
        let plan = Plan {
            path,
            schema: schema.clone(),
            key: key.iter().map(place).collect::<Result<_, _>>()?,
            content: content.map(|(index, _)| index).collect(),
            keys_max,
        };
        Ok(Incoming { plan, spool, keys: Keys::default(), n_rows: 0 })
    }

    /// Takes rows, all columns.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let mut contents = Vec::with_capacity(rows.num_rows());
        each_hash(rows, &self.plan.content, |_, hash| contents.push(hash))?;
        let (keys, first) = (&mut self.keys, self.n_rows);
        each_hash(rows, &self.plan.key, |row, hash| {
            let new = New { row: first + row as u64, content: contents[row], found: Found::Nothing };
            keys.insert(hash, new);
        })?;
        if self.keys.len() > self.plan.keys_max {
            return Err(LakeError::new(format!(
                "the load has more than {} different keys, the limit of a merge into files (`merge_keys_max`): load fewer rows at a time, use `mode: replace`, or a database",
                self.plan.keys_max
            )));
        }
        self.n_rows += rows.num_rows() as u64;
        self.spool.write(&cast(rows, &compact(&self.plan.schema))?)?;
        Ok(())
    }

    /// No more rows will come.
    pub(crate) fn finish(mut self) -> Result<Waiting, LakeError> {
        self.spool.finish()?;
        Ok(Waiting { plan: self.plan, keys: self.keys, n_rows: self.n_rows })
    }
}

impl Waiting {
    /// Looks at the files: at the key columns of all, at the others of those that have a key in common with the load.
    pub(crate) fn resolve(&mut self, live: &dyn Live) -> Result<Resolved, LakeError> {
        for new in self.keys.values_mut() {
            new.found = Found::Nothing;
        }
        let mut common: Vec<(usize, Vec<u128>)> = Vec::new();
        for file in 0..live.n_files() {
            if self.has_common_key(live, file)? {
                common.push((file, self.compare(live, file)?));
            }
        }
        let is_other = |key: &u128| self.keys.get(key).is_some_and(|new| new.found == Found::Other);
        let rewrite = common.iter().filter(|(_, keys)| keys.iter().any(is_other)).map(|(file, _)| *file);
        let count = |found| self.keys.values().filter(|new| new.found == found).count() as u64;
        let loaded = Loaded {
            inserted: count(Found::Nothing),
            updated: count(Found::Other),
            unchanged: count(Found::Same),
            deduplicated: self.n_rows - self.keys.len() as u64,
            ..Loaded::default()
        };
        Ok(Resolved { rewrite: rewrite.collect(), loaded })
    }

    fn has_common_key(&self, live: &dyn Live, file: usize) -> Result<bool, LakeError> {
        let places: Vec<usize> = (0..self.plan.key.len()).collect();
        for rows in live.read(file, Some(&self.plan.key))? {
            let mut is_common = false;
            each_hash(&rows?, &places, |_, key| is_common |= self.keys.contains_key(&key))?;
            if is_common {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes for every key of the load in a file whether the content is the same; gives these keys.
    fn compare(&mut self, live: &dyn Live, file: usize) -> Result<Vec<u128>, LakeError> {
        let mut common = Vec::new();
        for rows in live.read(file, None)? {
            let rows = rows?;
            let mut contents = Vec::with_capacity(rows.num_rows());
            each_hash(&rows, &self.plan.content, |_, hash| contents.push(hash))?;
            each_hash(&rows, &self.plan.key, |row, key| {
                let Some(new) = self.keys.get_mut(&key) else { return };
                common.push(key);
                let is_same = new.content == contents[row] && new.found != Found::Other;
                new.found = if is_same { Found::Same } else { Found::Other };
            })?;
        }
        Ok(common)
    }

    /// The rows of a file that stay.
    pub(crate) fn kept<'a>(
        &'a self,
        live: &dyn Live,
        file: usize,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + use<'a>, LakeError> {
        Ok(live.read(file, None)?.map(move |rows| {
            let rows = rows?;
            let mut stays = Vec::with_capacity(rows.num_rows());
            each_hash(&rows, &self.plan.key, |_, key| {
                stays.push(self.keys.get(&key).is_none_or(|new| new.found != Found::Other));
            })?;
            Ok(arrow::compute::filter_record_batch(&rows, &BooleanArray::from(stays))?)
        }))
    }

    /// The new rows that must be written: of each key the last one, when the files do not hold the same.
    pub(crate) fn fresh(
        &self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>> + use<'_>, LakeError> {
        let file = File::open(&self.plan.path).map_err(LakeError::spool)?;
        let reader = StreamReader::try_new(BufReader::new(file), None)?;
        let mut first = 0_u64;
        Ok(reader.map(move |rows| {
            let rows = cast(&rows?, &self.plan.schema)?;
            let mut is_fresh = Vec::with_capacity(rows.num_rows());
            each_hash(&rows, &self.plan.key, |row, key| {
                let new = self.keys.get(&key);
                is_fresh
                    .push(new.is_some_and(|new| new.row == first + row as u64 && new.found != Found::Same));
            })?;
            first += rows.num_rows() as u64;
            Ok(arrow::compute::filter_record_batch(&rows, &BooleanArray::from(is_fresh))?)
        }))
    }
}

/// Whether two sequences of rows are the same, but for audit columns.
pub(crate) fn is_same(
    schema: &SchemaRef,
    one: impl Iterator<Item = Result<RecordBatch, LakeError>>,
    other: impl Iterator<Item = Result<RecordBatch, LakeError>>,
) -> Result<bool, LakeError> {
    let content =
        schema.fields().iter().enumerate().filter(|(_, field)| !AUDIT.contains(&field.name().as_str()));
    let content: Vec<usize> = content.map(|(index, _)| index).collect();
    let hashes = |rows: Result<RecordBatch, LakeError>| -> Result<Vec<u128>, LakeError> {
        let mut hashes = Vec::new();
        each_hash(&rows?, &content, |_, hash| hashes.push(hash))?;
        Ok(hashes)
    };
    let (mut one, mut other) = (one.map(hashes), other.map(hashes));
    let (mut left, mut right) = (Vec::new().into_iter(), Vec::new().into_iter());
    loop {
        while left.len() == 0 {
            match one.next() {
                Some(more) => left = more?.into_iter(),
                None => break,
            }
        }
        while right.len() == 0 {
            match other.next() {
                Some(more) => right = more?.into_iter(),
                None => break,
            }
        }
        let n = left.len().min(right.len());
        if n == 0 {
            return Ok(left.len() == right.len());
        }
        if !left.by_ref().take(n).eq(right.by_ref().take(n)) {
            return Ok(false);
        }
    }
}

/// Calls a function with the hash of some columns of each row.
fn each_hash(
    rows: &RecordBatch,
    columns: &[usize],
    mut each: impl FnMut(usize, u128),
) -> Result<(), LakeError> {
    let schema = rows.schema();
    let cells = columns.iter().map(|index| Cells::of(schema.field(*index).name(), rows.column(*index)));
    let cells = cells.collect::<Result<Vec<_>, _>>().map_err(LakeError::rows)?;
    let mut bytes = Vec::new();
    for row in 0..rows.num_rows() {
        bytes.clear();
        for cells in &cells {
            cells.append_bytes(row, &mut bytes);
        }
        each(row, XxHash3_128::oneshot(&bytes));
    }
    Ok(())
}

/// The schema with texts as plain texts: views would carry whole buffers into the file.
fn compact(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let is_view = *field.data_type() == DataType::Utf8View;
        let data = if is_view { DataType::Utf8 } else { field.data_type().clone() };
        Field::new(field.name(), data, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn cast(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
    let arrays = rows.columns().iter().zip(schema.fields());
    let arrays = arrays.map(|(array, field)| arrow::compute::cast(array, field.data_type()));
    Ok(RecordBatch::try_new(schema.clone(), arrays.collect::<Result<Vec<_>, _>>()?)?)
}
