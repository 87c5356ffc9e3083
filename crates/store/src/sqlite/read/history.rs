//! Histories, newest first: of a resource, of a type, of everything.
//!
//! A page link names the version it stands behind. A caller who may not see that version may not use the link.

use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use search::{Restriction, Restrictions};

use super::current::{op_of, stored};
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::{Failure, Try, damaged};
use crate::sqlite::hash::id_text;
use crate::sqlite::read::version;
use crate::{HistoryOf, HistoryPage, HistoryQuery, Op, StoreError, Stored, Tenant};

/// Versions that a restricted caller's page may look at: each must be unpacked to see whether it may be shown.
const LOOKED_AT_MAX: u64 = 100_000;

/// What every step of a page needs.
struct Walk<'a> {
    conn: &'a Connection,
    catalog: &'a Catalog,
    restrictions: &'a Restrictions,
    bases: &'a [String],
}

/// A version with its place.
struct Found {
    rid: i64,
    stored: Stored,
}

/// One page.
pub(crate) fn page(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    of: &HistoryOf,
    query: &HistoryQuery,
    restrictions: &Restrictions,
    bases: &[String],
) -> Try<HistoryPage> {
    let walk = Walk { conn, catalog, restrictions, bases };
    let below = match &query.cursor {
        None => i64::MAX,
        Some(cursor) => walk.place_of(tenant, of, cursor)?,
    };
    let Some(seqs) = walk.seqs_of(tenant, of, below)? else {
        return Ok(HistoryPage { total: is_instance(of).then_some(0), ..HistoryPage::default() });
    };
    let mut page = walk.gather(seqs, query)?;
    if is_instance(of) {
        page.total = Some(walk.count(tenant, of, query)?);
    }
    Ok(page)
}

fn is_instance(of: &HistoryOf) -> bool {
    matches!(of, HistoryOf::Instance(..))
}

impl<'a> Walk<'a> {
    /// Positions below `below`, newest first; `None` when there is nothing of the sort.
    fn seqs_of(
        &self,
        tenant: &Tenant,
        of: &HistoryOf,
        below: i64,
    ) -> Try<Option<(&'static str, Vec<Value>)>> {
        let Some(tenant) = self.catalog.tenant(tenant) else { return Ok(None) };
        let int = |number: i64| Value::Integer(number);
        Ok(match of {
            HistoryOf::Instance(kind, id) => {
                let Some(t) = self.catalog.t(tenant, *kind) else { return Ok(None) };
                let rid = super::current::find_rid(self.conn, self.catalog, t, id)?;
                let sql = "SELECT seq, rid FROM resource WHERE rid = ?1 AND seq < ?2 AND version > 0
                           UNION ALL SELECT seq, rid FROM past WHERE rid = ?1 AND seq < ?2 ORDER BY 1 DESC";
                rid.map(|rid| (sql, vec![int(rid), int(below)]))
            }
            HistoryOf::Kind(kind) => {
                let sql = "SELECT seq, rid FROM latest WHERE t = ?1 AND seq < ?2
                           UNION ALL SELECT seq, rid FROM past WHERE t = ?1 AND seq < ?2 ORDER BY 1 DESC";
                self.catalog.t(tenant, *kind).map(|t| (sql, vec![int(t.into()), int(below)]))
            }
            HistoryOf::System => {
                let sql = "SELECT l.seq, l.rid FROM log AS l JOIN request AS q ON q.request = l.request
                           WHERE q.tenant = ?1 AND l.seq < ?2 ORDER BY 1 DESC";
                Some((sql, vec![int(tenant.into()), int(below)]))
            }
        })
    }

    fn gather(&self, (sql, args): (&str, Vec<Value>), query: &HistoryQuery) -> Try<HistoryPage> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(args))?;
        let mut page = HistoryPage::default();
        let mut n_looked_at = 0u64;
        while let Some(row) = rows.next()? {
            let found = self.version_at(row.get(0)?, row.get(1)?)?;
            if query.since.is_some_and(|since| found.stored.updated < since) {
                break;
            }
            n_looked_at += 1;
            if n_looked_at > LOOKED_AT_MAX {
                return Err(StoreError::TooCostly { steps_max: LOOKED_AT_MAX }.into());
            }
            if !self.is_wanted(&found, query)? || !self.is_visible(&found.stored) {
                continue;
            }
            if page.entries.len() == query.count as usize {
                page.next = page.entries.last().map(link_behind);
                break;
            }
            page.entries.push(found.stored);
        }
        Ok(page)
    }

    fn count(&self, tenant: &Tenant, of: &HistoryOf, query: &HistoryQuery) -> Try<u64> {
        let Some((sql, args)) = self.seqs_of(tenant, of, i64::MAX)? else { return Ok(0) };
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(args))?;
        let mut n = 0;
        while let Some(row) = rows.next()? {
            let found = self.version_at(row.get(0)?, row.get(1)?)?;
            if query.since.is_some_and(|since| found.stored.updated < since) {
                break;
            }
            n += u64::from(self.is_wanted(&found, query)? && self.is_visible(&found.stored));
        }
        Ok(n)
    }

    /// The version that stands at a position of the change log.
    fn version_at(&self, seq: i64, rid: i64) -> Try<Found> {
        let sql = "SELECT t, id, seq, version, updated, op, body FROM resource WHERE rid = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>, at: usize| {
            let version = row.get::<_, i64>(at)?.cast_unsigned();
            let body: Option<Vec<u8>> = row.get(at + 3)?;
            Ok::<_, rusqlite::Error>((
                version,
                Instant(row.get(at + 1)?),
                op_of(row.get(at + 2)?),
                body.unwrap_or_default(),
            ))
        };
        let (t, id, current, is_current) = statement.query_row([rid], |row| {
            let is_current = row.get::<_, i64>(2)? == seq;
            let current = if is_current { Some(read(row, 3)?) } else { None };
            Ok((row.get::<_, u32>(0)?, id_text(row, 1)?, current, is_current))
        })?;
        let (version, updated, op, body) = match current.filter(|_| is_current) {
            Some(current) => current,
            None => {
                let sql = "SELECT version, updated, op, body FROM past WHERE seq = ?1";
                let past = self.conn.prepare_cached(sql)?.query_row([seq], |row| read(row, 0)).optional()?;
                past.ok_or_else(|| {
                    damaged(format!("the version at position {seq} of the change log is missing"))
                })?
            }
        };
        let (_, kind) =
            self.catalog.of_t(t).ok_or_else(|| damaged(format!("row {rid} is of no known type")))?;
        Ok(Found { rid, stored: stored(kind, id, version, updated, op, &body)? })
    }

    /// Was the version current in the period that is asked for.
    fn is_wanted(&self, found: &Found, query: &HistoryQuery) -> Try<bool> {
        let Some(at) = query.at else { return Ok(true) };
        if found.stored.updated.0 >= at.high {
            return Ok(false);
        }
        let next = found.stored.version.cast_signed() + 1;
        let sql = "SELECT updated FROM past WHERE rid = ?1 AND version = ?2
                   UNION ALL SELECT updated FROM resource WHERE rid = ?1 AND version = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let ended: Option<i64> =
            statement.query_row(params![found.rid, next], |row| row.get(0)).optional()?;
        Ok(ended.is_none_or(|ended| ended > at.low))
    }

    /// May the caller see this version. A deletion has no content to decide by: a restricted caller sees none.
    fn is_visible(&self, stored: &Stored) -> bool {
        match self.restrictions.of(stored.kind) {
            Restriction::All => true,
            Restriction::Nothing => false,
            Restriction::Compartment { .. } if stored.op == Op::Delete => false,
            Restriction::Compartment { of, ids } => is_inside(stored, *of, ids, self.bases),
        }
    }

    /// Position of the version that a link names.
    fn place_of(&self, tenant: &Tenant, of: &HistoryOf, cursor: &str) -> Try<i64> {
        let wrong = || Failure::Store(StoreError::Cursor);
        let (name, number) = cursor.rsplit_once('/').ok_or_else(wrong)?;
        let (kind, id) = name.split_once('/').ok_or_else(wrong)?;
        let (kind, number) =
            (Kind::parse(kind).ok_or_else(wrong)?, number.parse::<u64>().map_err(|_| wrong())?);
        let belongs = match of {
            HistoryOf::Instance(k, i) => *k == kind && i == id,
            HistoryOf::Kind(k) => *k == kind,
            HistoryOf::System => true,
        };
        let stored = version::read_version(self.conn, self.catalog, tenant, kind, id, number)?;
        if !belongs || !stored.is_some_and(|stored| self.is_visible(&stored)) {
            return Err(wrong());
        }
        let t =
            self.catalog.tenant(tenant).and_then(|tenant| self.catalog.t(tenant, kind)).ok_or_else(wrong)?;
        let rid = super::current::find_rid(self.conn, self.catalog, t, id)?.ok_or_else(wrong)?;
        let sql = "SELECT seq FROM resource WHERE rid = ?1 AND version = ?2 UNION ALL SELECT seq FROM past WHERE rid = ?1 AND version = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row(params![rid, number.cast_signed()], |row| row.get(0))?)
    }
}

fn link_behind(stored: &Stored) -> String {
    format!("{}/{}/{}", stored.kind, stored.id, stored.version)
}

/// Is the content of a version inside the compartment of one of the owners.
fn is_inside(stored: &Stored, of: Kind, ids: &[CompactString], bases: &[String]) -> bool {
    if stored.kind == of && ids.contains(&stored.id) {
        return true;
    }
    let codes = fhir::definitions::compartment(of, stored.kind);
    let Ok(resource) = stored.body.resource() else { return false };
    !codes.is_empty()
        && search::extract_references(&resource, bases).iter().any(|row| match &row.target {
            search::Target::Local { kind, id } => {
                *kind == of && ids.contains(id) && codes.contains(&row.param.def().code)
            }
            search::Target::Url(_) => false,
        })
}
