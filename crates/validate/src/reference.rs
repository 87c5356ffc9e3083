//! References: the type they lead to is one that the element allows, and what is inside the resource is there.

use std::collections::HashMap;

use fhir::definitions::Element;
use fhir::{IssueType, Kind, Object, Reference, Value};

use crate::place::Place;
use crate::walk::Walk;

/// What references are looked up in.
pub(crate) struct Scope<'a> {
    /// The type of the container.
    pub(crate) kind: Kind,
    /// The resource whose contained resources `#id` leads to.
    pub(crate) container: &'a Value,
    /// The resource itself: the container or one that is contained in it.
    pub(crate) resource: &'a Value,
    /// The bundle around it.
    pub(crate) bundle: Option<&'a Entries<'a>>,
}

/// Types of a bundle's entries by `fullUrl`.
pub(crate) struct Entries<'a>(HashMap<&'a str, Kind>);

impl<'a> Entries<'a> {
    pub(crate) fn of(bundle: &'a Object) -> Entries<'a> {
        let entries = bundle.get("entry").map_or(&[][..], Value::items);
        Entries(
            entries
                .iter()
                .filter_map(|entry| Some((entry.text("fullUrl")?, kind_of(entry.get("resource")?)?)))
                .collect(),
        )
    }
}

fn kind_of(resource: &Value) -> Option<Kind> {
    resource.text("resourceType").and_then(Kind::parse)
}

impl Walk {
    pub(crate) fn reference(&mut self, element: &Element, object: &Object, place: &Place, scope: &Scope) {
        let text = object.get("reference").and_then(Value::as_str);
        let said = object.get("type").and_then(Value::as_str).and_then(Kind::parse);
        let target = text.and_then(|text| self.target_of(text, place, scope));
        if let (Some(target), Some(said)) = (target, said)
            && target != said
        {
            let text = format!("`type` says `{said}`, but the reference leads to `{target}`");
            self.error(IssueType::Value, "reference-type-differs", text, &place.member("type"));
        }
        if let Some(kind) = target.or(said)
            && !element.targets.is_empty()
            && !element.targets.contains(&kind)
        {
            let names: Vec<&str> = element.targets.iter().map(|kind| kind.name()).collect();
            let text = format!("`{}` may refer to {}, not to `{kind}`", element.name, names.join(", "));
            self.error(IssueType::Value, "wrong-reference-target", text, place);
        }
    }

    /// The type that a reference leads to, as far as it can be told.
    fn target_of(&mut self, text: &str, place: &Place, scope: &Scope) -> Option<Kind> {
        let in_bundle = |url: &str| scope.bundle.and_then(|bundle| bundle.0.get(url).copied());
        match Reference::parse(text) {
            Reference::Local { kind, .. } | Reference::Conditional { kind, .. } => Some(kind),
            Reference::Urn(url) => in_bundle(url),
            Reference::Url(url) => in_bundle(url).or_else(|| Reference::tail_of(url).map(|(kind, _)| kind)),
            Reference::Contained("") => Some(scope.kind),
            Reference::Contained(id) => {
                let contained = scope.container.get("contained").map_or(&[][..], Value::items);
                let found = contained.iter().find(|resource| resource.text("id") == Some(id));
                if found.is_none() {
                    let text =
                        "no contained resource has this id: add it to `contained`, or refer to another one";
                    self.error(IssueType::Invariant, "contained-not-found", text, &place.member("reference"));
                }
                found.and_then(kind_of)
            }
            Reference::Malformed(text) => {
                self.malformed(text, place);
                None
            }
        }
    }

    fn malformed(&mut self, text: &str, place: &Place) {
        // `Foo/1` looks like a reference; anything else may be a relative address that only its author understands.
        if let Some((kind, id)) = text.split_once('/')
            && fhir::is_id(id)
            && kind.starts_with(|c: char| c.is_ascii_uppercase())
        {
            let text = "this is no type of R4 in front of the id: write `Type/id`";
            self.error(IssueType::Value, "unknown-reference-type", text, &place.member("reference"));
        }
    }
}
