//! Which patients a stored resource names: found in its bytes, so that a read need not parse it.

use fhir::Kind;

/// How the writer puts a reference; inside a JSON string the quotes would be escaped, so this never matches text.
const REFERENCE: &str = "\"reference\":\"";

/// Adds to `patients` the ids of the patients that a stored body names, each once, in order of appearance.
pub(crate) fn patients_of(kind: Kind, id: &str, body: &[u8], patients: &mut Vec<String>) {
    if kind.name() == "Patient" {
        add(patients, id);
    }
    let Ok(text) = std::str::from_utf8(body) else { return };
    for (at, _) in text.match_indices(REFERENCE) {
        let rest = &text[at + REFERENCE.len()..];
        let target = rest.split('"').next().unwrap_or("");
        if let Some(id) = patient_of(target) {
            add(patients, id);
        }
    }
}

/// The patient id in `Patient/1`, `Patient/1/_history/2`, `http://host/fhir/Patient/1`.
fn patient_of(target: &str) -> Option<&str> {
    let rest = match target.strip_prefix("Patient/") {
        Some(rest) => rest,
        None => target.rsplit_once("/Patient/")?.1,
    };
    let id = rest.split('/').next().unwrap_or("");
    let legal = !id.is_empty() && id.len() <= 64;
    (legal && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')).then_some(id)
}

fn add(patients: &mut Vec<String>, id: &str) {
    // A page is about few patients, and those of neighbouring rows repeat: look from the end.
    if !patients.iter().rev().any(|p| p == id) {
        patients.push(id.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, body: &str, expected: &[&str]) {
        let mut patients = Vec::new();
        patients_of(Kind::named(kind), "self", body.as_bytes(), &mut patients);
        assert_eq!(patients, expected);
    }

    #[test]
    fn patients_are_found_in_references() {
        check("Patient", r#"{"resourceType":"Patient"}"#, &["self"]);
        check(
            "Observation",
            r#"{"subject":{"reference":"Patient/a"},"performer":[{"reference":"Patient/a"}]}"#,
            &["a"],
        );
        check(
            "Group",
            r#"[{"reference":"Patient/a"},{"reference":"http://h/fhir/Patient/b/_history/2"}]"#,
            &["a", "b"],
        );
    }

    #[test]
    fn text_and_other_types_are_not_patients() {
        check("Basic", r#"{"reference":"Group/a"}"#, &[]);
        check("Basic", r#"{"text":"\"reference\":\"Patient/a\""}"#, &[]);
        check("Basic", r#"{"reference":"Patient/"}"#, &[]);
        check("Basic", r#"{"reference":"Patient/a b"}"#, &[]);
    }
}
