//! The change log in order. One writer gives the positions, inside its transaction: what a reader sees is a stable prefix.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::{Connection, ToSql};

use super::current::{find_rid, op_of};
use crate::sqlite::catalog::Catalog;
use crate::sqlite::failure::{Try, damaged};
use crate::sqlite::hash::id_text;
use crate::{Author, Change, Op, Tenant};

/// A row of the log joined with the resource.
struct Line {
    seq: i64,
    t: u32,
    id: CompactString,
    version: i64,
    op: Op,
    request: i64,
}

/// Up to `max` changes behind a position.
pub(crate) fn changes(conn: &Connection, catalog: &Catalog, after: u64, max: usize) -> Try<Vec<Change>> {
    let sql = "SELECT l.seq, r.t, r.id, l.version, l.op, l.request FROM log AS l JOIN resource AS r ON r.rid = l.rid
               WHERE l.seq > ?1 ORDER BY l.seq LIMIT ?2";
    gather(conn, catalog, sql, &[&bounded(after), &bounded(max)])
}

/// The position of the newest change; 0 when there is none.
pub(crate) fn newest(conn: &Connection) -> Try<u64> {
    let newest: Option<i64> =
        conn.prepare_cached("SELECT max(seq) FROM log")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(newest.unwrap_or(0)).unwrap_or(0))
}

/// The tenants of the changes behind a position, by name.
pub(crate) fn tenants(conn: &Connection, after: u64) -> Try<Vec<Tenant>> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = conn.prepare_cached(
        "SELECT name FROM tenant WHERE tenant IN
         (SELECT q.tenant FROM log AS l JOIN request AS q ON q.request = l.request WHERE l.seq > ?1) ORDER BY name",
    )?;
    let mut rows = rows.query([after])?;
    let mut tenants = Vec::new();
    while let Some(row) = rows.next()? {
        tenants.push(Tenant::new(&row.get::<_, String>(0)?));
    }
    Ok(tenants)
}

/// The last `max` changes of a tenant, newest first.
pub(crate) fn last(conn: &Connection, catalog: &Catalog, tenant: &Tenant, max: usize) -> Try<Vec<Change>> {
    let Some(tenant) = catalog.tenant(tenant) else { return Ok(Vec::new()) };
    let sql = "SELECT l.seq, r.t, r.id, l.version, l.op, l.request
               FROM log AS l JOIN request AS q ON q.request = l.request JOIN resource AS r ON r.rid = l.rid
               WHERE q.tenant = ?1 ORDER BY l.seq DESC LIMIT ?2";
    gather(conn, catalog, sql, &[&tenant, &bounded(max)])
}

/// The last `max` changes of one resource, newest first.
pub(crate) fn of_resource(
    conn: &Connection,
    catalog: &Catalog,
    tenant: &Tenant,
    kind: Kind,
    id: &str,
    max: usize,
) -> Try<Vec<Change>> {
    let t = catalog.tenant(tenant).and_then(|tenant| catalog.t(tenant, kind));
    let Some(t) = t else { return Ok(Vec::new()) };
    let Some(rid) = find_rid(conn, catalog, t, id)? else { return Ok(Vec::new()) };
    let sql = "SELECT l.seq, r.t, r.id, l.version, l.op, l.request
               FROM (SELECT seq, rid FROM resource WHERE rid = ?1 AND version > 0
                     UNION ALL SELECT seq, rid FROM past WHERE rid = ?1) AS s
               JOIN log AS l ON l.seq = s.seq JOIN resource AS r ON r.rid = s.rid
               ORDER BY l.seq DESC LIMIT ?2";
    gather(conn, catalog, sql, &[&rid, &bounded(max)])
}

fn bounded(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Changes of a query that gives `seq, t, id, version, op, request`.
fn gather(conn: &Connection, catalog: &Catalog, sql: &str, args: &[&dyn ToSql]) -> Try<Vec<Change>> {
    let mut statement = conn.prepare_cached(sql)?;
    let lines = statement.query_map(args, |row| {
        let (seq, t, version) = (row.get(0)?, row.get(1)?, row.get(3)?);
        Ok(Line { seq, t, id: id_text(row, 2)?, version, op: op_of(row.get(4)?), request: row.get(5)? })
    })?;
    // A request writes many lines: its author is looked up once.
    let mut requests: HashMap<i64, (Tenant, Instant, Author)> = HashMap::new();
    let mut changes = Vec::new();
    for line in lines {
        let line = line?;
        let (tenant, at, author) = match requests.entry(line.request) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(request(conn, catalog, line.request)?),
        };
        let (_, kind) = catalog
            .of_t(line.t)
            .ok_or_else(|| damaged(format!("change {} is of no known type", line.seq)))?;
        changes.push(Change {
            seq: line.seq.cast_unsigned(),
            tenant: tenant.clone(),
            kind,
            id: line.id,
            version: line.version.cast_unsigned(),
            op: line.op,
            at: *at,
            author: author.clone(),
        });
    }
    Ok(changes)
}

fn request(conn: &Connection, catalog: &Catalog, request: i64) -> Try<(Tenant, Instant, Author)> {
    let sql = "SELECT q.tenant, q.at, q.id, a.principal, a.purpose, a.decision, a.on_behalf_of
               FROM request AS q JOIN actor AS a ON a.actor = q.actor WHERE q.request = ?1";
    let (tenant, at, author) = conn.prepare_cached(sql)?.query_row([request], |row| {
        let on_behalf_of = row.get::<_, String>(6)?;
        let author = Author {
            request: row.get(2)?,
            principal: row.get(3)?,
            purpose: row.get(4)?,
            decision: row.get(5)?,
            on_behalf_of: (!on_behalf_of.is_empty()).then_some(on_behalf_of),
        };
        Ok((row.get::<_, u32>(0)?, Instant(row.get(1)?), author))
    })?;
    let tenant = catalog
        .tenant_of(tenant)
        .cloned()
        .ok_or_else(|| damaged(format!("request {request} is of no known tenant")))?;
    Ok((tenant, at, author))
}
