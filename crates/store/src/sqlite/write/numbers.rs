//! Gives numbers to names, units, parameters and resources that are mentioned, remembering them for the next time.

use compact_str::CompactString;
use fhir::Kind;
use rusqlite::{Connection, OptionalExtension, params};
use search::ParamId;
use search::query::Relation;

use super::journal::Remembered;
use super::state::State;
use crate::Author;
use crate::sqlite::catalog::{Facet, Given, Slot};
use crate::sqlite::hash::{HashKey, id_value};
use crate::sqlite::index::pack::{Numbers, UnitName};
use crate::sqlite::read::current;

/// Longest text that is remembered in memory.
const REMEMBERED_BYTES_MAX: usize = 256;

/// The numbers of one tenant and generation.
pub(crate) struct WriterNumbers<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) conn: &'a Connection,
    pub(crate) tenant: u32,
    pub(crate) g: u32,
}

impl WriterNumbers<'_> {
    fn slot(&mut self, slot: Slot) -> rusqlite::Result<u32> {
        let (p, is_new) = self.state.catalog.make_p(self.conn, self.tenant, self.g, slot)?;
        if is_new {
            self.state.remember(Remembered::Number(Given::Param(self.tenant, self.g, slot)));
        }
        Ok(p)
    }
}

impl Numbers for WriterNumbers<'_> {
    fn hash(&self) -> HashKey {
        self.state.catalog.hash
    }

    fn p(&mut self, param: ParamId, facet: Facet) -> rusqlite::Result<u32> {
        self.slot(Slot::of(param, facet))
    }

    fn relation(&mut self, relation: Relation) -> rusqlite::Result<u32> {
        self.slot(Slot::relation(relation))
    }

    fn name(&mut self, text: &str) -> rusqlite::Result<u32> {
        if let Some(n) = self.state.names.get(text) {
            return Ok(*n);
        }
        let found = name_of(self.conn, text)?;
        let n = match found {
            Some(n) => n,
            None => {
                let sql = "INSERT INTO name (text) VALUES (?1) RETURNING n";
                self.conn.prepare_cached(sql)?.query_row([text], |row| row.get(0))?
            }
        };
        if text.len() <= REMEMBERED_BYTES_MAX {
            self.state.names.insert(text.into(), n);
            self.state.remember(Remembered::Name(text.into()));
        }
        Ok(n)
    }

    fn unit(&mut self, unit: &UnitName<'_>) -> rusqlite::Result<u32> {
        let short = |text: &str| CompactString::from(text);
        let key = (short(unit.system), short(unit.code), short(unit.text), unit.canonical);
        if let Some(u) = self.state.units.get(&key) {
            return Ok(*u);
        }
        let values = params![unit.system, unit.code, unit.text, unit.canonical];
        let sql = "SELECT u FROM unit WHERE system = ?1 AND code = ?2 AND text = ?3 AND canonical = ?4";
        let found: Option<u32> =
            self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        let u = match found {
            Some(u) => u,
            None => {
                let sql =
                    "INSERT INTO unit (system, code, text, canonical) VALUES (?1, ?2, ?3, ?4) RETURNING u";
                self.conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?
            }
        };
        if unit.text.len() + unit.code.len() <= REMEMBERED_BYTES_MAX {
            self.state.units.insert(key.clone(), u);
            self.state.remember(Remembered::Unit(key));
        }
        Ok(u)
    }

    fn target(&mut self, kind: Kind, id: &str) -> rusqlite::Result<i64> {
        let t = self.state.t(self.conn, self.tenant, kind)?;
        self.state.target(self.conn, t, id)
    }
}

impl State {
    /// What references to a resource point at; it gets a number before it is there.
    pub(super) fn target(&mut self, conn: &Connection, t: u32, id: &str) -> rusqlite::Result<i64> {
        let key = (t, CompactString::from(id));
        if let Some(target) = self.targets.get(&key) {
            return Ok(*target);
        }
        let target = match current::find_rid(conn, &self.catalog, t, id)? {
            Some(rid) => current::target_of(conn, rid)?,
            None => {
                let rid = self.take_rid();
                let sql = "INSERT INTO resource (rid, t, id, version, seq, updated, op) VALUES (?1, ?2, ?3, 0, 0, 0, 0)";
                conn.prepare_cached(sql)?.execute(params![rid, t, id_value(id)])?;
                self.insert_key(conn, t, id, rid)?;
                rid
            }
        };
        self.remember_target(key, target);
        Ok(target)
    }

    pub(super) fn insert_key(&self, conn: &Connection, t: u32, id: &str, rid: i64) -> rusqlite::Result<()> {
        let place = self.catalog.hash.place(t, id);
        conn.prepare_cached("INSERT INTO key VALUES (?1, ?2)")?.execute(params![place, rid])?;
        Ok(())
    }

    pub(super) fn remember_target(&mut self, key: (u32, CompactString), target: i64) {
        self.targets.insert(key.clone(), target);
        self.remember(Remembered::Target(key.0, key.1));
    }

    /// The number of an actor: everything of an author but the request.
    pub(super) fn actor(&mut self, conn: &Connection, author: &Author) -> rusqlite::Result<i64> {
        let on_behalf_of = author.on_behalf_of.clone().unwrap_or_default();
        let key = (author.principal.clone(), author.purpose.clone(), author.decision.clone(), on_behalf_of);
        if let Some(actor) = self.actors.get(&key) {
            return Ok(*actor);
        }
        let values = params![key.0, key.1, key.2, key.3];
        let sql = "SELECT actor FROM actor WHERE principal = ?1 AND purpose = ?2 AND decision = ?3 AND on_behalf_of = ?4";
        let found: Option<i64> = conn.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
        let actor = match found {
            Some(actor) => actor,
            None => {
                let sql = "INSERT INTO actor (principal, purpose, decision, on_behalf_of) VALUES (?1, ?2, ?3, ?4) RETURNING actor";
                conn.prepare_cached(sql)?.query_row(values, |row| row.get(0))?
            }
        };
        self.actors.insert(key.clone(), actor);
        self.remember(Remembered::Actor(key));
        Ok(actor)
    }
}

/// The number of a name that is there.
pub(crate) fn name_of(conn: &Connection, text: &str) -> rusqlite::Result<Option<u32>> {
    conn.prepare_cached("SELECT n FROM name WHERE text = ?1")?.query_row([text], |row| row.get(0)).optional()
}
