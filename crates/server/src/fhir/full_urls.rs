//! Names of entries: in a transaction each has its own; entries of a batch do not refer to each other.

use std::collections::HashMap;

use fhir::Resource;
use fhir::bundle::visit_references;
use gate::{Action, WriteOp};

use crate::error::ServerError;
use crate::fhir::entry::wrong;

/// Refuses a `fullUrl` that two writes of a transaction carry: a reference to it could mean either.
pub(crate) fn check_distinct(ops: &[(usize, WriteOp)]) -> Result<(), ServerError> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(ops.len());
    for (entry, op) in ops {
        let Some(name) = op.full_url.as_deref() else { continue };
        if let Some(first) = seen.insert(name, *entry) {
            let why = format!("entry {first} has the same `fullUrl`: give each its own");
            return Err(wrong(&format!("Bundle.entry[{entry}].fullUrl"), why));
        }
    }
    Ok(())
}

/// Writes by their entry, and entries that are refused.
type SetAside = (Vec<(usize, WriteOp)>, Vec<(usize, ServerError)>);

/// Sets aside the writes of a batch that refer to other entries by `urn:`: the reference would be stored and lead nowhere.
pub(crate) fn set_aside(ops: Vec<(usize, WriteOp)>) -> SetAside {
    let urns = ops.iter().filter_map(|(entry, op)| Some((op.full_url.clone()?, *entry)));
    let urns: HashMap<String, usize> = urns.filter(|(name, _)| name.starts_with("urn:")).collect();
    let (mut kept, mut failed) = (Vec::with_capacity(ops.len()), Vec::new());
    for (entry, op) in ops {
        match other_entry(&op, &urns) {
            None => kept.push((entry, op)),
            Some(other) => {
                let why = format!("it refers to entry {other}: entries that do are sent as a transaction");
                failed.push((entry, wrong(&format!("Bundle.entry[{entry}].resource"), why)));
            }
        }
    }
    (kept, failed)
}

fn other_entry(op: &WriteOp, urns: &HashMap<String, usize>) -> Option<usize> {
    let mut other = None;
    if !urns.is_empty() {
        let mut visit = |text: &str| other = other.or_else(|| urns.get(text).copied());
        match &op.action {
            Action::Patch { amendment, .. } | Action::ConditionalPatch { amendment, .. } => {
                amendment.references().iter().for_each(|text| visit(text));
            }
            action => visit_references(resource_of(action)?.value(), &mut visit),
        }
    }
    other
}

fn resource_of(action: &Action) -> Option<&Resource> {
    match action {
        Action::Create { resource, .. }
        | Action::Update { resource, .. }
        | Action::ConditionalUpdate { resource, .. } => Some(resource),
        Action::Patch { .. }
        | Action::ConditionalPatch { .. }
        | Action::Delete { .. }
        | Action::ConditionalDelete { .. } => None,
    }
}
