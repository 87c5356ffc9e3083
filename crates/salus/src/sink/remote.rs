//! Writes units to a FHIR server: each becomes one transaction or batch bundle.

use bytes::Bytes;
use egress::{EgressError, FhirClient};
use fhir::date::parse_instant;
use fhir::json::{self, Limits, Object, Value};
use fhir::{Instant, Resource};

use crate::source::parse::text_at;
use crate::source::{Change, Item, Unit};

use super::{Outcome, Written};

/// A server, and when this import started.
#[derive(Clone)]
pub(crate) struct RemoteSink {
    pub(crate) client: FhirClient,
    /// A put of what is already there answers 200 like any other; its `lastModified` from before this instant tells them apart.
    pub(crate) started: Instant,
}

impl RemoteSink {
    pub(crate) async fn write(&self, unit: &Unit) -> anyhow::Result<Written> {
        let idempotent = unit.items.iter().all(|item| {
            matches!(item.change, Change::Put { .. } | Change::PutWhere { .. } | Change::Delete { .. })
        });
        match self.client.bundle(Bytes::from(bundle_of(unit)), idempotent).await {
            Ok(answer) => self.results_of(unit, &answer),
            Err(EgressError::Status { status, body, .. }) if is_refusal(status) => {
                Ok(refusal_of(status, &body))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn results_of(&self, unit: &Unit, answer: &Value) -> anyhow::Result<Written> {
        let entries = answer.get("entry").map(Value::items).unwrap_or_default();
        if entries.len() != unit.items.len() {
            anyhow::bail!(
                "the server answered {} entries to a bundle of {}",
                entries.len(),
                unit.items.len()
            );
        }
        let each = unit.items.iter().zip(entries).map(|(item, entry)| self.result_of(item, entry)).collect();
        Ok(Written::Each(each))
    }

    fn result_of(&self, item: &Item, entry: &Value) -> Result<Outcome, String> {
        let response = entry.get("response").ok_or("the server's answer has no response for it")?;
        let status = text_at(response, "status")
            .and_then(|status| status.split_whitespace().next()?.parse::<u16>().ok());
        match (status, &item.change) {
            (Some(200 | 204), Change::Delete { .. }) => Ok(Outcome::Deleted),
            (Some(201), _) => Ok(Outcome::Created),
            (Some(200), Change::Create { .. }) => Ok(Outcome::Unchanged),
            (Some(200), _) => Ok(if self.is_older(response) { Outcome::Unchanged } else { Outcome::Updated }),
            (Some(status), _) => Err(match response.get("outcome") {
                Some(outcome) => issues_of(outcome),
                None => format!("the server answered {status}"),
            }),
            (None, _) => Err("the server's answer has no status for it".to_owned()),
        }
    }

    fn is_older(&self, response: &Value) -> bool {
        text_at(response, "lastModified").and_then(parse_instant).is_some_and(|at| at < self.started)
    }
}

// 401 and 403 hold for everything that would follow; so does a server that is down.
fn is_refusal(status: u16) -> bool {
    matches!(status, 400 | 404 | 409 | 410 | 412 | 413 | 422)
}

fn refusal_of(status: u16, body: &[u8]) -> Written {
    let outcome = json::parse(body, &Limits::default()).ok();
    let reason = match &outcome {
        Some(outcome) if outcome.get("issue").is_some() => issues_of(outcome),
        _ => format!("the server answered {status}"),
    };
    Written::Nothing { entry: outcome.as_ref().and_then(entry_of), reason, waits: false }
}

// `Bundle.entry[3].resource…`: the entry at fault.
fn entry_of(outcome: &Value) -> Option<usize> {
    let issue = outcome.get("issue")?.items().first()?;
    let expression = issue.get("expression")?.items().first()?.as_str()?;
    expression.strip_prefix("Bundle.entry[")?.split(']').next()?.parse().ok()
}

/// What an OperationOutcome says, in one line.
pub(crate) fn issues_of(outcome: &Value) -> String {
    let issues = outcome.get("issue").map(Value::items).unwrap_or_default();
    let texts: Vec<String> = issues
        .iter()
        .take(5)
        .filter_map(|issue| {
            let detail = issue.get("details").and_then(|details| text_at(details, "text"));
            let text = text_at(issue, "diagnostics").or(detail).or_else(|| text_at(issue, "code"))?;
            let place = issue.get("expression").and_then(|e| e.items().first()).and_then(Value::as_str);
            Some(place.map_or_else(|| text.to_owned(), |place| format!("{place}: {text}")))
        })
        .collect();
    texts.join("; ")
}

/// The unit as a transaction or batch bundle. Written by hand, so that no resource is copied.
fn bundle_of(unit: &Unit) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.bytes + unit.items.len() * 160 + 64);
    let kind = if unit.atomic { "transaction" } else { "batch" };
    bytes.extend_from_slice(
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\",\"entry\":[").as_bytes(),
    );
    for (index, item) in unit.items.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        write_entry(item, &mut bytes);
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

fn write_entry(item: &Item, bytes: &mut Vec<u8>) {
    bytes.push(b'{');
    if let Some(full_url) = &item.full_url {
        bytes.extend_from_slice(b"\"fullUrl\":");
        Value::from(full_url.as_str()).write(bytes);
        bytes.push(b',');
    }
    let (request, resource) = request_of(&item.change);
    if let Some(resource) = resource {
        bytes.extend_from_slice(b"\"resource\":");
        resource.value().write(bytes);
        bytes.push(b',');
    }
    bytes.extend_from_slice(b"\"request\":");
    Value::Object(request).write(bytes);
    bytes.push(b'}');
}

fn request_of(change: &Change) -> (Object, Option<&Resource>) {
    let mut request = Object::new();
    let mut ask = |method: &str, url: String| {
        request.insert("method", Value::from(method));
        request.insert("url", Value::from(url));
    };
    match change {
        Change::Put { resource, if_match } => {
            ask("PUT", resource.reference());
            if let Some(version) = if_match {
                request.insert("ifMatch", Value::from(format!("W/\"{version}\"")));
            }
            (request, Some(resource))
        }
        Change::Create { resource, if_none_exist } => {
            ask("POST", resource.kind().name().to_owned());
            if let Some(query) = if_none_exist {
                request.insert("ifNoneExist", Value::from(query.as_str()));
            }
            (request, Some(resource))
        }
        Change::PutWhere { resource, query } => {
            ask("PUT", format!("{}?{query}", resource.kind()));
            (request, Some(resource))
        }
        Change::Delete { kind, id } => {
            ask("DELETE", format!("{kind}/{id}"));
            (request, None)
        }
    }
}
