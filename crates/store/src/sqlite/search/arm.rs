//! An arm: one index range that lists the row numbers a filter holds for. A filter that can drive a search has one or more arms; together they
//! list every matching row, perhaps more than once.

use super::sql::Sql;

/// `SELECT rid FROM from WHERE test`.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    /// Tables with their aliases.
    pub(super) from: Sql,
    /// The column that holds the row number, alias included.
    pub(super) rid: String,
    /// The range.
    pub(super) test: Sql,
    /// The index yields rising row numbers inside this range, so that a page needs no sorting and can stop early.
    pub(super) ordered: bool,
}

impl Arm {
    /// An arm over one table; `test` names columns by `alias`.
    pub(super) fn over(table: &str, alias: &str, test: Sql, ordered: bool) -> Arm {
        Arm { from: Sql::text(&format!("{table} AS {alias}")), rid: format!("{alias}.rid"), test, ordered }
    }

    /// `SELECT rid FROM ... WHERE ... AND rest`.
    pub(super) fn select(&self, rest: Option<Sql>) -> Sql {
        let sql = Sql::text(&format!("SELECT {} AS rid FROM ", self.rid)).and_sql(self.from.clone());
        let sql = sql.and_text(" WHERE ").and_sql(self.test.clone());
        match rest {
            Some(rest) => sql.and(rest),
            None => sql,
        }
    }
}

/// All row numbers of the arms, without order; a number may come twice.
pub(super) fn union_all(arms: &[Arm]) -> Sql {
    Sql::chain(arms.iter().map(|arm| arm.select(None)), " UNION ALL ").unwrap_or_else(|| Sql::text("SELECT 0 AS rid WHERE 0"))
}
