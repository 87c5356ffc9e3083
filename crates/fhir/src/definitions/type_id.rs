//! Names of types as small numbers: resources, data types, primitives, and backbone elements such as `Patient.contact`.

use std::fmt;

use super::table;
use crate::Kind;

/// A type of R4. Backbone elements are types named by their path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(super) u16);

impl TypeId {
    /// The type of a resource type.
    pub fn of_kind(kind: Kind) -> TypeId {
        // The file begins with the resource types in the order of `Kind`; a test says so.
        TypeId(u16::try_from(kind.index()).expect("there are fewer than 65,536 types"))
    }

    /// The type of a name such as `Patient`, `HumanName`, `dateTime`, `Patient.contact`, `DomainResource`.
    pub fn named(name: &str) -> Option<TypeId> {
        table::table().by_name.get(name).copied()
    }

    /// Its number, for tables: below the length of [`TypeId::all`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        table::of(self).name
    }

    /// The resource type, when it is a concrete one.
    pub fn kind(self) -> Option<Kind> {
        Kind::at_index(usize::from(self.0))
    }

    /// The type that it specialises: `DomainResource` for `Patient`, `string` for `code`.
    pub fn base(self) -> Option<TypeId> {
        table::of(self).base
    }

    /// Is it `other` or a specialisation of it.
    pub fn is_a(self, other: TypeId) -> bool {
        let mut at = Some(self);
        while let Some(ty) = at {
            if ty == other {
                return true;
            }
            at = ty.base();
        }
        false
    }

    /// Every type.
    pub fn all() -> impl ExactSizeIterator<Item = TypeId> {
        (0..table::table().types.len()).map(|at| TypeId(u16::try_from(at).expect("fewer than 65,536 types")))
    }
}

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
