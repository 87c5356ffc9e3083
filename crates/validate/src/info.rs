//! What the walk needs of each type at hand: its shape and which of its elements are required.

use std::sync::OnceLock;

use fhir::definitions::{self, TypeId};

use crate::invariant::{Invariant, compile};
use crate::primitive::Primitive;
use crate::rules::{Rule, rules_of};

/// What the JSON of a type is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A primitive value.
    Primitive(Primitive),
    /// A resource of whichever type its `resourceType` says.
    AnyResource,
    /// `Reference`.
    Reference,
    /// Any other object.
    Object,
}

/// A type at hand.
pub(crate) struct Info {
    pub(crate) shape: Shape,
    /// A bit for each element by its position; the widest type of R4 has fewer than 128.
    pub(crate) required: u128,
    /// Own rules and those of the bases.
    pub(crate) rules: Vec<&'static Rule>,
    /// Rules in FHIRPath, compiled when the first value of the type comes.
    invariants: OnceLock<Vec<Invariant>>,
}

impl Info {
    pub(crate) fn invariants(&self, ty: TypeId) -> &[Invariant] {
        self.invariants.get_or_init(|| compile(ty))
    }
}

/// By the number of the type.
pub(crate) fn info(ty: TypeId) -> &'static Info {
    static INFOS: OnceLock<Vec<Info>> = OnceLock::new();
    &INFOS.get_or_init(|| TypeId::all().map(of).collect())[ty.index()]
}

fn of(ty: TypeId) -> Info {
    let required = definitions::elements(ty)
        .iter()
        .filter(|element| element.min > 0)
        .fold(0, |bits, element| bits | bit(element.position));
    let shape = match ty.name() {
        "Resource" => Shape::AnyResource,
        "Reference" => Shape::Reference,
        name if definitions::is_primitive(ty) => {
            Shape::Primitive(Primitive::named(name).expect("R4 has twenty primitive types"))
        }
        _ => Shape::Object,
    };
    let mut rules = Vec::new();
    let mut at = Some(ty);
    while let Some(ty) = at {
        rules.extend(rules_of(ty.name()));
        at = ty.base();
    }
    Info { shape, required, rules, invariants: OnceLock::new() }
}

/// The bit of an element.
pub(crate) fn bit(position: usize) -> u128 {
    1 << position
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_fits() {
        for ty in TypeId::all() {
            assert!(definitions::elements(ty).len() < 128, "{ty}");
            assert_eq!(
                info(ty).required.count_ones() as usize,
                definitions::elements(ty).iter().filter(|e| e.min > 0).count()
            );
        }
    }
}
