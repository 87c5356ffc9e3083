//! The options of targets that are files, as the pipeline file gives them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use table::Columns;

use super::LakeError;
use super::folder::{Folder, Local, Remote};
use super::format::{Compression, Form, Format};
use super::load;
use crate::source::{Dataset, Division};
use crate::storage::Location;
use crate::target::{Load, Mode, Target, TargetSpec};
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word, world::World};

/// Keys of one merge, when the pipeline does not say: about 1.5 GiB.
const MERGE_KEYS_MAX: u64 = 100_000_000;
/// Rows of a row group, when the pipeline does not say.
const ROW_GROUP_ROWS: u64 = 131_072;
/// Rows of a file, when the pipeline does not say.
const FILE_ROWS_MAX: u64 = 10_000_000;

/// A target that is a folder of files.
#[derive(Clone, Debug)]
pub(crate) struct FolderOptions {
    /// The name of the target in the pipeline.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) at: Point,
    /// `path`: a folder below the roots, or `s3://bucket/prefix` with `s3` (required).
    pub(crate) path: Location,
    /// `mode`: `append` (default), `merge` or `replace`.
    pub(crate) mode: Mode,
    /// `key`: the columns of a merge.
    pub(crate) key: Vec<Word>,
    /// `partition_by`: columns that become folder names (none).
    pub(crate) partition_by: Vec<Word>,
    /// `merge_keys_max`: different keys of one merge (100,000,000).
    pub(crate) merge_keys_max: usize,
    /// `file_rows_max`: rows of a file (10,000,000).
    pub(crate) file_rows_max: u64,
    /// `format`, `compression`, `row_group_rows`, `text_statistics`.
    pub(crate) form: Form,
}

/// Decodes a target of Parquet files.
pub(crate) fn parquet(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let form = parquet_form(fields, problems);
    boxed(decode(name, fields, problems, form))
}

/// Decodes a target of CSV files.
pub(crate) fn csv(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let form = text_form(Format::Csv, fields, problems);
    boxed(decode(name, fields, problems, form))
}

/// Decodes a target of NDJSON files.
pub(crate) fn ndjson(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let form = text_form(Format::Ndjson, fields, problems);
    boxed(decode(name, fields, problems, form))
}

fn boxed(options: Option<FolderOptions>) -> Option<Box<dyn TargetSpec>> {
    options.map(|options| Box::new(options) as Box<dyn TargetSpec>)
}

/// The options of Parquet files.
pub(crate) fn parquet_form(fields: &mut Fields<'_>, problems: &mut Problems) -> Form {
    let choices = [("zstd", Compression::Zstd), ("snappy", Compression::Snappy), ("none", Compression::None)];
    Form {
        format: Format::Parquet,
        compression: fields.choice("compression", &choices, problems).unwrap_or(Compression::Zstd),
        row_group_rows: usize::try_from(
            positive(fields, "row_group_rows", problems).unwrap_or(ROW_GROUP_ROWS),
        )
        .unwrap_or(usize::MAX),
        has_text_statistics: fields.flag("text_statistics", problems).unwrap_or(false),
    }
}

fn text_form(format: Format, fields: &mut Fields<'_>, problems: &mut Problems) -> Form {
    let choices = [("zstd", Compression::Zstd), ("none", Compression::None)];
    Form {
        format,
        compression: fields.choice("compression", &choices, problems).unwrap_or(Compression::None),
        row_group_rows: 0,
        has_text_statistics: false,
    }
}

/// The options that all targets of files have.
pub(crate) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
    form: Form,
) -> Option<FolderOptions> {
    let at = fields.at();
    let path = Location::decode("path", fields, problems);
    if let Some(path) = &path
        && path.is_pattern()
    {
        problems
            .add(path.written.at, format!("the `path` of the target `{name}` is a folder, not a pattern"));
    }
    let modes = [("append", Mode::Append), ("merge", Mode::Merge), ("replace", Mode::Replace)];
    let mode = fields.choice("mode", &modes, problems).unwrap_or(Mode::Append);
    let key = fields.texts("key", problems);
    if mode == Mode::Merge && key.is_empty() {
        problems.add(at, format!("the target `{name}` merges and needs `key: [column, ...]`"));
    }
    if mode != Mode::Merge && !key.is_empty() {
        problems.add(key[0].at, format!("the target `{name}` has a `key`, which only `mode: merge` uses"));
    }
    let partition_by = fields.texts("partition_by", problems);
    let merge_keys_max = positive(fields, "merge_keys_max", problems).unwrap_or(MERGE_KEYS_MAX);
    let file_rows_max = positive(fields, "file_rows_max", problems).unwrap_or(FILE_ROWS_MAX);
    Some(FolderOptions {
        name: name.text.clone(),
        at,
        path: path?,
        mode,
        key,
        partition_by,
        merge_keys_max: usize::try_from(merge_keys_max).unwrap_or(usize::MAX),
        file_rows_max,
        form,
    })
}

/// A whole number from 1.
fn positive(fields: &mut Fields<'_>, key: &'static str, problems: &mut Problems) -> Option<u64> {
    let at = fields.at();
    let value = fields.whole(key, problems)?;
    if value == 0 {
        problems.add(at, format!("`{key}` must be at least 1"));
        return None;
    }
    Some(value)
}

impl FolderOptions {
    /// The names of the columns that partition.
    pub(crate) fn partition_names(&self) -> Vec<String> {
        self.partition_by.iter().map(|word| word.text.clone()).collect()
    }

    /// The names of the key columns.
    pub(crate) fn key_names(&self) -> Vec<String> {
        self.key.iter().map(|word| word.text.clone()).collect()
    }

    /// See [`TargetSpec::plan`].
    pub(crate) fn check(&self, input: &Columns, division: Division, problems: &mut Problems) {
        for column in self.key.iter().chain(&self.partition_by) {
            if input.get(column).is_none() {
                problems.add(
                    column.at,
                    format!("the target `{}` needs the column `{column}`, which is not there", self.name),
                );
            }
        }
        for list in [&self.key, &self.partition_by] {
            for (index, column) in list.iter().enumerate() {
                if list[..index].iter().any(|other| other.text == column.text) {
                    problems.add(column.at, format!("the column `{column}` stands here twice"));
                }
            }
        }
        let is_all =
            input.iter().all(|column| self.partition_by.iter().any(|name| name.text == *column.name));
        if is_all && !input.is_empty() {
            problems.add(
                self.at,
                format!("the target `{}` partitions by all columns: the files would have none", self.name),
            );
        }
        let why = match (self.mode, division) {
            (Mode::Append, Division::Window) => {
                "appends what changed since the last run, so a row that changes twice comes twice: use `mode: merge` with a `key`"
            }
            (Mode::Append, Division::Snapshot) => {
                "appends a source that is read as a whole each time, so every run adds all rows again: use `mode: replace`, or `merge` with a `key`"
            }
            (Mode::Replace, Division::Window) => {
                "replaces everything by what changed since the last run: use `mode: merge` with a `key`"
            }
            _ => return,
        };
        problems.add(self.at, format!("the target `{}` {why}", self.name));
    }

    /// The data set for lineage.
    pub(crate) fn place(&self) -> Dataset {
        self.path.dataset()
    }
}

/// The folder that `path` names. Call it inside the async runtime.
pub(crate) fn open_folder(options: &FolderOptions, world: &World) -> Result<Folder, LakeError> {
    let written = &options.path.written;
    if options.path.s3.is_some() {
        let mut folder = options.path.clone();
        folder.written.text = format!("{}/", written.trim_end_matches('/'));
        let storage = folder.open(world).map_err(|error| LakeError::new(error.to_string()))?;
        let bucket = storage.bucket().expect("a location with `s3` opens a bucket").clone();
        return Ok(Folder::Remote(Remote::new(bucket, written.text.clone())));
    }
    let path = world.path(written).map_err(LakeError::new)?;
    if path.exists() && !path.is_dir() {
        return Err(LakeError::new(format!("`{written}` is a file, not a folder")));
    }
    Ok(Folder::Local(Local::new(path, written.text.clone())))
}

impl TargetSpec for FolderOptions {
    fn plan(&self, input: &Columns, division: Division, problems: &mut Problems) {
        self.check(input, division, problems);
    }

    fn key(&self) -> &[Word] {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn dataset(&self) -> Dataset {
        self.place()
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        Box::pin(async move {
            let target = load::open(self.clone(), load, world.clone()).await?;
            Ok(Box::new(target) as Box<dyn Target>)
        })
    }
}
