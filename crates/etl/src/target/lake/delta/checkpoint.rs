//! Reads checkpoints of a Delta log: the state of a table as a Parquet file.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::action::{Add, Line, MetaData, Protocol, Provider, Remove, Txn};
use super::snapshot::LOG;
use crate::target::lake::LakeError;

/// A checkpoint that is complete.
#[derive(Debug)]
pub(crate) struct Found {
    /// The version whose state it holds.
    pub(crate) version: u64,
    /// Its files.
    pub(crate) names: Vec<String>,
}

/// The newest complete checkpoint among the names of a log.
pub(crate) fn newest(names: &[String]) -> Result<Option<Found>, LakeError> {
    let mut found: BTreeMap<u64, BTreeMap<u64, Vec<String>>> = BTreeMap::new();
    for name in names {
        let Some(own) = name.strip_prefix(LOG).and_then(|name| name.strip_prefix('/')) else { continue };
        let parts: Vec<&str> = own.split('.').collect();
        let (version, n_parts) = match parts.as_slice() {
            [version, "checkpoint", "parquet"] => (*version, "1"),
            [version, "checkpoint", _, n_parts, "parquet"] => (*version, *n_parts),
            // A checkpoint with a name of its own needs the feature `v2Checkpoint`, which is refused where it is announced.
            _ => continue,
        };
        if let (Ok(version), Ok(n_parts)) = (version.parse(), n_parts.parse()) {
            found.entry(version).or_default().entry(n_parts).or_default().push(name.clone());
        }
    }
    for (version, by_parts) in found.into_iter().rev() {
        for (n_parts, mut names) in by_parts {
            if names.len() as u64 == n_parts {
                names.sort();
                return Ok(Some(Found { version, names }));
            }
        }
    }
    Ok(None)
}

/// Reads the lines of a file of a checkpoint.
pub(crate) fn read(
    path: &Path,
    name: &str,
    each: &mut dyn FnMut(Line) -> Result<(), LakeError>,
) -> Result<(), LakeError> {
    let damaged = |why: String| LakeError::new(format!("the checkpoint `{name}` cannot be read: {why}"));
    let file = File::open(path).map_err(|error| damaged(error.to_string()))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(error.to_string()))?.build();
    for batch in reader.map_err(|error| damaged(error.to_string()))? {
        let batch = batch.map_err(|error| damaged(error.to_string()))?;
        for row in 0..batch.num_rows() {
            let line =
                line_of(&batch, row).ok_or_else(|| damaged("a line lacks what it must have".to_owned()))?;
            each(line)?;
        }
    }
    Ok(())
}

/// A struct of a row that is there, with readers of its fields.
struct Record<'a> {
    fields: &'a StructArray,
    row: usize,
}

impl<'a> Record<'a> {
    fn of(batch: &'a RecordBatch, name: &str, row: usize) -> Option<Record<'a>> {
        let fields = batch.column_by_name(name)?.as_struct_opt()?;
        (!fields.is_null(row)).then_some(Record { fields, row })
    }

    fn field(&self, name: &str) -> Option<&'a ArrayRef> {
        self.fields.column_by_name(name).filter(|array| !array.is_null(self.row))
    }

    fn text(&self, name: &str) -> Option<String> {
        text(self.field(name)?, self.row)
    }

    fn long(&self, name: &str) -> Option<i64> {
        Some(self.field(name)?.as_primitive_opt::<Int64Type>()?.value(self.row))
    }

    fn int(&self, name: &str) -> Option<i32> {
        Some(self.field(name)?.as_primitive_opt::<Int32Type>()?.value(self.row))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        Some(self.field(name)?.as_boolean_opt()?.value(self.row))
    }

    fn record(&self, name: &str) -> Option<Record<'a>> {
        let fields = self.field(name)?.as_struct_opt()?;
        Some(Record { fields, row: self.row })
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.field(name)?.as_list_opt::<i32>()?.value(self.row);
        (0..list.len()).map(|index| text(&list, index)).collect()
    }

    fn map(&self, name: &str) -> Option<BTreeMap<String, Option<String>>> {
        let entries = self.field(name)?.as_map_opt()?.value(self.row);
        let (keys, values) = (entries.column(0), entries.column(1));
        (0..entries.len()).map(|index| Some((text(keys, index)?, text(values, index)))).collect()
    }
}

fn text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        _ => return None,
    })
}

fn line_of(batch: &RecordBatch, row: usize) -> Option<Line> {
    let mut line = Line::default();
    if let Some(add) = Record::of(batch, "add", row) {
        line.add = Some(Add {
            path: add.text("path")?,
            partition_values: add.map("partitionValues").unwrap_or_default(),
            size: add.long("size")?,
            modification_time: add.long("modificationTime").unwrap_or_default(),
            data_change: false,
            stats: add.text("stats"),
            tags: add.map("tags"),
            deletion_vector: add.record("deletionVector").map(|_| serde_json::Value::Bool(true)),
        });
    } else if let Some(remove) = Record::of(batch, "remove", row) {
        line.remove = Some(Remove {
            path: remove.text("path")?,
            deletion_timestamp: remove.long("deletionTimestamp"),
            data_change: remove.flag("dataChange").unwrap_or_default(),
            extended_file_metadata: remove.flag("extendedFileMetadata"),
            partition_values: remove.map("partitionValues"),
            size: remove.long("size"),
        });
    } else if let Some(txn) = Record::of(batch, "txn", row) {
        line.txn = Some(Txn {
            app_id: txn.text("appId")?,
            version: txn.long("version")?,
            last_updated: txn.long("lastUpdated"),
        });
    } else if let Some(protocol) = Record::of(batch, "protocol", row) {
        line.protocol = Some(Protocol {
            min_reader_version: protocol.int("minReaderVersion")?,
            min_writer_version: protocol.int("minWriterVersion")?,
            reader_features: protocol.texts("readerFeatures"),
            writer_features: protocol.texts("writerFeatures"),
        });
    } else if let Some(table) = Record::of(batch, "metaData", row) {
        let format = table.record("format");
        line.meta_data = Some(MetaData {
            id: table.text("id")?,
            name: table.text("name"),
            description: table.text("description"),
            format: Provider {
                provider: format
                    .as_ref()
                    .and_then(|format| format.text("provider"))
                    .unwrap_or_else(|| "parquet".to_owned()),
                options: format.and_then(|format| format.map("options")).unwrap_or_default(),
            },
            schema_string: table.text("schemaString")?,
            partition_columns: table.texts("partitionColumns").unwrap_or_default(),
            configuration: table.map("configuration").unwrap_or_default(),
            created_time: table.long("createdTime"),
        });
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_checkpoints_count() {
        let names =
            |all: &[&str]| -> Vec<String> { all.iter().map(|name| format!("{LOG}/{name}")).collect() };
        let one = "00000000000000000010.checkpoint.parquet";
        let half = "00000000000000000020.checkpoint.0000000001.0000000002.parquet";
        let other = "00000000000000000020.checkpoint.0000000002.0000000002.parquet";
        let check = |all: &[&str], expected: Option<(u64, usize)>| {
            let found = newest(&names(all)).unwrap();
            assert_eq!(found.map(|found| (found.version, found.names.len())), expected);
        };
        check(&["00000000000000000000.json"], None);
        check(&[one, half], Some((10, 1)));
        check(&[one, half, other], Some((20, 2)));
    }
}
