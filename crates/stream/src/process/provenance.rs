//! What every resource that streams write has: an identifier that does not change, its event as `meta.source`, labels, subject, encounter.

use event::{Coding, Event};
use fhir::{Object, Value, json};
use uuid::Uuid;

/// Of all identifiers of resources that streams write of events.
const NAMESPACE: Uuid = uuid::uuid!("1a0c6b1e-83c5-5d0a-9a40-5f0f0b7f6c21");
/// What the change log says of its author, when streams wrote it.
pub(crate) const PRINCIPAL: &str = "service:stream";
/// The tag of what came with a quality below what its source must have.
const QUALITY: &str = "urn:salus:quality";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Labels that are in no list of HL7: kept as they came.
const OWN_LABELS: &str = "urn:salus:privacy";

/// Confidentiality by code, and by the words that senders use for it.
const LEVELS: [(&str, &[&str]); 6] = [
    ("U", &["u", "unrestricted"]),
    ("L", &["l", "low"]),
    ("M", &["m", "moderate"]),
    ("N", &["n", "normal", "standard"]),
    ("R", &["r", "restricted"]),
    ("V", &["v", "very restricted", "very-restricted", "very_restricted"]),
];
/// Sensitivities of v3-ActCode.
const SENSITIVITIES: [&str; 24] = [
    "ETH", "GDIS", "HIV", "MST", "SCA", "SDV", "SEX", "SPI", "STD", "TBOO", "PSY", "PSYTHPN", "SUD", "BH",
    "COGN", "DVD", "EMOTDIS", "MH", "OPIOIDUD", "ETHUD", "SICKLE", "PREGNANT", "VIO", "EMP",
];

/// The same for the same part of the same event; a correction that names what it corrects (`of`) has the identifier of that.
pub(crate) fn id_of(tenant: &str, event: &Event, of: Option<(&str, &str)>, name: &str) -> String {
    id_in(tenant, &event.source, of.unwrap_or(("event", &event.id)), name)
}

/// The same for the same name of the same thing of a sender.
pub(crate) fn id_in(tenant: &str, source: &str, (what, id): (&str, &str), name: &str) -> String {
    let of = format!("{what}\0{id}");
    Uuid::new_v5(&NAMESPACE, [tenant, source, &of, name].join("\0").as_bytes()).to_string()
}

/// The event as a URI.
fn source_of(event: &Event) -> String {
    let part = |text: &str| super::identity::encoded(text).replace('|', "%7C").replace('/', "%2F");
    format!("urn:salus:event:{}:{}", part(&event.source), part(&event.id))
}

/// `meta` of a resource that is made of an event.
pub(crate) fn meta_of(event: &Event, is_poor: bool) -> Value {
    let mut meta = Object::new();
    meta.insert("source", source_of(event).into());
    if !event.privacy.is_empty() {
        meta.insert("security", labels_of(&event.privacy).into());
    }
    if is_poor {
        meta.insert("tag", json!([{"system": QUALITY, "code": "low", "display": "low quality"}]));
    }
    Value::from(meta)
}

/// Labels of an event as codings: of confidentiality, of sensitivity, `SYSTEM|CODE`, or as they came. None is dropped.
pub(crate) fn labels_of(privacy: &[String]) -> Vec<Value> {
    let mut labels: Vec<(String, String)> = Vec::new();
    for label in privacy {
        let words = label.to_lowercase();
        let level = LEVELS.iter().find(|(_, names)| names.contains(&words.as_str()));
        let sensitivity = SENSITIVITIES.iter().find(|code| code.eq_ignore_ascii_case(label));
        let coding = match (level, sensitivity, label.rsplit_once('|')) {
            (Some((code, _)), _, _) => (CONFIDENTIALITY, (*code).to_owned()),
            (None, Some(code), _) => (ACT_CODE, (*code).to_owned()),
            (None, None, Some((system, code))) if system.contains(':') => (system, one_word(code)),
            (None, None, _) => (OWN_LABELS, one_word(label)),
        };
        let coding = (coding.0.to_owned(), coding.1);
        if !labels.contains(&coding) {
            labels.push(coding);
        }
    }
    labels.into_iter().map(|(system, code)| json!({"system": system, "code": code})).collect()
}

/// A code has no white space but single spaces.
fn one_word(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The patient, by reference or by business identifier.
pub(crate) fn subject_of(patient: &str) -> Value {
    match patient.split_once('|') {
        Some((system, value)) => json!({"identifier": {"system": system, "value": value}}),
        None => json!({"reference": patient}),
    }
}

/// The encounter, when it is one of the store.
pub(crate) fn encounter_of(event: &Event) -> Option<Value> {
    let encounter = event.encounter.as_deref().filter(|text| text.starts_with("Encounter/"))?;
    Some(json!({"reference": encounter}))
}

/// A coding as it was sent.
pub(crate) fn coding_of(coding: &Coding) -> Value {
    let mut value = Object::new();
    value.insert("system", coding.system.as_str().into());
    value.insert("code", coding.code.as_str().into());
    if let Some(display) = &coding.display {
        value.insert("display", display.as_str().into());
    }
    Value::from(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_dropped() {
        let check = |sent: &[&str], expected: &[(&str, &str)]| {
            let sent: Vec<String> = sent.iter().map(|label| (*label).to_owned()).collect();
            let found = labels_of(&sent);
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|label| (label.text("system").unwrap(), label.text("code").unwrap()))
                .collect();
            assert_eq!(found, expected, "{sent:?}");
        };
        check(&["R", "restricted"], &[(CONFIDENTIALITY, "R")]);
        check(
            &["Very Restricted", "PSY", "sud"],
            &[(CONFIDENTIALITY, "V"), (ACT_CODE, "PSY"), (ACT_CODE, "SUD")],
        );
        check(&["urn:house|VIP"], &[("urn:house", "VIP")]);
        check(&["the  chief's file"], &[(OWN_LABELS, "the chief's file")]);
        check(&[], &[]);
    }
}
