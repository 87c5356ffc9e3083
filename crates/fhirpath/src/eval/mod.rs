//! Evaluates a plan. Items are passed on one by one where the operation allows it; steps and items are counted.

mod boundary;
mod call;
mod collection;
mod compare;
mod convert;
mod distinct;
mod fhir;
mod html;
mod math;
mod operator;
mod sort;
mod text;

use std::cell::Cell;

use ::fhir::Value;

use crate::context::Context;
use crate::error::{Problem, Result};
use crate::item::{Data, Item, Items};
use crate::navigate::{Take, extensions};
use crate::plan::{PathStep, Plan, PlanOp, Start, TextIs};
use crate::temporal::Temporal;
use crate::types::{Type, TypeTest};

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s, 'a> {
    pub(crate) this: Option<&'s Item<'a>>,
    pub(crate) index: i64,
    pub(crate) total: Option<&'s Items<'a>>,
}

/// One evaluation.
pub(crate) struct Eval<'c, 'a> {
    pub(crate) context: &'c Context<'a>,
    n_steps: Cell<usize>,
}

impl<'c, 'a> Eval<'c, 'a> {
    pub(crate) fn new(context: &'c Context<'a>) -> Eval<'c, 'a> {
        Eval { context, n_steps: Cell::new(0) }
    }

    /// Counts steps; too many are an error.
    pub(crate) fn charge(&self, n: usize, at: u32) -> Result<()> {
        let n_steps = self.n_steps.get() + n;
        self.n_steps.set(n_steps);
        let max = self.context.limits.steps_max;
        if n_steps > max { Err(Problem::Steps(max).at(at)) } else { Ok(()) }
    }

    /// Gives each item of the plan to `take`; `false` from `take` ends it, and is passed on.
    pub(crate) fn run(&self, plan: &Plan, scope: Scope<'_, 'a>, take: Take<'_, 'a>) -> Result<bool> {
        match &plan.op {
            PlanOp::Path(start, steps) => self.path(plan.at, start, steps, scope, take),
            PlanOp::Empty => Ok(true),
            PlanOp::Literal(item) => take(item.clone()),
            PlanOp::Index => take(Item::integer(scope.index)),
            PlanOp::Total => each(scope.total.cloned().unwrap_or_default(), take),
            PlanOp::Variable(name) => take(self.variable(name, plan.at)?),
            PlanOp::Union(terms) => self.union(terms, scope, plan.at, take),
            PlanOp::Binary(op, pair) => each(self.binary(*op, pair, scope, plan.at)?, take),
            PlanOp::Negative(inner) => each(self.negative(inner, scope, plan.at)?, take),
            PlanOp::Positive(inner) => each(self.positive(inner, scope, plan.at)?, take),
            PlanOp::Is(inner, test) => each(self.is(inner, test, scope, plan.at)?, take),
            PlanOp::At(pair) => each(self.item_at(pair, scope, plan.at)?, take),
            PlanOp::Call(call) => each(self.call(call, scope, plan.at)?, take),
        }
    }

    /// All items of the plan.
    pub(crate) fn eval(&self, plan: &Plan, scope: Scope<'_, 'a>) -> Result<Items<'a>> {
        let mut items = Items::new();
        self.run(plan, scope, &mut |item| {
            items.push(item);
            self.check_items(items.len(), plan.at)?;
            Ok(true)
        })?;
        Ok(items)
    }

    pub(crate) fn check_items(&self, n_items: usize, at: u32) -> Result<()> {
        let max = self.context.limits.items_max;
        if n_items > max { Err(Problem::Items(max).at(at)) } else { Ok(()) }
    }

    /// The only item of the plan, if any; more are an error.
    pub(crate) fn one(
        &self,
        plan: &Plan,
        scope: Scope<'_, 'a>,
        what: &'static str,
    ) -> Result<Option<Item<'a>>> {
        let mut only = None;
        self.run(plan, scope, &mut |item| match only.replace(item) {
            None => Ok(true),
            Some(_) => Err(Problem::Several(what).at(plan.at)),
        })?;
        Ok(only)
    }

    fn path(
        &self,
        at: u32,
        start: &Start,
        steps: &[PathStep],
        scope: Scope<'_, 'a>,
        take: Take<'_, 'a>,
    ) -> Result<bool> {
        match start {
            Start::This => match scope.this {
                Some(this) => self.walk(at, steps, this, scope, take),
                None => Ok(true),
            },
            Start::Type(test) => match scope.this {
                Some(this) if test.holds(this.ty) => self.walk(at, steps, this, scope, take),
                _ => Ok(true),
            },
            Start::Plan(plan) => self.run(plan, scope, &mut |item| self.walk(at, steps, &item, scope, take)),
        }
    }

    /// Sends an item through the steps.
    fn walk(
        &self,
        at: u32,
        steps: &[PathStep],
        item: &Item<'a>,
        scope: Scope<'_, 'a>,
        take: Take<'_, 'a>,
    ) -> Result<bool> {
        self.charge(1, at)?;
        let Some((first, rest)) = steps.split_first() else { return take(item.clone()) };
        match first {
            PathStep::Child(step) if rest.is_empty() => step.walk(item, take),
            PathStep::Child(step) => step.walk(item, &mut |child| self.walk(at, rest, &child, scope, take)),
            PathStep::OfType(test) => {
                if test.selects(item.ty) {
                    self.walk(at, rest, item, scope, take)
                } else {
                    Ok(true)
                }
            }
            PathStep::Where(condition, quick) => {
                let inner = Scope { this: Some(item), ..scope };
                let holds = match quick.as_ref().and_then(|quick| quick.holds(item)) {
                    Some(holds) => holds,
                    None => self.truth(condition, inner)? == Some(true),
                };
                if holds { self.walk(at, rest, item, scope, take) } else { Ok(true) }
            }
            PathStep::ResolvesTo(test) => {
                let resolved = self.resolve(item);
                if resolved.is_some_and(|found| test.holds(found.ty)) {
                    self.walk(at, rest, item, scope, take)
                } else {
                    Ok(true)
                }
            }
            PathStep::Resolve => match self.resolve(item) {
                Some(found) => self.walk(at, rest, &found, scope, take),
                None => Ok(true),
            },
            PathStep::Extension(url) => {
                extensions(item, url, &mut |child| self.walk(at, rest, &child, scope, take))
            }
        }
    }

    fn variable(&self, name: &str, at: u32) -> Result<Item<'a>> {
        let context = self.context;
        if let Some((_, item)) = context.variables.iter().find(|(known, _)| *known == name) {
            return Ok(item.clone());
        }
        Ok(match name {
            "context" => context.focus.clone(),
            "resource" => context.resource.clone(),
            "rootResource" => context.root.clone(),
            "ucum" => Item::string("http://unitsofmeasure.org"),
            "sct" => Item::string("http://snomed.info/sct"),
            "loinc" => Item::string("http://loinc.org"),
            _ => {
                let value_set = name.strip_prefix("vs-").map(|id| ("ValueSet", id));
                let url =
                    value_set.or_else(|| name.strip_prefix("ext-").map(|id| ("StructureDefinition", id)));
                let Some((kind, id)) = url else {
                    return Err(Problem::UnknownVariable(name.to_string()).at(at));
                };
                Item::text(format!("http://hl7.org/fhir/{kind}/{id}"))
            }
        })
    }

    fn is(&self, inner: &Plan, test: &TypeTest, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let item = self.one(inner, scope, "is").map_err(|error| error.problem.at(at))?;
        Ok(item.map(|item| Item::boolean(test.holds(item.ty))).into_iter().collect())
    }

    fn item_at(&self, pair: &[Plan; 2], scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let Some(index) = self.one(&pair[1], scope, "[]")? else { return Ok(Items::new()) };
        let Some(crate::System::Integer(index)) = index.system() else {
            return Err(operands("[]", &[&index]).at(at));
        };
        let mut left = index;
        let mut found = Items::new();
        self.run(&pair[0], scope, &mut |item| {
            left -= 1;
            if left < 0 {
                found.push(item);
            }
            Ok(left >= 0)
        })?;
        Ok(if index < 0 { Items::new() } else { found })
    }

    /// The time of the context.
    fn now(&self, at: u32) -> Result<Temporal> {
        self.context.now.map(Temporal::of_instant).ok_or(Problem::NoClock.at(at))
    }

    /// The truth of a plan by the rule for single items: one item that is no boolean counts as true.
    pub(crate) fn truth(&self, plan: &Plan, scope: Scope<'_, 'a>) -> Result<Option<bool>> {
        if let PlanOp::Binary(op, pair) = &plan.op
            && let Some(truth) = self.binary_truth(*op, pair, scope, plan.at)?
        {
            return Ok(truth);
        }
        if let PlanOp::Call(call) = &plan.op
            && let Some(truth) = self.call_truth(call, scope, plan.at)?
        {
            return Ok(truth);
        }
        let item = self.one(plan, scope, "a condition")?;
        Ok(item.map(|item| item.as_bool().unwrap_or(true)))
    }
}

impl TextIs {
    /// Does it hold for an item; `None` when the item is not what was expected.
    fn holds(&self, item: &Item<'_>) -> Option<bool> {
        let (Data::Element(Some(Value::Object(object)), _), Type::Fhir(ty)) = (&item.data, item.ty) else {
            return None;
        };
        if ty != self.owner {
            return None;
        }
        match object.get(&self.name) {
            None => Some(false),
            Some(Value::String(text)) => Some(*text == self.text),
            Some(_) => None,
        }
    }
}

/// Gives each item to `take`.
fn each<'a>(items: Items<'a>, take: Take<'_, 'a>) -> Result<bool> {
    for item in items {
        if !take(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An error that says on which types an operation does not work.
fn operands(operation: &'static str, items: &[&Item<'_>]) -> Problem {
    let types: Vec<String> = items.iter().map(|item| format!("`{}`", item.ty)).collect();
    Problem::Operands { operation, found: types.join(" and ") }
}

/// A truth value as a collection.
fn boolean<'a>(truth: Option<bool>) -> Items<'a> {
    truth.map(Item::boolean).into_iter().collect()
}
