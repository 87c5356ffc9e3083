//! Steps from an item to its children, by the definitions of its type.

use compact_str::{CompactString, format_compact};
use fhir::definitions::{Element, TypeId, child, elements};
use fhir::{Object, Value};

use crate::error::Result;
use crate::item::{Data, Item, System};
use crate::types::{Class, Type, TypeTest, known};

/// Takes an item; `false` ends the walk.
pub(crate) type Take<'t, 'a> = &'t mut dyn FnMut(Item<'a>) -> Result<bool>;

/// How a name is found in the JSON of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// One key, one type.
    Plain { ty: TypeId, primitive: bool },
    /// One key whose value says its type by `resourceType`.
    Resource,
    /// One key for each type: `valueQuantity`, `valueString`.
    Choice(&'static Element),
    /// The type has no such element.
    Nothing,
}

/// How `name` is found in the JSON of `ty`.
pub(crate) fn find(ty: TypeId, name: &str) -> Found {
    match child(ty, name) {
        Some(found) if !found.element.choice => match Class::of(found.ty) {
            Class::Resource => Found::Resource,
            class => Found::Plain { ty: found.ty, primitive: class.is_primitive() },
        },
        Some(_) => Found::Nothing,
        None => {
            let choice = elements(ty).iter().find(|element| element.choice && element.name == name);
            choice.map_or(Found::Nothing, Found::Choice)
        }
    }
}

/// A step to the children of a name; how they are found is worked out once for the type that is expected.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: CompactString,
    /// The key of the `_` sibling.
    under: CompactString,
    expected: Option<(TypeId, Found)>,
    narrowed: Option<Narrowed>,
}

/// `value as Quantity` on a type whose `value` is a choice: one key instead of a search.
#[derive(Clone, Debug)]
struct Narrowed {
    test: TypeTest,
    key: CompactString,
    under: CompactString,
    ty: TypeId,
    primitive: bool,
}

impl Step {
    pub(crate) fn new(name: &str, ty: Option<TypeId>) -> Step {
        let expected = ty.map(|ty| (ty, find(ty, name)));
        Step { name: name.into(), under: format_compact!("_{name}"), expected, narrowed: None }
    }

    /// The step with a type test behind it, when it finds a choice that has exactly one type that passes the test.
    pub(crate) fn narrowed(&self, test: TypeTest) -> Option<Step> {
        let (owner, Found::Choice(element)) = self.expected? else { return None };
        let mut fitting = element.types.iter().filter(|ty| test.selects(Type::Fhir(**ty)));
        let (Some(ty), None, None) = (fitting.next(), fitting.next(), &self.narrowed) else { return None };
        let (first, rest) = ty.name().split_at(1);
        let key = format_compact!("{}{}{rest}", self.name, first.to_ascii_uppercase());
        child(owner, &key).filter(|found| found.ty == *ty)?;
        let under = format_compact!("_{key}");
        let narrowed = Narrowed { test, key, under, ty: *ty, primitive: Class::of(*ty).is_primitive() };
        Some(Step { narrowed: Some(narrowed), ..self.clone() })
    }

    /// The type of what it finds, when that is known.
    pub(crate) fn ty(&self) -> Option<TypeId> {
        if let Some(narrowed) = &self.narrowed {
            return Some(narrowed.ty);
        }
        match self.expected?.1 {
            Found::Plain { ty, .. } => Some(ty),
            _ => None,
        }
    }

    /// Gives each child to `take`.
    pub(crate) fn walk<'a>(&self, item: &Item<'a>, take: Take<'_, 'a>) -> Result<bool> {
        let Some(narrowed) = &self.narrowed else { return self.walk_all(item, take) };
        match (&item.data, item.ty, self.expected) {
            (Data::Element(Some(Value::Object(object)), _), Type::Fhir(ty), Some((expected, _)))
                if ty == expected =>
            {
                match object.get(&narrowed.key) {
                    Some(value) if !narrowed.primitive => each(narrowed.ty, value, take),
                    None if !narrowed.primitive => Ok(true),
                    value => each_primitive(narrowed.ty, value, object.get(&narrowed.under), take),
                }
            }
            _ => self.walk_all(item, &mut |child| {
                if narrowed.test.selects(child.ty) { take(child) } else { Ok(true) }
            }),
        }
    }

    fn walk_all<'a>(&self, item: &Item<'a>, take: Take<'_, 'a>) -> Result<bool> {
        let (Data::Element(value, sibling), Type::Fhir(ty)) = (&item.data, item.ty) else {
            return computed_child(item, &self.name, take);
        };
        let found = match self.expected {
            Some((expected, found)) if expected == ty => found,
            _ => find(ty, &self.name),
        };
        let object = match value {
            Some(Value::Object(object)) => object,
            _ => match sibling {
                Some(Value::Object(_)) | None if self.name == "value" && item.has_value() => {
                    return value_of_primitive(item, take);
                }
                Some(Value::Object(object)) => object,
                _ => return Ok(true),
            },
        };
        match found {
            Found::Plain { ty, primitive: false } => match object.get(&self.name) {
                Some(value) => each(ty, value, take),
                None => Ok(true),
            },
            Found::Plain { ty, primitive: true } => {
                each_primitive(ty, object.get(&self.name), object.get(&self.under), take)
            }
            Found::Resource => match object.get(&self.name) {
                Some(value) => each_resource(value, take),
                None => Ok(true),
            },
            Found::Choice(element) => choice(ty, element, object, take),
            Found::Nothing => Ok(true),
        }
    }
}

fn each<'a>(ty: TypeId, value: &'a Value, take: Take<'_, 'a>) -> Result<bool> {
    for one in value.each() {
        if !one.is_null() && !take(Item::element(ty, Some(one), None))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn each_resource<'a>(value: &'a Value, take: Take<'_, 'a>) -> Result<bool> {
    for one in value.each() {
        if !one.is_null() && !take(Item::resource(one))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn each_primitive<'a>(
    ty: TypeId,
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
    take: Take<'_, 'a>,
) -> Result<bool> {
    let values = value.map_or(&[][..], Value::each);
    let siblings = sibling.map_or(&[][..], Value::each);
    for at in 0..values.len().max(siblings.len()) {
        let value = values.get(at).filter(|value| !value.is_null());
        let sibling = siblings.get(at).filter(|sibling| !sibling.is_null());
        if (value.is_some() || sibling.is_some()) && !take(Item::element(ty, value, sibling))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The members of a choice: one in a valid resource, perhaps with its sibling.
fn choice<'a>(owner: TypeId, element: &Element, object: &'a Object, take: Take<'_, 'a>) -> Result<bool> {
    let name = element.name.as_bytes();
    for (key, value) in object.iter() {
        // The length and first bytes decide nearly always.
        let (bytes, under) = match key.as_bytes() {
            [b'_', bare @ ..] => (bare, true),
            bytes => (bytes, false),
        };
        if bytes.len() <= name.len() || !bytes.starts_with(name) {
            continue;
        }
        let bare = &key[usize::from(under)..];
        let Some(found) = child(owner, bare).filter(|found| std::ptr::eq(found.element, element)) else {
            continue;
        };
        let go_on = if under {
            // With a value of its own the sibling was seen there.
            object.contains_key(bare) || each_primitive(found.ty, None, Some(value), take)?
        } else if Class::of(found.ty).is_primitive() {
            each_primitive(found.ty, Some(value), sibling_of(object, bare), take)?
        } else {
            each(found.ty, value, take)?
        };
        if !go_on {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sibling_of<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    let is_sibling =
        |name: &str| name.len() == key.len() + 1 && name.as_bytes()[0] == b'_' && &name[1..] == key;
    object.iter().find(|(name, _)| is_sibling(name)).map(|(_, value)| value)
}

/// `Patient.birthDate.value`: the bare value.
fn value_of_primitive<'a>(item: &Item<'a>, take: Take<'_, 'a>) -> Result<bool> {
    bare(item).map_or(Ok(true), take)
}

/// The System value of an item as an item of its own.
pub(crate) fn bare<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    if let (Data::Element(Some(Value::String(text)), _), Type::Fhir(ty)) = (&item.data, item.ty)
        && Class::of(ty) == Class::String
    {
        return Some(Item::string(text));
    }
    Some(match item.system()? {
        System::Boolean(truth) => Item::boolean(truth),
        System::Integer(number) => Item::integer(number),
        System::Decimal(number) => Item::decimal(number.into_owned()),
        System::String(text) => Item::text(text),
        System::Temporal(temporal) => Item::temporal(temporal),
        System::Quantity(quantity) => Item::quantity(quantity.into_owned()),
    })
}

fn computed_child<'a>(item: &Item<'a>, name: &str, take: Take<'_, 'a>) -> Result<bool> {
    match (&item.data, name) {
        (Data::TypeInfo(ty), "name") => take(Item::string(ty.name())),
        (Data::TypeInfo(ty), "namespace") => take(Item::string(ty.namespace())),
        (Data::Quantity(quantity), "value") => take(Item::decimal(quantity.value.clone())),
        (Data::Quantity(quantity), "unit") => take(Item::text(quantity.unit.as_str())),
        _ => Ok(true),
    }
}

/// Gives every child of an item to `take`, in the order of its JSON.
pub(crate) fn children<'a>(item: &Item<'a>, take: Take<'_, 'a>) -> Result<bool> {
    let (Data::Element(value, sibling), Type::Fhir(ty)) = (&item.data, item.ty) else { return Ok(true) };
    let object = match (value, sibling) {
        (Some(Value::Object(object)), _) | (_, Some(Value::Object(object))) => object,
        _ => return Ok(true),
    };
    for (key, value) in object.iter() {
        let (bare, under) = key.strip_prefix('_').map_or((key, false), |bare| (bare, true));
        let Some(found) = child(ty, bare) else { continue };
        let go_on = match Class::of(found.ty) {
            Class::Resource => each_resource(value, take)?,
            class if class.is_primitive() => match under {
                true if object.contains_key(bare) => true,
                true => each_primitive(found.ty, None, Some(value), take)?,
                false => each_primitive(found.ty, Some(value), sibling_of(object, bare), take)?,
            },
            _ => each(found.ty, value, take)?,
        };
        if !go_on {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The contained resource of an id.
pub(crate) fn contained<'a>(root: &Item<'a>, id: &str) -> Option<Item<'a>> {
    let resources = root.value()?.get("contained")?.items();
    resources.iter().find(|resource| resource.text("id") == Some(id)).map(Item::resource)
}

/// The extensions of an address.
pub(crate) fn extensions<'a>(item: &Item<'a>, url: &str, take: Take<'_, 'a>) -> Result<bool> {
    let Data::Element(value, sibling) = item.data else { return Ok(true) };
    let object = match (value, sibling) {
        (Some(Value::Object(object)), _) | (_, Some(Value::Object(object))) => object,
        _ => return Ok(true),
    };
    for extension in object.get("extension").map_or(&[][..], Value::items) {
        if extension.text("url") == Some(url)
            && !take(Item::element(known().extension, Some(extension), None))?
        {
            return Ok(false);
        }
    }
    Ok(true)
}
