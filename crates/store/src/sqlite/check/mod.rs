//! Do versions, change log and index say the same: every resource is unpacked and extracted again, every index row looked for.

mod index;
mod log;

use fhir::Kind;
use rusqlite::{Connection, params};

use super::Shared;
use super::catalog::Catalog;
use super::failure::Try;
use super::hash::id_text;
use super::read::current::{Current, current_of, stored};
use crate::{CheckReport, Problem};

/// One check in progress.
struct Check<'a> {
    conn: &'a Connection,
    catalog: &'a Catalog,
    shared: &'a Shared,
    report: CheckReport,
    /// Index rows per table that resources account for.
    rows: [u64; 9],
    /// Resources per type that are there.
    live: std::collections::BTreeMap<u32, i64>,
}

/// Looks at everything, on one snapshot.
pub(crate) fn check(conn: &Connection, shared: &Shared, catalog: &Catalog) -> Try<CheckReport> {
    let report = CheckReport::default();
    let mut check =
        Check { conn, catalog, shared, report, rows: [0; 9], live: std::collections::BTreeMap::new() };
    check.file()?;
    let log = log::read(conn)?;
    let mut statement =
        conn.prepare("SELECT t, id, rid, version, seq, updated, op, body FROM resource ORDER BY rid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (t, id, current) = (row.get(0)?, id_text(row, 1)?, current_of(row, 2)?);
        let Some((tenant, kind)) = catalog.of_t(t) else {
            check.found(Problem::StrayRow("resource"));
            continue;
        };
        if current.version == 0 {
            continue;
        }
        check.report.resources += 1;
        if !check.versions_are_whole(&current)? {
            check.found(Problem::Versions(kind, id.clone()));
        }
        if !log.agrees(&current) {
            check.found(Problem::ChangeLog(kind, id.clone()));
        }
        check.resource(tenant, (kind, t, &id), &current)?;
    }
    check.counts()?;
    check.stray_rows()?;
    Ok(check.report)
}

impl Check<'_> {
    fn found(&mut self, problem: Problem) {
        if self.report.problems.len() < CheckReport::PROBLEMS_MAX {
            self.report.problems.push(problem);
        }
    }

    /// SQLite's own check of its pages.
    fn file(&mut self) -> Try<()> {
        let mut statement = self.conn.prepare("PRAGMA integrity_check(10)")?;
        let lines: Vec<String> =
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for line in lines.into_iter().filter(|line| line != "ok") {
            self.found(Problem::File(line));
        }
        Ok(())
    }

    /// Earlier versions are 1, 2, ... up to the one before the current.
    fn versions_are_whole(&self, current: &Current) -> rusqlite::Result<bool> {
        let sql =
            "SELECT count(*), coalesce(min(version), 1), coalesce(max(version), 0) FROM past WHERE rid = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let (n, first, last): (i64, i64, i64) =
            statement.query_row([current.rid], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let before = current.version.cast_signed() - 1;
        Ok(n == before && first == 1 && last == before)
    }

    fn resource(&mut self, tenant: u32, (kind, t, id): (Kind, u32, &str), current: &Current) -> Try<()> {
        let is_listed = self.is_listed(t, current)?;
        let body = stored(kind, id.into(), current.version, current.updated, current.op, &current.body);
        let resource = match (current.is_live(), body) {
            (false, _) => None,
            (true, Ok(stored)) => match stored.body.resource() {
                Ok(resource) => Some(resource),
                Err(_) => {
                    self.found(Problem::Body(kind, id.into()));
                    return Ok(());
                }
            },
            (true, Err(_)) => {
                self.found(Problem::Body(kind, id.into()));
                return Ok(());
            }
        };
        if current.is_live() {
            *self.live.entry(t).or_default() += 1;
        }
        if !is_listed || !self.is_indexed(tenant, current, resource.as_ref())? {
            self.found(Problem::Index(kind, id.into()));
        }
        Ok(())
    }

    /// Is it among the resources of its type, when it is there, and among the latest versions.
    fn is_listed(&self, t: u32, current: &Current) -> rusqlite::Result<bool> {
        let mut live = self.conn.prepare_cached("SELECT 1 FROM live WHERE t = ?1 AND rid = ?2")?;
        let mut latest =
            self.conn.prepare_cached("SELECT 1 FROM latest WHERE t = ?1 AND seq = ?2 AND rid = ?3")?;
        Ok(live.exists(params![t, current.rid])? == current.is_live()
            && latest.exists(params![t, current.seq, current.rid])?)
    }

    fn counts(&mut self) -> Try<()> {
        let mut statement = self.conn.prepare("SELECT t, name, n FROM kind")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (t, name, n): (u32, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if n != self.live.get(&t).copied().unwrap_or(0)
                && let Some(kind) = Kind::parse(&name)
            {
                self.found(Problem::Count(kind));
            }
        }
        Ok(())
    }
}
