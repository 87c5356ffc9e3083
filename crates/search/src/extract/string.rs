//! Strings: plain texts and the parts of names and addresses, each a value of its own.

use fhir::Value;

use crate::ParamId;
use crate::fold::fold;
use crate::phonetic::sounds;
use crate::rows::{IndexRows, StringRow};

pub(super) fn text(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let Some(exact) = value.as_str() else { return };
    rows.strings.push(StringRow { param, folded: fold(exact), exact: exact.into() });
}

pub(super) fn human_name(param: ParamId, value: &Value, rows: &mut IndexRows) {
    parts(param, value, &["text", "family", "given", "prefix", "suffix"], rows);
}

/// The sound of a plain name, or of each part of a name of a person, instead of its letters.
pub(super) fn name_sounds(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let start = rows.strings.len();
    match value.as_str() {
        Some(_) => text(param, value, rows),
        None => human_name(param, value, rows),
    }
    for row in &mut rows.strings[start..] {
        row.folded = sounds(&row.folded);
    }
}

pub(super) fn address(param: ParamId, value: &Value, rows: &mut IndexRows) {
    parts(param, value, &["text", "line", "city", "district", "state", "postalCode", "country"], rows);
}

fn parts(param: ParamId, value: &Value, names: &[&str], rows: &mut IndexRows) {
    for name in names {
        for part in value.get(name).map(Value::each).unwrap_or_default() {
            text(param, part, rows);
        }
    }
}
