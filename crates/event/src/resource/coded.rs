//! Codes of concepts.

use fhir::Value as Json;

/// LOINC.
pub(super) const LOINC: &str = "http://loinc.org";
/// RxNorm.
pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
/// SNOMED CT.
pub(super) const SNOMED: &str = "http://snomed.info/sct";

/// The first code of a system in a concept.
pub(super) fn code_of<'a>(concept: &'a Json, system: &str) -> Option<&'a str> {
    let codings = concept.get("coding")?.items();
    codings.iter().find(|coding| coding.text("system") == Some(system))?.text("code")
}

/// A text for people: the concept's own, else the first display, else the first code.
pub(super) fn text_of(concept: &Json) -> Option<&str> {
    let codings = || concept.get("coding").map_or(&[][..], Json::items).iter();
    let display = || codings().find_map(|coding| coding.text("display"));
    concept.text("text").or_else(display).or_else(|| codings().find_map(|coding| coding.text("code")))
}
