//! The lines of a Delta log, as the open protocol describes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use table::{Columns, Type};

/// A line of a commit. Names that are not known are left alone: they belong to features, which the protocol line announces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// Who did what, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_info: Option<Json>,
    /// What readers and writers must know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<Protocol>,
    /// The table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta_data: Option<MetaData>,
    /// How far an application is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) txn: Option<Txn>,
    /// A file that is part of the table from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) add: Option<Add>,
    /// A file that is not part of the table any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remove: Option<Remove>,
}

/// What readers and writers must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub(crate) min_reader_version: i32,
    pub(crate) min_writer_version: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reader_features: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) writer_features: Option<Vec<String>>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaData {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) format: Provider,
    pub(crate) schema_string: String,
    pub(crate) partition_columns: Vec<String>,
    #[serde(default)]
    pub(crate) configuration: BTreeMap<String, Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_time: Option<i64>,
}

/// The format of the data files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) provider: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, Option<String>>,
}

/// How far an application is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub(crate) app_id: String,
    pub(crate) version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_updated: Option<i64>,
}

/// A file of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub(crate) path: String,
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    pub(crate) size: i64,
    pub(crate) modification_time: i64,
    pub(crate) data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stats: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_vector: Option<Json>,
}

/// A file that was part of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deletion_timestamp: Option<i64>,
    pub(crate) data_change: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extended_file_metadata: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<i64>,
}

/// What this writer writes: readers of version 1, writers of version 2.
pub(crate) fn protocol() -> Protocol {
    Protocol { min_reader_version: 1, min_writer_version: 2, reader_features: None, writer_features: None }
}

/// The schema of a table with these columns, as the log holds it.
pub(crate) fn schema_string(columns: &Columns) -> String {
    let fields = columns.iter().map(|column| {
        serde_json::json!({
            "name": &*column.name,
            "type": type_name(column.kind),
            "nullable": true,
            "metadata": {}
        })
    });
    serde_json::json!({"type": "struct", "fields": fields.collect::<Vec<_>>()}).to_string()
}

/// The protocol's word for a type.
pub(crate) fn type_name(kind: Type) -> String {
    match kind {
        Type::Text => "string".to_owned(),
        Type::Integer => "long".to_owned(),
        Type::Number => "double".to_owned(),
        Type::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        Type::Date => "date".to_owned(),
        Type::Instant => "timestamp".to_owned(),
        Type::Boolean => "boolean".to_owned(),
    }
}

/// Names and types of the fields in a schema of the log, with a look at what this writer cannot keep up.
pub(crate) fn fields_of(schema: &str) -> Result<Vec<(String, String)>, String> {
    let json: Json =
        serde_json::from_str(schema).map_err(|error| format!("its schema cannot be read: {error}"))?;
    let fields = json["fields"].as_array().ok_or("its schema has no fields")?;
    let mut found = Vec::with_capacity(fields.len());
    for field in fields {
        let name = field["name"].as_str().ok_or("a field of its schema has no name")?;
        let metadata = field["metadata"].as_object();
        let has = |key: &str| metadata.is_some_and(|metadata| metadata.contains_key(key));
        if has("delta.invariants") || has("delta.generationExpression") {
            return Err(format!("the column `{name}` has a rule of its own, which salus does not check"));
        }
        if field["nullable"].as_bool() == Some(false) {
            return Err(format!(
                "the column `{name}` must not be missing, which salus does not check: make it nullable"
            ));
        }
        let kind = field["type"].as_str().map_or_else(|| field["type"].to_string(), str::to_owned);
        found.push((name.to_owned(), kind));
    }
    Ok(found)
}
