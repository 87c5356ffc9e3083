//! The operations of a FHIRPath Patch on a resource.

use fhir::definitions::{TypeId, child};
use fhir::patch::PatchError;
use fhir::{Object, Resource, Value};

use super::list::{self, Pair};
use super::operation::{Change, Operation};
use super::place::{self, Place, Slot, Step, object_at};
use super::value;
use crate::context::{Context, Limits};

type Done = Result<(), String>;

/// Does them in order; at the first that cannot be done the resource is left half changed.
pub(super) fn apply(operations: &[Operation], resource: &mut Resource) -> Result<(), PatchError> {
    // All together cost no more than one evaluation may.
    let steps_max = Limits::default().steps_max / operations.len().max(1);
    for (at, operation) in operations.iter().enumerate() {
        let done =
            found(operation, resource, steps_max).and_then(|place| one(operation, resource, place.as_ref()));
        done.map_err(|problem| PatchError::at(at, operation.change.name(), &operation.text, problem))?;
    }
    Ok(())
}

/// Where the path of an operation leads: to one element, or for what works on lists to the first of one whole list.
fn found(operation: &Operation, resource: &Resource, steps_max: usize) -> Result<Option<Place>, String> {
    let mut context = Context::new(resource);
    context.limits.steps_max = steps_max;
    let items = operation.path.evaluate(&context).map_err(|error| format!("the path fails: {error}"))?;
    let Some(first) = items.first() else { return Ok(None) };
    let of_list = matches!(operation.change, Change::Insert { .. } | Change::Move { .. });
    if items.len() > 1 && !of_list {
        return Err(format!("the path leads to {} elements: it must lead to one", items.len()));
    }
    let place = Place::of(resource, first)
        .ok_or_else(|| "the path leads to a computed value, not into the resource".to_string())?;
    match &place {
        Place::Member(slot) if of_list && !place::is_whole_list(resource, slot, &items) => {
            Err("the path does not lead to one whole list: name the list, its positions count".into())
        }
        _ => Ok(Some(place)),
    }
}

fn one(operation: &Operation, resource: &mut Resource, place: Option<&Place>) -> Done {
    let there = || place.cloned().ok_or_else(|| "nothing is there".to_string());
    let list =
        || place.cloned().ok_or_else(|| "the list is not there: use `add` for its first item".to_string());
    match &operation.change {
        Change::Add { name, value } => add(resource, there()?, name, value),
        Change::Delete if place.is_none() => Ok(()),
        Change::Delete => {
            let slot = member(there()?)?;
            with_list(resource, &slot, |pairs, _, _| {
                pairs.remove(slot.index);
                Ok(())
            })
        }
        Change::Replace { value } => replace(resource, &member(there()?)?, value),
        Change::Insert { index, value } => with_list(resource, &member(list()?)?, |pairs, owner, key| {
            check_list(owner, key)?;
            if *index > pairs.len() {
                return Err(format!("the list has {} items: there is no position {index}", pairs.len()));
            }
            let target = value::target(owner, key, value)?;
            pairs.insert(*index, value::pair_of(value, &target)?);
            Ok(())
        }),
        Change::Move { source, destination } => {
            with_list(resource, &member(list()?)?, |pairs, owner, key| {
                check_list(owner, key)?;
                let n = pairs.len();
                if let Some(outside) = [source, destination].into_iter().find(|position| **position >= n) {
                    return Err(format!("the list has {n} items: there is no position {outside}"));
                }
                let moved = pairs.remove(*source);
                pairs.insert(*destination, moved);
                Ok(())
            })
        }
    }
}

fn check_list(owner: TypeId, key: &str) -> Done {
    if child(owner, key).is_some_and(|found| found.element.repeats()) {
        return Ok(());
    }
    Err(format!("`{key}` is no list"))
}

fn member(place: Place) -> Result<Slot, String> {
    match place {
        Place::Member(slot) => Ok(slot),
        Place::Root => Err("the path leads to the resource itself: name an element of it".into()),
    }
}

/// Lets `edit` change the list of a member; it is told the type that owns it and the key.
fn with_list(
    resource: &mut Resource,
    slot: &Slot,
    edit: impl FnOnce(&mut Vec<Pair>, TypeId, &str) -> Done,
) -> Done {
    let (object, owner) = object_at(resource, &slot.above).ok_or_else(unknown)?;
    let repeats = child(owner, &slot.key).ok_or_else(unknown)?.element.repeats();
    let mut pairs = list::take(object, &slot.key);
    let done = edit(&mut pairs, owner, &slot.key);
    list::put(object, &slot.key, pairs, repeats);
    done
}

fn unknown() -> String {
    "R4 does not know the element that the path leads to".into()
}

fn add(resource: &mut Resource, place: Place, name: &str, part: &Value) -> Done {
    let slot = match place {
        Place::Root => {
            let kind = TypeId::of_kind(resource.kind());
            return value::add(kind, resource.object_mut(), name, part);
        }
        Place::Member(slot) => slot,
    };
    let mut below = slot.above.clone();
    below.push(Step::Key(slot.key.clone()));
    // The element itself is an object, in a list or alone.
    for tail in [None, Some(Step::Index(slot.index))] {
        let steps: Vec<Step> = below.iter().cloned().chain(tail).collect();
        if let Some((object, owner)) = object_at(resource, &steps) {
            return value::add(owner, object, name, part);
        }
    }
    // A primitive: what is added to it stands in its sibling.
    let (_, owner) = object_at(resource, &slot.above).ok_or_else(unknown)?;
    let ty = child(owner, &slot.key).ok_or_else(unknown)?.ty;
    with_list(resource, &slot, |pairs, _, _| {
        let pair = pairs.get_mut(slot.index).ok_or_else(unknown)?;
        let mut sibling = match pair.1.take() {
            Value::Object(object) => object,
            _ => Object::new(),
        };
        let done = value::add(ty, &mut sibling, name, part);
        if !sibling.is_empty() {
            pair.1 = Value::Object(sibling);
        }
        done
    })
}

fn replace(resource: &mut Resource, slot: &Slot, part: &Value) -> Done {
    let (object, owner) = object_at(resource, &slot.above).ok_or_else(unknown)?;
    let element = child(owner, &slot.key).ok_or_else(unknown)?.element;
    // A choice may get a value of another of its types, and with it another key.
    let name = if element.choice { element.name } else { slot.key.as_str() };
    let target = value::target(owner, name, part)?;
    let pair = value::pair_of(part, &target)?;
    let mut pairs = list::take(object, &slot.key);
    match pairs.get_mut(slot.index) {
        Some(old) => *old = pair,
        None => return Err(unknown()),
    }
    list::put(object, &target.key, pairs, element.repeats());
    Ok(())
}
