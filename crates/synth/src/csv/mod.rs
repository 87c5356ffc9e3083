//! Tables: rows are read off the resources, so that they agree with them. RFC 4180 with a header line and `\n`.

mod tables;

use fhir::Value;

use crate::write::{Pieces, piece};
use tables::{TABLES, Table};

/// Header lines of every table.
pub(crate) fn add_headers(pieces: &mut Pieces) {
    for table in TABLES {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let file = piece(pieces, table.file, ".csv");
        file.extend_from_slice(names.join(",").as_bytes());
        file.push(b'\n');
    }
}

/// Rows of resources.
pub(crate) fn add(pieces: &mut Pieces, resources: &[Value]) {
    for resource in resources {
        let kind = resource.text("resourceType").expect("a resource has a type");
        let Some(table) = TABLES.iter().find(|table| table.kind == kind) else { continue };
        let file = piece(pieces, table.file, ".csv");
        let items = table.per.and_then(|list| resource.get(list)).map_or(&[][..], Value::items);
        if items.is_empty() && !table.per_only {
            add_row(file, table, resource, resource);
        }
        for item in items {
            add_row(file, table, resource, item);
        }
    }
}

fn add_row(file: &mut Vec<u8>, table: &Table, resource: &Value, item: &Value) {
    for (at, (_, path)) in table.columns.iter().enumerate() {
        if at > 0 {
            file.push(b',');
        }
        let value = match path.strip_prefix('.') {
            Some(path) => find(item, path),
            None => find(resource, path),
        };
        let text = match value {
            Some(Value::String(text)) => text.as_str(),
            Some(Value::Number(number)) => number.as_str(),
            Some(Value::Bool(true)) => "true",
            Some(Value::Bool(false)) => "false",
            _ => "",
        };
        add_cell(
            file,
            if path.ends_with("reference") { text.rsplit('/').next().unwrap_or(text) } else { text },
        );
    }
    file.push(b'\n');
}

/// The value at a path: names step into members, of lists the first item; `=race` picks the extension whose URL ends so, `?loinc.org`
/// the coding whose system ends so.
fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut here = value;
    for step in path.split(' ') {
        here = match (step.strip_prefix('='), step.strip_prefix('?')) {
            (Some(end), _) => picked(here, "url", end)?,
            (_, Some(end)) => picked(here, "system", end)?,
            _ => here.each().first()?.get(step)?,
        };
    }
    here.each().first()
}

fn picked<'a>(list: &'a Value, key: &str, end: &str) -> Option<&'a Value> {
    list.items().iter().find(|item| item.text(key).is_some_and(|text| text.ends_with(end)))
}

fn add_cell(file: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\n', '\r']) {
        file.extend_from_slice(text.as_bytes());
        return;
    }
    file.push(b'"');
    file.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    file.push(b'"');
}

#[cfg(test)]
mod tests {
    use fhir::json;

    use super::*;

    #[test]
    fn paths_pick_and_cells_are_quoted() {
        let value = json!({
            "code": {"coding": [{"system": "http://a", "code": "1"}, {"system": "http://b", "code": "2"}]},
            "name": [{"given": ["x, \"y\"", "z"]}]
        });
        let text = |path| find(&value, path).and_then(Value::as_str);
        assert_eq!(text("code coding code"), Some("1"));
        assert_eq!(text("code coding ?b code"), Some("2"));
        assert_eq!(text("code coding ?c code"), None);
        let mut file = Vec::new();
        add_cell(&mut file, text("name given").unwrap());
        assert_eq!(file, br#""x, ""y""""#);
    }
}
