//! One event as the JSON of OpenLineage.

use serde_json::{Map, Value as Json, json};
use table::{Columns, Type};

use crate::lineage::facets::{self, PRODUCER};
use crate::lineage::{About, Input, Output};

const SCHEMA_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event(Json);

impl Event {
    /// The run begins.
    pub fn start(about: &About<'_>) -> Event {
        Event::of("START", about, None)
    }

    /// The run ended well.
    pub fn complete(about: &About<'_>) -> Event {
        Event::of("COMPLETE", about, None)
    }

    /// The run failed. `why` names places and reasons, never values of rows.
    pub fn fail(about: &About<'_>, why: &str) -> Event {
        Event::of("FAIL", about, Some(why))
    }

    /// As JSON on one line, without a line break.
    pub fn to_line(&self) -> String {
        self.0.to_string()
    }

    /// As JSON.
    pub fn json(&self) -> &Json {
        &self.0
    }

    fn of(kind: &str, about: &About<'_>, why: Option<&str>) -> Event {
        let mut run_facets = Map::new();
        run_facets.insert("processing_engine".to_owned(), facets::engine());
        if let Some(parent) = &about.parent {
            run_facets.insert("parent".to_owned(), facets::parent(parent));
        }
        if let Some(why) = why {
            run_facets.insert("errorMessage".to_owned(), facets::error_message(why));
        }
        Event(json!({
            "eventType": kind,
            "eventTime": about.at.to_string(),
            "producer": PRODUCER,
            "schemaURL": SCHEMA_URL,
            "run": { "runId": about.run.to_string(), "facets": run_facets },
            "job": {
                "namespace": about.job.namespace,
                "name": about.job.name,
                "facets": { "jobType": facets::job_type() },
            },
            "inputs": about.inputs.iter().map(input).collect::<Vec<_>>(),
            "outputs": about.outputs.iter().map(output).collect::<Vec<_>>(),
        }))
    }
}

fn input(input: &Input<'_>) -> Json {
    let mut own = Map::new();
    if let Some(quality) = input.quality {
        own.insert("dataQualityAssertions".to_owned(), facets::assertions(quality));
        own.insert("dataQualityMetrics".to_owned(), facets::metrics(quality));
    }
    json!({
        "namespace": input.dataset.namespace,
        "name": input.dataset.name,
        "facets": dataset_facets(input.columns, None),
        "inputFacets": own,
    })
}

fn output(output: &Output<'_>) -> Json {
    let lineage = (!output.made_from.is_empty()).then(|| facets::column_lineage(&output.made_from));
    let mut own = Map::new();
    if output.n_rows.is_some() || output.n_bytes.is_some() {
        own.insert("outputStatistics".to_owned(), facets::statistics(output.n_rows, output.n_bytes));
    }
    json!({
        "namespace": output.dataset.namespace,
        "name": output.dataset.name,
        "facets": dataset_facets(output.columns, lineage),
        "outputFacets": own,
    })
}

fn dataset_facets(columns: Option<&Columns>, lineage: Option<Json>) -> Map<String, Json> {
    let mut facets = Map::new();
    if let Some(columns) = columns {
        let fields = columns.iter().map(|column| (&*column.name, type_name(column.kind)));
        facets.insert("schema".to_owned(), facets::schema(fields));
    }
    if let Some(lineage) = lineage {
        facets.insert("columnLineage".to_owned(), lineage);
    }
    facets
}

fn type_name(kind: Type) -> String {
    kind.to_string()
}
