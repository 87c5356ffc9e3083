//! References of a transaction: the names by which its entries refer to each other become the ids that are stored (R4, "Resolving
//! references in bundles").

use std::collections::HashMap;

use compact_str::{CompactString, format_compact};
use fhir::bundle::{visit_references, visit_references_mut};
use fhir::definitions::{TypeId, child};
use fhir::{Kind, Reference, Resource, Value};

use super::narrative;
use crate::ReferenceProblem;

/// What texts of references become.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// `fullUrl`, or type and id that a created resource was sent with, to type and id as stored.
    stored: HashMap<CompactString, CompactString>,
    /// Texts of conditional references to what they found.
    pub(crate) found: HashMap<CompactString, Result<CompactString, ReferenceProblem>>,
    /// Must a `urn:` lead to an entry.
    strict: bool,
}

/// A reference that leads nowhere.
pub(crate) type Broken = (String, ReferenceProblem);

/// Types whose inner references are a matter of their own: a stored bundle is a document, not part of the transaction.
pub(crate) fn has_own_references(kind: Kind) -> bool {
    matches!(kind.name(), "Bundle" | "Parameters")
}

impl Links {
    pub(crate) fn new(strict: bool) -> Links {
        Links { strict, ..Links::default() }
    }

    pub(crate) fn add(&mut self, name: &str, kind: Kind, id: &str) {
        self.stored.insert(name.into(), format_compact!("{kind}/{id}"));
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.stored.contains_key(name)
    }

    fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.found.is_empty() && !self.strict
    }

    /// Rewrites what refers to other entries. `full_url` is the entry's own name: relative references are relative to it.
    pub(crate) fn apply(&self, resource: &mut Resource, full_url: Option<&str>) -> Result<(), Broken> {
        if self.is_empty() || has_own_references(resource.kind()) {
            return Ok(());
        }
        let kind = resource.kind();
        self.relink(resource, full_url, &|_| true)?;
        if !self.stored.is_empty() && self.is_named_in(resource.value()) {
            let ty = TypeId::of_kind(kind);
            for (key, member) in resource.object_mut().iter_mut() {
                if let Some(child) = child(ty, key) {
                    self.addresses(child.ty, member);
                }
            }
        }
        Ok(())
    }

    /// The same for a patch: only references that it sends are rewritten, what was stored before means what it meant.
    pub(crate) fn apply_to_sent(
        &self,
        resource: &mut Resource,
        full_url: Option<&str>,
        sent: &[CompactString],
    ) -> Result<(), Broken> {
        if self.is_empty() || sent.is_empty() || has_own_references(resource.kind()) {
            return Ok(());
        }
        self.relink(resource, full_url, &|text| sent.iter().any(|own| own == text))
    }

    fn relink(
        &self,
        resource: &mut Resource,
        full_url: Option<&str>,
        is_meant: &dyn Fn(&str) -> bool,
    ) -> Result<(), Broken> {
        let base = full_url.and_then(base_of);
        let mut broken = None;
        for (_, member) in resource.object_mut().iter_mut() {
            visit_references_mut(member, &mut |text| {
                if !is_meant(text) {
                    return;
                }
                match self.target(text, base) {
                    Ok(Some(target)) => *text = target,
                    Ok(None) => {}
                    Err(problem) => broken = broken.take().or(Some((shown(text), problem))),
                }
            });
        }
        broken.map_or(Ok(()), Err)
    }

    /// What a reference text becomes; `None` when it stays.
    fn target(&self, text: &str, base: Option<&str>) -> Result<Option<CompactString>, ReferenceProblem> {
        if let Some(found) = self.found.get(text) {
            return found.clone().map(Some);
        }
        let (name, fragment) = text.split_once('#').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let hit = self.stored.get(name).or_else(|| {
            let base = base.filter(|_| matches!(Reference::parse(name), Reference::Local { .. }))?;
            self.stored.get(format_compact!("{base}/{name}").as_str())
        });
        match (hit, fragment) {
            (Some(target), None) => Ok(Some(target.clone())),
            (Some(target), Some(fragment)) => Ok(Some(format_compact!("{target}#{fragment}"))),
            (None, _) if self.strict && name.starts_with("urn:") => Err(ReferenceProblem::NoEntry),
            (None, _) => Ok(None),
        }
    }

    /// Does a text outside `reference` name an entry: only then the types of elements must be looked at.
    fn is_named_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                self.stored.contains_key(text.as_str()) || text.contains("urn:") || text.contains("=\"http")
            }
            Value::Array(items) => items.iter().any(|item| self.is_named_in(item)),
            Value::Object(object) => object.iter().any(|(_, member)| self.is_named_in(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Elements of type uri, url, canonical, oid and uuid, and links in the narrative.
    fn addresses(&self, ty: TypeId, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.addresses(ty, item)),
            Value::Object(object) => {
                for (key, member) in object.iter_mut() {
                    if let Some(child) = child(ty, key) {
                        self.addresses(child.ty, member);
                    }
                }
            }
            Value::String(text) => match ty.name() {
                "uri" | "url" | "canonical" | "oid" | "uuid" => {
                    if let Some(target) = self.stored.get(text.as_str()) {
                        *text = target.clone();
                    }
                }
                "xhtml" => {
                    if let Some(changed) = narrative::relinked(text, &|link| self.stored.get(link).cloned()) {
                        *text = changed;
                    }
                }
                _ => {}
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Local resources that a resource refers to, each once.
pub(crate) fn local_targets(resource: &Resource, bases: &[String]) -> Vec<(Kind, CompactString)> {
    let mut targets = Vec::new();
    if !has_own_references(resource.kind()) {
        visit_references(resource.value(), &mut |text| {
            let name = text.split('#').next().unwrap_or("");
            if let Reference::Local { kind, id, .. } = Reference::resolve(name, bases)
                && !targets.iter().any(|(k, i): &(Kind, CompactString)| *k == kind && i == id)
            {
                targets.push((kind, id.into()));
            }
        });
    }
    targets
}

/// The server part of `http://host/fhir/Patient/1`.
fn base_of(full_url: &str) -> Option<&str> {
    let (kind, id) = Reference::tail_of(full_url)?;
    full_url.strip_suffix(id)?.strip_suffix('/')?.strip_suffix(kind.name())?.strip_suffix('/')
}

/// A reference as it is named in an error: a condition without its values, because they can identify people.
fn shown(text: &str) -> String {
    let text = text.split_once('?').map_or(text, |(path, _)| path);
    text.chars().take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    fn links() -> Links {
        let mut links = Links::new(true);
        links.add("urn:uuid:a", Kind::PATIENT, "1");
        links.add("http://o/fhir/Patient/x", Kind::PATIENT, "2");
        links.add("Patient/y", Kind::PATIENT, "3");
        links.found.insert("Patient?identifier=s".into(), Ok("Patient/4".into()));
        links.found.insert("Patient?identifier=t".into(), Err(ReferenceProblem::NoMatch));
        links
    }

    fn check(sent: &str, full_url: &str, expected: &str) {
        let mut resource = Resource::parse(sent.as_bytes(), &Limits::default()).unwrap();
        let answer = match links().apply(&mut resource, Some(full_url)) {
            Ok(()) => resource.value().to_text(),
            Err((target, problem)) => format!("{target}: {problem}"),
        };
        assert_eq!(answer, expected);
    }

    fn observation(reference: &str) -> String {
        format!(r#"{{"resourceType":"Observation","subject":{{"reference":"{reference}"}}}}"#)
    }

    #[test]
    fn entries_are_found_by_every_name() {
        let other = "urn:uuid:o";
        check(&observation("urn:uuid:a"), other, &observation("Patient/1"));
        check(&observation("urn:uuid:a#x"), other, &observation("Patient/1#x"));
        check(&observation("http://o/fhir/Patient/x"), other, &observation("Patient/2"));
        check(&observation("Patient/x"), "http://o/fhir/Observation/7", &observation("Patient/2"));
        check(&observation("Patient/x"), other, &observation("Patient/x"));
        check(&observation("Patient/y"), other, &observation("Patient/3"));
        check(&observation("Patient?identifier=s"), other, &observation("Patient/4"));
        check(&observation("#p"), other, &observation("#p"));
    }

    #[test]
    fn what_leads_nowhere_is_an_error_without_values() {
        check(&observation("urn:uuid:b"), "", "urn:uuid:b: which is the `fullUrl` of no entry");
        check(&observation("Patient?identifier=t"), "", "Patient: which matches nothing");
    }

    #[test]
    fn addresses_and_narrative_change_but_other_texts_do_not() {
        check(
            r#"{"resourceType":"Patient","identifier":[{"system":"urn:uuid:a","value":"urn:uuid:a"}],"text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"urn:uuid:a\">urn:uuid:a</a></div>"}}"#,
            "",
            r#"{"resourceType":"Patient","identifier":[{"system":"Patient/1","value":"urn:uuid:a"}],"text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"Patient/1\">urn:uuid:a</a></div>"}}"#,
        );
        check(
            r#"{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:a"}]}"#,
            "",
            r#"{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:a"}]}"#,
        );
    }

    #[test]
    fn local_targets_are_found_once() {
        let text = r#"{"resourceType":"Group","member":[{"entity":{"reference":"Patient/1"}},{"entity":{"reference":"http://h/fhir/Patient/1"}},{"entity":{"reference":"http://o/Patient/2"}}]}"#;
        let resource = Resource::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(local_targets(&resource, &["http://h/fhir".to_string()]), [(Kind::PATIENT, "1".into())]);
    }
}
