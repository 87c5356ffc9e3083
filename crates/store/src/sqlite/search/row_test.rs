//! A test of one parameter's values, compiled: numbers in place of names. It looks at the rows of a resource, or lists the rows of the
//! index.

use fhir::Kind;
use search::ParamId;
use search::query::{DateOperand, NumberOperand, Test};

use super::arm::Arms;
use super::cx::Cx;
use super::sets;
use super::test::composite::{self, CompositeTest};
use super::test::quantity::{self, QuantityTest};
use super::test::reference::{self, ReferenceTest};
use super::test::text::{self, TextTest};
use super::test::token::{self, TokenTest};
use super::test::{date, number, uri};
use crate::sqlite::catalog::Facet;
use crate::sqlite::failure::{Failure, Try, damaged};
use crate::sqlite::index::blob;
use crate::sqlite::index::row::{Row, Sort};

/// A test and the parameter it is about.
#[derive(Debug)]
pub(super) struct RowTest {
    /// The parameter, or its parts; empty: no resource has a value.
    ps: Vec<u32>,
    what: What,
    /// Passes when no value does.
    negated: bool,
}

#[derive(Debug)]
enum What {
    Token(Vec<TokenTest>),
    Text(Vec<TextTest>),
    Date(Vec<DateOperand>),
    Number(Vec<NumberOperand>),
    Quantity(Vec<QuantityTest>),
    Reference(ReferenceTest),
    Uri(Vec<u32>),
    Composite(Vec<CompositeTest>),
}

impl RowTest {
    pub(super) fn compile(cx: &Cx<'_>, param: ParamId, test: &Test) -> Try<RowTest> {
        let value = Facet::Value;
        let (facet, what, negated) = match test {
            Test::Token { any_of, negated } => (value, What::Token(token::compile(cx, any_of)?), *negated),
            Test::TokenText(any_of) => (Facet::Text, What::Uri(uri::containing(cx, any_of)?), false),
            Test::OfType(any_of) => {
                (Facet::OfType, What::Token(token::compile_of_type(cx.hash(), any_of)), false)
            }
            Test::String { mode, any_of } => (value, What::Text(text::compile(*mode, any_of)), false),
            Test::Date(any_of) => (value, What::Date(any_of.clone()), false),
            Test::Number(any_of) => (value, What::Number(any_of.clone()), false),
            Test::Quantity(any_of) => (value, What::Quantity(quantity::compile(cx, any_of)?), false),
            Test::Reference { any_of, negated } => {
                (value, What::Reference(reference::compile(cx, any_of)?), *negated)
            }
            Test::ReferenceIdentifier(any_of) => {
                (Facet::Identifier, What::Token(token::compile(cx, any_of)?), false)
            }
            Test::ReferenceHierarchy { any_of, below } => {
                let targets = sets::hierarchy(cx, any_of, *below)?;
                (value, What::Reference(ReferenceTest { targets, urls: Vec::new() }), false)
            }
            Test::Uri { mode, any_of, negated } => {
                (value, What::Uri(uri::compile(cx, *mode, any_of)?), *negated)
            }
            Test::Composite(any_of) => (value, What::Composite(composite::compile(cx, any_of)?), false),
        };
        Ok(RowTest { ps: cx.ps(param, facet), what, negated })
    }

    /// Can no resource pass.
    pub(super) fn is_never(&self) -> bool {
        !self.negated && (self.ps.is_empty() || self.arms().is_some_and(|arms| arms.arms.is_empty()))
    }

    /// Does a resource with these rows pass.
    pub(super) fn holds(&self, rows: &[u8]) -> Try<bool> {
        for p in &self.ps {
            let found = self.any(rows, self.sort(), *p)?
                || (matches!(self.what, What::Reference(_)) && self.any(rows, Sort::Uri, *p)?);
            if found {
                return Ok(!self.negated);
            }
        }
        Ok(self.negated)
    }

    fn any(&self, rows: &[u8], sort: Sort, p: u32) -> Try<bool> {
        for row in blob::find(rows, sort, p) {
            if self.passes(&row.ok_or_else(unreadable)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sort(&self) -> Sort {
        match self.what {
            What::Token(_) => Sort::Token,
            What::Text(_) => Sort::Text,
            What::Date(_) => Sort::Date,
            What::Number(_) => Sort::Number,
            What::Quantity(_) => Sort::Quantity,
            What::Reference(_) => Sort::Ref,
            What::Uri(_) => Sort::Uri,
            What::Composite(_) => Sort::Composite,
        }
    }

    fn passes(&self, row: &Row) -> bool {
        match (&self.what, row) {
            (What::Token(tests), Row::Token { h, sys, .. }) => tests.iter().any(|test| test.passes(*h, *sys)),
            (What::Text(tests), Row::Text { text, exact, .. }) => {
                tests.iter().any(|test| test.passes(text, exact))
            }
            (What::Date(tests), Row::Date { lo, hi, .. }) => {
                tests.iter().any(|test| date::passes(test, *lo, *hi))
            }
            (What::Number(tests), Row::Number { lo, hi, .. }) => {
                tests.iter().any(|test| number::passes(test, lo, hi))
            }
            (What::Quantity(tests), Row::Quantity { u, lo, hi, .. }) => {
                tests.iter().any(|test| test.passes(*u, lo, hi))
            }
            (What::Reference(test), Row::Ref { target, .. }) => test.targets.binary_search(target).is_ok(),
            (What::Reference(test), Row::Uri { n, .. }) => test.urls.binary_search(n).is_ok(),
            (What::Uri(names), Row::Uri { n, .. }) => names.binary_search(n).is_ok(),
            (What::Composite(tests), Row::Composite { h, parts, .. }) => {
                tests.iter().any(|test| test.passes(*h, parts))
            }
            _ => false,
        }
    }

    /// Where the index has what passes; `None` for a negation, which no range narrows.
    pub(super) fn arms(&self) -> Option<Arms> {
        if self.negated {
            return None;
        }
        Some(Arms::joined(self.ps.iter().map(|p| self.arms_of(*p))))
    }

    fn arms_of(&self, p: u32) -> Arms {
        match &self.what {
            What::Token(tests) => token::arms(p, tests),
            What::Text(tests) => text::arms(p, tests),
            What::Date(tests) => date::arms(p, tests),
            What::Number(tests) => number::arms(p, tests),
            What::Quantity(tests) => quantity::arms(p, tests),
            What::Reference(test) => reference::arms(p, test),
            What::Uri(names) => uri::arms(p, names),
            What::Composite(tests) => composite::arms(p, tests),
        }
    }
}

/// Where the values of a parameter stand, for `:missing`.
#[derive(Debug)]
pub(super) struct Presence(Vec<(Sort, u32)>);

impl Presence {
    pub(super) fn of(cx: &Cx<'_>, param: ParamId) -> Presence {
        let value = cx.ps(param, Facet::Value).into_iter().flat_map(|p| {
            let sorts = [
                Sort::Token,
                Sort::Ref,
                Sort::Uri,
                Sort::Text,
                Sort::Date,
                Sort::Number,
                Sort::Quantity,
                Sort::Composite,
            ];
            sorts.into_iter().map(move |sort| (sort, p))
        });
        let text = cx.ps(param, Facet::Text).into_iter().map(|p| (Sort::Uri, p));
        let identifier = cx.ps(param, Facet::Identifier).into_iter().map(|p| (Sort::Token, p));
        Presence(value.chain(text).chain(identifier).collect())
    }

    /// Has a resource with these rows a value.
    pub(super) fn holds(&self, rows: &[u8]) -> bool {
        blob::groups(rows).any(|(sort, p)| self.0.iter().any(|(s, q)| *s as u8 == sort && *q == p))
    }
}

/// Index rows that are no index rows.
pub(super) fn unreadable() -> Failure {
    damaged("index rows of a resource cannot be read")
}

/// Local targets of a reference parameter in these rows.
pub(super) fn targets(rows: &[u8], p: u32) -> Vec<i64> {
    let target = |row: Option<Row>| match row {
        Some(Row::Ref { target, .. }) => Some(target),
        _ => None,
    };
    blob::find(rows, Sort::Ref, p).filter_map(target).collect()
}

/// A goal's type is the parameter's.
pub(super) fn kind_of(param: ParamId) -> Kind {
    param.def().kind
}
