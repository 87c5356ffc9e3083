//! Rules that things are distinct. FHIRPath compares each with each other; these look each up once.

use std::collections::HashSet;

use fhir::{Object, Value};

fn items<'a>(object: &'a Object, key: &str) -> &'a [Value] {
    object.get(key).map_or(&[], Value::items)
}

/// csd-1: a code occurs twice in a code system.
pub(crate) fn codes_repeat(system: &Object) -> bool {
    fn any<'a>(concepts: &'a [Value], seen: &mut HashSet<&'a str>) -> bool {
        concepts.iter().filter_map(Value::as_object).any(|concept| {
            concept.get("code").and_then(Value::as_str).is_some_and(|code| !seen.insert(code))
                || any(items(concept, "concept"), seen)
        })
    }
    any(items(system, "concept"), &mut HashSet::new())
}

/// que-2: a `linkId` occurs twice in a questionnaire.
pub(crate) fn link_ids_repeat(questionnaire: &Object) -> bool {
    fn any<'a>(list: &'a [Value], seen: &mut HashSet<&'a str>) -> bool {
        list.iter().filter_map(Value::as_object).any(|item| {
            item.get("linkId").and_then(Value::as_str).is_some_and(|id| !seen.insert(id))
                || any(items(item, "item"), seen)
        })
    }
    any(items(questionnaire, "item"), &mut HashSet::new())
}

/// bdl-7: two entries of a bundle that is no history have the same `fullUrl` and version.
pub(crate) fn full_urls_repeat(bundle: &Object) -> bool {
    if bundle.get("type").and_then(Value::as_str) == Some("history") {
        return false;
    }
    let mut seen = HashSet::new();
    items(bundle, "entry").iter().any(|entry| {
        let version = entry.get("resource").and_then(|resource| resource.get("meta")?.text("versionId"));
        entry.text("fullUrl").is_some_and(|url| !seen.insert((url, version)))
    })
}
