//! Media types: JSON comes in, JSON goes out; anything else is refused by name.

use http::{HeaderMap, header};

use crate::error::ServerError;

/// The media type of answers.
pub(crate) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// What bodies are sent as.
const RESOURCE: &str = "application/fhir+json";
/// A JSON Patch.
pub(crate) const JSON_PATCH: &str = "application/json-patch+json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Types that mean FHIR JSON, as a header or `_format` may spell them.
const JSON: [&str; 5] =
    ["application/fhir+json", "application/json", "application/json+fhir", "json", "text/json"];

/// `_format` counts more than `Accept`. Refuses when the caller takes nothing that can be given.
pub(crate) fn check_accept(headers: &HeaderMap, format: Option<&str>) -> Result<(), ServerError> {
    if let Some(format) = format {
        let format = format.replace(' ', "+");
        return if is_json(&format) { Ok(()) } else { Err(ServerError::NotAcceptable(format)) };
    }
    let mut given = None;
    for value in headers.get_all(header::ACCEPT) {
        let value = value.to_str().unwrap_or("");
        if value.split(',').any(|range| accepts(range.trim())) {
            return Ok(());
        }
        given = Some(value.to_string());
    }
    given.map_or(Ok(()), |value| Err(ServerError::NotAcceptable(value)))
}

/// Is a range one that FHIR JSON is in. A range with another FHIR version is not.
fn accepts(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or("");
    let mut wanted = true;
    for part in parts {
        match part.split_once('=') {
            Some(("q", weight)) => wanted &= weight.parse::<f32>().is_ok_and(|q| q > 0.0),
            Some(("fhirVersion", version)) => wanted &= version == "4.0",
            _ => {}
        }
    }
    wanted && (matches!(name, "*/*" | "application/*" | "") || is_json(name))
}

fn is_ndjson(text: &str) -> bool {
    let name = text.split(';').next().unwrap_or("").trim();
    let known = ["application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain"];
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_json(text: &str) -> bool {
    let name = text.split(';').next().unwrap_or("").trim();
    JSON.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A body must say it is JSON (or JSON lines, where events are taken), or say nothing.
pub(crate) fn check_content(headers: &HeaderMap, takes_lines: bool) -> Result<(), ServerError> {
    check_encoding(headers, RESOURCE)?;
    match headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("")) {
        None => Ok(()),
        Some(text) if is_json(text) || (takes_lines && is_ndjson(text)) => Ok(()),
        Some(text) => {
            let wanted = if takes_lines { "application/json` or `application/x-ndjson" } else { RESOURCE };
            Err(ServerError::MediaType { found: text.to_string(), wanted })
        }
    }
}

/// A patch says what it is; by its shape it is told apart what plain JSON is.
pub(crate) fn check_patch(headers: &HeaderMap) -> Result<(), ServerError> {
    const WANTED: &str = "application/json-patch+json` or `application/fhir+json";
    check_encoding(headers, WANTED)?;
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = text.split(';').next().unwrap_or("").trim();
    if name.eq_ignore_ascii_case(JSON_PATCH) || is_json(text) {
        return Ok(());
    }
    let found = if text.is_empty() { "nothing" } else { text };
    Err(ServerError::MediaType { found: found.to_string(), wanted: WANTED })
}

/// A search form must say that it is one.
pub(crate) fn check_form(headers: &HeaderMap) -> Result<(), ServerError> {
    check_encoding(headers, FORM)?;
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = text.split(';').next().unwrap_or("").trim();
    if name.eq_ignore_ascii_case(FORM) {
        return Ok(());
    }
    let found = if text.is_empty() { "nothing" } else { text };
    Err(ServerError::MediaType { found: found.to_string(), wanted: FORM })
}

fn check_encoding(headers: &HeaderMap, wanted: &'static str) -> Result<(), ServerError> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?")) {
        None | Some("identity") => Ok(()),
        Some(text) => Err(ServerError::MediaType { found: format!("content encoding {text}"), wanted }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &'static str, format: Option<&str>, ok: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, http::HeaderValue::from_static(accept));
        assert_eq!(check_accept(&headers, format).is_ok(), ok, "{accept} {format:?}");
    }

    #[test]
    fn json_is_accepted_and_xml_is_not() {
        check("application/fhir+json", None, true);
        check("text/html, */*;q=0.1", None, true);
        check("application/fhir+xml", None, false);
        check("application/fhir+json;q=0", None, false);
        check("application/fhir+json; fhirVersion=5.0", None, false);
        check("application/fhir+xml", Some("json"), true);
        check("*/*", Some("xml"), false);
        check("*/*", Some("application/fhir json"), true);
    }

    #[test]
    fn bodies_are_json() {
        let with = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(text));
            (check_content(&headers, false).is_ok(), check_form(&headers).is_ok())
        };
        assert_eq!(with("application/fhir+json; charset=utf-8"), (true, false));
        assert_eq!(with("application/x-www-form-urlencoded"), (false, true));
        assert_eq!(with("application/fhir+xml"), (false, false));
        assert!(check_content(&HeaderMap::new(), false).is_ok());
        assert!(check_patch(&HeaderMap::new()).is_err());
    }
}
