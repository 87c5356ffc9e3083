//! Who or what an event is about, as one canonical text: `Patient/ID` or `SYSTEM|VALUE`.

use fhir::is_id;

use crate::Why;

/// Longest name of a patient or an encounter.
const CHARS_MAX: usize = 256;

/// The canonical patient of what was sent. A bare value is of `system` when the source has one, otherwise the id of a Patient here.
pub(crate) fn canonical_patient(text: &str, system: Option<&str>) -> Result<String, Why> {
    canonical(text, "Patient", system, "`Patient/ID`, `SYSTEM|VALUE` or the id of a Patient")
}

/// The canonical encounter of what was sent.
pub(super) fn canonical_encounter(text: &str) -> Result<String, Why> {
    canonical(text, "Encounter", None, "`Encounter/ID`, `SYSTEM|VALUE` or the id of an Encounter")
}

fn canonical(text: &str, kind: &str, system: Option<&str>, expected: &'static str) -> Result<String, Why> {
    let text = text.trim();
    if text.chars().count() > CHARS_MAX {
        return Err(Why::TooLarge { max: CHARS_MAX, of: "characters" });
    }
    if text.is_empty() {
        return Err(Why::Missing);
    }
    if text.chars().any(char::is_control) {
        return Err(Why::Expected("a text without control characters"));
    }
    if let Some((system, value)) = text.split_once('|') {
        let is_whole = !system.is_empty() && !value.is_empty();
        return if is_whole { Ok(text.to_owned()) } else { Err(Why::Expected(expected)) };
    }
    if let Some(id) = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) {
        return if is_id(id) { Ok(text.to_owned()) } else { Err(Why::Expected(expected)) };
    }
    match system {
        Some(system) => Ok(format!("{system}|{text}")),
        None if is_id(text) => Ok(format!("{kind}/{text}")),
        None => Err(Why::Expected(expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_have_one_name() {
        let check = |text: &str, system, expected: Result<&str, &str>| {
            let found = canonical_patient(text, system);
            assert_eq!(found.as_deref().map_err(Why::slug), expected, "{text}");
        };
        check("Patient/42", None, Ok("Patient/42"));
        check("42", None, Ok("Patient/42"));
        check(" 42 ", Some("urn:mrn"), Ok("urn:mrn|42"));
        check("Patient/42", Some("urn:mrn"), Ok("Patient/42"));
        check("urn:other|4/2", Some("urn:mrn"), Ok("urn:other|4/2"));
        check("|42", None, Err("wrong-type"));
        check("urn:mrn|", None, Err("wrong-type"));
        check("Patient/4 2", None, Err("wrong-type"));
        check("http://elsewhere/Patient/42", None, Err("wrong-type"));
        check("", None, Err("missing"));
        check("a|b\n", None, Ok("a|b"));
        check("a|b\nc", None, Err("wrong-type"));
    }
}
