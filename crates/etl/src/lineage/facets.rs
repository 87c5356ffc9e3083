//! The facets of OpenLineage that events carry, each with the version of its schema.

use serde_json::{Map, Value as Json, json};

use crate::check::Severity;
use crate::lineage::{Made, MadeFrom, Parent};
use crate::report::{RuleQuality, SourceQuality};

/// Who wrote the event.
pub(super) const PRODUCER: &str = concat!("urn:salus:etl:", env!("CARGO_PKG_VERSION"));

/// A facet of a schema such as `SchemaDatasetFacet` in version `1-2-0`.
fn facet(name: &str, version: &str, content: Json) -> Json {
    let mut facet = Map::new();
    facet.insert("_producer".to_owned(), PRODUCER.into());
    let url = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
    facet.insert("_schemaURL".to_owned(), url.into());
    if let Json::Object(content) = content {
        facet.extend(content);
    }
    Json::Object(facet)
}

pub(super) fn engine() -> Json {
    let version = env!("CARGO_PKG_VERSION");
    facet("ProcessingEngineRunFacet", "1-1-1", json!({ "name": "salus", "version": version }))
}

pub(super) fn job_type() -> Json {
    let content = json!({ "processingType": "BATCH", "integration": "SALUS", "jobType": "PIPELINE" });
    facet("JobTypeJobFacet", "2-0-4", content)
}

pub(super) fn parent(parent: &Parent) -> Json {
    let content = json!({
        "run": { "runId": parent.run.to_string() },
        "job": { "namespace": parent.job.namespace, "name": parent.job.name },
    });
    facet("ParentRunFacet", "1-2-0", content)
}

pub(super) fn error_message(why: &str) -> Json {
    facet("ErrorMessageRunFacet", "1-0-1", json!({ "message": why, "programmingLanguage": "Rust" }))
}

pub(super) fn schema<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> Json {
    let fields: Vec<Json> = fields
        .enumerate()
        .map(|(at, (name, kind))| json!({ "name": name, "type": kind, "ordinal_position": at + 1 }))
        .collect();
    facet("SchemaDatasetFacet", "1-2-0", json!({ "fields": fields }))
}

pub(super) fn column_lineage(columns: &[Made]) -> Json {
    let field = |from: &MadeFrom| {
        let subtype = if from.is_same { "IDENTITY" } else { "TRANSFORMATION" };
        json!({
            "namespace": from.dataset.namespace,
            "name": from.dataset.name,
            "field": from.column,
            "transformations": [{ "type": "DIRECT", "subtype": subtype, "masking": from.is_masked }],
        })
    };
    let fields: Map<String, Json> = columns
        .iter()
        .map(|made| {
            let from: Vec<Json> = made.from.iter().map(field).collect();
            (made.column.clone(), json!({ "inputFields": from }))
        })
        .collect();
    facet("ColumnLineageDatasetFacet", "1-2-0", json!({ "fields": fields }))
}

pub(super) fn statistics(n_rows: Option<u64>, n_bytes: Option<u64>) -> Json {
    let mut content = Map::new();
    content.extend(n_rows.map(|n| ("rowCount".to_owned(), n.into())));
    content.extend(n_bytes.map(|n| ("size".to_owned(), n.into())));
    facet("OutputStatisticsOutputDatasetFacet", "1-0-2", Json::Object(content))
}

/// One assertion per assessed rule and column. What was not assessed asserts nothing.
pub(super) fn assertions(quality: &SourceQuality) -> Json {
    let mut all = Vec::new();
    for rule in &quality.rules {
        let Some(success) = rule.passed else { continue };
        if rule.columns.is_empty() {
            all.push(assertion(rule, success, None));
        }
        for column in &rule.columns {
            all.push(assertion(rule, success, Some(column)));
        }
    }
    facet("DataQualityAssertionsDatasetFacet", "1-1-0", json!({ "assertions": all }))
}

fn assertion(rule: &RuleQuality, success: bool, column: Option<&str>) -> Json {
    let is_error = rule.is_broken() || rule.severity == Severity::Fatal;
    let mut content = json!({
        "assertion": rule.rule,
        "name": rule.id,
        "success": success,
        "severity": if is_error { "error" } else { "warn" },
        "expected": rule.must,
        "actual": format!("{} of {} fail", rule.n_failed, rule.n_assessed),
    });
    if let (Some(column), Json::Object(content)) = (column, &mut content) {
        content.insert("column".to_owned(), column.into());
    }
    content
}

pub(super) fn metrics(quality: &SourceQuality) -> Json {
    let columns: Map<String, Json> = quality
        .columns
        .iter()
        .map(|column| {
            let counts = json!({ "nullCount": column.n_missing, "count": column.n_present });
            (column.column.clone(), counts)
        })
        .collect();
    let content = json!({ "rowCount": quality.n_rows, "columnMetrics": columns });
    facet("DataQualityMetricsInputDatasetFacet", "1-0-3", content)
}
