//! Values of a FHIRPath Patch: from the `part` that carries one to the JSON of the element that it becomes.

use fhir::definitions::{self, Element, TypeId, child, choice_key, elements};
use fhir::{Object, Value};

use super::list::{self, Pair};
use crate::types::Class;

/// An element of a type, and the key and type that a value gets there.
pub(super) struct Target {
    pub(super) element: &'static Element,
    pub(super) key: String,
    ty: TypeId,
}

/// Where a value goes that is to be the element `name` of an `owner`. A choice may be named with or without its type.
pub(super) fn target(owner: TypeId, name: &str, part: &Value) -> Result<Target, String> {
    let sent = sent_type(part);
    if let Some(found) = child(owner, name) {
        if found.element.choice && sent.is_some_and(|sent| sent != found.ty) {
            return Err(format!("`{name}` is no {}", sent.map_or("", TypeId::name)));
        }
        return Ok(Target { element: found.element, key: name.to_string(), ty: found.ty });
    }
    let choice = elements(owner).iter().find(|element| element.choice && element.name == name);
    let element = choice.ok_or_else(|| {
        format!("`{}` has no element `{}`", owner.name(), name.chars().take(64).collect::<String>())
    })?;
    match sent {
        Some(ty) if element.types.contains(&ty) => {
            Ok(Target { element, key: choice_key(name, ty.name()), ty })
        }
        Some(ty) => Err(format!("`{name}` cannot be a {}", ty.name())),
        None => Err(format!("`{name}` is a choice of types: send its value as `value[x]`")),
    }
}

/// Adds the value of a part as the element `name`; one that does not repeat must not be there yet.
pub(super) fn add(owner: TypeId, object: &mut Object, name: &str, part: &Value) -> Result<(), String> {
    let target = target(owner, name, part)?;
    let pair = pair_of(part, &target)?;
    if !target.element.repeats() && is_there(owner, object, target.element) {
        return Err(format!("there is a `{name}` already: use `replace`"));
    }
    let mut pairs = list::take(object, &target.key);
    pairs.push(pair);
    list::put(object, &target.key, pairs, target.element.repeats());
    Ok(())
}

fn is_there(owner: TypeId, object: &Object, element: &'static Element) -> bool {
    object.keys().any(|key| {
        let found = child(owner, key.strip_prefix('_').unwrap_or(key));
        found.is_some_and(|found| std::ptr::eq(found.element, element))
    })
}

/// The value and the sibling that a part carries.
pub(super) fn pair_of(part: &Value, target: &Target) -> Result<Pair, String> {
    let object = part.as_object().ok_or("a part is an object")?;
    if let Some(resource) = object.get("resource") {
        return Ok((resource.clone(), Value::Null));
    }
    let (mut value, mut sibling) = (None, Value::Null);
    for (key, member) in object.iter() {
        match key.strip_prefix('_') {
            Some(bare) if bare.starts_with("value") => sibling = member.clone(),
            None if key.starts_with("value") => value = Some(member.clone()),
            _ => {}
        }
    }
    match (value, object.get("part")) {
        (Some(value), None) => {
            if definitions::is_primitive(target.ty) == value.as_object().is_some() {
                return Err(format!("`{}` is a {}", target.key, target.ty.name()));
            }
            Ok((value, sibling))
        }
        (None, Some(parts)) => {
            if Class::of(target.ty).is_primitive() {
                return Err(format!("`{}` is a {} and has no parts", target.key, target.ty.name()));
            }
            let mut built = Object::new();
            for inner in parts.items() {
                let name = inner.text("name").ok_or("every part has a `name`")?.to_string();
                add(target.ty, &mut built, &name, inner)?;
            }
            Ok((Value::Object(built), Value::Null))
        }
        (None, None) if !sibling.is_null() => Ok((Value::Null, sibling)),
        _ => Err("the value is one `value[x]`, a `resource`, or parts".into()),
    }
}

/// The type that a part's `value[x]` names.
fn sent_type(part: &Value) -> Option<TypeId> {
    let owner = TypeId::named("Parameters.parameter")?;
    let mut keys = part.as_object()?.keys().map(|key| key.strip_prefix('_').unwrap_or(key));
    let found = keys.find_map(|key| child(owner, key).filter(|found| found.element.choice));
    found.map(|found| found.ty)
}
