//! Quantity search: a number, and what its unit must be. Values are indexed in the unit they were stated in and in canonical units.

use search::query::{NumberOperand, QuantityOperand, UnitMatch};

use super::super::arm::{Arm, Arms};
use super::super::cx::Cx;
use super::super::sql::Sql;
use super::number;
use crate::sqlite::failure::Try;

/// A number in one of these units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct QuantityTest {
    pub(in super::super) number: NumberOperand,
    pub(in super::super) units: Vec<u32>,
}

pub(in super::super) fn compile(cx: &Cx<'_>, any_of: &[QuantityOperand]) -> Try<Vec<QuantityTest>> {
    any_of.iter().map(|operand| compile_one(cx, operand)).collect()
}

pub(in super::super) fn compile_one(cx: &Cx<'_>, operand: &QuantityOperand) -> Try<QuantityTest> {
    let (number, sql) = match (&operand.canonical, &operand.unit) {
        (Some((number, unit)), _) => (number, Sql::with("canonical = 1 AND code = ?", [unit.to_string()])),
        (None, UnitMatch::Any) => (&operand.number, Sql::text("canonical = 0")),
        (None, UnitMatch::Text(text)) => {
            let same =
                Sql::with("canonical = 0 AND (code = ? OR text = ?)", [text.to_string(), text.to_string()]);
            (&operand.number, same)
        }
        (None, UnitMatch::Coded { system, code }) => {
            let same = Sql::with(
                "canonical = 0 AND system = ? AND code = ?",
                [system.to_string(), code.to_string()],
            );
            (&operand.number, same)
        }
    };
    let sql = Sql::text("SELECT u FROM unit WHERE ").and_sql(sql).and_text(" ORDER BY u");
    let mut statement = cx.conn.prepare_cached(sql.as_str())?;
    let units = statement.query_map(rusqlite::params_from_iter(sql.args()), |row| row.get(0))?;
    let units: Vec<u32> = units.collect::<rusqlite::Result<_>>()?;
    cx.spend(units.len() as u64 + 1)?;
    Ok(QuantityTest { number: number.clone(), units })
}

impl QuantityTest {
    pub(in super::super) fn passes(&self, u: u32, lo: &[u8], hi: &[u8]) -> bool {
        self.units.binary_search(&u).is_ok() && number::passes(&self.number, lo, hi)
    }
}

pub(in super::super) fn arms(p: u32, tests: &[QuantityTest]) -> Arms {
    let mut arms = Vec::new();
    for test in tests {
        for u in &test.units {
            for range in number::conditions(&test.number) {
                arms.push(Arm::new("quantity", Sql::with("p = ? AND u = ?", [p, *u]).and(range), false));
            }
        }
    }
    Arms::inexact(arms)
}
