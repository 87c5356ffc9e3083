//! The plan of the extractor finds what FHIRPath finds: every path expression of R4 is evaluated both ways on synthetic patients.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::BTreeMap;

use fhir::definitions::SearchType;
use fhir::json::Limits;
use fhir::{Instant, Resource, Value};
use fhirpath::{Context, Expression};
use search::{EquityRules, Extractor, IndexRows, ParamId};

/// How many values FHIRPath finds that a conversion of their type can take in, and how many rows there are, by parameter.
#[test]
fn values_are_found_where_fhirpath_finds_them() {
    let Some(folder) = testkit::shared_data("synthea-r4-bundles.tar.zst") else { return };
    let extractor = Extractor::new(Vec::new(), EquityRules::default());
    let mut expressions: BTreeMap<ParamId, Expression> = BTreeMap::new();
    let mut n_resources = 0;
    for resource in resources(&folder, 8) {
        n_resources += 1;
        let rows = extractor.extract(&resource, Instant(0));
        for param in ParamId::of_kind(resource.kind()) {
            let search::param::Source::Expression(text) = param.def().source else { continue };
            if param.def().ty == SearchType::Composite {
                // What it stands on is there or not whatever its parts are; cases look at composites.
                continue;
            }
            let expression = expressions
                .entry(param)
                .or_insert_with(|| Expression::parse(text).expect("R4 writes FHIRPath"));
            let found = expression.evaluate(&Context::new(&resource)).expect("the limits are large");
            let found: Vec<_> =
                found.into_iter().filter(|item| item.value().is_none_or(is_indexed)).collect();
            assert_eq!(
                !found.is_empty(),
                is_there(&rows, param),
                "{param} of {resource:?}: FHIRPath finds {}",
                found.len()
            );
            if let Some(n_rows) = countable(&rows, param) {
                assert_eq!(found.len(), n_rows, "{param} of {resource:?}");
            }
        }
    }
    assert!(n_resources > 1_000, "only {n_resources} resources");
}

fn is_there(rows: &IndexRows, param: ParamId) -> bool {
    rows.tokens.iter().any(|row| row.param == param)
        || rows.strings.iter().any(|row| row.param == param)
        || rows.dates.iter().any(|row| row.param == param)
        || rows.numbers.iter().any(|row| row.param == param)
        || rows.quantities.iter().any(|row| row.param == param)
        || rows.references.iter().any(|row| row.param == param)
        || rows.uris.iter().any(|row| row.param == param)
}

/// References into the resource itself, and those with a display only, are no values.
fn is_indexed(value: &Value) -> bool {
    let is_reference =
        value.get("display").is_some() && value.get("code").is_none() && value.get("system").is_none();
    let inside = value.text("reference").is_some_and(|text| text.starts_with('#'));
    let only_display = is_reference && value.get("reference").is_none() && value.get("identifier").is_none();
    !inside && !only_display
}

/// Rows where there is one for each value.
fn countable(rows: &IndexRows, param: ParamId) -> Option<usize> {
    match param.def().ty {
        SearchType::Date => Some(rows.dates.iter().filter(|row| row.param == param).count()),
        SearchType::Number => Some(rows.numbers.iter().filter(|row| row.param == param).count()),
        SearchType::Quantity => Some(rows.quantities.iter().filter(|row| row.param == param).count()),
        SearchType::Uri => Some(rows.uris.iter().filter(|row| row.param == param).count()),
        _ => None,
    }
}

fn resources(folder: &std::path::Path, n_files: usize) -> Vec<Resource> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let mut resources = Vec::new();
    for file in files.into_iter().take(n_files) {
        let bytes = std::fs::read(file).unwrap();
        let bundle = fhir::json::parse(&bytes, &Limits::default()).unwrap();
        let entries = bundle.get("entry").map(Value::items).unwrap_or_default();
        resources.extend(entries.iter().map(|entry| {
            let mut value = entry.get("resource").unwrap().clone();
            // References inside a bundle name its entries; in a store they name resources.
            fhir::bundle::visit_references_mut(&mut value, &mut |text| {
                if let Some(uuid) = text.strip_prefix("urn:uuid:") {
                    *text = compact_str::format_compact!("Patient/{uuid}");
                }
            });
            Resource::from_value(value).unwrap()
        }));
    }
    resources
}

fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
