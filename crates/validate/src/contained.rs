//! Contained resources (dom-2 to dom-5): they have an id, are referred to, contain nothing, and have no version or security label of
//! their own.

use fhir::{IssueType, Object, Value};

use crate::place::Place;
use crate::walk::Walk;

impl Walk {
    pub(crate) fn contained(&mut self, container: &Object, place: &Place) {
        let contained = container.get("contained").map_or(&[][..], Value::items);
        for (at, resource) in contained.iter().enumerate() {
            let here = place.member("contained");
            let here = here.item(at);
            if resource.get("contained").is_some() {
                let text = "a contained resource contains none itself: move them up to the container";
                self.error(IssueType::Invariant, "dom-2", text, &here.member("contained"));
            }
            let meta = resource.get("meta");
            if meta.is_some_and(|meta| meta.get("versionId").is_some() || meta.get("lastUpdated").is_some()) {
                let text =
                    "a contained resource has no version of its own: leave `versionId` and `lastUpdated` out";
                self.error(IssueType::Invariant, "dom-4", text, &here.member("meta"));
            }
            if meta.is_some_and(|meta| meta.get("security").is_some()) {
                let text =
                    "a contained resource has no security labels of its own: put them on the container";
                self.error(IssueType::Invariant, "dom-5", text, &here.member("meta"));
            }
            match resource.text("id") {
                None => {
                    let text = "a contained resource needs an `id`: nothing can refer to it without";
                    self.error(IssueType::Required, "contained-without-id", text, &here);
                }
                Some(id) if !is_used(id, resource, container) => {
                    let text = "nothing in the resource refers to this contained resource: refer to it as `#id`, or leave it out";
                    self.error(IssueType::Invariant, "dom-3", text, &here);
                }
                Some(_) => {}
            }
        }
    }
}

/// Does anything refer to the contained resource, or does it itself refer to its container.
fn is_used(id: &str, resource: &Value, container: &Object) -> bool {
    any_text(resource, &|text| text == "#")
        || container.iter().any(|(_, value)| any_text(value, &|text| text.strip_prefix('#') == Some(id)))
}

fn any_text(value: &Value, test: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        Value::Object(object) => object.iter().any(|(_, value)| any_text(value, test)),
        _ => false,
    }
}
