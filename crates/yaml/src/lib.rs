//! YAML with a place for every node, and readers of it that collect what is wrong instead of stopping at the first.

mod fields;
mod node;
mod parse;
mod place;

pub use fields::{Fields, parse_span};
pub use node::{Kind, Node};
pub use parse::parse;
pub use place::{Point, Problem, Problems, Word};
