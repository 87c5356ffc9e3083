//! Rows on their way into files that nobody sees yet: one file per partition at a time, a new one when it is full.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use super::LakeError;
use super::format::{self, Encode, Finished, Form};
use super::partition::{self, Values};
use super::read::Piece;

/// Files that are written at the same time; each holds a row group in memory.
const OPEN_MAX: usize = 64;
/// Partitions of one load.
const PARTITIONS_MAX: usize = 10_000;

/// Where and how files are written.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// A folder of the load's own.
    pub(crate) folder: PathBuf,
    /// Beginnings of the file names, by owner; owners without one have the first.
    pub(crate) stems: Vec<String>,
    /// The form of the files.
    pub(crate) form: Form,
    /// Columns that become folder names.
    pub(crate) partition_by: Vec<String>,
    /// Whether names begin with folders that are named after the values of these columns.
    pub(crate) has_folders: bool,
    /// Rows of a file.
    pub(crate) file_rows_max: u64,
    /// All columns, in their canonical types.
    pub(crate) schema: SchemaRef,
}

impl Plan {
    /// The columns that are in the files.
    pub(crate) fn file_schema(&self) -> SchemaRef {
        let fields = self.schema.fields().iter().filter(|field| !self.partition_by.contains(field.name()));
        Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
    }
}

/// Files being written.
pub(crate) struct Staging {
    plan: Plan,
    file_schema: SchemaRef,
    open: HashMap<(usize, Values), Open>,
    partitions: BTreeSet<Values>,
    done: Vec<Staged>,
    n_files: u32,
    clock: u64,
}

struct Open {
    file: Box<dyn Encode>,
    path: PathBuf,
    name: String,
    rows: u64,
    n_missing: Vec<u64>,
    used: u64,
}

/// A finished file without its final name.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The name it shall have.
    pub(crate) name: String,
    /// Rows.
    pub(crate) rows: u64,
    /// Missing values by column.
    pub(crate) n_missing: Vec<(String, u64)>,
    /// Length and hash.
    pub(crate) finished: Finished,
    /// The values of the partition columns.
    pub(crate) partition: Values,
    /// Whose rows, as the caller counts.
    pub(crate) owner: usize,
}

impl Staged {
    /// The file, to be compared.
    pub(crate) fn piece(&self) -> Piece {
        Piece {
            name: self.name.clone(),
            staged: Some(self.path.clone()),
            partition: self.partition.clone(),
            rows: self.rows,
            sha256: Some(self.finished.sha256.clone()),
        }
    }
}

impl Staging {
    pub(crate) fn new(plan: Plan) -> Staging {
        Staging {
            file_schema: plan.file_schema(),
            plan,
            open: HashMap::new(),
            partitions: BTreeSet::new(),
            done: Vec::new(),
            n_files: 0,
            clock: 0,
        }
    }

    /// Writes rows, all columns. Rows of different owners go to different files.
    pub(crate) fn write(&mut self, rows: &RecordBatch, owner: usize) -> Result<(), LakeError> {
        for part in partition::divide(rows, &self.plan.partition_by).map_err(LakeError::rows)? {
            let mut rest = part.rows;
            while rest.num_rows() > 0 {
                rest = self.write_some(rest, &part.values, owner)?;
            }
        }
        Ok(())
    }

    /// Writes as many rows as fit into the open file of a partition; gives back the others.
    #[allow(clippy::needless_pass_by_value, reason = "handed on by value where it is called")]
    fn write_some(
        &mut self,
        rows: RecordBatch,
        values: &Values,
        owner: usize,
    ) -> Result<RecordBatch, LakeError> {
        let key = (owner, values.clone());
        if !self.open.contains_key(&key) {
            self.create(&key)?;
        }
        self.clock += 1;
        let open = self.open.get_mut(&key).expect("the file was opened above");
        open.used = self.clock;
        let room = usize::try_from(self.plan.file_rows_max - open.rows).unwrap_or(usize::MAX);
        let n_now = rows.num_rows().min(room);
        let now = rows.slice(0, n_now);
        open.file.write(&now).map_err(|error| LakeError::file("write", &open.name, error))?;
        for (n_missing, array) in open.n_missing.iter_mut().zip(now.columns()) {
            *n_missing += array.logical_null_count() as u64;
        }
        open.rows += n_now as u64;
        if open.rows >= self.plan.file_rows_max {
            self.close(&key)?;
        }
        Ok(rows.slice(n_now, rows.num_rows() - n_now))
    }

    fn create(&mut self, key: &(usize, Values)) -> Result<(), LakeError> {
        if self.partitions.insert(key.1.clone()) && self.partitions.len() > PARTITIONS_MAX {
            return Err(LakeError::new(format!(
                "`partition_by` gives more than {PARTITIONS_MAX} folders: partition by a column with fewer values"
            )));
        }
        if self.open.len() >= OPEN_MAX {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.close(&oldest)?;
            }
        }
        let (plan, number) = (&self.plan, self.n_files);
        self.n_files += 1;
        let stem = plan.stems.get(key.0).unwrap_or(&plan.stems[0]);
        let own = format!("{stem}-{number:05}.{}", plan.form.suffix());
        let folder = partition::folder(&plan.partition_by, &key.1);
        let is_flat = folder.is_empty() || !plan.has_folders;
        let name = if is_flat { own.clone() } else { format!("{folder}/{own}") };
        let path = plan.folder.join(own);
        let file = format::create(&path, &plan.form, &self.file_schema)
            .map_err(|error| LakeError::file("create", &name, error))?;
        self.open.insert(
            key.clone(),
            Open { file, path, name, rows: 0, n_missing: vec![0; self.file_schema.fields().len()], used: 0 },
        );
        Ok(())
    }

    fn close(&mut self, key: &(usize, Values)) -> Result<(), LakeError> {
        let Some(open) = self.open.remove(key) else { return Ok(()) };
        let finished = open.file.finish().map_err(|error| LakeError::file("finish", &open.name, error))?;
        let names = self.file_schema.fields().iter();
        self.done.push(Staged {
            path: open.path,
            name: open.name,
            rows: open.rows,
            n_missing: names.map(|field| field.name().clone()).zip(open.n_missing).collect(),
            finished,
            partition: key.1.clone(),
            owner: key.0,
        });
        Ok(())
    }

    /// Finishes all files; they are durable, without their final names.
    pub(crate) fn finish(mut self) -> Result<Vec<Staged>, LakeError> {
        let mut keys: Vec<_> = self.open.keys().cloned().collect();
        keys.sort();
        for key in keys {
            self.close(&key)?;
        }
        if !self.done.is_empty() {
            super::folder::sync_folder(&self.plan.folder)
                .map_err(|error| LakeError::file("sync", "the staged files", error.into()))?;
        }
        Ok(self.done)
    }
}
