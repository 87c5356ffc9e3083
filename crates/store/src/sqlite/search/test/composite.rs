//! Composite search: one value whose parts pass all parts of an operand. Code and quantity, the common one, is a range of the index.

use search::query::{CompositeOperand, Test};

use super::super::arm::{Arm, Arms};
use super::super::cx::Cx;
use super::super::sql::Sql;
use super::quantity::{self, QuantityTest};
use super::reference::{self, ReferenceTest};
use super::text::{self, TextTest};
use super::token::{self, TokenTest};
use super::{date, number, uri};
use crate::sqlite::failure::Try;
use crate::sqlite::index::part::{self, PackedPart};

/// One operand: a test per part.
#[derive(Clone, Debug)]
pub(in super::super) struct CompositeTest {
    parts: Vec<PartTest>,
}

#[derive(Clone, Debug)]
enum PartTest {
    Token {
        any_of: Vec<TokenTest>,
        negated: bool,
    },
    Text(Vec<TextTest>),
    Date(Vec<search::query::DateOperand>),
    Number(Vec<search::query::NumberOperand>),
    Quantity(Vec<QuantityTest>),
    Reference {
        test: ReferenceTest,
        negated: bool,
    },
    Uri {
        names: Vec<u32>,
        negated: bool,
    },
    /// A test that no part of this sort passes.
    Never,
}

pub(in super::super) fn compile(cx: &Cx<'_>, any_of: &[CompositeOperand]) -> Try<Vec<CompositeTest>> {
    let mut tests = Vec::with_capacity(any_of.len());
    for operand in any_of {
        let parts =
            operand.parts.iter().map(|part| compile_part(cx, part)).collect::<Try<Vec<PartTest>>>()?;
        tests.push(CompositeTest { parts });
    }
    Ok(tests)
}

fn compile_part(cx: &Cx<'_>, test: &Test) -> Try<PartTest> {
    Ok(match test {
        Test::Token { any_of, negated } => {
            PartTest::Token { any_of: token::compile(cx, any_of)?, negated: *negated }
        }
        Test::String { mode, any_of } => PartTest::Text(text::compile(*mode, any_of)),
        Test::Date(any_of) => PartTest::Date(any_of.clone()),
        Test::Number(any_of) => PartTest::Number(any_of.clone()),
        Test::Quantity(any_of) => PartTest::Quantity(quantity::compile(cx, any_of)?),
        Test::Reference { any_of, negated } => {
            PartTest::Reference { test: reference::compile(cx, any_of)?, negated: *negated }
        }
        Test::Uri { mode, any_of, negated } => {
            PartTest::Uri { names: uri::compile(cx, *mode, any_of)?, negated: *negated }
        }
        Test::TokenText(_)
        | Test::OfType(_)
        | Test::ReferenceIdentifier(_)
        | Test::ReferenceHierarchy { .. }
        | Test::Composite(_) => PartTest::Never,
    })
}

impl CompositeTest {
    /// Does a stored value pass; `h` is the hash of the first part's code.
    pub(in super::super) fn passes(&self, h: i64, packed: &[u8]) -> bool {
        let Some(mut parts) = part::parts(packed) else { return false };
        // The first part stands last.
        let Some(last) = parts.pop() else { return false };
        let first = match last {
            PackedPart::System(sys) => PackedPart::Token { h, sys },
            other => other,
        };
        parts.insert(0, first);
        parts.len() == self.parts.len() && self.parts.iter().zip(&parts).all(|(test, part)| test.passes(part))
    }

    /// Where the index has what may pass.
    fn arms(&self, p: u32, arms: &mut Vec<Arm>) {
        let of_param = || Sql::with("p = ?", [p]);
        let codes: Vec<Option<i64>> = match self.parts.first() {
            Some(PartTest::Token { any_of, negated: false }) => any_of.iter().map(|test| test.h).collect(),
            _ => vec![None],
        };
        for code in codes {
            let Some(h) = code else {
                arms.push(Arm::new("composite", of_param(), false));
                continue;
            };
            let of_code = || of_param().and(Sql::with("h = ?", [h]));
            match self.parts.get(1) {
                Some(PartTest::Quantity(tests)) => {
                    for (from, to) in tests.iter().flat_map(quantity_ranges) {
                        let range = Sql::with("parts >= ? AND parts < ?", [from, to]);
                        arms.push(Arm::new("composite", of_code().and(range), false));
                    }
                }
                _ => arms.push(Arm::new("composite", of_code(), false)),
            }
        }
    }
}

/// Ranges of the packed second part that hold every quantity which may pass.
fn quantity_ranges(test: &QuantityTest) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut ranges = Vec::new();
    for u in &test.units {
        let (points, (beyond, behind)) = (part::points_of(*u), part::ranges_of(*u));
        for (from, to) in number::points(&test.number) {
            let low = from.map_or(points.clone(), |(key, _)| [&points, key].concat());
            // What follows a key in the bytes is more of the value: everything that begins with it belongs to it.
            let high = match to {
                Some((key, included)) => {
                    let behind: &[u8] = if included { &[0xFF, 0xFF] } else { &[] };
                    [&points, key, behind].concat()
                }
                None => beyond.clone(),
            };
            ranges.push((low, high));
        }
        ranges.push((beyond, behind));
    }
    ranges
}

impl PartTest {
    fn passes(&self, part: &PackedPart) -> bool {
        match (self, part) {
            (PartTest::Token { any_of, negated }, PackedPart::Token { h, sys }) => {
                any_of.iter().any(|test| test.passes(*h, *sys)) != *negated
            }
            (PartTest::Text(any_of), PackedPart::Text { folded, exact }) => {
                any_of.iter().any(|test| test.passes(folded, exact))
            }
            (PartTest::Date(any_of), PackedPart::Date { lo, hi }) => {
                any_of.iter().any(|operand| date::passes(operand, *lo, *hi))
            }
            (PartTest::Number(any_of), PackedPart::Number { lo, hi }) => {
                any_of.iter().any(|operand| number::passes(operand, lo, hi))
            }
            (PartTest::Quantity(any_of), PackedPart::Quantity { u, lo, hi }) => {
                any_of.iter().any(|test| test.passes(*u, lo, hi))
            }
            (PartTest::Reference { test, negated }, PackedPart::Ref(target)) => {
                test.targets.binary_search(target).is_ok() != *negated
            }
            (PartTest::Reference { test, negated }, PackedPart::Uri(n)) => {
                test.urls.binary_search(n).is_ok() != *negated
            }
            (PartTest::Uri { names, negated }, PackedPart::Uri(n)) => {
                names.binary_search(n).is_ok() != *negated
            }
            _ => false,
        }
    }
}

pub(in super::super) fn arms(p: u32, tests: &[CompositeTest]) -> Arms {
    let mut arms = Vec::new();
    tests.iter().for_each(|test| test.arms(p, &mut arms));
    Arms::inexact(arms)
}
