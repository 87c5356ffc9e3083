//! The rules that types state in FHIRPath (`obs-7`, `dom-2`, ...), as text.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::lines;

/// A rule on an element.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Its key, such as `obs-7`.
    pub key: &'static str,
    /// Is a broken rule an error; else it is a warning.
    pub is_error: bool,
    /// FHIRPath that is true on the element when the rule holds.
    pub expression: &'static str,
}

/// The rules that are stated on a path (`Observation`, `Patient.contact`, `Quantity`); rules of a base type stand at the base.
pub fn invariants(path: &str) -> &'static [Invariant] {
    static RULES: OnceLock<HashMap<&'static str, Vec<Invariant>>> = OnceLock::new();
    let rules = RULES.get_or_init(|| parse(include_str!("../../definitions/invariants.txt")));
    rules.get(path).map_or(&[], Vec::as_slice)
}

fn parse(text: &'static str) -> HashMap<&'static str, Vec<Invariant>> {
    let mut rules: HashMap<&'static str, Vec<Invariant>> = HashMap::new();
    let mut path = "";
    for line in lines(text) {
        match line.strip_prefix('\t') {
            None => path = line,
            Some(rest) => {
                let mut words = rest.split('\t');
                let mut word = || words.next().expect("a rule has three fields");
                let (key, severity, expression) = (word(), word(), word());
                let rule = Invariant { key, is_error: severity == "e", expression };
                rules.entry(path).or_default().push(rule);
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_path() {
        let keys = |path| invariants(path).iter().map(|rule| rule.key).collect::<Vec<_>>();
        assert_eq!(keys("Observation"), ["obs-7", "obs-6"]);
        assert_eq!(keys("Patient.contact"), ["pat-1"]);
        assert_eq!(keys("DomainResource"), ["dom-2", "dom-4", "dom-3", "dom-6", "dom-5"]);
        assert!(keys("Patient").is_empty());
    }
}
