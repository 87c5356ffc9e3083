//! One item of a collection: an element of a resource with its type, or a value that was computed.

use std::fmt;
use std::sync::Arc;

use fhir::definitions::TypeId;
use fhir::{Decimal, Kind, Value};
use smallvec::SmallVec;

use crate::quantity::Quantity;
use crate::temporal::{Family, Temporal};
use crate::types::{Class, SystemType, Type, known};

/// Most collections are short.
pub(crate) type Items<'a> = SmallVec<[Item<'a>; 2]>;

/// One item of a collection.
///
/// Its `Debug` shows the type, never the content: patient data does not print.
#[derive(Clone)]
pub struct Item<'a> {
    pub(crate) data: Data<'a>,
    pub(crate) ty: Type,
}

#[derive(Clone)]
pub(crate) enum Data<'a> {
    /// An element, with the `_` sibling of a primitive. Without both it is a resource of which only the type is known.
    Element(Option<&'a Value>, Option<&'a Value>),
    Boolean(bool),
    Integer(i64),
    Str(&'a str),
    Text(Arc<str>),
    Decimal(Arc<Decimal>),
    Temporal(Arc<Temporal>),
    Quantity(Arc<Quantity>),
    TypeInfo(Type),
}

/// The value of an item as FHIRPath computes with it.
#[derive(Clone, Debug)]
pub enum System<'i> {
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// An exact decimal.
    Decimal(std::borrow::Cow<'i, Decimal>),
    /// A text.
    String(&'i str),
    /// A date, date-time or time.
    Temporal(Temporal),
    /// A number with a unit.
    Quantity(std::borrow::Cow<'i, Quantity>),
}

impl<'a> Item<'a> {
    /// An element: its type, its JSON, and for a primitive the JSON of its `_` sibling.
    pub fn element(ty: TypeId, value: Option<&'a Value>, sibling: Option<&'a Value>) -> Item<'a> {
        Item { data: Data::Element(value, sibling), ty: Type::Fhir(ty) }
    }

    /// A resource; its type is what `resourceType` says.
    pub fn resource(value: &'a Value) -> Item<'a> {
        let kind = value.text("resourceType").and_then(Kind::parse);
        Item::element(kind.map_or(known().resource, TypeId::of_kind), Some(value), None)
    }

    /// A text.
    pub fn string(text: &'a str) -> Item<'a> {
        Item { data: Data::Str(text), ty: Type::System(SystemType::String) }
    }

    /// A truth value.
    pub fn boolean(truth: bool) -> Item<'a> {
        Item { data: Data::Boolean(truth), ty: Type::System(SystemType::Boolean) }
    }

    /// A whole number.
    pub fn integer(number: i64) -> Item<'a> {
        Item { data: Data::Integer(number), ty: Type::System(SystemType::Integer) }
    }

    /// An exact decimal.
    pub fn decimal(number: Decimal) -> Item<'a> {
        Item { data: Data::Decimal(Arc::new(number)), ty: Type::System(SystemType::Decimal) }
    }

    pub(crate) fn text(text: impl Into<Arc<str>>) -> Item<'a> {
        Item { data: Data::Text(text.into()), ty: Type::System(SystemType::String) }
    }

    pub(crate) fn temporal(temporal: Temporal) -> Item<'a> {
        let ty = match temporal.family {
            Family::Date => SystemType::Date,
            Family::DateTime => SystemType::DateTime,
            Family::Time => SystemType::Time,
        };
        Item { data: Data::Temporal(Arc::new(temporal)), ty: Type::System(ty) }
    }

    pub(crate) fn quantity(quantity: Quantity) -> Item<'a> {
        Item { data: Data::Quantity(Arc::new(quantity)), ty: Type::System(SystemType::Quantity) }
    }

    pub(crate) fn type_info(ty: Type) -> Item<'a> {
        Item { data: Data::TypeInfo(ty), ty: Type::System(SystemType::TypeInfo) }
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Its FHIR type, unless the value was computed.
    pub fn fhir_type(&self) -> Option<TypeId> {
        if let Type::Fhir(ty) = self.ty { Some(ty) } else { None }
    }

    /// The JSON of an element; `None` for what was computed, and for a primitive that has only extensions.
    pub fn value(&self) -> Option<&'a Value> {
        if let Data::Element(value, _) = self.data { value } else { None }
    }

    /// The `_` sibling of a primitive element: its id and extensions.
    pub fn sibling(&self) -> Option<&'a Value> {
        if let Data::Element(_, sibling) = self.data { sibling } else { None }
    }

    /// The text of a string, code, uri, date or other element that is a JSON string, or of a computed string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::Element(Some(Value::String(text)), _) => Some(text),
            Data::Str(text) => Some(text),
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.data {
            Data::Element(Some(Value::Bool(truth)), _) => Some(*truth),
            Data::Boolean(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The System value; `None` for an object that is no quantity, for a primitive without value, and for JSON that does not fit the type.
    pub fn system(&self) -> Option<System<'_>> {
        match &self.data {
            Data::Element(value, _) => system_of(self.fhir_type()?, (*value)?),
            Data::Boolean(truth) => Some(System::Boolean(*truth)),
            Data::Integer(number) => Some(System::Integer(*number)),
            Data::Str(text) => Some(System::String(text)),
            Data::Text(text) => Some(System::String(text)),
            Data::Decimal(number) => Some(System::Decimal(std::borrow::Cow::Borrowed(number))),
            Data::Temporal(temporal) => Some(System::Temporal(**temporal)),
            Data::Quantity(quantity) => Some(System::Quantity(std::borrow::Cow::Borrowed(quantity))),
            Data::TypeInfo(_) => None,
        }
    }

    /// Is it a FHIR primitive.
    pub(crate) fn is_primitive(&self) -> bool {
        self.fhir_type().is_some_and(|ty| Class::of(ty).is_primitive())
    }

    /// Should it have a System value but has none: only extensions, a comparator, or JSON that does not fit. Operators take it for nothing.
    pub(crate) fn is_valueless(&self) -> bool {
        self.fhir_type().is_some_and(|ty| Class::of(ty) <= Class::Quantity) && self.system().is_none()
    }

    /// Has it a value, not only extensions.
    pub(crate) fn has_value(&self) -> bool {
        match self.data {
            Data::Element(Some(value), _) => self.is_primitive() && !value.is_null(),
            Data::Element(None, _) => false,
            _ => true,
        }
    }
}

fn system_of(ty: TypeId, value: &Value) -> Option<System<'_>> {
    match Class::of(ty) {
        Class::Boolean => value.as_bool().map(System::Boolean),
        Class::Integer => value.as_number()?.as_i64().map(System::Integer),
        Class::Decimal => {
            let number = Decimal::parse(value.as_number()?.as_str())?;
            Some(System::Decimal(std::borrow::Cow::Owned(number)))
        }
        Class::String => value.as_str().map(System::String),
        Class::Date => Temporal::parse_date(value.as_str()?).map(System::Temporal),
        Class::DateTime => Temporal::parse_date_time(value.as_str()?).map(System::Temporal),
        Class::Time => Temporal::parse_time(value.as_str()?).map(System::Temporal),
        Class::Quantity => {
            quantity_of(value).map(|quantity| System::Quantity(std::borrow::Cow::Owned(quantity)))
        }
        Class::Complex | Class::Resource => None,
    }
}

/// A quantity of FHIR; one with a comparator (`< 5`) is no number.
fn quantity_of(value: &Value) -> Option<Quantity> {
    if value.get("comparator").is_some() {
        return None;
    }
    let number = Decimal::parse(value.get("value")?.as_number()?.as_str())?;
    let unit = value.text("code").or_else(|| value.text("unit")).unwrap_or("1");
    Some(Quantity { value: number, unit: unit.into(), calendar: false })
}

/// Patient data does not print.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.ty, f)
    }
}
