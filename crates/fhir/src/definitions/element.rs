//! One element of a type: cardinality, flags, types, targets, binding.

use std::borrow::Cow;

use super::TypeId;
use crate::Kind;

/// An element as its type defines it.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// The name, without `[x]`.
    pub name: &'static str,
    /// Is it a choice: `value[x]`.
    pub choice: bool,
    /// Position among the elements of its type.
    pub position: usize,
    /// Least number of values.
    pub min: u32,
    /// Most values; `None` is any number.
    pub max: Option<u32>,
    /// Is it part of the summary.
    pub summary: bool,
    /// Does it change the meaning of what it is in.
    pub modifier: bool,
    /// A quantity without comparator (the type `SimpleQuantity`).
    pub simple_quantity: bool,
    /// The types; more than one only for a choice.
    pub types: &'static [TypeId],
    /// Types that a reference or canonical address may lead to; none means any.
    pub targets: &'static [Kind],
    /// The value set that its codes come from.
    pub binding: Option<BindingRef>,
}

impl Element {
    /// Is its JSON an array.
    pub fn repeats(&self) -> bool {
        self.max != Some(1) && self.max != Some(0)
    }
}

/// A member of a JSON object, by its definition.
#[derive(Clone, Copy, Debug)]
pub struct Child {
    /// The element.
    pub element: &'static Element,
    /// Its type, which for a choice is the one that the key names.
    pub ty: TypeId,
}

/// How strictly codes must come from a value set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// They must.
    Required,
    /// They must when one fits.
    Extensible,
    /// They should.
    Preferred,
    /// These are examples.
    Example,
}

/// A value set and how strictly it binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingRef {
    /// How strictly.
    pub strength: Strength,
    /// The value set's address, short when it begins with `http://hl7.org/fhir/ValueSet/`.
    pub(super) name: &'static str,
    /// Position among the value sets of required bindings.
    pub(super) number: Option<u16>,
}

impl BindingRef {
    /// The canonical address of the value set, without version.
    pub fn url(self) -> Cow<'static, str> {
        full_url(self.name)
    }
}

/// The canonical address of a value set's short name.
pub(super) fn full_url(name: &'static str) -> Cow<'static, str> {
    if name.contains("://") {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("http://hl7.org/fhir/ValueSet/{name}"))
    }
}
