//! Functions on collections: filter, project, repeat, take parts, combine, walk the tree.

use super::{Eval, Scope};
use crate::error::{Problem, Result};
use crate::function::Function as F;
use crate::item::{Item, Items};
use crate::navigate::children;
use crate::plan::{Call, Plan};

impl<'a> Eval<'_, 'a> {
    /// Functions that evaluate their argument for each item.
    pub(super) fn each_call(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        match call.function {
            F::Where => self.filtered(call, scope, at),
            F::Select => self.projected(call, scope, at),
            F::Repeat => self.repeated(call, scope, at),
            F::Aggregate => self.aggregated(call, scope),
            F::Iif => self.iif(call, scope, at),
            // `trace` logs nowhere: what it would log may be patient data.
            _ => self.eval(&call.input, scope),
        }
    }

    /// Only with a condition that asks for `$index`; the others are steps of a path.
    fn filtered(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut found = Items::new();
        let mut index = 0;
        self.run(&call.input, scope, &mut |item| {
            let inner = Scope { this: Some(&item), index, ..scope };
            index += 1;
            if self.truth(&call.arguments[0], inner)? == Some(true) {
                found.push(item);
            }
            self.check_items(found.len(), at)?;
            Ok(true)
        })?;
        Ok(found)
    }

    fn projected(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut found = Items::new();
        let mut index = 0;
        self.run(&call.input, scope, &mut |item| {
            let inner = Scope { this: Some(&item), index, ..scope };
            index += 1;
            self.run(&call.arguments[0], inner, &mut |projected| {
                found.push(projected);
                self.check_items(found.len(), at)?;
                Ok(true)
            })
        })?;
        Ok(found)
    }

    /// The projection of the input, of what that gave, and so on; each item once.
    fn repeated(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut queue = std::collections::VecDeque::from_iter(self.eval(&call.input, scope)?);
        let mut found = Items::new();
        while let Some(item) = queue.pop_front() {
            let inner = Scope { this: Some(&item), index: 0, ..scope };
            self.run(&call.arguments[0], inner, &mut |projected| {
                if !self.seen(&found, &projected, at)? {
                    found.push(projected.clone());
                    queue.push_back(projected);
                    self.check_items(found.len(), at)?;
                }
                Ok(true)
            })?;
        }
        Ok(found)
    }

    /// Elements are told apart by where they stand, which is cheap and keeps equal items of a tree; computed values by value.
    fn seen(&self, found: &Items<'a>, item: &Item<'a>, at: u32) -> Result<bool> {
        match item.value() {
            Some(value) => {
                self.charge(1, at)?;
                // A tree gives each element once; only a projection to the item itself comes back.
                self.charge(found.len() / 16, at)?;
                Ok(found.iter().any(|other| other.value().is_some_and(|other| std::ptr::eq(other, value))))
            }
            None => self.holds(found, item, at),
        }
    }

    fn aggregated(&self, call: &Call, scope: Scope<'_, 'a>) -> Result<Items<'a>> {
        let mut total = match call.arguments.get(1) {
            Some(start) => self.eval(start, scope)?,
            None => Items::new(),
        };
        let mut index = 0;
        self.run(&call.input, scope, &mut |item| {
            let inner = Scope { this: Some(&item), index, total: Some(&total) };
            index += 1;
            total = self.eval(&call.arguments[0], inner)?;
            Ok(true)
        })?;
        Ok(total)
    }

    fn iif(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let this = self.one(&call.input, scope, "iif").map_err(|error| error.problem.at(at))?;
        let inner = Scope { this: this.as_ref(), ..scope };
        let criterion = self.one(&call.arguments[0], inner, "iif")?;
        let truth = match criterion {
            None => false,
            Some(item) => item.as_bool().ok_or_else(|| super::operands("iif", &[&item]).at(at))?,
        };
        match call.arguments.get(if truth { 1 } else { 2 }) {
            Some(branch) => self.eval(branch, inner),
            None => Ok(Items::new()),
        }
    }

    pub(super) fn tree(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut found = Items::new();
        self.run(&call.input, scope, &mut |item| {
            let start = found.len();
            children(&item, &mut |child| {
                found.push(child);
                Ok(true)
            })?;
            if call.function == F::Descendants {
                self.deeper(&mut found, start, at)?;
            }
            self.check_items(found.len(), at)?;
            Ok(true)
        })?;
        Ok(found)
    }

    /// Adds the children of everything from `start` on, level by level.
    fn deeper(&self, found: &mut Items<'a>, start: usize, at: u32) -> Result<()> {
        let mut next = start;
        while next < found.len() {
            let item = found[next].clone();
            next += 1;
            self.charge(1, at)?;
            children(&item, &mut |child| {
                found.push(child);
                Ok(true)
            })?;
            self.check_items(found.len(), at)?;
        }
        Ok(())
    }

    pub(super) fn part(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let (skip, take) = match call.function {
            F::First => (0, 1),
            F::Tail => (1, usize::MAX),
            F::Skip => (self.argument_count(call, scope)?, usize::MAX),
            F::Take => (0, self.argument_count(call, scope)?),
            F::Single => {
                let one = self.one(&call.input, scope, call.name).map_err(|error| error.problem.at(at))?;
                return Ok(one.into_iter().collect());
            }
            _ => {
                let mut items = self.eval(&call.input, scope)?;
                return Ok(items.pop().into_iter().collect());
            }
        };
        let mut index = 0;
        let mut found = Items::new();
        if take == 0 {
            return Ok(found);
        }
        self.run(&call.input, scope, &mut |item| {
            if index >= skip {
                found.push(item);
            }
            index += 1;
            Ok(found.len() < take)
        })?;
        Ok(found)
    }

    /// A number of items; an empty or negative one is none.
    fn argument_count(&self, call: &Call, scope: Scope<'_, 'a>) -> Result<usize> {
        let number = self.argument_integer(call, 0, scope)?.unwrap_or(0);
        Ok(usize::try_from(number).unwrap_or(0))
    }

    pub(super) fn sets(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut items = self.eval(&call.input, scope)?;
        let other = |plan: &Plan| self.eval(plan, scope);
        match call.function {
            F::Distinct => self.distinct(items, at),
            F::Union => {
                items.extend(other(&call.arguments[0])?);
                self.distinct(items, at)
            }
            F::Combine => {
                items.extend(other(&call.arguments[0])?);
                self.check_items(items.len(), at)?;
                Ok(items)
            }
            F::Intersect => {
                let other = other(&call.arguments[0])?;
                let kept = self.kept(&items, &other, true, at)?;
                self.distinct(kept, at)
            }
            F::Exclude => {
                let other = other(&call.arguments[0])?;
                self.kept(&items, &other, false, at)
            }
            _ => Err(Problem::UnknownFunction(call.name.into()).at(at)),
        }
    }

    fn kept(&self, items: &Items<'a>, other: &Items<'a>, held: bool, at: u32) -> Result<Items<'a>> {
        let mut kept = Items::new();
        for item in items {
            if self.holds(other, item, at)? == held {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    }
}
