//! What a caller may see, asked of single rows: for exports, includes, and those that an error names.

use std::collections::HashMap;

use fhir::{Instant, Kind};
use rusqlite::Connection;
use search::{Restriction, Restrictions};

use super::compile;
use super::cx::Cx;
use super::goal::Goal;
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::Try;
use crate::{StoreLimits, Tenant};

/// Asks of rows whether a caller may see them.
pub(crate) struct Visible<'a> {
    cx: Option<Cx<'a>>,
    goals: HashMap<Kind, Goal>,
}

impl<'a> Visible<'a> {
    pub(crate) fn new(
        conn: &'a Connection,
        catalog: &'a Catalog,
        tenant: &Tenant,
        restrictions: &'a Restrictions,
        limits: &'a StoreLimits,
    ) -> Try<Visible<'a>> {
        let Some(number) = catalog.tenant(tenant) else {
            return Ok(Visible { cx: None, goals: HashMap::new() });
        };
        let cx = Cx::new(conn, catalog, number, restrictions, limits, Instant(0));
        let mut goals = HashMap::new();
        for (kind, _) in catalog.kinds_of(number) {
            if *restrictions.of(kind) != Restriction::All {
                goals.insert(kind, compile::restriction(&cx, kind)?);
            }
        }
        Ok(Visible { cx: Some(cx), goals })
    }

    /// May the caller see the resource at a row.
    pub(crate) fn is_visible(&self, kind: Kind, rid: i64) -> Try<bool> {
        match (&self.cx, self.goals.get(&kind)) {
            (Some(cx), Some(goal)) => goal.holds_of(cx, rid),
            (Some(_), None) => Ok(true),
            (None, _) => Ok(false),
        }
    }
}
