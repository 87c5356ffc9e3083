//! Parts of a resource: `_summary` and `_elements`. What was left out is said by the tag `SUBSETTED`.

use fhir::definitions::{self, TypeId};
use fhir::{Kind, Object, Value, json};

use crate::error::ServerError;
use crate::fhir::controls::parameter;

/// What part of each resource is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subset {
    /// All of it.
    #[default]
    Full,
    /// Elements that R4 marks as summary, at every depth.
    Summary,
    /// Id, meta, text and mandatory elements.
    Text,
    /// All but the text.
    Data,
    /// The named elements and mandatory ones.
    Elements(Vec<String>),
}

/// Always there.
const BASE: [&str; 3] = ["resourceType", "id", "meta"];

/// What a read or a history is asked for, parameter by parameter.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    summary: Option<Subset>,
    elements: Option<Subset>,
}

impl Wish {
    /// Takes a parameter in. False: it is neither of the two. `_elements` names elements of these types.
    pub(crate) fn take(&mut self, name: &str, value: &str, kinds: &[Kind]) -> Result<bool, ServerError> {
        let (place, wanted) = match name {
            "_summary" => (&mut self.summary, summary_of(value)?),
            "_elements" => {
                let names =
                    search::elements(value, kinds).map_err(|issue| ServerError::Query(vec![issue]))?;
                (&mut self.elements, Subset::Elements(names))
            }
            _ => return Ok(false),
        };
        match place.replace(wanted) {
            None => Ok(true),
            Some(_) => Err(parameter(name, "give it once")),
        }
    }

    /// All that was asked for.
    pub(crate) fn subset(self) -> Result<Subset, ServerError> {
        match (self.summary.unwrap_or_default(), self.elements) {
            (summary, None) => Ok(summary),
            (Subset::Full, Some(elements)) => Ok(elements),
            (_, Some(_)) => {
                Err(parameter("_elements", "`_summary` asks for a part in another way: give one of them"))
            }
        }
    }
}

/// `count` is for searches and not known here.
fn summary_of(value: &str) -> Result<Subset, ServerError> {
    match value {
        "true" => Ok(Subset::Summary),
        "text" => Ok(Subset::Text),
        "data" => Ok(Subset::Data),
        "false" => Ok(Subset::Full),
        _ => Err(parameter("_summary", "use `true`, `text`, `data` or `false`")),
    }
}

impl Subset {
    /// The part of a stored body. Only when a part is asked for is the body parsed.
    pub(crate) fn of(&self, kind: Kind, body: &[u8]) -> Option<Vec<u8>> {
        if *self == Subset::Full {
            return None;
        }
        let mut value = fhir::json::parse(body, &fhir::json::Limits::default()).ok()?;
        self.cut(kind, &mut value);
        Some(value.to_bytes())
    }

    fn cut(&self, kind: Kind, value: &mut Value) {
        let ty = TypeId::of_kind(kind);
        let Some(object) = value.as_object_mut() else { return };
        let mandatory = |key: &str| definitions::child(ty, key).is_some_and(|child| child.element.min > 0);
        let named = |key: &str| BASE.contains(&key) || mandatory(key);
        match self {
            Subset::Full => return,
            Subset::Summary => summarise(ty, object, true),
            Subset::Text => object.retain(|key, _| key == "text" || named(bare(key))),
            Subset::Data => object.retain(|key, _| key != "text"),
            Subset::Elements(names) => object.retain(|key, _| {
                let key = bare(key);
                let element = definitions::child(ty, key).map(|child| child.element.name);
                named(key) || names.iter().any(|name| name == key || Some(name.as_str()) == element)
            }),
        }
        tag(object);
    }
}

/// `_birthDate` carries the extensions of `birthDate`.
fn bare(key: &str) -> &str {
    key.strip_prefix('_').unwrap_or(key)
}

/// Keeps what R4 marks as summary, at every depth; at the top also what is mandatory.
fn summarise(ty: TypeId, object: &mut Object, top: bool) {
    object.retain(|key, _| {
        let key = bare(key);
        (top && BASE.contains(&key))
            || definitions::child(ty, key).is_some_and(|child| child.element.summary || child.element.min > 0)
    });
    for (key, value) in object.iter_mut() {
        let Some(child) = definitions::child(ty, bare(key)) else { continue };
        if definitions::is_primitive(child.ty) {
            continue;
        }
        match value {
            Value::Object(inner) => summarise(child.ty, inner, false),
            Value::Array(items) => {
                for inner in items.iter_mut().filter_map(Value::as_object_mut) {
                    summarise(child.ty, inner, false);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn tag(object: &mut Object) {
    let coding =
        json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"});
    if !object.contains_key("meta") {
        let after = object.keys().take_while(|key| BASE.contains(key)).count();
        object.insert_at(after, "meta", json!({}));
    }
    let Some(meta) = object.get_mut("meta").and_then(Value::as_object_mut) else { return };
    match meta.get_mut("tag") {
        Some(Value::Array(tags)) => tags.push(coding),
        _ => {
            meta.insert("tag", Value::Array(vec![coding]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"1"},"text":{"status":"empty"},"active":true,"_active":{"id":"x"},"maritalStatus":{"text":"m"},"contact":[{"gender":"male"}],"link":[{"other":{"reference":"Patient/2"},"type":"seealso"}]}"#;

    fn check(kind: &str, subset: &Subset, body: &str, expected: &str) {
        let bytes = subset.of(Kind::named(kind), body.as_bytes()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let tag =
            r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;
        assert_eq!(text.replace(tag, "~"), expected);
    }

    #[test]
    fn a_summary_keeps_what_is_marked() {
        let expected = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"1","tag":[~]},"active":true,"_active":{"id":"x"},"link":[{"other":{"reference":"Patient/2"},"type":"seealso"}]}"#;
        check("Patient", &Subset::Summary, PATIENT, expected);
    }

    #[test]
    fn text_and_data_are_two_sides() {
        let expected = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"1","tag":[~]},"text":{"status":"empty"}}"#;
        check("Patient", &Subset::Text, PATIENT, expected);
        let expected = PATIENT
            .replace(r#""text":{"status":"empty"},"#, "")
            .replace(r#""versionId":"1""#, r#""versionId":"1","tag":[~]"#);
        check("Patient", &Subset::Data, PATIENT, &expected);
    }

    #[test]
    fn elements_keep_mandatory_ones() {
        let body = r#"{"resourceType":"Observation","id":"1","status":"final","code":{"text":"c"},"valueString":"v","note":[]}"#;
        let expected = r#"{"resourceType":"Observation","id":"1","meta":{"tag":[~]},"status":"final","code":{"text":"c"},"valueString":"v"}"#;
        check("Observation", &Subset::Elements(vec!["value".into()]), body, expected);
        assert_eq!(Subset::Full.of(Kind::named("Patient"), b"{}"), None);
    }
}
