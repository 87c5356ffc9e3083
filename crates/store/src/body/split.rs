//! Splits a resource into what is stored and the head that is written in front when it is read.

use fhir::{Instant, Kind, Object, Resource, Value};

/// Members of `meta` that the store gives.
const GIVEN: [&str; 4] = ["versionId", "lastUpdated", "_versionId", "_lastUpdated"];

/// What is stored of a resource: the length of the other members of `meta`, these members, and all other members of the resource.
pub(crate) fn content_of(resource: &Resource) -> Vec<u8> {
    let mut meta = Vec::new();
    if let Some(object) = resource.object().get("meta").and_then(Value::as_object) {
        members(object, &GIVEN, &mut meta);
    }
    let mut content = Vec::with_capacity(meta.len() + 1024);
    put_length(&mut content, meta.len());
    content.extend_from_slice(&meta);
    members(resource.object(), &["resourceType", "id", "meta"], &mut content);
    content
}

/// JSON of a resource from its stored content; `None` when the content is cut.
pub(crate) fn assemble(
    kind: Kind,
    id: &str,
    version: u64,
    updated: Instant,
    content: &[u8],
) -> Option<Vec<u8>> {
    let (length, rest) = take_length(content)?;
    let (meta, rest) = rest.split_at_checked(length)?;
    let mut out = Vec::with_capacity(content.len() + 160);
    let version = version.to_string();
    let updated = updated.to_rfc3339_millis();
    for part in
        ["{\"resourceType\":\"", kind.name(), "\",\"id\":\"", id, "\",\"meta\":{\"versionId\":\"", &version]
    {
        out.extend_from_slice(part.as_bytes());
    }
    for part in ["\",\"lastUpdated\":\"", &updated, if meta.is_empty() { "\"" } else { "\"," }] {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(meta);
    out.extend_from_slice(if rest.is_empty() { b"}" } else { b"}," });
    out.extend_from_slice(rest);
    out.push(b'}');
    Some(out)
}

fn members(object: &Object, without: &[&str], out: &mut Vec<u8>) {
    let mut first = true;
    for (key, value) in object.iter().filter(|(key, _)| !without.contains(key)) {
        if !first {
            out.push(b',');
        }
        first = false;
        Value::from(key).write(out);
        out.push(b':');
        value.write(out);
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a body is far below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*length) as usize, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    fn check(sent: &str, read: &str) {
        let resource = Resource::parse(sent.as_bytes(), &Limits::default()).unwrap();
        let content = content_of(&resource);
        let json = assemble(resource.kind(), "7", 3, Instant(1_000), &content).unwrap();
        let text = String::from_utf8(json).unwrap();
        assert_eq!(text, read);
        let again = Resource::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(content_of(&again), content, "a body that is read and sent back is the same");
        for cut in 0..4.min(content.len()) {
            assert_eq!(assemble(resource.kind(), "7", 3, Instant(0), &content[..cut]), None);
        }
    }

    #[test]
    fn head_and_body_make_the_resource_again() {
        let head = r#"{"resourceType":"Patient","id":"7","meta":{"versionId":"3","lastUpdated":"1970-01-01T00:00:00.001Z""#;
        check(r#"{"resourceType":"Patient"}"#, &format!("{head}}}}}"));
        check(
            r#"{"resourceType":"Patient","id":"7","active":true}"#,
            &format!(r#"{head}}},"active":true}}"#),
        );
        check(
            r#"{"a\"b":1.50,"meta":{"tag":[{"code":"x"}],"versionId":"9"},"resourceType":"Patient","id":"1"}"#,
            &format!(r#"{head},"tag":[{{"code":"x"}}]}},"a\"b":1.50}}"#),
        );
    }
}
