//! The operators, apart from `.`, `[]`, `is` and `as`.

use std::cmp::Ordering;

use super::compare::{Order, is_equal, is_equivalent, order_of};
use super::distinct::Distinct;
use super::{Eval, Scope, boolean, operands};
use crate::error::{Problem, Result};
use crate::item::{Item, Items, System};
use crate::navigate::Take;
use crate::plan::{Plan, PlanOp};
use crate::quantity::{Quantity, divided};
use crate::syntax::Op;
use fhir::Decimal;

/// Most digits of a computed number.
const DIGITS_MAX: usize = 400;

impl<'a> Eval<'_, 'a> {
    pub(super) fn binary(
        &self,
        op: Op,
        pair: &[Plan; 2],
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Items<'a>> {
        if let Some(truth) = self.binary_truth(op, pair, scope, at)? {
            return Ok(boolean(truth));
        }
        if op == Op::Concat {
            return self.concat(pair, scope, at);
        }
        let left = self.one(&pair[0], scope, op.text())?;
        let right = self.one(&pair[1], scope, op.text())?;
        let (Some(left), Some(right)) = (left, right) else { return Ok(Items::new()) };
        let result = self.arithmetic(op, &left, &right, at)?;
        Ok(result.into_iter().collect())
    }

    /// Operators that give a truth value; `None` for the others.
    pub(super) fn binary_truth(
        &self,
        op: Op,
        pair: &[Plan; 2],
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Option<Option<bool>>> {
        Ok(Some(match op {
            Op::And | Op::Or | Op::Xor | Op::Implies => self.logic(op, pair, scope)?,
            Op::Equal => self.equality(pair, scope, at)?,
            Op::NotEqual => self.equality(pair, scope, at)?.map(|equal| !equal),
            Op::Equivalent => Some(self.equivalence(pair, scope, at)?),
            Op::NotEquivalent => Some(!self.equivalence(pair, scope, at)?),
            Op::Less | Op::Greater | Op::LessOrEqual | Op::GreaterOrEqual => {
                self.comparison(op, pair, scope, at)?
            }
            Op::In => self.membership(&pair[0], &pair[1], scope, at)?,
            Op::Contains => self.membership(&pair[1], &pair[0], scope, at)?,
            _ => return Ok(None),
        }))
    }

    fn logic(&self, op: Op, pair: &[Plan; 2], scope: Scope<'_, 'a>) -> Result<Option<bool>> {
        let left = self.truth(&pair[0], scope)?;
        // What the left side decides, the right side need not be asked for.
        match (op, left) {
            (Op::And, Some(false)) => return Ok(Some(false)),
            (Op::Or, Some(true)) | (Op::Implies, Some(false)) => return Ok(Some(true)),
            _ => {}
        }
        let right = self.truth(&pair[1], scope)?;
        Ok(match op {
            Op::And => {
                if right == Some(false) {
                    right
                } else {
                    left.zip(right).map(|_| true)
                }
            }
            Op::Or => {
                if right == Some(true) {
                    right
                } else {
                    left.zip(right).map(|_| false)
                }
            }
            Op::Xor => left.zip(right).map(|(left, right)| left != right),
            // The left side is true or empty.
            _ => {
                if right == Some(true) {
                    right
                } else {
                    left.zip(right).map(|_| false)
                }
            }
        })
    }

    fn equality(&self, pair: &[Plan; 2], scope: Scope<'_, 'a>, at: u32) -> Result<Option<bool>> {
        if let PlanOp::Literal(right) = &pair[1].op {
            return self.equality_with(&pair[0], right, scope, at);
        }
        let left = self.eval(&pair[0], scope)?;
        let right = self.eval(&pair[1], scope)?;
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for (left, right) in left.iter().zip(&right) {
            match is_equal(self, left, right, at)? {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None => all = None,
            }
        }
        Ok(all)
    }

    /// `path = literal`, the usual condition: no collection is built.
    fn equality_with(
        &self,
        plan: &Plan,
        right: &Item<'static>,
        scope: Scope<'_, 'a>,
        at: u32,
    ) -> Result<Option<bool>> {
        let (mut n_items, mut answer) = (0, None);
        self.run(plan, scope, &mut |left| {
            n_items += 1;
            if n_items == 1 {
                answer = is_equal(self, &left, right, at)?;
            }
            Ok(n_items < 2)
        })?;
        Ok(if n_items > 1 { Some(false) } else { answer })
    }

    fn equivalence(&self, pair: &[Plan; 2], scope: Scope<'_, 'a>, at: u32) -> Result<bool> {
        let left = self.eval(&pair[0], scope)?;
        let mut right = self.eval(&pair[1], scope)?;
        if left.len() != right.len() {
            return Ok(false);
        }
        for item in &left {
            let mut found = None;
            for (place, other) in right.iter().enumerate() {
                if is_equivalent(self, item, other, at)? {
                    found = Some(place);
                    break;
                }
            }
            let Some(place) = found else { return Ok(false) };
            right.swap_remove(place);
        }
        Ok(true)
    }

    fn comparison(&self, op: Op, pair: &[Plan; 2], scope: Scope<'_, 'a>, at: u32) -> Result<Option<bool>> {
        let left = self.one(&pair[0], scope, op.text())?;
        let right = self.one(&pair[1], scope, op.text())?;
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let order = match order_of(&left, &right).map_err(|problem| problem.at(at))? {
            Order::Known(order) => order,
            Order::Unknown => return Ok(None),
            Order::Foreign => return Err(operands(op.text(), &[&left, &right]).at(at)),
        };
        Ok(Some(match op {
            Op::Less => order == Ordering::Less,
            Op::Greater => order == Ordering::Greater,
            Op::LessOrEqual => order != Ordering::Greater,
            _ => order != Ordering::Less,
        }))
    }

    fn membership(&self, one: &Plan, many: &Plan, scope: Scope<'_, 'a>, at: u32) -> Result<Option<bool>> {
        let Some(item) = self.one(one, scope, "in")? else { return Ok(None) };
        let mut found = false;
        self.run(many, scope, &mut |other| {
            self.charge(1, at)?;
            found = is_equal(self, &item, &other, at)? == Some(true);
            Ok(!found)
        })?;
        Ok(Some(found))
    }

    fn concat(&self, pair: &[Plan; 2], scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let mut out = String::new();
        for plan in pair {
            let Some(item) = self.one(plan, scope, "&")? else { continue };
            match item.system() {
                Some(System::String(text)) => out.push_str(text),
                None if item.is_valueless() => {}
                _ => return Err(operands("&", &[&item]).at(at)),
            }
        }
        self.check_text(out.len(), at)?;
        Ok(Items::from_iter([Item::text(out)]))
    }

    /// Texts that are computed must not grow without end, and long ones take steps.
    pub(super) fn check_text(&self, n_bytes: usize, at: u32) -> Result<()> {
        self.charge(n_bytes / 64, at)?;
        if n_bytes > self.context.limits.text_bytes_max { Err(Problem::Overflow.at(at)) } else { Ok(()) }
    }

    pub(super) fn negative(&self, inner: &Plan, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let Some(item) = self.one(inner, scope, "-")? else { return Ok(Items::new()) };
        let negated = match item.system() {
            Some(System::Integer(number)) => number.checked_neg().map(Item::integer),
            Some(System::Decimal(number)) => Some(Item::decimal(number.negated())),
            Some(System::Quantity(quantity)) => {
                let quantity = quantity.into_owned();
                Some(Item::quantity(Quantity { value: quantity.value.negated(), ..quantity }))
            }
            _ => return Err(operands("-", &[&item]).at(at)),
        };
        negated.map(|item| Items::from_iter([item])).ok_or(Problem::Overflow.at(at))
    }

    pub(super) fn positive(&self, inner: &Plan, scope: Scope<'_, 'a>, at: u32) -> Result<Items<'a>> {
        let Some(item) = self.one(inner, scope, "+")? else { return Ok(Items::new()) };
        match item.system() {
            Some(System::Integer(_) | System::Decimal(_) | System::Quantity(_)) => {
                Ok(Items::from_iter([item]))
            }
            _ => Err(operands("+", &[&item]).at(at)),
        }
    }

    fn arithmetic(&self, op: Op, left: &Item<'a>, right: &Item<'a>, at: u32) -> Result<Option<Item<'a>>> {
        let foreign = || operands(op.text(), &[left, right]).at(at);
        if left.is_valueless() || right.is_valueless() {
            return Ok(None);
        }
        let (Some(a), Some(b)) = (left.system(), right.system()) else { return Err(foreign()) };
        match (a, b) {
            (System::Integer(a), System::Integer(b)) => integers(op, a, b).map_err(|problem| problem.at(at)),
            (System::String(a), System::String(b)) if op == Op::Plus => {
                self.check_text(a.len() + b.len(), at)?;
                Ok(Some(Item::text(format!("{a}{b}"))))
            }
            (System::Temporal(start), System::Quantity(length)) if matches!(op, Op::Plus | Op::Minus) => {
                let unit = length.calendar_unit().ok_or_else(foreign)?;
                let overflow = || Problem::Overflow.at(at);
                let n = length.value.truncated(0).to_i64().ok_or_else(overflow)?;
                let n = if op == Op::Minus { n.checked_neg().ok_or_else(overflow)? } else { n };
                Ok(start.plus(n, unit).map(Item::temporal))
            }
            (a, b) => match (Number::of(&a), Number::of(&b)) {
                (Some(Number::Decimal(a)), Some(Number::Decimal(b))) => {
                    decimals(op, &a, &b).map_err(|problem| problem.at(at))
                }
                (Some(a), Some(b)) => quantities(op, &a.quantity(), &b.quantity(), left, right)
                    .map_err(|problem| problem.at(at)),
                _ => Err(foreign()),
            },
        }
    }

    /// `a | b | c`: each item once, in order.
    pub(super) fn union(
        &self,
        terms: &[Plan],
        scope: Scope<'_, 'a>,
        at: u32,
        take: Take<'_, 'a>,
    ) -> Result<bool> {
        let mut all = Distinct::default();
        for term in terms {
            self.run(term, scope, &mut |item| {
                all.add(self, item, at)?;
                Ok(true)
            })?;
        }
        super::each(all.items, take)
    }
}

enum Number {
    Decimal(Decimal),
    Quantity(Quantity),
}

impl Number {
    fn of(value: &System<'_>) -> Option<Number> {
        match value {
            System::Integer(number) => Some(Number::Decimal((*number).into())),
            System::Decimal(number) => Some(Number::Decimal(number.clone().into_owned())),
            System::Quantity(quantity) => Some(Number::Quantity(quantity.clone().into_owned())),
            _ => None,
        }
    }

    fn quantity(self) -> Quantity {
        match self {
            Number::Decimal(number) => Quantity::plain(number),
            Number::Quantity(quantity) => quantity,
        }
    }
}

fn integers<'a>(op: Op, a: i64, b: i64) -> std::result::Result<Option<Item<'a>>, Problem> {
    let result = match op {
        Op::Over => return decimals(op, &a.into(), &b.into()),
        Op::Div | Op::Mod if b == 0 => return Ok(None),
        Op::Plus => a.checked_add(b),
        Op::Minus => a.checked_sub(b),
        Op::Times => a.checked_mul(b),
        Op::Div => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(|number| Some(Item::integer(number))).ok_or(Problem::Overflow)
}

fn decimals<'a>(op: Op, a: &Decimal, b: &Decimal) -> std::result::Result<Option<Item<'a>>, Problem> {
    if matches!(op, Op::Over | Op::Div | Op::Mod) && b.is_zero() {
        return Ok(None);
    }
    let result = match op {
        Op::Plus => a.plus(b),
        Op::Minus => a.minus(b),
        Op::Times => a.times(b),
        Op::Over => divided(a, b).ok_or(Problem::Overflow)?,
        Op::Div => {
            let whole = a.over_whole(b).ok_or(Problem::Overflow)?;
            return whole.to_i64().map(|number| Some(Item::integer(number))).ok_or(Problem::Overflow);
        }
        _ => a.minus(&a.over_whole(b).ok_or(Problem::Overflow)?.times(b)),
    };
    checked(result).map(|number| Some(Item::decimal(number)))
}

/// Numbers that are computed must not grow without end.
pub(super) fn checked(number: Decimal) -> std::result::Result<Decimal, Problem> {
    let reach = number.n_digits().saturating_add(usize::try_from(number.scale().abs()).unwrap_or(usize::MAX));
    if reach > DIGITS_MAX { Err(Problem::Overflow) } else { Ok(number) }
}

fn quantities<'a>(
    op: Op,
    a: &Quantity,
    b: &Quantity,
    left: &Item<'a>,
    right: &Item<'a>,
) -> std::result::Result<Option<Item<'a>>, Problem> {
    let result = match op {
        Op::Plus => a.plus(b, false)?,
        Op::Minus => a.plus(b, true)?,
        Op::Times => Some(a.times(b)?),
        Op::Over => a.over(b)?,
        _ => return Err(operands(op.text(), &[left, right])),
    };
    let Some(quantity) = result else { return Ok(None) };
    Ok(Some(Item::quantity(Quantity { value: checked(quantity.value)?, ..quantity })))
}
