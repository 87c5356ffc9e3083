//! `_elements`: which names it may have. Searches, reads and histories ask here.

use fhir::definitions::{self, TypeId};
use fhir::{Issue, IssueType, Kind};

use super::text::split;
use super::{problem, shown};

/// The names in a value of `_elements`, each an element of one of the types at least; an error names the first that is not.
pub fn elements(value: &str, kinds: &[Kind]) -> Result<Vec<String>, Issue> {
    let names: Vec<String> = split(value, b',').into_iter().map(|name| name.trim().to_string()).collect();
    match names.iter().find(|name| !kinds.iter().any(|kind| is_element(*kind, name))) {
        None => Ok(names),
        Some(name) => {
            let text = format!(
                "the value of `_elements` names `{}`, which is no element of what is asked for",
                shown(name)
            );
            Err(problem(IssueType::Value, "bad-value", "_elements", text))
        }
    }
}

/// `value` stands for all of `valueString`, `valueQuantity`, …
fn is_element(kind: Kind, name: &str) -> bool {
    let ty = TypeId::of_kind(kind);
    name == "resourceType"
        || definitions::child(ty, name).is_some()
        || definitions::elements(ty).iter().any(|element| element.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_type_must_know_each_name() {
        let check = |value: &str, kinds: &[&str], wrong: Option<&str>| {
            let kinds: Vec<Kind> = kinds.iter().map(|kind| Kind::named(kind)).collect();
            let found = elements(value, &kinds);
            let named = found.err().map(|issue| issue.diagnostics);
            assert_eq!(named.is_some(), wrong.is_some(), "{value}");
            let quoted = wrong.map(|wrong| format!("`{wrong}`"));
            assert!(
                named.zip(quoted).is_none_or(|(text, quoted)| text.contains(&quoted)),
                "{value} names {wrong:?}"
            );
        };
        check("name, birthDate,resourceType,id", &["Patient"], None);
        check("value,valueQuantity", &["Observation"], None);
        check("name,value", &["Patient", "Observation"], None);
        check("name,value", &["Patient"], Some("value"));
        check("name.given", &["Patient"], Some("name.given"));
        check("", &["Patient"], Some(""));
        check("name,", &["Patient"], Some(""));
    }
}
