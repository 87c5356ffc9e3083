//! `bindings.txt` and `value_sets.txt`: the codes of value sets that can be enumerated from the package alone.
//!
//! A value set that filters by other properties than the hierarchy, or names a code system that the package does not have completely
//! (SNOMED CT, LOINC, UCUM, media types, ...), is left out: whether a code is in it cannot be told here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::code_system::CodeSystem;
use super::package::{Package, without_version};

const HEADER: &str = "\
# FHIR R4 4.0.1, written by `cargo xtask gen`.
# First the code systems: address, then all codes when a value set below has them all.
# Then value sets: address; ` 7`: all codes of system 7 (the first is 0); ` 7` and codes: these of system 7. Fields are separated by tabs.
";

/// Codes by code system.
type Codes<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

pub(super) fn write(package: &Package) -> anyhow::Result<Vec<(&'static str, String)>> {
    let required = required(package);
    let mut expander = Expander { package, systems: BTreeMap::new() };
    let (mut bound, mut others) = (BTreeMap::new(), BTreeMap::new());
    for set in package.all("ValueSet") {
        let Some(url) = set["url"].as_str() else { continue };
        if let Some(codes) = expander.expand(set, 0) {
            let list = if required.contains(url) { &mut bound } else { &mut others };
            list.insert(url, codes);
        }
    }
    Ok(vec![("bindings.txt", expander.text(&bound)?), ("value_sets.txt", expander.text(&others)?)])
}

/// Addresses of the value sets that an element of a type requires.
fn required(package: &Package) -> BTreeSet<&str> {
    package
        .all("StructureDefinition")
        .filter(|definition| super::types::is_type(definition))
        .flat_map(|definition| definition["snapshot"]["element"].as_array().into_iter().flatten())
        .filter(|element| element["binding"]["strength"] == "required")
        .filter_map(|element| element["binding"]["valueSet"].as_str().map(without_version))
        .collect()
}

struct Expander<'a> {
    package: &'a Package,
    systems: BTreeMap<&'a str, Option<CodeSystem<'a>>>,
}

/// Value sets name each other; none in the package goes deeper than this.
const DEPTH_MAX: u32 = 8;

impl<'a> Expander<'a> {
    fn expand(&mut self, set: &'a Value, depth: u32) -> Option<Codes<'a>> {
        let compose = set["compose"].as_object().filter(|_| depth < DEPTH_MAX)?;
        let mut codes = Codes::new();
        for include in compose.get("include")?.as_array()? {
            for (system, more) in self.part(include, depth)? {
                codes.entry(system).or_default().extend(more);
            }
        }
        for exclude in compose.get("exclude").and_then(Value::as_array).into_iter().flatten() {
            for (system, less) in self.part(exclude, depth)? {
                if let Some(codes) = codes.get_mut(system) {
                    codes.retain(|code| !less.contains(code));
                }
            }
        }
        codes.retain(|_, codes| !codes.is_empty());
        (!codes.is_empty()).then_some(codes)
    }

    /// The codes of one `include` or `exclude`: those of its system that are in all value sets that it names.
    fn part(&mut self, part: &'a Value, depth: u32) -> Option<Codes<'a>> {
        let mut codes: Option<Codes> = None;
        if let Some(url) = part["system"].as_str() {
            if url.starts_with('#') {
                return None; // a contained code system means nothing outside
            }
            codes = Some(Codes::from([(url, self.of_system(part, url)?)]));
        }
        for url in part["valueSet"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let imported = self.expand(self.package.get("ValueSet", url)?, depth + 1)?;
            codes = Some(match codes {
                None => imported,
                Some(codes) => intersection(codes, &imported),
            });
        }
        codes
    }

    fn of_system(&mut self, part: &'a Value, url: &'a str) -> Option<BTreeSet<&'a str>> {
        if let Some(concepts) = part["concept"].as_array() {
            return concepts.iter().map(|concept| concept["code"].as_str()).collect();
        }
        let system = self.system(url)?;
        let mut codes: BTreeSet<&str> = system.codes.iter().copied().collect();
        for filter in part["filter"].as_array().into_iter().flatten() {
            if filter["property"] != "concept" {
                return None;
            }
            let value = filter["value"].as_str()?;
            let tree = system.subtree(value);
            match filter["op"].as_str()? {
                "is-a" => codes.retain(|code| tree.contains(code)),
                "is-not-a" => codes.retain(|code| !tree.contains(code)),
                "descendent-of" => codes.retain(|code| tree.contains(code) && *code != value),
                _ => return None,
            }
        }
        Some(codes)
    }

    fn system(&mut self, url: &'a str) -> Option<&CodeSystem<'a>> {
        let package = self.package;
        self.systems.entry(url).or_insert_with(|| CodeSystem::load(package, url)).as_ref()
    }

    fn text(&mut self, sets: &BTreeMap<&'a str, Codes<'a>>) -> anyhow::Result<String> {
        let mut numbers: BTreeMap<&str, usize> =
            sets.values().flat_map(BTreeMap::keys).map(|url| (*url, 0)).collect();
        for (at, number) in numbers.values_mut().enumerate() {
            *number = at;
        }
        let mut whole: BTreeSet<&str> = BTreeSet::new();
        for (url, codes) in sets.values().flatten() {
            if self.is_all(url, codes) {
                whole.insert(url);
            }
        }
        let mut text = HEADER.to_owned();
        for url in numbers.keys().copied() {
            text.push_str(url);
            if let Some(system) = self.system(url).filter(|_| whole.contains(url)) {
                let codes: BTreeSet<&str> = system.codes.iter().copied().collect();
                codes.iter().for_each(|code| text.extend(["\t", code]));
            }
            text.push('\n');
        }
        text.push('\n');
        for (url, systems) in sets {
            writeln!(text, "{url}")?;
            for (system, codes) in systems {
                write!(text, " {}", numbers[system])?;
                if !self.is_all(system, codes) {
                    codes.iter().for_each(|code| text.extend(["\t", code]));
                }
                text.push('\n');
            }
        }
        Ok(text)
    }

    fn is_all(&mut self, url: &'a str, codes: &BTreeSet<&str>) -> bool {
        self.system(url).is_some_and(|system| {
            system.codes.iter().all(|code| codes.contains(code))
                && codes.iter().all(|code| system.codes.contains(code))
        })
    }
}

fn intersection<'a>(mut codes: Codes<'a>, other: &Codes) -> Codes<'a> {
    for (system, codes) in &mut codes {
        codes.retain(|code| other.get(system).is_some_and(|others| others.contains(code)));
    }
    codes
}
