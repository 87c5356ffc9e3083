//! Calls of functions: which family evaluates which, and the functions that answer with a truth value.

use super::{Eval, Scope, boolean, operands};
use crate::error::Result;
use crate::function::Function as F;
use crate::item::{Item, Items, System};
use crate::navigate::bare;
use crate::plan::{Call, Plan, PlanOp};

impl<'a> Eval<'_, 'a> {
    pub(super) fn call(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        if let Some(truth) = self.call_truth(call, scope, at)? {
            return Ok(boolean(truth));
        }
        self.charge(1, at)?;
        match call.function {
            F::Where | F::Select | F::Repeat | F::Aggregate | F::Trace | F::Iif => {
                self.each_call(call, scope, at)
            }
            F::Sort => self.sort(call, scope, at),
            F::Children | F::Descendants => self.tree(call, scope, at),
            F::First | F::Last | F::Tail | F::Skip | F::Take | F::Single => self.part(call, scope, at),
            F::Distinct | F::Union | F::Combine | F::Intersect | F::Exclude => self.sets(call, scope, at),
            F::Count => {
                let mut n_items = 0;
                self.run(&call.input, scope, &mut |_| {
                    n_items += 1;
                    Ok(true)
                })?;
                Ok(Items::from_iter([Item::integer(n_items)]))
            }
            F::Type => {
                let items = self.eval(&call.input, scope)?;
                Ok(items.iter().map(|item| Item::type_info(item.ty)).collect())
            }
            F::Extension => self.extension(call, scope),
            F::GetResourceKey | F::GetReferenceKey => self.key(call, scope),
            F::Join => self.join(call, scope, at),
            F::Now | F::Today | F::TimeOfDay => {
                let now = self.now(at)?;
                let now = match call.function {
                    F::Now => now,
                    F::Today => now.date(),
                    _ => now.time(),
                };
                Ok(Items::from_iter([Item::temporal(now)]))
            }
            F::GetValue => {
                let item = self.one(&call.input, scope, call.name)?;
                Ok(item.filter(Item::has_value).and_then(|item| bare(&item)).into_iter().collect())
            }
            _ => self.single_call(call, scope, at),
        }
    }

    /// Functions of one item.
    fn single_call(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let Some(input) = self.one(&call.input, scope, call.name)? else { return Ok(Items::new()) };
        if input.is_valueless() && !matches!(call.function, F::ConvertsTo(_)) {
            return Ok(Items::new());
        }
        match call.function {
            F::ConvertsTo(target) => self.converts(call, target, &input, scope),
            F::To(target) => self.convert(call, target, &input, scope),
            F::Abs
            | F::Ceiling
            | F::Exp
            | F::Floor
            | F::Ln
            | F::Log
            | F::Power
            | F::Round
            | F::Sqrt
            | F::Truncate => self.math(call, &input, scope, at),
            F::LowBoundary | F::HighBoundary | F::Precision | F::Comparable => {
                self.boundary(call, &input, scope, at)
            }
            F::HtmlChecks => {
                let text = input.as_str().ok_or_else(|| operands(call.name, &[&input]).at(at))?;
                Ok(boolean(Some(super::html::is_narrative(text))))
            }
            _ => self.text(call, &input, scope, at),
        }
    }

    /// Functions that answer with a truth value; `None` for the others.
    pub(super) fn call_truth(
        &self,
        call: &Call,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Option<Option<bool>>> {
        Ok(Some(match call.function {
            F::Exists => Some(self.exists(call, scope)?),
            F::Empty => Some(!self.exists(call, scope)?),
            F::Not => self.truth(&call.input, scope)?.map(|truth| !truth),
            F::All | F::AllTrue | F::AllFalse | F::AnyTrue | F::AnyFalse => {
                Some(self.all_or_any(call, scope, at)?)
            }
            F::HasValue => {
                let items = self.eval(&call.input, scope)?;
                Some(items.len() == 1 && items[0].has_value())
            }
            F::Is => {
                let test = call.ty.expect("the compiler gives `is` a type");
                let item = self.one(&call.input, scope, call.name)?;
                item.map(|item| test.holds(item.ty))
            }
            F::HasExtension => self.has_extension(call, scope, at)?,
            F::ConformsTo => self.conforms_to(call, scope, at)?,
            F::IsDistinct => {
                let items = self.eval(&call.input, scope)?;
                Some(self.is_distinct(items, at)?)
            }
            F::SubsetOf => Some(self.is_subset(&call.input, &call.arguments[0], scope, at)?),
            F::SupersetOf => Some(self.is_subset(&call.arguments[0], &call.input, scope, at)?),
            _ => return Ok(None),
        }))
    }

    fn exists(&self, call: &Call, scope: Scope<'_, 'a>) -> Result<bool> {
        let (mut found, mut index) = (false, 0);
        self.run(&call.input, scope, &mut |item| {
            found = match call.arguments.first() {
                None => true,
                Some(criteria) => {
                    let inner = Scope { this: Some(&item), index, ..scope };
                    index += 1;
                    self.truth(criteria, inner)? == Some(true)
                }
            };
            Ok(!found)
        })?;
        Ok(found)
    }

    fn all_or_any(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<bool> {
        let any = matches!(call.function, F::AnyTrue | F::AnyFalse);
        let wanted = matches!(call.function, F::All | F::AllTrue | F::AnyTrue);
        let mut answer = !any;
        let mut index = 0;
        self.run(&call.input, scope, &mut |item| {
            let truth = match call.arguments.first() {
                Some(criteria) => {
                    let inner = Scope { this: Some(&item), index, ..scope };
                    index += 1;
                    self.truth(criteria, inner)?
                }
                None => Some(item.as_bool().ok_or_else(|| operands(call.name, &[&item]).at(at))?),
            };
            if (truth == Some(wanted)) == any {
                answer = any;
                return Ok(false);
            }
            Ok(true)
        })?;
        Ok(answer)
    }

    /// An argument that is a text; `None` when it is empty.
    pub(super) fn argument_text(
        &self,
        call: &Call,
        which: usize,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Option<std::sync::Arc<str>>> {
        let Some(plan) = call.arguments.get(which) else { return Ok(None) };
        if let PlanOp::Literal(Item { data: crate::item::Data::Text(text), .. }) = &plan.op {
            return Ok(Some(text.clone()));
        }
        let Some(item) = self.one(plan, scope, call.name)? else { return Ok(None) };
        match item.system() {
            Some(System::String(text)) => Ok(Some(text.into())),
            None if item.is_valueless() => Ok(None),
            _ => Err(operands(call.name, &[&item]).at(at)),
        }
    }

    /// An argument that is a whole number; `None` when it is empty.
    pub(super) fn argument_integer(
        &self,
        call: &Call,
        which: usize,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<i64>> {
        let Some(plan) = call.arguments.get(which) else { return Ok(None) };
        let Some(item) = self.one(plan, scope, call.name)? else { return Ok(None) };
        match item.system() {
            Some(System::Integer(number)) => Ok(Some(number)),
            _ => Err(operands(call.name, &[&item]).at(plan.at)),
        }
    }

    /// The argument's only item.
    pub(super) fn argument(
        &self,
        call: &Call,
        which: usize,
        scope: Scope<'_, 'a>,
    ) -> Result<Option<Item<'a>>> {
        match call.arguments.get(which) {
            Some(plan) => self.one(plan, scope, call.name),
            None => Ok(None),
        }
    }

    pub(super) fn is_subset(&self, few: &Plan, many: &Plan, scope: Scope<'_, 'a>, at: u32) -> Result<bool> {
        let many = self.eval(many, scope)?;
        let mut all = true;
        self.run(few, scope, &mut |item| {
            all = self.holds(&many, &item, at)?;
            Ok(all)
        })?;
        Ok(all)
    }
}
