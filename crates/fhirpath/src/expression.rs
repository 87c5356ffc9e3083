//! A compiled expression: parse once, evaluate often, from any thread.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use fhir::definitions::TypeId;

use crate::check;
use crate::compile::compile;
use crate::context::Context;
use crate::error::{PathError, Result};
use crate::eval::{Eval, Scope};
use crate::item::Item;
use crate::plan::Plan;
use crate::syntax::{self, Node};

/// A FHIRPath expression, compiled. Cloning it is cheap.
///
/// `Display` prints an expression that parses into the same tree.
#[derive(Clone)]
pub struct Expression(Arc<Parts>);

struct Parts {
    tree: Node,
    plan: Plan,
    ty: Option<TypeId>,
}

impl Expression {
    /// Parses and compiles an expression. One that starts with the name of a type (`Patient.name`) is looked up when it is compiled, others
    /// when they are evaluated.
    pub fn parse(text: &str) -> Result<Expression> {
        Expression::compile(text, None)
    }

    /// Parses and compiles an expression that will mostly be evaluated on items of a type; on others it works too, a little slower.
    pub fn parse_for(text: &str, focus: TypeId) -> Result<Expression> {
        Expression::compile(text, Some(focus))
    }

    fn compile(text: &str, focus: Option<TypeId>) -> Result<Expression> {
        let tree = syntax::parse(text)?;
        let (plan, ty) = compile(&tree, focus)?;
        Ok(Expression(Arc::new(Parts { tree, plan, ty })))
    }

    /// The items that the expression gives.
    pub fn evaluate<'a>(&self, context: &Context<'a>) -> Result<Vec<Item<'a>>> {
        let mut items = Vec::new();
        self.each(context, &mut |item| {
            items.push(item);
            true
        })?;
        Ok(items)
    }

    /// Gives each item to `take`, in order and without a collection between; `false` from `take` ends the evaluation.
    ///
    /// What stands later in the expression may still fail after items were given.
    pub fn each<'a>(&self, context: &Context<'a>, take: &mut dyn FnMut(Item<'a>) -> bool) -> Result<()> {
        let eval = Eval::new(context);
        let scope = Scope { this: Some(&context.focus), index: 0, total: None };
        eval.run(&self.0.plan, scope, &mut |item| Ok(take(item)))?;
        Ok(())
    }

    /// Is the result true: the meaning of an invariant. Nothing, and `false`, is not; a single item that is no boolean is.
    pub fn is_true(&self, context: &Context<'_>) -> Result<bool> {
        let eval = Eval::new(context);
        let scope = Scope { this: Some(&context.focus), index: 0, total: None };
        Ok(eval.truth(&self.0.plan, scope)? == Some(true))
    }

    /// Mistakes that show before evaluation on items of a type: elements that its type does not have, `as()` on many items, a part of what has no
    /// order. Evaluation gives nothing there, by the rules of FHIRPath, so whoever takes expressions from people checks them first.
    pub fn check(&self, focus: TypeId) -> Vec<PathError> {
        check::check(&self.0.tree, focus)
    }

    /// The FHIR type of every item that it can give, when that is certain.
    pub fn result_type(&self) -> Option<TypeId> {
        self.0.ty
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.tree, f)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({self})")
    }
}

/// Two expressions are equal when their trees are.
impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.0.tree == other.0.tree
    }
}

impl FromStr for Expression {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Expression> {
        Expression::parse(text)
    }
}
