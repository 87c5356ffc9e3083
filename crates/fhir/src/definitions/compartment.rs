//! Compartments: by which search parameters a resource belongs to a patient, an encounter, a device, ...

use std::collections::HashMap;
use std::sync::OnceLock;

use super::lines;
use crate::Kind;

type Codes = HashMap<(Kind, Kind), Vec<&'static str>>;

/// Codes of the search parameters of `kind` that put a resource into the compartment of an `of`; none when the type cannot be in it.
/// That a resource is in its own compartment is not listed (`Patient` in `Patient` is by `link`).
pub fn compartment(of: Kind, kind: Kind) -> &'static [&'static str] {
    static CODES: OnceLock<Codes> = OnceLock::new();
    let codes = CODES.get_or_init(|| parse(include_str!("../../definitions/compartments.txt")));
    codes.get(&(of, kind)).map_or(&[], Vec::as_slice)
}

fn parse(text: &'static str) -> Codes {
    let mut codes = Codes::new();
    let mut of = None;
    for line in lines(text) {
        match line.strip_prefix(' ') {
            None => of = Some(Kind::named(line)),
            Some(rest) => {
                let mut words = rest.split(' ');
                let kind = Kind::named(words.next().unwrap_or(""));
                codes.insert((of.expect("a compartment comes before its types"), kind), words.collect());
            }
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_search_parameter() {
        assert_eq!(compartment(Kind::PATIENT, Kind::named("Observation")), ["subject", "performer"]);
        assert!(compartment(Kind::PATIENT, Kind::named("Organization")).is_empty());
        for of in Kind::all() {
            for kind in Kind::all() {
                for code in compartment(of, kind) {
                    let known = super::super::search_params(kind).iter().any(|param| param.code == *code);
                    assert!(known, "{kind} has no parameter `{code}`");
                }
            }
        }
    }
}
