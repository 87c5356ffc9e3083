//! Writes checkpoints, so that readers of a long log need not begin at its beginning.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, ListBuilder, MapBuilder, MapFieldNames,
    RecordBatch, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::action::{Add, Remove, Txn};
use super::snapshot::{LOG, Snapshot};
use crate::target::lake::LakeError;
use crate::target::lake::folder::Folder;

/// Commits between two checkpoints, when the table does not say.
const INTERVAL: u64 = 10;
/// How long the log remembers files that were removed, when the table does not say: a week.
const REMEMBERED_MILLIS: i64 = 7 * 24 * 3_600 * 1_000;

/// Whether a checkpoint is due after the commit of a version to a table that was in this state.
pub(super) fn is_due(before: Option<&Snapshot>, version: u64) -> bool {
    let interval = before.and_then(|before| before.setting("delta.checkpointInterval"));
    let interval = interval.and_then(|text| text.parse().ok()).filter(|n| *n > 0).unwrap_or(INTERVAL);
    version > 0 && version.is_multiple_of(interval)
}

/// Writes the checkpoint of a state. `room` is where the file is made.
pub(super) fn write(folder: &Folder, snapshot: &Snapshot, room: &Path, now: i64) -> Result<(), LakeError> {
    let rows = rows_of(snapshot, now)?;
    let path = room.join("checkpoint.parquet");
    let failed =
        |error: parquet::errors::ParquetError| LakeError::new(format!("cannot write a checkpoint: {error}"));
    let io = |error: std::io::Error| LakeError::file("write", "a checkpoint", error.into());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(File::create(&path).map_err(io)?, rows.schema(), Some(properties))
        .map_err(failed)?;
    writer.write(&rows).map_err(failed)?;
    writer.into_inner().map_err(failed)?.sync_all().map_err(io)?;
    let name = format!("{LOG}/{:020}.checkpoint.parquet", snapshot.version);
    folder.publish(&[(path, name)])?;
    let last = serde_json::json!({"version": snapshot.version, "size": rows.num_rows()});
    Ok(folder.put(&format!("{LOG}/_last_checkpoint"), last.to_string().as_bytes())?)
}

/// A column of the checkpoint: a record in the rows from `start`, nothing in the others.
struct Part {
    start: usize,
    n: usize,
    n_rows: usize,
}

impl Part {
    /// The record, from the values of its fields.
    fn record(&self, fields: Vec<(&str, ArrayRef)>) -> Result<ArrayRef, LakeError> {
        let rows = (0..self.n_rows).map(|row| {
            let is_ours = (self.start..self.start + self.n).contains(&row);
            is_ours.then(|| u32::try_from(row - self.start).unwrap_or(u32::MAX))
        });
        let rows: arrow::array::UInt32Array = rows.collect();
        let nulls = NullBuffer::from_iter(rows.iter().map(|row| row.is_some()));
        let mut names = Vec::with_capacity(fields.len());
        let mut arrays = Vec::with_capacity(fields.len());
        for (name, array) in fields {
            names.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(arrow::compute::take(&array, &rows, None)?);
        }
        Ok(Arc::new(StructArray::try_new(Fields::from(names), arrays, Some(nulls))?))
    }
}

fn rows_of(snapshot: &Snapshot, now: i64) -> Result<RecordBatch, LakeError> {
    let keeps_all = snapshot.setting("delta.deletedFileRetentionDuration").is_some();
    let is_kept = |remove: &&Remove| {
        keeps_all || remove.deletion_timestamp.is_none_or(|at| at > now - REMEMBERED_MILLIS)
    };
    let txns: Vec<&Txn> = snapshot.txns.values().collect();
    let removed: Vec<&Remove> = snapshot.removed.values().filter(is_kept).collect();
    let files: Vec<&Add> = snapshot.files.values().collect();
    let n_rows = 2 + txns.len() + removed.len() + files.len();
    let part = |start: usize, n: usize| Part { start, n, n_rows };
    let columns = vec![
        ("protocol", protocol(snapshot, &part(0, 1))?),
        ("metaData", meta_data(snapshot, &part(1, 1))?),
        ("txn", txn(&txns, &part(2, txns.len()))?),
        ("remove", remove(&removed, &part(2 + txns.len(), removed.len()))?),
        ("add", add(&files, &part(n_rows - files.len(), files.len()))?),
    ];
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect())?)
}

fn protocol(snapshot: &Snapshot, part: &Part) -> Result<ArrayRef, LakeError> {
    let protocol = &snapshot.protocol;
    let mut fields: Vec<(&str, ArrayRef)> = vec![
        ("minReaderVersion", Arc::new(Int32Array::from(vec![protocol.min_reader_version]))),
        ("minWriterVersion", Arc::new(Int32Array::from(vec![protocol.min_writer_version]))),
    ];
    for (name, features) in
        [("readerFeatures", &protocol.reader_features), ("writerFeatures", &protocol.writer_features)]
    {
        if let Some(features) = features {
            fields.push((name, texts(features)));
        }
    }
    part.record(fields)
}

fn meta_data(snapshot: &Snapshot, part: &Part) -> Result<ArrayRef, LakeError> {
    let table = &snapshot.meta_data;
    let format = Part { start: 0, n: 1, n_rows: 1 }.record(vec![
        ("provider", text([Some(&table.format.provider)])),
        ("options", maps([Some(&table.format.options)])?),
    ])?;
    part.record(vec![
        ("id", text([Some(&table.id)])),
        ("name", text([table.name.as_ref()])),
        ("description", text([table.description.as_ref()])),
        ("format", format),
        ("schemaString", text([Some(&table.schema_string)])),
        ("partitionColumns", texts(&table.partition_columns)),
        ("configuration", maps([Some(&table.configuration)])?),
        ("createdTime", long([table.created_time])),
    ])
}

fn txn(txns: &[&Txn], part: &Part) -> Result<ArrayRef, LakeError> {
    part.record(vec![
        ("appId", text(txns.iter().map(|txn| Some(&txn.app_id)))),
        ("version", long(txns.iter().map(|txn| Some(txn.version)))),
        ("lastUpdated", long(txns.iter().map(|txn| txn.last_updated))),
    ])
}

fn remove(removed: &[&Remove], part: &Part) -> Result<ArrayRef, LakeError> {
    let all = removed.iter();
    part.record(vec![
        ("path", text(all.clone().map(|remove| Some(&remove.path)))),
        ("deletionTimestamp", long(all.clone().map(|remove| remove.deletion_timestamp))),
        ("dataChange", flag(all.clone().map(|_| Some(false)))),
        ("extendedFileMetadata", flag(all.clone().map(|remove| remove.extended_file_metadata))),
        ("partitionValues", maps(all.clone().map(|remove| remove.partition_values.as_ref()))?),
        ("size", long(all.map(|remove| remove.size))),
    ])
}

fn add(files: &[&Add], part: &Part) -> Result<ArrayRef, LakeError> {
    let all = files.iter();
    part.record(vec![
        ("path", text(all.clone().map(|add| Some(&add.path)))),
        ("partitionValues", maps(all.clone().map(|add| Some(&add.partition_values)))?),
        ("size", long(all.clone().map(|add| Some(add.size)))),
        ("modificationTime", long(all.clone().map(|add| Some(add.modification_time)))),
        ("dataChange", flag(all.clone().map(|_| Some(false)))),
        ("tags", maps(all.clone().map(|add| add.tags.as_ref()))?),
        ("stats", text(all.map(|add| add.stats.as_ref()))),
    ])
}

fn text<'a>(values: impl IntoIterator<Item = Option<&'a String>>) -> ArrayRef {
    Arc::new(values.into_iter().map(|value| value.map(String::as_str)).collect::<StringArray>())
}

fn long(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Int64Array>())
}

fn flag(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<BooleanArray>())
}

/// One list of texts.
fn texts(values: &[String]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for value in values {
        builder.values().append_value(value);
    }
    builder.append(true);
    Arc::new(builder.finish())
}

fn maps<'a>(
    values: impl IntoIterator<Item = Option<&'a BTreeMap<String, Option<String>>>>,
) -> Result<ArrayRef, LakeError> {
    let names =
        MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for map in values {
        for (key, value) in map.into_iter().flatten() {
            builder.keys().append_value(key);
            builder.values().append_option(value.as_ref());
        }
        builder.append(map.is_some())?;
    }
    Ok(Arc::new(builder.finish()))
}
