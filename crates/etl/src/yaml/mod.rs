//! YAML with a place for every node, and readers of it that collect what is wrong instead of stopping at the first.

mod fields;
mod node;
mod parse;

pub use fields::Fields;
pub(crate) use fields::parse_span;
pub use node::{Kind, Node};
pub use parse::parse;
