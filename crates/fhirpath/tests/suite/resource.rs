//! A resource of FHIR XML as FHIR JSON, by the definitions.

use fhir::definitions::{TypeId, child, is_primitive};
use fhir::json::Number;
use fhir::{Object, Value};

use crate::xml::Xml;

pub(crate) fn resource_of(xml: &Xml) -> Value {
    let ty = TypeId::named(&xml.name).expect("a resource type");
    let mut object = Object::new();
    object.insert("resourceType", Value::from(xml.name.as_str()));
    fill(&mut object, ty, xml);
    Value::Object(object)
}

fn fill(object: &mut Object, ty: TypeId, xml: &Xml) {
    for name in ["id", "url"] {
        if let Some(value) = xml.attribute(name) {
            object.insert(name, Value::from(value));
        }
    }
    for element in xml.children.iter().filter(|child| !child.name.is_empty()) {
        let found = child(ty, &element.name).unwrap_or_else(|| panic!("{ty} has no {}", element.name));
        let (value, sibling) = if element.name == "div" {
            (Value::from(element.source.as_str()), Value::Null)
        } else if found.ty == TypeId::named("Resource").expect("R4 has it") {
            let inner = element.children.iter().find(|child| !child.name.is_empty());
            (resource_of(inner.expect("a resource is inside")), Value::Null)
        } else if is_primitive(found.ty) {
            primitive(found.ty, element)
        } else {
            let mut inner = Object::new();
            fill(&mut inner, found.ty, element);
            (Value::Object(inner), Value::Null)
        };
        put(object, &element.name, value, found.element.repeats());
        if !sibling.is_null() {
            put(object, &format!("_{}", element.name), sibling, found.element.repeats());
        }
    }
}

fn primitive(ty: TypeId, element: &Xml) -> (Value, Value) {
    let mut inner = Object::new();
    fill(&mut inner, ty, element);
    let sibling = if inner.is_empty() { Value::Null } else { Value::Object(inner) };
    let Some(text) = element.attribute("value") else { return (Value::Null, sibling) };
    let value = match ty.name() {
        "boolean" => Value::from(text == "true"),
        "integer" | "positiveInt" | "unsignedInt" | "decimal" => {
            Value::from(Number::parse(text).expect("a number"))
        }
        _ => Value::from(text),
    };
    (value, sibling)
}

fn put(object: &mut Object, name: &str, value: Value, repeats: bool) {
    if !repeats {
        object.insert(name, value);
        return;
    }
    if !object.contains_key(name) {
        object.insert(name, Value::Array(Vec::new()));
    }
    object.get_mut(name).and_then(Value::as_array_mut).expect("it was put there").push(value);
}
