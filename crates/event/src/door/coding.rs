//! A code as senders write it: `SYSTEM|CODE`, a bare code whose form tells its system, or an object with `system`, `code` and `display`.

use fhir::Value as Json;

use super::member::{below, only, text, text_of};
use crate::{Refusal, Why};

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const ICD_10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
/// Short names of code systems.
const SYSTEMS: [(&str, &str); 6] = [
    ("loinc", LOINC),
    ("snomed", SNOMED),
    ("sct", SNOMED),
    ("icd-10-cm", ICD_10_CM),
    ("icd10", ICD_10_CM),
    ("icd-10", "http://hl7.org/fhir/sid/icd-10"),
];
/// Most codes of a list.
const CODES_MAX: usize = 64;
const EXPECTED: &str = "a code as `SYSTEM|CODE`, a code of LOINC, SNOMED CT or ICD-10-CM, or an object with `system` and `code`,";

/// A code of a code system. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Coding {
    /// URI of the code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// Its name, as it was sent.
    pub display: Option<String>,
}

/// Does not print.
impl std::fmt::Debug for Coding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Coding")
    }
}

/// The code of a value.
pub(super) fn coding_of(value: &Json, place: &str) -> Result<Coding, Refusal> {
    let expected = || Refusal::at(place, Why::Expected(EXPECTED));
    let Json::Object(object) = value else {
        let sent = text(value, place)?.ok_or_else(expected)?;
        return bare(&sent).ok_or_else(expected);
    };
    only(object, &[&["system", "code", "display"]], place)?;
    let member = |name: &str| match object.get(name) {
        None => Ok(None),
        Some(value) => text_of(value).map_err(|why| Refusal::at(below(place, name), why)),
    };
    let (system, code, display) = (member("system")?, member("code")?, member("display")?);
    let code = code.ok_or_else(|| Refusal::at(below(place, "code"), Why::Missing))?;
    let sent = system.map_or_else(|| code.clone(), |system| format!("{system}|{code}"));
    let coding = bare(&sent).ok_or_else(expected)?;
    Ok(Coding { display, ..coding })
}

/// One code, or a list of codes.
pub(super) fn codings_of(value: &Json, place: &str) -> Result<Vec<Coding>, Refusal> {
    let items = value.each();
    if items.len() > CODES_MAX {
        return Err(Refusal::at(place, Why::TooLarge { max: CODES_MAX, of: "codes" }));
    }
    items.iter().map(|item| coding_of(item, place)).collect()
}

/// A code with its system, or one whose form tells it.
pub(super) fn bare(sent: &str) -> Option<Coding> {
    let (system, code) = match sent.rsplit_once('|') {
        Some((system, code)) => {
            let known = SYSTEMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(system));
            (known.map_or(system, |(_, uri)| *uri), code)
        }
        None => (system_of(sent)?, sent),
    };
    let is_code = !code.is_empty() && !code.contains(char::is_whitespace);
    let is_uri = system.contains(':') && !system.contains(char::is_whitespace);
    (is_code && is_uri).then(|| Coding { system: system.to_owned(), code: code.to_owned(), display: None })
}

/// `88122-7` and `LA33-6` are of LOINC, six and more digits of SNOMED CT, `Z59.41` of ICD-10-CM.
fn system_of(code: &str) -> Option<&'static str> {
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((number, check)) = code.strip_prefix("LA").unwrap_or(code).split_once('-') {
        let is_loinc = number.len() <= 7 && are_digits(number) && check.len() == 1 && are_digits(check);
        return is_loinc.then_some(LOINC);
    }
    if are_digits(code) {
        return (6..=18).contains(&code.len()).then_some(SNOMED);
    }
    let (chapter, rest) = code.split_at_checked(3)?;
    let chapter = chapter.as_bytes();
    let is_chapter =
        chapter[0].is_ascii_uppercase() && chapter[1].is_ascii_digit() && chapter[2].is_ascii_alphanumeric();
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let is_rest = rest.len() <= 4 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_chapter && is_rest).then_some(ICD_10_CM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_code_tells_its_system() {
        let check = |sent: &str, expected: Option<(&str, &str)>| {
            let found = bare(sent).map(|coding| (coding.system, coding.code));
            assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())), "{sent}");
        };
        check("88122-7", Some((LOINC, "88122-7")));
        check("LA28397-0", Some((LOINC, "LA28397-0")));
        check("733423003", Some((SNOMED, "733423003")));
        check("Z59.41", Some((ICD_10_CM, "Z59.41")));
        check("Z5941", Some((ICD_10_CM, "Z5941")));
        check("snomed|12", Some((SNOMED, "12")));
        check("ICD-10|Z59.0", Some(("http://hl7.org/fhir/sid/icd-10", "Z59.0")));
        check("urn:x:y|a", Some(("urn:x:y", "a")));
        for wrong in ["", "12", "x|12", "urn:x|", "urn:x|a b", "Often true", "Z5", "z59.4", "8812-27", "Z59é"]
        {
            check(wrong, None);
        }
    }
}
