//! References: local ones by type and id, others by their address; logical identifiers beside them.

use compact_str::CompactString;
use fhir::{Kind, Reference, Value};

use crate::ParamId;
use crate::rows::{IndexRows, ReferenceRow, Target, TokenRow};

pub(super) fn reference(param: ParamId, value: &Value, bases: &[String], rows: &mut IndexRows) {
    if let Some(text) = value.text("reference") {
        rows.references.extend(target_of(text, bases).map(|target| ReferenceRow { param, target }));
    }
    let Some(identifier) = value.get("identifier") else { return };
    let text = |name| identifier.text(name).map(CompactString::from);
    let (system, code) = (text("system"), text("value"));
    if system.is_some() || code.is_some() {
        rows.reference_identifiers.push(TokenRow { param, system, code });
    }
}

/// A resource that stands where others have a reference: the composition of a document.
pub(super) fn resource(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let kind = value.text("resourceType").and_then(Kind::parse);
    let (Some(kind), Some(id)) = (kind, value.text("id")) else { return };
    if param.def().leads_to(kind) && fhir::is_id(id) {
        rows.references.push(ReferenceRow { param, target: Target::Local { kind, id: id.into() } });
    }
}

/// Does a reference lead to a type, as far as its text or its `type` says.
pub(super) fn leads_to(value: &Value, kind: Kind, bases: &[String]) -> bool {
    let by_text = value.text("reference").and_then(|text| match Reference::resolve(text, bases) {
        Reference::Local { kind, .. } | Reference::Conditional { kind, .. } => Some(kind),
        Reference::Url(url) => Reference::tail_of(url).map(|(kind, _)| kind),
        Reference::Urn(_) | Reference::Contained(_) | Reference::Malformed(_) => None,
    });
    by_text.map_or_else(|| value.text("type") == Some(kind.name()), |found| found == kind)
}

pub(super) fn target_of(text: &str, bases: &[String]) -> Option<Target> {
    match Reference::resolve(text, bases) {
        Reference::Local { kind, id, .. } => Some(Target::Local { kind, id: id.into() }),
        Reference::Url(text) | Reference::Urn(text) => Some(Target::Url(text.into())),
        Reference::Contained(_) | Reference::Conditional { .. } | Reference::Malformed(_) => None,
    }
}
