//! The state of a Delta table: the last checkpoint and the commits after it.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Add, Line, MetaData, Protocol, Remove, Txn, fields_of};
use super::checkpoint;
use crate::target::lake::LakeError;
use crate::target::lake::folder::Folder;

/// Name of the folder of the log.
pub(crate) const LOG: &str = "_delta_log";

/// The state of a table at a version.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The last commit.
    pub(crate) version: u64,
    /// What readers and writers must know.
    pub(crate) protocol: Protocol,
    /// The table.
    pub(crate) meta_data: MetaData,
    /// Files by path, as the log writes it.
    pub(crate) files: BTreeMap<String, Add>,
    /// Files that are no longer part of the table, as far as the log knows them.
    pub(crate) removed: BTreeMap<String, Remove>,
    /// How far applications are.
    pub(crate) txns: BTreeMap<String, Txn>,
}

/// A state that is being read.
#[derive(Default)]
struct Growing {
    protocol: Option<Protocol>,
    meta_data: Option<MetaData>,
    files: BTreeMap<String, Add>,
    removed: BTreeMap<String, Remove>,
    txns: BTreeMap<String, Txn>,
}

impl Growing {
    fn take(&mut self, line: Line) -> Result<(), LakeError> {
        if let Some(protocol) = line.protocol {
            check_protocol(&protocol).map_err(LakeError::new)?;
            self.protocol = Some(protocol);
        }
        if let Some(meta_data) = line.meta_data {
            self.meta_data = Some(meta_data);
        }
        if let Some(txn) = line.txn {
            self.txns.insert(txn.app_id.clone(), txn);
        }
        if let Some(remove) = line.remove {
            self.files.remove(&remove.path);
            self.removed.insert(remove.path.clone(), remove);
        }
        if let Some(add) = line.add {
            if add.deletion_vector.is_some() {
                return Err(LakeError::new(
                    "the table uses deletion vectors, which are not supported: rewrite it without them (`REORG TABLE … APPLY (PURGE)`)",
                ));
            }
            self.removed.remove(&add.path);
            self.files.insert(add.path.clone(), add);
        }
        Ok(())
    }
}

impl Snapshot {
    /// The newest state; `None` where there is no table. `scratch` is where checkpoints may be copied to.
    pub(crate) fn read(folder: &Folder, scratch: &std::path::Path) -> Result<Option<Snapshot>, LakeError> {
        let names = folder.list(LOG, "")?;
        let commits: BTreeSet<u64> = names.iter().filter_map(|name| version_of(name)).collect();
        let checkpoint = checkpoint::newest(&names)?;
        let Some(version) = commits.last().copied().max(checkpoint.as_ref().map(|found| found.version))
        else {
            return Ok(None);
        };
        let mut state = Growing::default();
        let mut next = 0;
        if let Some(found) = checkpoint {
            for name in &found.names {
                let path = folder.fetch(name, scratch)?;
                checkpoint::read(&path, name, &mut |line| state.take(line))?;
            }
            next = found.version + 1;
        }
        for commit in next..=version {
            let name = commit_name(commit);
            let Some((bytes, _)) = folder.read(&name)? else {
                return Err(LakeError::new(format!("`{name}` is missing: the log of the table is damaged")));
            };
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                let line: Line = serde_json::from_slice(line)
                    .map_err(|error| LakeError::new(format!("`{name}` cannot be read: {error}")))?;
                state.take(line)?;
            }
        }
        let (Some(protocol), Some(meta_data)) = (state.protocol, state.meta_data) else {
            return Err(LakeError::new("the log of the table has no protocol or no schema: it is damaged"));
        };
        check_table(&meta_data).map_err(LakeError::new)?;
        let (files, removed, txns) = (state.files, state.removed, state.txns);
        Ok(Some(Snapshot { version, protocol, meta_data, files, removed, txns }))
    }

    /// Names and types of the columns.
    pub(crate) fn fields(&self) -> Result<Vec<(String, String)>, LakeError> {
        fields_of(&self.meta_data.schema_string)
            .map_err(|why| LakeError::new(format!("the table is not supported: {why}")))
    }

    /// Whether only new rows may be added.
    pub(crate) fn is_append_only(&self) -> bool {
        self.setting("delta.appendOnly").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A setting of the table.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.meta_data.configuration.get(name)?.as_deref()
    }
}

/// The name of a commit.
pub(crate) fn commit_name(version: u64) -> String {
    format!("{LOG}/{version:020}.json")
}

/// The version of a commit by its name.
fn version_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(LOG)?.strip_prefix('/')?.strip_suffix(".json")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Refuses what would be read or written wrongly.
fn check_protocol(protocol: &Protocol) -> Result<(), String> {
    let unknown = |features: &Option<Vec<String>>, known: &[&str]| -> Vec<String> {
        let all = features.iter().flatten();
        all.filter(|feature| !known.contains(&feature.as_str()))
            .map(|feature| format!("`{feature}`"))
            .collect()
    };
    let mut features = unknown(&protocol.reader_features, &[]);
    features.extend(unknown(&protocol.writer_features, &["appendOnly", "invariants"]));
    features.dedup();
    if !features.is_empty() {
        return Err(format!("the table uses {}, which this writer does not know", features.join(", ")));
    }
    let by_features = protocol.reader_features.is_some() || protocol.writer_features.is_some();
    let (reader, writer) = (protocol.min_reader_version, protocol.min_writer_version);
    let reader_fits = reader == 1 || (reader == 3 && by_features);
    let writer_fits = writer <= 2 || (writer == 7 && by_features);
    if reader_fits && writer_fits {
        Ok(())
    } else {
        Err(format!(
            "the table needs readers of version {reader} and writers of version {writer}; this writer is of version 1 and 2 (no column mapping, constraints, generated columns, change data feed)"
        ))
    }
}

fn check_table(meta_data: &MetaData) -> Result<(), String> {
    if meta_data.format.provider != "parquet" {
        return Err(format!("the table holds {} files, not Parquet", meta_data.format.provider));
    }
    let mode = meta_data.configuration.get("delta.columnMapping.mode").and_then(Option::as_deref);
    if mode.is_some_and(|mode| mode != "none") {
        return Err("the table maps column names, which is not supported".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_with_unknown_features_are_refused() {
        let check = |reader, writer, features: Option<&[&str]>| {
            let features = features.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
            check_protocol(&Protocol {
                min_reader_version: reader,
                min_writer_version: writer,
                reader_features: features.as_ref().map(|_| Vec::new()),
                writer_features: features,
            })
        };
        assert!(check(1, 1, None).is_ok());
        assert!(check(1, 2, None).is_ok());
        assert!(check(3, 7, Some(&["appendOnly", "invariants"])).is_ok());
        assert!(check(3, 7, Some(&["deletionVectors"])).unwrap_err().contains("`deletionVectors`"));
        assert!(check(2, 5, None).unwrap_err().contains("column mapping"));
        assert!(check(1, 4, None).is_err());
        assert_eq!(version_of("_delta_log/00000000000000000012.json"), Some(12));
        assert_eq!(version_of("_delta_log/00000000000000000012.crc"), None);
        assert_eq!(version_of("_delta_log/_last_checkpoint"), None);
    }
}
