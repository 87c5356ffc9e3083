//! The text of an expression: tokens, tree, parser and printer. Knows nothing of FHIR or of evaluation.

mod ast;
mod lex;
mod literal;
mod parse;
mod print;

pub(crate) use ast::{Literal, Node, Op, Term, TypeName};
pub(crate) use parse::parse;
