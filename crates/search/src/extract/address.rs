//! Canonical addresses (`url`, `url|version`) where others have a reference: found with their version and without, followed as they are stated.

use std::collections::HashSet;

use fhir::{Reference, Value};

use super::reference::target_of;
use crate::ParamId;
use crate::rows::{CanonicalRow, IndexRows, ReferenceRow, Target};

/// The rows of one address. What names a part of a resource (`url#part`) is found by its text and leads nowhere, as contained resources do.
pub(super) fn address(param: ParamId, value: &Value, bases: &[String], rows: &mut IndexRows) {
    let Some(text) = value.as_str() else { return };
    let (plain, version) = text.split_once('|').map_or((text, None), |(plain, rest)| (plain, Some(rest)));
    if !matches!(Reference::parse(plain), Reference::Url(_) | Reference::Urn(_)) {
        // A relative one is a reference like others.
        for text in [Some(text), version.map(|_| plain)].into_iter().flatten() {
            rows.references.extend(target_of(text, bases).map(|target| ReferenceRow { param, target }));
        }
        return;
    }
    let version = version.filter(|version| !version.is_empty());
    let mut add = |target: Target| rows.references.push(ReferenceRow { param, target });
    match version {
        Some(_) => add(Target::Url(text.into())),
        // The resource under this server's own address is what is meant; one of a certain version is known by its `url` and `version` only.
        None => {
            if let Some(local @ Target::Local { .. }) = target_of(plain, bases) {
                add(local);
            }
        }
    }
    add(Target::Url(plain.into()));
    if !text.contains('#') && param.holds_addresses() {
        rows.canonicals.push(CanonicalRow { param, url: plain.into(), version: version.map(Into::into) });
    }
}

/// An index has the rows of `references` only: there `url` beside `url|1` says no more than `url|1`. Where both were stated, `url|` says so.
pub(super) fn mark(rows: &mut IndexRows) {
    if rows.canonicals.is_empty() {
        return;
    }
    let mut with_version: HashSet<(ParamId, &str)> = HashSet::new();
    for row in &rows.references {
        if let Target::Url(text) = &row.target
            && let Some((plain, _)) = text.split_once('|')
        {
            with_version.insert((row.param, plain));
        }
    }
    let both = rows
        .canonicals
        .iter()
        .filter(|row| row.version.is_none() && with_version.contains(&(row.param, row.url.as_str())));
    let marks: Vec<ReferenceRow> = both
        .map(|row| ReferenceRow { param: row.param, target: Target::Url(format!("{}|", row.url).into()) })
        .collect();
    rows.references.extend(marks);
}
