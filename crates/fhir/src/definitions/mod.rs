//! The definitions of R4 as data: types and their elements, search parameters, compartments, value sets, invariants.
//!
//! The text files beside this code are written by `cargo xtask gen` from the official package. Each is compiled in, parsed once
//! when first asked for, and kept for the life of the process. Nothing here is about profiles.
//!
//! ```
//! use fhir::{Kind, definitions::{self, TypeId}};
//! let observation = TypeId::of_kind(Kind::named("Observation"));
//! let child = definitions::child(observation, "valueQuantity").unwrap();
//! assert_eq!((child.element.name, child.ty.name()), ("value", "Quantity"));
//! ```

mod compartment;
mod element;
mod invariant;
mod search_param;
mod table;
mod type_id;
mod value_set;

pub use compartment::compartment;
pub use element::{BindingRef, Child, Element, Strength};
pub use invariant::{Invariant, invariants};
pub use search_param::{Component, SearchParam, SearchType, search_params};
pub use table::{child, choice_key, elements, is_abstract, is_primitive};
pub use type_id::TypeId;
pub use value_set::{Coded, ValueSet, value_set_codes};

/// Lines of a definition file that are not comments.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}
