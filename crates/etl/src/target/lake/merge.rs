//! A merge by key: which of the new rows are new, changed or the same, and which files must be written anew.
//!
//! Of each new row a hash of the key and one of the content are kept, in memory that does not grow with them, and two bits that say what the
//! files hold for its key; the rows themselves wait in a file.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use twox_hash::XxHash3_128;

use super::cells::Cells;
use super::{LakeError, Rows};
use crate::keyed::{Found, Keyed, Known, Pool};
use crate::step::stays::Bits;
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
    keys: Keyed<New>,
    n_rows: u64,
}

/// New rows, all there.
pub(crate) struct Waiting {
    plan: Plan,
    keys: Found<New>,
    n_rows: u64,
    /// By the number of the row that counts for a key: a file has the key.
    stored: Bits,
    /// By the same: a file has it with another content.
    differs: Bits,
}

struct Plan {
    path: PathBuf,
    schema: SchemaRef,
    key: Vec<usize>,
    content: Vec<usize>,
    keys_max: usize,
}

/// The row that counts for a key: the last one, and a hash of its content.
#[derive(Clone, Copy)]
struct New {
    row: u64,
    content: [u64; 2],
}

impl New {
    fn of(row: u64, content: u128) -> New {
        New { row, content: halves(content) }
    }

    fn row(self) -> usize {
        usize::try_from(self.row).unwrap_or(usize::MAX)
    }
}

/// A number in halves, which need no alignment of 16 bytes.
fn halves(hash: u128) -> [u64; 2] {
    [(hash >> 64) as u64, hash as u64]
}

impl Known for New {
    const BYTES: usize = 24;

    fn merge(&mut self, other: New) {
        if other.row > self.row {
            *self = other;
        }
    }

    fn write(self, bytes: &mut [u8]) {
        for (part, number) in bytes.chunks_exact_mut(8).zip([self.row, self.content[0], self.content[1]]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> New {
        let part = |at: usize| bytes[at..].first_chunk().map_or(0, |part| u64::from_le_bytes(*part));
        New { row: part(0), content: [part(8), part(16)] }
    }
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
        pool: &Arc<Pool>,
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
        Ok(Incoming { plan, spool, keys: Keyed::new(pool), n_rows: 0 })
    }

    /// Takes rows, all columns.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let mut contents = Vec::with_capacity(rows.num_rows());
        each_hash(rows, &self.plan.content, |_, hash| {
            contents.push(hash);
            Ok(())
        })?;
        let (keys, first) = (&mut self.keys, self.n_rows);
        each_hash(rows, &self.plan.key, |row, hash| {
            keys.add(hash, New::of(first + row as u64, contents[row])).map_err(LakeError::keys)
        })?;
        self.plan.check_number(self.keys.n_keys_min())?;
        self.n_rows += rows.num_rows() as u64;
        self.spool.write(&cast(rows, &compact(&self.plan.schema))?)?;
        Ok(())
    }

    /// No more rows will come.
    pub(crate) fn finish(mut self) -> Result<Waiting, LakeError> {
        self.spool.finish()?;
        let keys = self.keys.finish().map_err(LakeError::keys)?;
        self.plan.check_number(keys.n_keys())?;
        let bits = || Bits::new(usize::try_from(self.n_rows).unwrap_or(usize::MAX));
        Ok(Waiting { keys, n_rows: self.n_rows, stored: bits(), differs: bits(), plan: self.plan })
    }
}

impl Plan {
    fn check_number(&self, n_keys: u64) -> Result<(), LakeError> {
        if n_keys <= self.keys_max as u64 {
            return Ok(());
        }
        Err(LakeError::new(format!(
            "the load has more than {} different keys, the limit of a merge into files (`merge_keys_max`): raise it, load fewer rows at a time, use `mode: replace`, or a database",
            self.keys_max
        )))
    }
}

impl Waiting {
    /// Looks at the files: at the key columns of all, at the others of those that have a key in common with the load.
    pub(crate) fn resolve(&mut self, live: &dyn Live) -> Result<Resolved, LakeError> {
        self.stored.clear();
        self.differs.clear();
        let mut common = Vec::new();
        let mut is_repeated = false;
        for file in 0..live.n_files() {
            if self.has_common_key(live, file)? {
                let (has_other, repeats) = self.compare(live, file)?;
                common.push((file, has_other));
                is_repeated |= repeats;
            }
        }
        let mut rewrite = Vec::new();
        for (file, has_other) in common {
            // A key that stands more than once may have been the same here and another there.
            if has_other || is_repeated && self.has_other(live, file)? {
                rewrite.push(file);
            }
        }
        let (n_keys, n_stored, n_differs) = (self.keys.n_keys(), self.stored.count(), self.differs.count());
        let loaded = Loaded {
            inserted: n_keys - n_stored,
            updated: n_differs,
            unchanged: n_stored - n_differs,
            deduplicated: self.n_rows - n_keys,
            ..Loaded::default()
        };
        Ok(Resolved { rewrite, loaded })
    }

    fn known(&self, key: u128) -> Result<Option<New>, LakeError> {
        self.keys.get(key).map_err(LakeError::keys)
    }

    /// Whether a file holds a key of the load with another content.
    fn is_other(&self, key: u128) -> Result<bool, LakeError> {
        Ok(self.known(key)?.is_some_and(|new| self.differs.get(new.row())))
    }

    fn has_common_key(&self, live: &dyn Live, file: usize) -> Result<bool, LakeError> {
        self.any_key(live, file, |key| Ok(self.known(key)?.is_some()))
    }

    fn has_other(&self, live: &dyn Live, file: usize) -> Result<bool, LakeError> {
        self.any_key(live, file, |key| self.is_other(key))
    }

    /// Whether any key of a file is one that is looked for; reads no further than the first.
    fn any_key(
        &self,
        live: &dyn Live,
        file: usize,
        is_it: impl Fn(u128) -> Result<bool, LakeError>,
    ) -> Result<bool, LakeError> {
        let places: Vec<usize> = (0..self.plan.key.len()).collect();
        for rows in live.read(file, Some(&self.plan.key))? {
            let mut is_there = false;
            each_hash(&rows?, &places, |_, key| {
                is_there = is_there || is_it(key)?;
                Ok(())
            })?;
            if is_there {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes for every key of the load in a file whether the content is the same; gives whether any is not, and whether any was there before.
    fn compare(&mut self, live: &dyn Live, file: usize) -> Result<(bool, bool), LakeError> {
        let (mut has_other, mut is_repeated) = (false, false);
        for rows in live.read(file, None)? {
            let rows = rows?;
            let mut contents = Vec::with_capacity(rows.num_rows());
            each_hash(&rows, &self.plan.content, |_, hash| {
                contents.push(hash);
                Ok(())
            })?;
            let (keys, stored, differs) = (&self.keys, &mut self.stored, &mut self.differs);
            each_hash(&rows, &self.plan.key, |row, key| {
                let Some(new) = keys.get(key).map_err(LakeError::keys)? else { return Ok(()) };
                is_repeated |= stored.get(new.row());
                stored.set(new.row());
                if new.content != halves(contents[row]) {
                    differs.set(new.row());
                }
                has_other |= differs.get(new.row());
                Ok(())
            })?;
        }
        Ok((has_other, is_repeated))
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
                stays.push(!self.is_other(key)?);
                Ok(())
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
                let counts = self.known(key)?.filter(|new| new.row == first + row as u64);
                let is_same = |new: New| self.stored.get(new.row()) && !self.differs.get(new.row());
                is_fresh.push(counts.is_some_and(|new| !is_same(new)));
                Ok(())
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
        each_hash(&rows?, &content, |_, hash| {
            hashes.push(hash);
            Ok(())
        })?;
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
    mut each: impl FnMut(usize, u128) -> Result<(), LakeError>,
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
        each(row, XxHash3_128::oneshot(&bytes))?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{Int64Array, StringViewArray};
    use proptest::prelude::*;

    use super::*;

    struct Files(Vec<RecordBatch>);

    impl Live for Files {
        fn n_files(&self) -> usize {
            self.0.len()
        }

        fn read(&self, file: usize, columns: Option<&[usize]>) -> Result<Rows, LakeError> {
            let rows = match columns {
                Some(columns) => self.0[file].project(columns)?,
                None => self.0[file].clone(),
            };
            Ok(Box::new(std::iter::once(Ok(rows))))
        }
    }

    fn rows(of: &[(u16, u8)]) -> RecordBatch {
        let keys: StringViewArray = of.iter().map(|(key, _)| Some(format!("K{key}"))).collect();
        let values: Int64Array = of.iter().map(|(_, value)| Some(i64::from(*value))).collect();
        let fields =
            vec![Field::new("key", DataType::Utf8View, true), Field::new("value", DataType::Int64, true)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![Arc::new(keys), Arc::new(values)]).unwrap()
    }

    fn shown(batches: impl Iterator<Item = Result<RecordBatch, LakeError>>) -> String {
        let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
        arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string()
    }

    /// What a merge does, with so much memory for keys.
    fn outcome(bytes_max: u64, load: &[(u16, u8)], files: &[Vec<(u16, u8)>]) -> (Resolved, String) {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::new(folder.path(), bytes_max);
        let path = folder.path().join("rows.arrow");
        let key = ["key".to_owned()];
        let mut incoming = Incoming::new(path, &rows(&[]).schema(), &key, 1 << 20, &pool).unwrap();
        for part in load.chunks(700) {
            incoming.push(&rows(part)).unwrap();
        }
        let live = Files(files.iter().map(|file| rows(file)).collect());
        let mut waiting = incoming.finish().unwrap();
        waiting.resolve(&live).unwrap();
        // Another attempt begins from nothing.
        let resolved = waiting.resolve(&live).unwrap();
        let mut text = shown(waiting.fresh().unwrap());
        for file in &resolved.rewrite {
            text.push_str(&shown(waiting.kept(&live, *file).unwrap()));
        }
        (resolved, text)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn a_merge_counts_and_writes_the_same_with_little_memory(
            load in prop::collection::vec((0_u16..3_000, 0_u8..3), 1..6_000),
            files in prop::collection::vec(prop::collection::vec((0_u16..4_000, 0_u8..3), 1..1_500), 0..4),
        ) {
            let (little, text) = outcome(4 << 10, &load, &files);
            let (much, same) = outcome(64 << 20, &load, &files);
            prop_assert_eq!(text, same);
            prop_assert_eq!((&little.rewrite, little.loaded.updated), (&much.rewrite, much.loaded.updated));
            // By the plain meaning: the last of each key counts, and a key is changed where any row of a file says otherwise.
            let last: BTreeMap<u16, u8> = load.iter().copied().collect();
            let differs = |row: &(u16, u8)| last.get(&row.0).is_some_and(|value| *value != row.1);
            let changed: std::collections::BTreeSet<u16> = files.iter().flatten().filter(|row| differs(row)).map(|row| row.0).collect();
            let stored: std::collections::BTreeSet<u16> = files.iter().flatten().map(|row| row.0).filter(|key| last.contains_key(key)).collect();
            let rewrite: Vec<usize> = (0..files.len()).filter(|at| files[*at].iter().any(|row| changed.contains(&row.0))).collect();
            prop_assert_eq!(&little.rewrite, &rewrite);
            prop_assert_eq!(little.loaded.updated, changed.len() as u64);
            prop_assert_eq!(little.loaded.unchanged, (stored.len() - changed.len()) as u64);
            prop_assert_eq!(little.loaded.inserted, (last.len() - stored.len()) as u64);
            prop_assert_eq!(little.loaded.deduplicated, (load.len() - last.len()) as u64);
        }
    }
}
