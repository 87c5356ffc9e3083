//! An arm: one index range that lists the row numbers a filter holds for. A filter that can drive a search has one or more arms;
//! together they list every matching row, perhaps more than once.

use super::cx::Cx;
use super::sql::Sql;
use crate::sqlite::failure::Try;

/// `SELECT rid FROM table WHERE test`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arm {
    table: &'static str,
    test: Sql,
    /// The index yields rising row numbers inside this range, so that a page needs no sorting and can stop early.
    pub(super) ordered: bool,
}

/// Arms of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arms {
    pub(super) arms: Vec<Arm>,
    /// Every listed row is a match; else the filter must be probed, too.
    pub(super) exact: bool,
}

impl Arm {
    pub(super) fn new(table: &'static str, test: Sql, ordered: bool) -> Arm {
        Arm { table, test, ordered }
    }

    /// The rows behind `after`, rising when the arm is ordered.
    pub(super) fn select(&self, after: i64) -> Sql {
        let sql = Sql::text(&format!("SELECT rid FROM {} WHERE ", self.table)).and_sql(self.test.clone());
        let sql = sql.and(Sql::with("rid > ?", [after]));
        if self.ordered { sql.and_text(" ORDER BY rid") } else { sql }
    }

    /// How many rows there are, counted up to `max`.
    pub(super) fn count(&self, cx: &Cx<'_>, max: u64) -> Try<u64> {
        let sql = Sql::text(&format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ", self.table));
        let sql = sql.and_sql(self.test.clone()).and_sql(Sql::with(" LIMIT ?)", [max.cast_signed()]));
        let n = sql.number(cx.conn)?.cast_unsigned();
        cx.spend(n / 16 + 1)?;
        Ok(n)
    }

    /// How many different resources there are.
    pub(super) fn count_distinct(&self, cx: &Cx<'_>) -> Try<u64> {
        let sql = Sql::text(&format!("SELECT count(DISTINCT rid) FROM {} WHERE ", self.table))
            .and_sql(self.test.clone());
        let n = sql.number(cx.conn)?.cast_unsigned();
        cx.spend(n / 16 + 1)?;
        Ok(n)
    }
}

impl Arms {
    pub(super) fn exact(arms: Vec<Arm>) -> Arms {
        Arms { arms, exact: true }
    }

    pub(super) fn inexact(arms: Vec<Arm>) -> Arms {
        Arms { arms, exact: false }
    }

    /// All arms of several.
    pub(super) fn joined(all: impl Iterator<Item = Arms>) -> Arms {
        all.fold(Arms::exact(Vec::new()), |mut joined, more| {
            joined.arms.extend(more.arms);
            joined.exact &= more.exact;
            joined
        })
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.arms.iter().all(|arm| arm.ordered)
    }

    /// How many rows there are in all arms, counted up to `max`.
    pub(super) fn count(&self, cx: &Cx<'_>, max: u64) -> Try<u64> {
        let mut n = 0;
        for arm in &self.arms {
            if n >= max {
                break;
            }
            n += arm.count(cx, max - n)?;
        }
        Ok(n)
    }
}
