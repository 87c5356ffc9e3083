//! Where in the JSON of a resource an item of an evaluation stands.

use compact_str::CompactString;
use fhir::definitions::{TypeId, child};
use fhir::{Object, Resource, Value};

use crate::item::Item;
use crate::types::{Class, known};

/// A step down into JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(CompactString),
    Index(usize),
}

/// A member of an object, and which value of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Steps to the object.
    pub(super) above: Vec<Step>,
    /// The key, without the `_` of a sibling.
    pub(super) key: CompactString,
    /// The position; 0 when the member is no list.
    pub(super) index: usize,
}

/// An item's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The resource itself.
    Root,
    /// A value of a member.
    Member(Slot),
}

impl Place {
    /// Where the item stands in the resource that it was found in; `None` for what was computed. Values are told apart by their
    /// address, because a resource may say the same thing twice.
    pub(super) fn of(resource: &Resource, item: &Item<'_>) -> Option<Place> {
        let wanted = item.value().or(item.sibling())?;
        let mut steps = Vec::new();
        if !search(resource.value(), wanted, &mut steps) {
            return None;
        }
        let index = match steps.last() {
            None => return Some(Place::Root),
            Some(Step::Index(index)) => {
                let index = *index;
                steps.pop();
                index
            }
            Some(Step::Key(_)) => 0,
        };
        let Some(Step::Key(key)) = steps.pop() else { return None };
        let key = key.strip_prefix('_').map_or(key.clone(), CompactString::from);
        Some(Place::Member(Slot { above: steps, key, index }))
    }
}

fn search(value: &Value, wanted: &Value, steps: &mut Vec<Step>) -> bool {
    if std::ptr::eq(value, wanted) {
        return true;
    }
    match value {
        Value::Array(items) => items.iter().enumerate().any(|(at, item)| {
            steps.push(Step::Index(at));
            let found = search(item, wanted, steps);
            if !found {
                steps.pop();
            }
            found
        }),
        Value::Object(object) => object.iter().any(|(key, member)| {
            steps.push(Step::Key(key.into()));
            let found = search(member, wanted, steps);
            if !found {
                steps.pop();
            }
            found
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Are the items, in order, all values of the member that a slot is in.
pub(super) fn is_whole_list(resource: &Resource, slot: &Slot, items: &[Item<'_>]) -> bool {
    let above = slot.above.iter().try_fold(resource.value(), |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(at) => value.items().get(*at),
    });
    let Some(object) = above.and_then(Value::as_object) else { return false };
    let values = object.get(&slot.key).map_or(&[][..], Value::each);
    let siblings = object.get(&format!("_{}", slot.key)).map_or(&[][..], Value::each);
    let there =
        |list: &[Value], at: usize| list.get(at).filter(|value| !value.is_null()).map(std::ptr::from_ref);
    let all = (0..values.len().max(siblings.len()))
        .filter_map(|at| there(values, at).or_else(|| there(siblings, at)));
    let found = items.iter().filter_map(|item| item.value().or(item.sibling())).map(std::ptr::from_ref);
    all.eq(found) && !items.is_empty()
}

/// The object that steps lead to, and its type.
pub(super) fn object_at<'r>(resource: &'r mut Resource, steps: &[Step]) -> Option<(&'r mut Object, TypeId)> {
    let mut ty = TypeId::of_kind(resource.kind());
    let mut value: Option<&mut Value> = None;
    let mut object = Some(resource.object_mut());
    for step in steps {
        let next = match (step, object.take(), value.take()) {
            (Step::Key(key), Some(object), _) => {
                ty = child(ty, key.strip_prefix('_').unwrap_or(key))?.ty;
                object.get_mut(key)?
            }
            (Step::Index(at), _, Some(value)) => value.as_array_mut()?.get_mut(*at)?,
            _ => return None,
        };
        if Class::of(ty) == Class::Resource && next.as_object().is_some() {
            let kind = next.text("resourceType").and_then(fhir::Kind::parse);
            ty = kind.map_or(known().resource, TypeId::of_kind);
        }
        match next {
            Value::Object(inner) => object = Some(inner),
            other => value = Some(other),
        }
    }
    Some((object?, ty))
}
