//! Codes in words: text, then display, then the code itself.

use fhir::Value;

/// A CodeableConcept, Coding or code in words.
pub fn concept_of(concept: &Value) -> Option<String> {
    if let Some(code) = concept.as_str() {
        return Some(code.to_string());
    }
    let coding = || concept.get("coding").map_or(&[][..], Value::each).iter();
    let text = concept.text("text").or_else(|| concept.text("display"));
    text.or_else(|| coding().find_map(|coding| coding.text("display")))
        .or_else(|| coding().find_map(|coding| coding.text("code")))
        .or_else(|| concept.text("code"))
        .map(String::from)
}

/// The bare code of a CodeableConcept, for short words such as `active`.
pub(crate) fn code_of(concept: &Value) -> Option<&str> {
    concept.as_str().or_else(|| concept.get("coding")?.each().iter().find_map(|coding| coding.text("code")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    #[test]
    fn words_before_codes() {
        assert_eq!(concept_of(&json!({"coding": [{"code": "1"}], "text": "Cold"})).as_deref(), Some("Cold"));
        assert_eq!(
            concept_of(&json!({"coding": [{"code": "1"}, {"display": "Flu"}]})).as_deref(),
            Some("Flu")
        );
        assert_eq!(concept_of(&json!({"coding": [{"code": "J10"}]})).as_deref(), Some("J10"));
        assert_eq!(concept_of(&json!({"code": "AMB"})).as_deref(), Some("AMB"));
        assert_eq!(concept_of(&json!({})), None);
    }
}
