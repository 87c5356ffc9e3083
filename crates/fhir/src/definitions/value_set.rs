//! Value sets whose codes are known: those of required bindings, and every other one that the package can enumerate.
//!
//! Two files, because validation needs the first at each write and only `:in` needs the second.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::element::full_url;
use super::table::table;
use super::{BindingRef, lines};

/// A value set with all its codes.
pub struct ValueSet {
    /// System and code, sorted by code.
    codes: Box<[Coded]>,
}

/// A code of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coded {
    /// The code.
    pub code: &'static str,
    /// The address of its code system.
    pub system: &'static str,
}

impl ValueSet {
    /// Its codes, sorted.
    pub fn codes(&self) -> &[Coded] {
        &self.codes
    }

    /// Is the code in it, of whichever system. For elements of type `code`, which name no system.
    pub fn has_code(&self, code: &str) -> bool {
        let at = self.codes.partition_point(|own| own.code < code);
        self.codes.get(at).is_some_and(|own| own.code == code)
    }

    /// Is the code of this system in it.
    pub fn contains(&self, system: &str, code: &str) -> bool {
        self.codes.binary_search_by(|own| (own.code, own.system).cmp(&(code, system))).is_ok()
    }

    /// Does it have codes of this system at all.
    pub fn has_system(&self, system: &str) -> bool {
        self.codes.iter().any(|own| own.system == system)
    }
}

/// A value set by its canonical address (a version behind `|` is not looked at). `None`: it is not one of R4, or its codes cannot be
/// listed here (it takes them from SNOMED CT, LOINC, UCUM, media types, ...).
pub fn value_set_codes(url: &str) -> Option<&'static ValueSet> {
    let url = url.split_once('|').map_or(url, |(url, _)| url);
    required().get(url).or_else(|| others().get(url))
}

impl BindingRef {
    /// The codes, when the binding is required and they can be listed.
    pub fn required_codes(self) -> Option<&'static ValueSet> {
        // Validation asks this for each code of each write: a position, not a name.
        static SETS: OnceLock<Vec<Option<&'static ValueSet>>> = OnceLock::new();
        let sets = SETS
            .get_or_init(|| table().required.iter().map(|name| value_set_codes(&full_url(name))).collect());
        *sets.get(usize::from(self.number?))?
    }
}

fn required() -> &'static HashMap<&'static str, ValueSet> {
    static SETS: OnceLock<HashMap<&'static str, ValueSet>> = OnceLock::new();
    SETS.get_or_init(|| parse(include_str!("../../definitions/bindings.txt")))
}

fn others() -> &'static HashMap<&'static str, ValueSet> {
    static SETS: OnceLock<HashMap<&'static str, ValueSet>> = OnceLock::new();
    SETS.get_or_init(|| parse(include_str!("../../definitions/value_sets.txt")))
}

fn parse(text: &'static str) -> HashMap<&'static str, ValueSet> {
    let mut lines = lines(text);
    let systems: Vec<(&str, &str)> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_once('\t').unwrap_or((line, "")))
        .collect();
    let mut sets: HashMap<&'static str, Vec<Coded>> = HashMap::new();
    let mut url = "";
    for line in lines {
        let Some(rest) = line.strip_prefix(' ') else {
            url = line;
            continue;
        };
        let (number, codes) = rest.split_once('\t').map_or((rest, None), |(n, codes)| (n, Some(codes)));
        let number: usize = number.parse().expect("a code system is named by its number");
        let (system, all) = systems[number];
        let codes = codes.unwrap_or(all).split('\t').map(|code| Coded { code, system });
        sets.entry(url).or_default().extend(codes);
    }
    sets.into_iter()
        .map(|(url, mut codes)| {
            codes.sort_unstable();
            (url, ValueSet { codes: codes.into() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Strength, TypeId, elements};

    #[test]
    fn codes_are_found_with_and_without_system() {
        let set = value_set_codes("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").unwrap();
        let codes: Vec<&str> = set.codes().iter().map(|coded| coded.code).collect();
        assert_eq!(codes, ["female", "male", "other", "unknown"]);
        assert!(set.has_code("male") && !set.has_code("Male") && !set.has_code("mal"));
        assert!(set.contains("http://hl7.org/fhir/administrative-gender", "male"));
        assert!(!set.contains("http://example.org", "male"));
        assert!(set.has_system("http://hl7.org/fhir/administrative-gender"));
    }

    #[test]
    fn hierarchies_and_lists_are_expanded() {
        let timing = value_set_codes("http://hl7.org/fhir/ValueSet/event-timing").unwrap();
        assert!(timing.has_code("ACM") && timing.has_code("PHS") && !timing.has_code("IC"));
        let types = value_set_codes("http://hl7.org/fhir/ValueSet/all-types").unwrap();
        assert!(types.has_code("Patient") && types.has_code("HumanName"));
        let race = value_set_codes("http://terminology.hl7.org/ValueSet/v3-Race").unwrap();
        assert!(race.has_code("1002-5"));
        for unlisted in ["http://hl7.org/fhir/ValueSet/ucum-units", "http://example.org/none"] {
            assert!(value_set_codes(unlisted).is_none(), "{unlisted}");
        }
    }

    #[test]
    fn all_required_bindings_but_four_have_codes() {
        let mut unlisted: Vec<String> = TypeId::all()
            .flat_map(|ty| elements(ty).iter())
            .filter_map(|element| element.binding.filter(|binding| binding.strength == Strength::Required))
            .filter(|binding| binding.required_codes().is_none())
            .map(|binding| binding.url().into_owned())
            .collect();
        unlisted.sort_unstable();
        unlisted.dedup();
        let names: Vec<&str> = unlisted.iter().map(|url| url.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["currencies", "mimetypes", "ucum-units", "LL379-9"]);
    }
}
