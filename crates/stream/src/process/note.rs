//! Clinical notes become DocumentReferences. The text is carried in the attachment and nowhere else.

use event::{Event, Note, NoteStatus};
use fhir::{Object, Value, json};

use super::provenance::{coding_of, encounter_of, id_of, meta_of, subject_of};
use crate::settings::Notes;

const CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category";
const DOCUMENT: &str = "urn:salus:document";

/// The DocumentReference of a note, with its identifier.
pub(crate) fn resource(
    tenant: &str,
    event: &Event,
    note: &Note,
    policy: Notes,
    is_poor: bool,
) -> (String, String) {
    let document = note.document.as_deref();
    let id = id_of(tenant, event, document.map(|document| ("document", document)), "note");
    let mut object = Object::new();
    object.insert("resourceType", "DocumentReference".into());
    object.insert("id", id.clone().into());
    object.insert("meta", meta_of(event, is_poor));
    if let Some(document) = document {
        let system = format!("{DOCUMENT}:{}", super::identity::encoded(&event.source));
        object.insert("identifier", json!([{"system": system, "value": document}]));
    }
    let is_wrong = note.status == NoteStatus::EnteredInError;
    object.insert("status", if is_wrong { "entered-in-error" } else { "current" }.into());
    object.insert("docStatus", note.status.name().into());
    if let Some(kind) = &note.kind {
        object.insert("type", json!({"coding": [(coding_of(kind))]}));
    }
    object.insert("category", json!([{"coding": [{"system": CATEGORY, "code": "clinical-note"}]}]));
    object.insert("subject", subject_of(event.patient.as_deref().unwrap_or_default()));
    object.insert("date", event.at.to_rfc3339_millis().into());
    if let Some(author) = &note.author {
        object.insert("author", vec![author_of(author)].into());
    }
    if let Some(title) = &note.title {
        object.insert("description", title.as_str().into());
    }
    object.insert("content", json!([{"attachment": (attachment_of(event, note, policy))}]));
    let mut context = Object::new();
    if let Some(encounter) = encounter_of(event) {
        context.insert("encounter", vec![encounter].into());
    }
    if !note.codes.is_empty() {
        let concepts = note.codes.iter().map(|code| json!({"coding": [(coding_of(code))]}));
        context.insert("event", concepts.collect::<Vec<Value>>().into());
    }
    if !context.is_empty() {
        object.insert("context", context.into());
    }
    (id, Value::from(object).to_text())
}

fn attachment_of(event: &Event, note: &Note, policy: Notes) -> Value {
    let mut attachment = Object::new();
    attachment.insert("contentType", format!("{}; charset=utf-8", note.format).into());
    if let Some(language) = &note.language {
        attachment.insert("language", language.as_str().into());
    }
    if let Some(text) = note.text.as_deref().filter(|_| policy == Notes::All) {
        attachment.insert("data", base64(text.as_bytes()).into());
    }
    if let Some(title) = &note.title {
        attachment.insert("title", title.as_str().into());
    }
    attachment.insert("creation", event.at.to_rfc3339_millis().into());
    Value::from(attachment)
}

/// `Practitioner/ID`, a business identifier, or a name.
fn author_of(author: &str) -> Value {
    if let Some((system, value)) = author.split_once('|') {
        return json!({"identifier": {"system": system, "value": value}});
    }
    let kinds = ["Practitioner", "PractitionerRole", "Organization", "Device", "Patient", "RelatedPerson"];
    let is_reference =
        author.split_once('/').is_some_and(|(kind, id)| kinds.contains(&kind) && fhir::is_id(id));
    if is_reference { json!({"reference": author}) } else { json!({"display": author}) }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Sources;

    const TEXT: &str = "Sleeps badly.\nÜbelkeit.";

    fn made(data: &str, policy: Notes) -> Option<(String, String)> {
        let text = format!(
            r#"{{"id":"n1","kind":"clinical_notes","patient":"Patient/42","encounter":"Encounter/7","at":"2026-11-25T08:00:00Z","source":"ehr","privacy":["R","PSY"],"data":{data}}}"#
        );
        let now = fhir::Instant::parse("2026-11-25T08:00:01Z").unwrap();
        let event = Event::parse(text.as_bytes(), &Sources::default(), now).unwrap();
        Some(resource("main", &event, &event.note()?, policy, false))
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let check = |text: &str, expected: &str| assert_eq!(base64(text.as_bytes()), expected, "{text}");
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            check(text, expected);
        }
        check("fooba", "Zm9vYmE=");
        check("foobar", "Zm9vYmFy");
        check("ü?>", "w7w/Pg==");
    }

    #[test]
    fn a_note_is_a_document_that_is_valid() {
        let data = format!(
            r#"{{"document":"N-7","type":"34117-2","title":"Visit","author":"Practitioner/9","text":{:?},"codes":["snomed|193462001"]}}"#,
            TEXT
        );
        let (id, text) = made(&data, Notes::All).unwrap();
        let resource = super::super::observe::parsed(&text).unwrap();
        assert_eq!(validate::check(&resource, validate::Level::Full), [], "{text}");
        assert!(text.contains(&base64(TEXT.as_bytes())) && text.contains(r#""code":"PSY""#), "{text}");
        let (again, without) = made(&data.replace("Visit", "Later"), Notes::WithoutText).unwrap();
        assert_eq!(again, id, "what amends a document has its identifier");
        assert!(!without.contains(r#""data":"#), "{without}");
        let gone = made(r#"{"document":"N-7","status":"entered-in-error"}"#, Notes::All).unwrap();
        assert!(gone.0 == id && gone.1.contains(r#""status":"entered-in-error""#));
    }
}
