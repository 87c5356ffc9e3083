//! The manifest of a folder: which files are its content, and what has been loaded. Replacing it is the commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use table::{Column, Columns, Type};

use super::format::Format;
use crate::target::{Committed, Load};

/// Name of the manifest in its folder.
pub(crate) const NAME: &str = "_manifest.json";
/// Runs that are kept out; older ones have long ended.
const FENCED_MAX: usize = 100;
const FORM: &str = "salus-folder/1";

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    form: String,
    /// What the files hold.
    pub(crate) format: Format,
    /// The columns, with those that are only in folder names.
    pub(crate) columns: Vec<StoredColumn>,
    /// Columns that are in folder names only.
    pub(crate) partition_by: Vec<String>,
    /// The content, by path.
    pub(crate) files: Vec<FileEntry>,
    /// What was loaded, by pipeline and source.
    pub(crate) loads: Vec<LoadEntry>,
    /// Runs that must not commit any more, because a later run of the same load removed what they had written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fenced: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredColumn {
    name: String,
    r#type: String,
}

/// A file of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    /// Below the folder.
    pub(crate) path: String,
    /// Rows.
    pub(crate) rows: u64,
    /// Bytes.
    pub(crate) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(crate) sha256: String,
    /// The values of the partition columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) partition: Vec<Option<String>>,
    /// Whose rows: the pipeline.
    pub(crate) pipeline: String,
    /// Whose rows: the source.
    pub(crate) source: String,
    /// The run that wrote the file.
    pub(crate) run: String,
}

/// What was loaded by a pipeline from a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadEntry {
    /// The pipeline.
    pub(crate) pipeline: String,
    /// The source.
    pub(crate) source: String,
    /// Ids of units.
    pub(crate) units: Vec<String>,
    /// The watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) watermark: Option<String>,
    /// The last run that changed something.
    pub(crate) run: String,
    /// Hash of the pipeline file of that run.
    pub(crate) pipeline_hash: String,
    /// When.
    pub(crate) committed_at: String,
    /// What was attached to the data, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attachments: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// The manifest of an empty folder.
    pub(crate) fn empty(format: Format, columns: &Columns, partition_by: &[String]) -> Manifest {
        Manifest {
            form: FORM.to_owned(),
            format,
            columns: stored(columns),
            partition_by: partition_by.to_vec(),
            files: Vec::new(),
            loads: Vec::new(),
            fenced: Vec::new(),
        }
    }

    /// The manifest in some bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = serde_json::from_slice(bytes)
            .map_err(|error| format!("`{NAME}` is not a manifest that this version reads: {error}"))?;
        if manifest.form == FORM {
            Ok(manifest)
        } else {
            Err(format!("`{NAME}` has the form `{}`, and this version reads `{FORM}`", manifest.form))
        }
    }

    /// The bytes of the manifest: the same content gives the same bytes.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.loads.sort_by(|a, b| (&a.pipeline, &a.source).cmp(&(&b.pipeline, &b.source)));
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest can always be written as JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Notes that a run must not commit any more.
    pub(crate) fn fence(&mut self, stem: &str) {
        if !self.is_fenced(stem) {
            self.fenced.push(stem.to_owned());
        }
        let n = self.fenced.len();
        self.fenced.drain(..n.saturating_sub(FENCED_MAX));
    }

    /// Whether a run must not commit any more.
    pub(crate) fn is_fenced(&self, stem: &str) -> bool {
        self.fenced.iter().any(|fenced| fenced == stem)
    }

    /// The columns.
    pub(crate) fn columns(&self) -> Result<Columns, String> {
        let columns = self.columns.iter().map(|column| {
            let kind = Type::parse(&column.r#type)
                .ok_or_else(|| format!("`{NAME}` gives the column `{}` an unknown type", column.name))?;
            Ok(Column::new(column.name.as_str(), kind))
        });
        Columns::new(columns.collect::<Result<_, String>>()?).map_err(|error| error.to_string())
    }

    /// Sets the columns.
    pub(crate) fn set_columns(&mut self, columns: &Columns) {
        self.columns = stored(columns);
    }

    /// Whether the columns are these.
    pub(crate) fn has_columns(&self, columns: &Columns) -> bool {
        self.columns == stored(columns)
    }

    /// What was loaded by a load's pipeline from its source.
    pub(crate) fn load(&self, load: &Load) -> Option<&LoadEntry> {
        self.loads.iter().find(|entry| entry.pipeline == load.pipeline && entry.source == load.source)
    }

    /// The same, to change; made when it is not there.
    pub(crate) fn load_mut(&mut self, load: &Load) -> &mut LoadEntry {
        let same = |entry: &LoadEntry| entry.pipeline == load.pipeline && entry.source == load.source;
        let at = self.loads.iter().position(same).unwrap_or_else(|| {
            self.loads.push(LoadEntry {
                pipeline: load.pipeline.clone(),
                source: load.source.clone(),
                ..LoadEntry::default()
            });
            self.loads.len() - 1
        });
        &mut self.loads[at]
    }

    /// What is committed for a load.
    pub(crate) fn committed(&self, load: &Load) -> Committed {
        let entry = self.load(load);
        entry.map_or_else(Committed::default, |entry| Committed {
            units: entry.units.clone(),
            watermark: entry.watermark.clone(),
        })
    }
}

impl FileEntry {
    /// Whether a load's pipeline and source gave the rows.
    pub(crate) fn is_of(&self, load: &Load) -> bool {
        self.pipeline == load.pipeline && self.source == load.source
    }
}

fn stored(columns: &Columns) -> Vec<StoredColumn> {
    let stored = columns
        .iter()
        .map(|column| StoredColumn { name: column.name.to_string(), r#type: column.kind.to_string() });
    stored.collect()
}

/// Words that name columns for people: `id text, n integer`.
pub(crate) fn words(columns: &Columns) -> String {
    columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect::<Vec<_>>().join(", ")
}
