//! What a load adds to the log of a Delta table, and what it reads there of earlier loads.

use std::collections::BTreeMap;

use serde_json::json;
use table::Columns;

use super::action::{self, Add, Line, MetaData, Provider, Remove, Txn};
use super::snapshot::Snapshot;
use crate::target::lake::staging::Staged;
use crate::target::{Committed, Load, Mode};

/// The application of a load in the log: pipeline and source.
pub(crate) fn app(load: &Load) -> String {
    format!("{}/{}", load.pipeline, load.source)
}

fn unit_app(load: &Load, unit: &str) -> String {
    format!("{}#unit={unit}", app(load))
}

fn watermark_app(load: &Load, watermark: &str) -> String {
    format!("{}#watermark={watermark}", app(load))
}

/// How many commits a load's application has made.
pub(crate) fn counter(snapshot: &Snapshot, load: &Load) -> i64 {
    snapshot.txns.get(&app(load)).map_or(0, |txn| txn.version)
}

/// What is committed for a load. Units and watermark are transactions of their own, so that they outlive the commits in which they
/// were made: checkpoints keep transactions, and not what a commit says about itself.
pub(crate) fn committed(snapshot: &Snapshot, load: &Load, mode: Mode) -> Committed {
    let (units, watermarks) = (unit_app(load, ""), watermark_app(load, ""));
    let mut found: Vec<(i64, String)> = Vec::new();
    let mut watermark: Option<(i64, String)> = None;
    for (name, txn) in &snapshot.txns {
        if let Some(unit) = name.strip_prefix(&units) {
            found.push((txn.version, unit.to_owned()));
        } else if let Some(text) = name.strip_prefix(&watermarks)
            && watermark.as_ref().is_none_or(|(version, _)| *version < txn.version)
        {
            watermark = Some((txn.version, text.to_owned()));
        }
    }
    if mode == Mode::Replace {
        // What was replaced is not there any more.
        let last = found.iter().map(|(version, _)| *version).max();
        found.retain(|(version, _)| Some(*version) == last);
    }
    found.sort();
    Committed {
        units: found.into_iter().map(|(_, unit)| unit).collect(),
        watermark: watermark.map(|(_, text)| text),
    }
}

/// Whether other sources or pipelines have loaded into the table.
pub(crate) fn has_other_loads(snapshot: &Snapshot, load: &Load) -> bool {
    let own = app(load);
    let others = snapshot.txns.keys().filter_map(|name| name.split_once("#unit=")).map(|(app, _)| app);
    others.into_iter().any(|app| app != own)
}

/// The bytes of a commit that changes nothing but the count of a load's commits.
pub(crate) fn fence(load: &Load, before: &Snapshot, at: i64) -> Vec<u8> {
    let txn = Txn { app_id: app(load), version: counter(before, load) + 1, last_updated: Some(at) };
    let info = json!({
        "timestamp": at,
        "operation": "SALUS FENCE",
        "operationParameters": {},
        "engineInfo": concat!("salus/", env!("CARGO_PKG_VERSION")),
    });
    let lines =
        [Line { commit_info: Some(info), ..Line::default() }, Line { txn: Some(txn), ..Line::default() }];
    bytes(&lines)
}

fn bytes(lines: &[Line]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut out, line).expect("a line of the log can always be written as JSON");
        out.push(b'\n');
    }
    out
}

/// What a commit is made of.
pub(crate) struct Content<'a> {
    pub(crate) load: &'a Load,
    pub(crate) mode: Mode,
    pub(crate) columns: &'a Columns,
    pub(crate) partition_by: &'a [String],
    pub(crate) before: Option<&'a Snapshot>,
    pub(crate) add: &'a [Staged],
    pub(crate) remove: &'a [String],
    pub(crate) units: &'a [String],
    pub(crate) watermark: Option<&'a str>,
    pub(crate) attachments: &'a BTreeMap<String, serde_json::Value>,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

impl Content<'_> {
    /// The bytes of the commit.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(&self.lines())
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![Line { commit_info: Some(self.info()), ..Line::default() }];
        if self.before.is_none() {
            lines.push(Line { protocol: Some(action::protocol()), ..Line::default() });
        }
        if let Some(meta_data) = self.meta_data() {
            lines.push(Line { meta_data: Some(meta_data), ..Line::default() });
        }
        let counter = self.before.map_or(0, |before| counter(before, self.load)) + 1;
        let apps = [app(self.load)]
            .into_iter()
            .chain(self.units.iter().map(|unit| unit_app(self.load, unit)))
            .chain(self.watermark.map(|watermark| watermark_app(self.load, watermark)));
        for app_id in apps {
            let txn = Txn { app_id, version: counter, last_updated: Some(self.at) };
            lines.push(Line { txn: Some(txn), ..Line::default() });
        }
        lines.extend(self.remove.iter().map(|path| Line { remove: self.removed(path), ..Line::default() }));
        lines.extend(self.add.iter().map(|staged| Line { add: Some(self.added(staged)), ..Line::default() }));
        lines
    }

    /// The table's description, when it is new or changes.
    fn meta_data(&self) -> Option<MetaData> {
        let schema_string = action::schema_string(self.columns);
        let Some(before) = self.before else {
            return Some(MetaData {
                id: uuid::Uuid::new_v4().to_string(),
                name: None,
                description: None,
                format: Provider { provider: "parquet".to_owned(), options: BTreeMap::new() },
                schema_string,
                partition_columns: self.partition_by.to_vec(),
                configuration: BTreeMap::new(),
                created_time: Some(self.at),
            });
        };
        let stored = action::fields_of(&before.meta_data.schema_string).ok()?;
        let mut wanted = action::fields_of(&schema_string).ok()?;
        let mut known = stored;
        known.sort();
        wanted.sort();
        let is_same = known == wanted && before.meta_data.partition_columns == self.partition_by;
        (!is_same).then(|| MetaData {
            schema_string,
            partition_columns: self.partition_by.to_vec(),
            ..before.meta_data.clone()
        })
    }

    fn removed(&self, path: &str) -> Option<Remove> {
        let file = self.before?.files.get(path)?;
        Some(Remove {
            path: path.to_owned(),
            deletion_timestamp: Some(self.at),
            data_change: true,
            extended_file_metadata: Some(true),
            partition_values: Some(file.partition_values.clone()),
            size: Some(file.size),
        })
    }

    fn added(&self, staged: &Staged) -> Add {
        let nulls: BTreeMap<&str, u64> =
            staged.n_missing.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        Add {
            path: staged.name.clone(),
            partition_values: self
                .partition_by
                .iter()
                .cloned()
                .zip(staged.partition.iter().cloned())
                .collect(),
            size: i64::try_from(staged.finished.n_bytes).unwrap_or(i64::MAX),
            modification_time: self.at,
            data_change: true,
            stats: Some(json!({"numRecords": staged.rows, "nullCount": nulls}).to_string()),
            tags: None,
            deletion_vector: None,
        }
    }

    fn info(&self) -> serde_json::Value {
        let (operation, mode) = match self.mode {
            Mode::Append => ("WRITE", "Append"),
            Mode::Replace => ("WRITE", "Overwrite"),
            Mode::Merge => ("MERGE", "Merge"),
        };
        json!({
            "timestamp": self.at,
            "operation": operation,
            "operationParameters": {"mode": mode, "partitionBy": serde_json::to_string(self.partition_by).unwrap_or_default()},
            "isBlindAppend": self.mode == Mode::Append,
            "engineInfo": concat!("salus/", env!("CARGO_PKG_VERSION")),
            "salus": {
                "pipeline": self.load.pipeline,
                "source": self.load.source,
                "run": self.load.run,
                "pipelineHash": self.load.pipeline_hash,
                "units": self.units,
                "watermark": self.watermark,
                "attachments": self.attachments,
            }
        })
    }
}
