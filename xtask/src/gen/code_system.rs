//! The codes of a code system that the package has completely, with what is below what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::package::Package;

/// Codes in the order of the definition.
pub(super) struct CodeSystem<'a> {
    pub(super) codes: Vec<&'a str>,
    children: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> CodeSystem<'a> {
    /// `None` when the package does not have it completely.
    pub(super) fn load(package: &'a Package, url: &str) -> Option<CodeSystem<'a>> {
        let definition = package.get("CodeSystem", url)?;
        if definition["content"] != "complete" {
            return None;
        }
        let mut system = CodeSystem { codes: Vec::new(), children: BTreeMap::new() };
        system.add(&definition["concept"], None);
        Some(system)
    }

    fn add(&mut self, concepts: &'a Value, parent: Option<&'a str>) {
        for concept in concepts.as_array().into_iter().flatten() {
            let Some(code) = concept["code"].as_str() else { continue };
            self.codes.push(code);
            if let Some(parent) = parent {
                self.children.entry(parent).or_default().push(code);
            }
            for property in concept["property"].as_array().into_iter().flatten() {
                match (property["code"].as_str(), property["valueCode"].as_str()) {
                    (Some("child"), Some(child)) => self.children.entry(code).or_default().push(child),
                    (Some("parent" | "subsumedBy"), Some(parent)) => {
                        self.children.entry(parent).or_default().push(code);
                    }
                    _ => {}
                }
            }
            self.add(&concept["concept"], Some(code));
        }
    }

    /// The code and everything below it.
    pub(super) fn subtree(&self, code: &str) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = self.codes.iter().copied().filter(|own| *own == code).collect();
        let mut open: Vec<&str> = found.iter().copied().collect();
        while let Some(code) = open.pop() {
            for child in self.children.get(code).into_iter().flatten() {
                if found.insert(child) {
                    open.push(child);
                }
            }
        }
        found
    }
}
