//! Reference search: resources of this store by row number, other addresses by name.

use search::query::ReferenceOperand;

use super::super::arm::{Arm, Arms};
use super::super::cx::Cx;
use super::super::sql::Sql;
use crate::sqlite::failure::Try;
use crate::sqlite::write::name_of;

/// What a reference may point at; both lists are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct ReferenceTest {
    pub(in super::super) targets: Vec<i64>,
    pub(in super::super) urls: Vec<u32>,
}

pub(in super::super) fn compile(cx: &Cx<'_>, any_of: &[ReferenceOperand]) -> Try<ReferenceTest> {
    let mut test = ReferenceTest::default();
    for operand in any_of {
        match operand {
            ReferenceOperand::Local { kind, id } => test.targets.extend(cx.target(*kind, id)?),
            ReferenceOperand::Url(url) => test.urls.extend(name_of(cx.conn, url)?),
        }
    }
    test.targets.sort_unstable();
    test.targets.dedup();
    test.urls.sort_unstable();
    test.urls.dedup();
    Ok(test)
}

pub(in super::super) fn arms(p: u32, test: &ReferenceTest) -> Arms {
    let local = test.targets.iter().map(|rid| Sql::with("p = ? AND target = ?", [i64::from(p), *rid]));
    let mut arms: Vec<Arm> = local.map(|sql| Arm::new("ref", sql, true)).collect();
    arms.extend(super::uri::arms(p, &test.urls).arms);
    Arms::exact(arms)
}
