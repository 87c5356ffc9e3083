//! Token search: code, system|code, |code, system|; identifiers by type.

use search::query::{OfTypeOperand, SystemMatch, TokenOperand};

use super::super::arm::{Arm, Arms};
use super::super::cx::Cx;
use super::super::sql::Sql;
use crate::sqlite::failure::Try;
use crate::sqlite::hash::HashKey;
use crate::sqlite::write::name_of;

/// What a token must be; `None` is anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct TokenTest {
    pub(in super::super) h: Option<i64>,
    pub(in super::super) sys: Option<u32>,
}

/// The tests of the operands. A system that no resource names matches nothing and is left out.
pub(in super::super) fn compile(cx: &Cx<'_>, any_of: &[TokenOperand]) -> Try<Vec<TokenTest>> {
    let mut tests = Vec::with_capacity(any_of.len());
    for operand in any_of {
        let h = operand.code.as_deref().map(|code| cx.hash().text(code));
        let sys = match &operand.system {
            SystemMatch::Any => None,
            SystemMatch::Absent => Some(0),
            SystemMatch::Is(system) => match name_of(cx.conn, system)? {
                None => continue,
                number => number,
            },
        };
        tests.push(TokenTest { h, sys });
    }
    Ok(tests)
}

/// The tests of identifiers by type.
pub(in super::super) fn compile_of_type(hash: HashKey, any_of: &[OfTypeOperand]) -> Vec<TokenTest> {
    let h = |operand: &OfTypeOperand| hash.texts(&[&operand.system, &operand.code, &operand.value]);
    any_of.iter().map(|operand| TokenTest { h: Some(h(operand)), sys: None }).collect()
}

impl TokenTest {
    pub(in super::super) fn passes(self, h: i64, sys: u32) -> bool {
        self.h.is_none_or(|wanted| wanted == h) && self.sys.is_none_or(|wanted| wanted == sys)
    }
}

pub(in super::super) fn arms(p: u32, tests: &[TokenTest]) -> Arms {
    let arm = |test: &TokenTest| {
        let mut sql = Sql::with("p = ?", [p]);
        if let Some(h) = test.h {
            sql = sql.and(Sql::with("h = ?", [h]));
        }
        if let Some(sys) = test.sys {
            sql = sql.and(Sql::with("sys = ?", [sys]));
        }
        Arm::new("token", sql, test.h.is_some())
    };
    Arms::exact(tests.iter().map(arm).collect())
}
