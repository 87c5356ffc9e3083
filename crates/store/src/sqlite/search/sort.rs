//! `_sort`: the value of a resource for one key, and the order of resources. What has no value comes last, rising or falling.

use std::cmp::Ordering;

use fhir::Instant;
use fhir::definitions::SearchType;
use search::{Extractor, SortBy, SortKey};

use super::cx::Cx;
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::Try;
use crate::sqlite::hash::id_text;
use crate::sqlite::index::blob;
use crate::sqlite::index::row::{Row, Sort};
use crate::sqlite::read::current::ByRid;

/// What a resource is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SortValue {
    /// It has no value.
    Missing,
    /// A time.
    Int(i64),
    /// A text.
    Text(String),
    /// A number's key.
    Bytes(Vec<u8>),
}

/// A match with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranked {
    pub(super) values: Vec<SortValue>,
    pub(super) rid: i64,
}

impl SortValue {
    fn compare(&self, other: &SortValue) -> Ordering {
        match (self, other) {
            (SortValue::Int(a), SortValue::Int(b)) => a.cmp(b),
            (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
            (SortValue::Bytes(a), SortValue::Bytes(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            SortValue::Int(_) => 0,
            SortValue::Text(_) => 1,
            SortValue::Bytes(_) => 2,
            SortValue::Missing => 3,
        }
    }
}

/// Order by the keys, then by row number.
pub(super) fn compare(keys: &[SortKey], a: &Ranked, b: &Ranked) -> Ordering {
    for (key, (a, b)) in keys.iter().zip(a.values.iter().zip(&b.values)) {
        let ordering = match (a, b) {
            (SortValue::Missing, SortValue::Missing) => Ordering::Equal,
            (SortValue::Missing, _) => Ordering::Greater,
            (_, SortValue::Missing) => Ordering::Less,
            (a, b) if key.descending => b.compare(a),
            (a, b) => a.compare(b),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    a.rid.cmp(&b.rid)
}

/// The values of a row for all keys.
pub(super) fn values(cx: &Cx<'_>, extractor: &Extractor, keys: &[SortKey], rid: i64) -> Try<Vec<SortValue>> {
    keys.iter().map(|key| value(cx, extractor, key, rid)).collect()
}

fn value(cx: &Cx<'_>, extractor: &Extractor, key: &SortKey, rid: i64) -> Try<SortValue> {
    let param = match key.by {
        SortBy::Id => {
            cx.spend(1)?;
            let mut statement = cx.conn.prepare_cached("SELECT id FROM resource WHERE rid = ?1")?;
            let id = statement.query_row([rid], |row| id_text(row, 0))?;
            return Ok(SortValue::Text(id.into()));
        }
        SortBy::LastUpdated => {
            let entry = cx.entry(rid)?;
            return Ok(entry.map_or(SortValue::Missing, |entry| SortValue::Int(entry.updated.0)));
        }
        SortBy::Param(param) => param,
    };
    let mut values = Vec::new();
    match (param.def().ty, cx.ps(param, Facet::Value)) {
        (SearchType::Token, ps) if !ps.is_empty() => values = codes(cx, extractor, param, rid)?,
        (ty, ps) => {
            for p in ps {
                values.extend(indexed(cx, ty, p, rid)?);
            }
        }
    }
    Ok(best(key, values))
}

/// Of several values the first in the direction of the key.
fn best(key: &SortKey, values: Vec<SortValue>) -> SortValue {
    let mut values = values.into_iter();
    let Some(first) = values.next() else { return SortValue::Missing };
    let wanted = if key.descending { Ordering::Greater } else { Ordering::Less };
    values.fold(first, |best, other| if other.compare(&best) == wanted { other } else { best })
}

/// The value of a row for a key that is a parameter with readable values in the index.
pub(super) fn indexed_value(
    cx: &Cx<'_>,
    key: &SortKey,
    (ty, p): (SearchType, u32),
    rid: i64,
) -> Try<SortValue> {
    Ok(best(key, indexed(cx, ty, p, rid)?))
}

/// Values that the index has in readable form. Dates count by their start, numbers and quantities by their lower end as stated.
fn indexed(cx: &Cx<'_>, ty: SearchType, p: u32, rid: i64) -> Try<Vec<SortValue>> {
    let sort = match ty {
        SearchType::String => Sort::Text,
        SearchType::Date => Sort::Date,
        SearchType::Number => Sort::Number,
        SearchType::Quantity => Sort::Quantity,
        SearchType::Uri => Sort::Uri,
        SearchType::Token | SearchType::Reference | SearchType::Composite | SearchType::Special => {
            return Ok(Vec::new());
        }
    };
    let forward = cx.forward(rid)?;
    let mut values = Vec::new();
    for row in blob::find(&forward, sort, p).flatten() {
        values.extend(match row {
            Row::Text { text, .. } => Some(SortValue::Text(text.into())),
            Row::Date { lo, .. } => Some(SortValue::Int(lo)),
            Row::Number { lo, .. } => Some(SortValue::Bytes(lo)),
            Row::Quantity { u, lo, .. } => is_stated(cx, u)?.then_some(SortValue::Bytes(lo)),
            Row::Uri { n, .. } => {
                let mut statement = cx.conn.prepare_cached("SELECT text FROM name WHERE n = ?1")?;
                Some(SortValue::Text(statement.query_row([n], |row| row.get(0))?))
            }
            _ => None,
        });
    }
    Ok(values)
}

fn is_stated(cx: &Cx<'_>, u: u32) -> Try<bool> {
    let mut statement = cx.conn.prepare_cached("SELECT canonical FROM unit WHERE u = ?1")?;
    Ok(statement.query_row([u], |row| row.get::<_, i64>(0))? == 0)
}

/// Codes are hashes in the index: their texts come from the body.
fn codes(cx: &Cx<'_>, extractor: &Extractor, param: search::ParamId, rid: i64) -> Try<Vec<SortValue>> {
    // Unpacking, parsing and extracting costs about as much as looking at so many rows.
    cx.spend(32)?;
    let Some(stored) = ByRid::prepare(cx.conn)?.get(cx.catalog, rid)? else { return Ok(Vec::new()) };
    let rows = extractor.extract(&stored.body.resource()?, Instant(stored.updated.0));
    let of_param = rows.tokens.into_iter().filter(|row| row.param == param);
    Ok(of_param.filter_map(|row| Some(SortValue::Text(row.code?.into()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(descending: bool, values: [SortValue; 3], expected: [i64; 3]) {
        let keys = [SortKey { by: SortBy::Id, descending }];
        let mut all: Vec<Ranked> =
            values.into_iter().zip(1..).map(|(value, rid)| Ranked { values: vec![value], rid }).collect();
        all.sort_by(|a, b| compare(&keys, a, b));
        assert_eq!(all.iter().map(|ranked| ranked.rid).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_missing_comes_last_either_way() {
        check(false, [SortValue::Missing, SortValue::Int(2), SortValue::Int(1)], [3, 2, 1]);
        check(true, [SortValue::Missing, SortValue::Int(1), SortValue::Int(2)], [3, 2, 1]);
        check(true, [SortValue::Int(1), SortValue::Int(1), SortValue::Int(1)], [1, 2, 3]);
        check(
            false,
            [SortValue::Text("b".into()), SortValue::Text("a".into()), SortValue::Missing],
            [2, 1, 3],
        );
    }
}
