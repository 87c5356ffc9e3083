//! The content of a version, ready to be stored: packed body, index rows, and whether it says anything new.

use fhir::{Instant, Object, Resource, Value};
use search::{Extractor, IndexRows};

use super::facts::Seen;
use super::labels;
use super::plan::Put;
use crate::{StoreError, body};

/// What is stored of a version.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Bytes of the body.
    pub(crate) body: Vec<u8>,
    /// Rows for the index.
    pub(crate) rows: IndexRows,
    /// Does it say what the seen version says.
    pub(crate) unchanged: bool,
}

/// Makes a put right for the version that is stored: keeps its labels, compares. Packs what is new.
pub(crate) fn refresh(
    put: &mut Put,
    seen: Seen,
    extractor: &Extractor,
    at: Instant,
) -> Result<(), StoreError> {
    let relabelled = match &seen.resource {
        // A patch says which labels it takes away; an update that leaves them out does not.
        Some(stored) if put.amending.is_none() => labels::keep(&mut put.resource, stored),
        Some(_) | None => false,
    };
    let unchanged = seen.resource.as_ref().is_some_and(|stored| says_the_same(&put.resource, stored));
    put.content.unchanged = unchanged;
    put.seen = seen;
    if !unchanged && (relabelled || put.content.body.is_empty()) {
        let packed = body::encode(&body::content_of(&put.resource));
        put.content.body =
            packed.map_err(|error| StoreError::Io { doing: "pack a body".into(), kind: error.kind() })?;
        put.content.rows = extractor.extract(&put.resource, at);
    }
    Ok(())
}

/// Do two resources differ in nothing but version and time.
fn says_the_same(a: &Resource, b: &Resource) -> bool {
    let members = |resource: &Resource| resource.object().iter().filter(|(_, value)| !is_bare(value)).count();
    members(a) == members(b)
        && a.object().iter().filter(|(_, value)| !is_bare(value)).all(|(key, value)| {
            match (key, b.object().get(key)) {
                ("meta", Some(other)) => same_meta(value, other),
                (_, other) => other == Some(value),
            }
        })
}

/// A `meta` with nothing but version and time is as good as none.
fn is_bare(value: &Value) -> bool {
    value.as_object().is_some_and(|object| !object.is_empty() && labels_left(object).next().is_none())
}

fn same_meta(a: &Value, b: &Value) -> bool {
    match (a.as_object(), b.as_object()) {
        (Some(a), Some(b)) => {
            labels_left(a).count() == labels_left(b).count()
                && labels_left(a).all(|(key, value)| b.get(key) == Some(value))
        }
        _ => a == b,
    }
}

fn labels_left(meta: &Object) -> impl Iterator<Item = (&str, &Value)> {
    meta.iter()
        .filter(|(key, _)| !matches!(*key, "versionId" | "lastUpdated" | "_versionId" | "_lastUpdated"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    fn check(a: &str, b: &str, same: bool) {
        let parse = |members: &str| {
            let text = format!(r#"{{"resourceType":"Patient","id":"1"{members}}}"#);
            Resource::parse(text.as_bytes(), &Limits::default()).unwrap()
        };
        assert_eq!(says_the_same(&parse(a), &parse(b)), same, "{a} and {b}");
        assert_eq!(says_the_same(&parse(b), &parse(a)), same, "{b} and {a}");
    }

    #[test]
    fn version_time_and_order_say_nothing() {
        let meta = r#","meta":{"versionId":"3","lastUpdated":"2024-01-01T00:00:00Z"}"#;
        check("", meta, true);
        check(r#","active":true,"gender":"male""#, r#","gender":"male","active":true"#, true);
        check("", r#","active":true"#, false);
        check(r#","active":false"#, r#","active":true"#, false);
        check(r#","meta":{"versionId":"1","source":"a"}"#, r#","meta":{"source":"a"}"#, true);
        check(meta, r#","meta":{"source":"a"}"#, false);
        check(r#","multipleBirthInteger":1"#, r#","multipleBirthInteger":1.0"#, false);
    }
}
