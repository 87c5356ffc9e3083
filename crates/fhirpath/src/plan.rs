//! What an expression becomes before it is evaluated: paths with their steps looked up, functions found, types known.

use std::sync::Arc;

use compact_str::CompactString;
use fhir::definitions::TypeId;
use regex::Regex;

use crate::function::Function;
use crate::item::Item;
use crate::navigate::Step;
use crate::syntax::Op;
use crate::types::TypeTest;

/// One operation and the byte of the text that it comes from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) at: u32,
    pub(crate) op: PlanOp,
}

#[derive(Debug)]
pub(crate) enum PlanOp {
    /// Steps that pass items on one by one.
    Path(Start, Box<[PathStep]>),
    Empty,
    Literal(Item<'static>),
    Index,
    Total,
    Variable(CompactString),
    /// All terms of `a | b | c`.
    Union(Box<[Plan]>),
    Binary(Op, Box<[Plan; 2]>),
    Negative(Box<Plan>),
    Positive(Box<Plan>),
    Is(Box<Plan>, TypeTest),
    At(Box<[Plan; 2]>),
    Call(Box<Call>),
}

/// Where a path starts.
#[derive(Debug)]
pub(crate) enum Start {
    This,
    /// `$this` when it is of the type that the expression names.
    Type(TypeTest),
    Plan(Box<Plan>),
}

/// A step of a path.
#[derive(Debug)]
pub(crate) enum PathStep {
    Child(Step),
    OfType(TypeTest),
    /// A condition that does not ask for `$index`.
    Where(Plan, Option<TextIs>),
    /// `where(resolve() is Patient)`.
    ResolvesTo(TypeTest),
    Resolve,
    Extension(Arc<str>),
}

/// The usual condition, `system = 'phone'`: on items of this type it needs no evaluation.
#[derive(Debug)]
pub(crate) struct TextIs {
    pub(crate) owner: TypeId,
    pub(crate) name: CompactString,
    pub(crate) text: CompactString,
}

/// A function on its input.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) name: &'static str,
    pub(crate) input: Plan,
    pub(crate) arguments: Box<[Plan]>,
    pub(crate) ty: Option<TypeTest>,
    /// The regular expression, when it is a literal.
    pub(crate) regex: Option<Regex>,
}

impl Plan {
    /// Is `$index` asked for anywhere below.
    pub(crate) fn asks_for_index(&self) -> bool {
        match &self.op {
            PlanOp::Index => true,
            PlanOp::Empty | PlanOp::Literal(_) | PlanOp::Total | PlanOp::Variable(_) => false,
            PlanOp::Path(start, steps) => {
                let start = matches!(start, Start::Plan(plan) if plan.asks_for_index());
                start
                    || steps
                        .iter()
                        .any(|step| matches!(step, PathStep::Where(plan, _) if plan.asks_for_index()))
            }
            PlanOp::Union(terms) => terms.iter().any(Plan::asks_for_index),
            PlanOp::Binary(_, pair) | PlanOp::At(pair) => pair.iter().any(Plan::asks_for_index),
            PlanOp::Negative(inner) | PlanOp::Positive(inner) | PlanOp::Is(inner, _) => {
                inner.asks_for_index()
            }
            PlanOp::Call(call) => {
                call.input.asks_for_index() || call.arguments.iter().any(Plan::asks_for_index)
            }
        }
    }
}
