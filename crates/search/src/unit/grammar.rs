//! The grammar of UCUM codes: `mg/dL`, `10*3/uL`, `kg.m-2`, `{annotation}`, parentheses.

use super::Dimensions;
use super::factor::Factor;
use super::table::{self, N_BASES};

/// Longest code.
const CODE_BYTES_MAX: usize = 100;
/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 8;

type Term = (Factor, Dimensions);

const ONE: Term = (Factor::ONE, [0; N_BASES]);

pub(super) fn parse(code: &str) -> Option<Term> {
    if code.is_empty() || code.len() > CODE_BYTES_MAX || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut cursor = Cursor { rest: code };
    let term = cursor.main(0)?;
    cursor.rest.is_empty().then_some(term)
}

/// The code without an annotation at its end.
pub(super) fn without_annotation(code: &str) -> &str {
    match code.split_once('{') {
        Some((unit, annotation)) if !unit.is_empty() && annotation.ends_with('}') => unit,
        _ => code,
    }
}

struct Cursor<'c> {
    rest: &'c str,
}

impl<'c> Cursor<'c> {
    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A term, perhaps with a `/` before it.
    fn main(&mut self, depth: usize) -> Option<Term> {
        let mut sum =
            if self.take('/') { combine(ONE, self.component(depth)?, -1)? } else { self.component(depth)? };
        loop {
            if self.take('.') {
                sum = combine(sum, self.component(depth)?, 1)?;
            } else if self.take('/') {
                sum = combine(sum, self.component(depth)?, -1)?;
            } else {
                return Some(sum);
            }
        }
    }

    fn component(&mut self, depth: usize) -> Option<Term> {
        if self.take('(') {
            let inner = if depth < DEPTH_MAX { self.main(depth + 1)? } else { return None };
            return self.take(')').then_some(inner);
        }
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some(ONE);
        }
        let term = self.annotatable()?;
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(term)
    }

    fn annotation(&mut self) -> Option<()> {
        let end = self.rest.find('}')?;
        self.rest = &self.rest[end + 1..];
        Some(())
    }

    fn annotatable(&mut self) -> Option<Term> {
        // Powers of ten are written like a unit: `10*3`, `10^-2`.
        if let Some(rest) = self.rest.strip_prefix("10*").or_else(|| self.rest.strip_prefix("10^")) {
            self.rest = rest;
            let exponent = i32::from(self.exponent()?);
            return Some((Factor::new(1, exponent, 1)?, [0; N_BASES]));
        }
        let n_digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if n_digits > 0 {
            let number: u128 = self.rest[..n_digits].parse().ok()?;
            self.rest = &self.rest[n_digits..];
            return Some((Factor::new(number, 0, 1)?, [0; N_BASES]));
        }
        let symbol = self.symbol();
        let unit = table::unit(symbol)?;
        let at_end = self.rest.is_empty() || self.rest.starts_with(['.', '/', ')', '{']);
        let exponent = if at_end { 1 } else { self.exponent()? };
        combine(ONE, unit, exponent)
    }

    /// Everything up to an operator, exponent or annotation; what stands in brackets belongs to the symbol.
    fn symbol(&mut self) -> &'c str {
        let mut in_brackets = false;
        let end = self.rest.bytes().position(|byte| match byte {
            b'[' => {
                in_brackets = true;
                false
            }
            b']' => {
                in_brackets = false;
                false
            }
            _ if in_brackets => false,
            b'.' | b'/' | b'(' | b')' | b'{' | b'+' | b'-' => true,
            other => other.is_ascii_digit(),
        });
        let (symbol, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        symbol
    }

    fn exponent(&mut self) -> Option<i8> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let n_digits = self.rest.bytes().skip(sign).take_while(u8::is_ascii_digit).count();
        let (text, rest) = self.rest.split_at(sign + n_digits);
        self.rest = rest;
        text.parse().ok().filter(|exponent: &i8| exponent.unsigned_abs() <= 60)
    }
}

/// `a × b^exponent`.
fn combine(a: Term, b: Term, exponent: i8) -> Option<Term> {
    let factor = a.0.times(b.0.power(exponent)?)?;
    let mut dimensions = a.1;
    for (sum, more) in dimensions.iter_mut().zip(b.1) {
        *sum = sum.checked_add(more.checked_mul(exponent)?)?;
    }
    Some((factor, dimensions))
}
