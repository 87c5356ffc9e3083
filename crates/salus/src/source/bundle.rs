//! A bundle as changes: what each entry asks for, with ids that stay the same when it is imported again.
//!
//! `salus import` differs from a POST of the same bundle in one point: an entry that would be created under a new id, but carries
//! an id of its own (in the resource, or as the UUID of its `fullUrl`), is put under that id.

use std::collections::HashMap;

use fhir::json::Value;
use fhir::{Kind, Resource};

use super::parse::{text_at, text_of};
use super::unit::{Change, Item, Place, Reject, Unit};

/// Whether the bundle is a wrapping of resources rather than a record of its own (documents, messages and histories are).
pub(crate) fn is_carrier(resource: &Resource) -> bool {
    resource.kind() == Kind::named("Bundle")
        && matches!(
            text_at(resource.value(), "type"),
            Some("transaction" | "batch" | "collection" | "searchset")
        )
}

/// The changes of a bundle. A transaction with an entry that cannot be read is rejected as a whole; of the others, the rest loads.
pub(crate) fn unit_of(mut bundle: Value, place: &Place, bytes: usize) -> (Option<Unit>, Vec<Reject>) {
    let transaction = text_at(&bundle, "type") == Some("transaction");
    let entries = match bundle.get_mut("entry").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        Some(_) => return (None, vec![Reject::new(place.clone(), "Bundle.entry: an array is expected")]),
        None => Vec::new(),
    };
    let mut items = Vec::with_capacity(entries.len());
    let mut rejects = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let place = place.entry(index);
        match item_of(entry, place.clone()) {
            Ok(item) => items.extend(item),
            Err((kind, reason)) => rejects.push(Reject { place, kind, reason }),
        }
    }
    if transaction && !rejects.is_empty() {
        let first = rejects[0].place.clone();
        rejects.extend(items.into_iter().map(|item| Reject {
            kind: Some(item.change.kind()),
            place: item.place,
            reason: format!("the transaction it belongs to is rejected because of {first}"),
        }));
        return (None, rejects);
    }
    rewrite_references(&mut items);
    // References to an entry that gets its id from the store can only be resolved by the store, inside one write.
    let resolves_inside = items.iter().any(|item| item.full_url.is_some() && item.change.key().is_none());
    let unit = Unit { atomic: transaction || resolves_inside, items, bytes };
    let unit = (!unit.items.is_empty()).then_some(unit);
    (unit, rejects)
}

fn item_of(mut entry: Value, place: Place) -> Result<Option<Item>, (Option<Kind>, String)> {
    let full_url = text_at(&entry, "fullUrl").map(str::to_owned);
    let resource = match entry.as_object_mut().and_then(|entry| entry.remove("resource")) {
        Some(value) => Some(Resource::from_value(value).map_err(|issues| (None, text_of(&issues)))?),
        None => None,
    };
    let kind = resource.as_ref().map(Resource::kind);
    let change = match entry.get("request") {
        None if resource.is_none() => {
            return Err((None, "the entry has neither a resource nor a request".to_owned()));
        }
        None => resource.map(|resource| put_or_create(resource, full_url.as_deref(), None)),
        Some(request) => {
            Some(requested(request, resource, full_url.as_deref()).map_err(|reason| (kind, reason))?)
        }
    };
    Ok(change.map(|change| Item { place, full_url, change }))
}

fn requested(request: &Value, resource: Option<Resource>, full_url: Option<&str>) -> Result<Change, String> {
    let method = text_at(request, "method").ok_or("request.method is missing")?;
    let url = text_at(request, "url").ok_or("request.url is missing")?;
    let body = |resource: Option<Resource>| resource.ok_or(format!("a {method} entry needs a resource"));
    match method {
        "POST" => {
            let resource = body(resource)?;
            check_type(url, &resource)?;
            let condition = text_at(request, "ifNoneExist").map(str::to_owned);
            Ok(put_or_create(resource, full_url, condition))
        }
        "PUT" => put_of(url, body(resource)?, text_at(request, "ifMatch")),
        "DELETE" => delete_of(url),
        "GET" | "HEAD" => Err(format!("a {method} entry asks for an answer, which an import does not give")),
        _ => Err(format!("a {method} entry is not supported by import")),
    }
}

fn check_type(url: &str, resource: &Resource) -> Result<(), String> {
    let named = url.split(['?', '/']).next().unwrap_or_default();
    if named == resource.kind().name() {
        return Ok(());
    }
    if url.contains("://") {
        return Err(
            "request.url is absolute: write it as in `Patient/42`, below the base of the server".to_owned()
        );
    }
    Err(format!("request.url names `{named}`, the resource is a `{}`", resource.kind()))
}

fn put_or_create(mut resource: Resource, full_url: Option<&str>, if_none_exist: Option<String>) -> Change {
    // A condition already makes a second import change nothing, and it may find a resource under another id.
    if if_none_exist.is_some() {
        return Change::Create { resource, if_none_exist };
    }
    if resource.id().is_none()
        && let Some(id) = full_url.and_then(uuid_of)
    {
        resource.set_id(&id);
    }
    match resource.id() {
        Some(_) => Change::Put { resource, if_match: None },
        None => Change::Create { resource, if_none_exist },
    }
}

fn uuid_of(full_url: &str) -> Option<String> {
    let uuid = uuid::Uuid::try_parse(full_url.strip_prefix("urn:uuid:")?).ok()?;
    Some(uuid.hyphenated().to_string())
}

fn put_of(url: &str, mut resource: Resource, if_match: Option<&str>) -> Result<Change, String> {
    check_type(url, &resource)?;
    if let Some((_, query)) = url.split_once('?') {
        return Ok(Change::PutWhere { resource, query: query.to_owned() });
    }
    let id = url
        .split('/')
        .nth(1)
        .filter(|id| !id.is_empty())
        .ok_or("a PUT entry names its resource as `Type/id`")?;
    match resource.id() {
        Some(own) if own != id => {
            return Err("the id of the resource differs from the id in request.url".to_owned());
        }
        Some(_) => {}
        None => resource.set_id(id),
    }
    let if_match = if_match
        .map(|text| parse_etag(text).ok_or("request.ifMatch is not of the form `W/\"3\"`"))
        .transpose()?;
    Ok(Change::Put { resource, if_match })
}

fn parse_etag(text: &str) -> Option<u64> {
    text.trim().strip_prefix("W/")?.trim_matches('"').parse().ok()
}

fn delete_of(url: &str) -> Result<Change, String> {
    if url.contains('?') {
        return Err("a conditional DELETE is not supported by import".to_owned());
    }
    let (kind, id) = url.split_once('/').ok_or("a DELETE entry names its resource as `Type/id`")?;
    let kind = Kind::parse(kind).ok_or_else(|| format!("`{kind}` is not a resource type"))?;
    Ok(Change::Delete { kind, id: id.to_owned() })
}

// References by fullUrl become references by id, so that a resource looks the same however it was delivered.
fn rewrite_references(items: &mut [Item]) {
    let targets: HashMap<String, String> = items
        .iter()
        .filter_map(|item| Some((item.full_url.clone()?, item.change.key()?)))
        .filter(|(url, _)| url.starts_with("urn:"))
        .collect();
    if targets.is_empty() {
        return;
    }
    for item in items {
        let (Change::Put { resource, .. }
        | Change::Create { resource, .. }
        | Change::PutWhere { resource, .. }) = &mut item.change
        else {
            continue;
        };
        resource.visit_references_mut(&mut |reference| {
            if let Some(target) = targets.get(reference.as_str()) {
                *reference = target.as_str().into();
            }
        });
    }
}
