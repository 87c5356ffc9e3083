//! The index against the resources: what is extracted now, what is kept in one piece, and what stands in the tables.

use fhir::{Kind, Resource};
use rusqlite::{Connection, OptionalExtension, params};
use search::ParamId;
use search::query::Relation;

use super::Check;
use crate::Problem;
use crate::sqlite::catalog::{Catalog, Facet, Slot};
use crate::sqlite::failure::Try;
use crate::sqlite::hash::HashKey;
use crate::sqlite::index::pack::{Numbers, UnitName, pack};
use crate::sqlite::index::row::{Row, ends_of, width_of};
use crate::sqlite::read::current::{self, Current};
use crate::sqlite::write::{indexed, name_of};

const TABLES: [&str; 9] =
    ["token", "ref", "uri", "string", "date", "number", "quantity", "composite", "relation"];

/// Numbers that are there; what has none gets one that no row has.
struct KnownNumbers<'a> {
    conn: &'a Connection,
    catalog: &'a Catalog,
    tenant: u32,
    g: u32,
}

impl Numbers for KnownNumbers<'_> {
    fn hash(&self) -> HashKey {
        self.catalog.hash
    }

    fn p(&mut self, param: ParamId, facet: Facet) -> rusqlite::Result<u32> {
        Ok(self.catalog.p(self.tenant, self.g, Slot::of(param, facet)).unwrap_or(0))
    }

    fn relation(&mut self, relation: Relation) -> rusqlite::Result<u32> {
        Ok(self.catalog.p(self.tenant, self.g, Slot::relation(relation)).unwrap_or(0))
    }

    fn name(&mut self, text: &str) -> rusqlite::Result<u32> {
        Ok(name_of(self.conn, text)?.unwrap_or(0))
    }

    fn unit(&mut self, unit: &UnitName<'_>) -> rusqlite::Result<u32> {
        let sql = "SELECT u FROM unit WHERE system = ?1 AND code = ?2 AND text = ?3 AND canonical = ?4";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found =
            statement.query_row(params![unit.system, unit.code, unit.text, unit.canonical], |row| row.get(0));
        Ok(found.optional()?.unwrap_or(0))
    }

    fn target(&mut self, kind: Kind, id: &str) -> rusqlite::Result<i64> {
        let Some(t) = self.catalog.t(self.tenant, kind) else { return Ok(0) };
        match current::find_rid(self.conn, self.catalog, t, id)? {
            Some(rid) => current::target_of(self.conn, rid),
            None => Ok(0),
        }
    }
}

impl Check<'_> {
    /// Does the index say of a resource what the resource says.
    pub(super) fn is_indexed(
        &mut self,
        tenant: u32,
        current: &Current,
        resource: Option<&Resource>,
    ) -> Try<bool> {
        let g = self.catalog.generations.serving;
        let Ok(kept) = indexed(self.conn, g, current.rid) else { return Ok(false) };
        let expected = match resource {
            None => Vec::new(),
            Some(resource) => {
                let rows = self.shared.planner.extractor.extract(resource, current.updated);
                pack(&rows, &mut KnownNumbers { conn: self.conn, catalog: self.catalog, tenant, g })?
            }
        };
        for row in &kept {
            self.rows[row.sort() as usize - 1] += 1;
            if !stands(self.conn, row, current.rid)? {
                return Ok(false);
            }
        }
        // An index that was built with other definitions says something else, and that is no damage.
        Ok(!self.catalog.is_current || kept == expected)
    }

    /// Rows in the tables that no resource accounts for.
    pub(super) fn stray_rows(&mut self) -> Try<()> {
        for (at, table) in TABLES.into_iter().enumerate() {
            let sql = format!("SELECT count(*) FROM {table} WHERE p IN (SELECT p FROM param WHERE g = ?1)");
            let g = self.catalog.generations.serving;
            let n = self.conn.query_row(&sql, [g], |row| row.get::<_, i64>(0))?;
            if n.cast_unsigned() != self.rows[at] {
                self.found(Problem::StrayRow(table));
            }
        }
        Ok(())
    }
}

/// Does a row stand in its table.
fn stands(conn: &Connection, row: &Row, rid: i64) -> rusqlite::Result<bool> {
    let exists = |sql: &str, values: &[&dyn rusqlite::ToSql]| conn.prepare_cached(sql)?.exists(values);
    match row {
        Row::Token { p, h, sys } => exists(
            "SELECT 1 FROM token WHERE p = ?1 AND h = ?2 AND rid = ?3 AND sys = ?4",
            params![p, h, rid, sys],
        ),
        Row::Ref { p, target } => {
            exists("SELECT 1 FROM ref WHERE p = ?1 AND target = ?2 AND rid = ?3", params![p, target, rid])
        }
        Row::Uri { p, n } => {
            exists("SELECT 1 FROM uri WHERE p = ?1 AND n = ?2 AND rid = ?3", params![p, n, rid])
        }
        Row::Text { p, text, exact } => {
            let sql = "SELECT 1 FROM string WHERE p = ?1 AND text = ?2 AND rid = ?3 AND exact = ?4";
            exists(sql, params![p, text.as_str(), rid, exact.as_str()])
        }
        Row::Date { p, lo, hi } => {
            let (w, e) = width_of(*lo, *hi);
            let sql = "SELECT 1 FROM date WHERE p = ?1 AND w = ?2 AND lo = ?3 AND e = ?4 AND rid = ?5";
            exists(sql, params![p, w, lo, e, rid])
        }
        Row::Number { p, lo, hi } => {
            let (w, end) = ends_of(lo, hi);
            let sql = "SELECT 1 FROM number WHERE p = ?1 AND w = ?2 AND lo = ?3 AND hi = ?4 AND rid = ?5";
            exists(sql, params![p, w, lo, end, rid])
        }
        Row::Quantity { p, u, lo, hi } => {
            let (w, end) = ends_of(lo, hi);
            let sql = "SELECT 1 FROM quantity WHERE p = ?1 AND u = ?2 AND w = ?3 AND lo = ?4 AND hi = ?5 AND rid = ?6";
            exists(sql, params![p, u, w, lo, end, rid])
        }
        Row::Composite { p, h, parts } => {
            let sql = "SELECT 1 FROM composite WHERE p = ?1 AND h = ?2 AND parts = ?3 AND rid = ?4";
            exists(sql, params![p, h, parts, rid])
        }
        Row::Relation { p, patient, h, sys, lo, hi } => {
            let sql = "SELECT 1 FROM relation WHERE p = ?1 AND patient = ?2 AND h = ?3 AND sys = ?4 AND lo = ?5 AND hi = ?6 AND rid = ?7";
            exists(sql, params![p, patient, h, sys, lo, hi, rid])
        }
    }
}
