//! `_sort`: the value of a resource for one key.

use std::cmp::Ordering;

use fhir::definitions::SearchType;

use super::Known;
use crate::ParamId;
use crate::query::{SortBy, SortKey};

/// Values of one key are of one variant, so that they can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Time(i64),
    Text(String),
    Number(Vec<u8>),
}

/// The order that `_sort` asks for; equal when no key tells them apart. What has no value comes last, rising or falling.
pub fn compare(keys: &[SortKey], a: &Known, b: &Known) -> Ordering {
    for key in keys {
        let ordering = match (value(key, a), value(key, b)) {
            (Some(a), Some(b)) if key.descending => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

fn value(key: &SortKey, resource: &Known) -> Option<Value> {
    match key.by {
        SortBy::Id => Some(Value::Text(resource.id.to_string())),
        SortBy::LastUpdated => Some(Value::Time(resource.updated.0)),
        SortBy::Param(param) => {
            let values = values(param, resource).into_iter();
            if key.descending { values.max() } else { values.min() }
        }
    }
}

/// Dates count by their start, numbers and quantities by their lower end as stated, codes without their system.
fn values(param: ParamId, resource: &Known) -> Vec<Value> {
    let rows = &resource.rows;
    match param.def().ty {
        SearchType::Token => {
            let tokens = rows.tokens.iter().filter(|row| row.param == param);
            tokens.filter_map(|row| Some(Value::Text(row.code.as_ref()?.to_string()))).collect()
        }
        SearchType::String => {
            let strings = rows.strings.iter().filter(|row| row.param == param);
            strings.map(|row| Value::Text(row.folded.to_string())).collect()
        }
        SearchType::Date => {
            rows.dates.iter().filter(|row| row.param == param).map(|row| Value::Time(row.low)).collect()
        }
        SearchType::Number => {
            let numbers = rows.numbers.iter().filter(|row| row.param == param);
            numbers.map(|row| Value::Number(row.low.clone())).collect()
        }
        SearchType::Quantity => {
            let quantities = rows.quantities.iter().filter(|row| row.param == param);
            quantities.map(|row| Value::Number(row.value.low.clone())).collect()
        }
        SearchType::Uri => {
            let uris = rows.uris.iter().filter(|row| row.param == param);
            uris.map(|row| Value::Text(row.text.to_string())).collect()
        }
        SearchType::Reference | SearchType::Composite | SearchType::Special => Vec::new(),
    }
}
