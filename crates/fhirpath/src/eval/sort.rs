//! `sort()`: by the items themselves, or by keys; a key that begins with `-` sorts falling.

use std::cmp::Ordering;

use super::compare::{Order, order_of};
use super::{Eval, Scope, operands};
use crate::error::{PathError, Result};
use crate::item::{Item, Items};
use crate::plan::{Call, PlanOp};

impl<'a> Eval<'_, 'a> {
    pub(super) fn sort(&self, call: &Call, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let items = self.eval(&call.input, scope)?;
        self.charge(items.len().saturating_mul(items.len().ilog2_or_zero()), at)?;
        let mut keyed: Vec<(Vec<Option<Item<'a>>>, Item<'a>)> = Vec::with_capacity(items.len());
        for item in items {
            let inner = Scope { this: Some(&item), ..scope };
            let keys: Result<Vec<Option<Item<'a>>>> = if call.arguments.is_empty() {
                Ok(vec![Some(item.clone())])
            } else {
                let key = |plan: &crate::plan::Plan| match &plan.op {
                    PlanOp::Negative(key) => self.one(key, inner, "sort"),
                    _ => self.one(plan, inner, "sort"),
                };
                call.arguments.iter().map(key).collect()
            };
            keyed.push((keys?, item));
        }
        let mut error = None;
        keyed.sort_by(|(a, _), (b, _)| {
            for (which, (a, b)) in a.iter().zip(b).enumerate() {
                let falling =
                    matches!(call.arguments.get(which), Some(plan) if matches!(plan.op, PlanOp::Negative(_)));
                let order = key_order(a.as_ref(), b.as_ref(), at).unwrap_or_else(|failed| {
                    error.get_or_insert(failed);
                    Ordering::Equal
                });
                if order != Ordering::Equal {
                    return if falling { order.reverse() } else { order };
                }
            }
            Ordering::Equal
        });
        match error {
            Some(error) => Err(error),
            None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
        }
    }
}

/// A missing key comes last; falling, it comes first.
fn key_order(
    a: Option<&Item<'_>>,
    b: Option<&Item<'_>>,
    at: u32,
) -> std::result::Result<Ordering, PathError> {
    match (a, b) {
        (Some(a), Some(b)) => match order_of(a, b).map_err(|problem| problem.at(at))? {
            Order::Known(order) => Ok(order),
            Order::Unknown => Ok(Ordering::Equal),
            Order::Foreign => Err(operands("sort", &[a, b]).at(at)),
        },
        (None, None) => Ok(Ordering::Equal),
        (None, Some(_)) => Ok(Ordering::Greater),
        (Some(_), None) => Ok(Ordering::Less),
    }
}

trait Log2 {
    fn ilog2_or_zero(self) -> usize;
}

impl Log2 for usize {
    fn ilog2_or_zero(self) -> usize {
        self.checked_ilog2().map_or(0, |log| log as usize + 1)
    }
}
