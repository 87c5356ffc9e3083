//! What every part of one search needs: the connection, the numbers, the restrictions, and the bound on its cost.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use fhir::{Instant, Kind};
use rusqlite::{Connection, OptionalExtension};
use search::restriction::Restriction;
use search::{ParamId, Restrictions};

use super::row_test::targets;
use crate::sqlite::catalog::{Catalog, Facet, Slot};
use crate::sqlite::failure::Try;
use crate::sqlite::hash::HashKey;
use crate::sqlite::read::current;
use crate::{StoreError, StoreLimits};

/// One search in progress.
pub(super) struct Cx<'a> {
    pub(super) conn: &'a Connection,
    pub(super) catalog: &'a Catalog,
    pub(super) tenant: u32,
    pub(super) restrictions: &'a Restrictions,
    pub(super) limits: &'a StoreLimits,
    /// What "now" meant when the query was parsed.
    pub(super) now: Instant,
    steps: Cell<u64>,
    /// Is any resource's target another number than its row.
    has_aliases: OnceCell<bool>,
    /// Texts of names that were asked for.
    names: RefCell<HashMap<u32, Rc<str>>>,
}

/// What a row number stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) t: u32,
    pub(super) is_live: bool,
    pub(super) updated: Instant,
}

impl<'a> Cx<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        catalog: &'a Catalog,
        tenant: u32,
        restrictions: &'a Restrictions,
        limits: &'a StoreLimits,
        now: Instant,
    ) -> Cx<'a> {
        Cx {
            conn,
            catalog,
            tenant,
            restrictions,
            limits,
            now,
            steps: Cell::new(0),
            has_aliases: OnceCell::new(),
            names: RefCell::default(),
        }
    }

    pub(super) fn hash(&self) -> HashKey {
        self.catalog.hash
    }

    fn generation(&self) -> u32 {
        self.catalog.generations.serving
    }

    /// Counts index entries that were looked at. Beyond the bound the search ends, at the same place on every machine.
    pub(super) fn spend(&self, n: u64) -> Try<()> {
        let steps = self.steps.get() + n;
        self.steps.set(steps);
        let steps_max = self.limits.search_steps_max;
        if steps > steps_max { Err(StoreError::TooCostly { steps_max }.into()) } else { Ok(()) }
    }

    pub(super) fn t(&self, kind: Kind) -> Option<u32> {
        self.catalog.t(self.tenant, kind)
    }

    /// The type of a number, when it is this tenant's.
    pub(super) fn kind_of(&self, t: u32) -> Option<Kind> {
        self.catalog.of_t(t).filter(|(tenant, _)| *tenant == self.tenant).map(|(_, kind)| kind)
    }

    pub(super) fn p(&self, param: ParamId, facet: Facet) -> Option<u32> {
        self.slot(Slot::of(param, facet))
    }

    /// The numbers under which the values of a parameter are indexed: its own, or those of its parts.
    pub(super) fn ps(&self, param: ParamId, facet: Facet) -> Vec<u32> {
        match param.parts() {
            [] => self.p(param, facet).into_iter().collect(),
            parts => parts.iter().filter_map(|part| self.p(*part, facet)).collect(),
        }
    }

    pub(super) fn slot(&self, slot: Slot) -> Option<u32> {
        self.catalog.p(self.tenant, self.generation(), slot)
    }

    /// Every reference parameter that has rows.
    pub(super) fn reference_params(&self) -> Vec<(ParamId, u32)> {
        self.catalog.reference_params(self.tenant, self.generation())
    }

    pub(super) fn restriction(&self, kind: Kind) -> &'a Restriction {
        self.restrictions.of(kind)
    }

    /// The row number of a resource of this tenant, there or not.
    pub(super) fn rid(&self, kind: Kind, id: &str) -> Try<Option<i64>> {
        let Some(t) = self.t(kind) else { return Ok(None) };
        Ok(current::find_rid(self.conn, self.catalog, t, id)?)
    }

    /// What references to a resource of this tenant point at.
    pub(super) fn target(&self, kind: Kind, id: &str) -> Try<Option<i64>> {
        self.rid(kind, id)?.map(|rid| self.target_of(rid)).transpose()
    }

    /// What references to a row point at.
    pub(super) fn target_of(&self, rid: i64) -> Try<i64> {
        Ok(if self.has_aliases()? { current::target_of(self.conn, rid)? } else { rid })
    }

    /// The row that references with a target point at.
    pub(super) fn row_of(&self, target: i64) -> Try<i64> {
        Ok(if self.has_aliases()? { current::row_of(self.conn, target)? } else { target })
    }

    fn has_aliases(&self) -> Try<bool> {
        if let Some(known) = self.has_aliases.get() {
            return Ok(*known);
        }
        let any = self.conn.prepare_cached("SELECT 1 FROM alias LIMIT 1")?.exists([])?;
        Ok(*self.has_aliases.get_or_init(|| any))
    }

    /// Rows that a reference parameter points at, by the index rows of a resource.
    pub(super) fn rows_of(&self, forward: &[u8], p: u32) -> Try<Vec<i64>> {
        targets(forward, p).into_iter().map(|target| self.row_of(target)).collect()
    }

    /// The text of a name.
    pub(super) fn name(&self, n: u32) -> Try<Rc<str>> {
        if let Some(text) = self.names.borrow().get(&n) {
            return Ok(Rc::clone(text));
        }
        self.spend(1)?;
        let mut statement = self.conn.prepare_cached("SELECT text FROM name WHERE n = ?1")?;
        let text: Rc<str> = statement.query_row([n], |row| Ok(row.get_ref(0)?.as_str()?.into()))?;
        self.names.borrow_mut().insert(n, Rc::clone(&text));
        Ok(text)
    }

    /// All index rows of a resource in one piece; empty when it has none.
    pub(super) fn forward(&self, rid: i64) -> Try<Vec<u8>> {
        self.spend(1)?;
        let mut statement = self.conn.prepare_cached("SELECT rows FROM fwd WHERE g = ?1 AND rid = ?2")?;
        let found = statement.query_row((self.generation(), rid), |row| row.get(0)).optional()?;
        Ok(found.unwrap_or_default())
    }

    /// What a row number stands for.
    pub(super) fn entry(&self, rid: i64) -> Try<Option<Entry>> {
        self.spend(1)?;
        let mut statement =
            self.conn.prepare_cached("SELECT t, version, op, updated FROM resource WHERE rid = ?1")?;
        let found = statement.query_row([rid], |row| {
            let is_live = row.get::<_, i64>(1)? > 0 && row.get::<_, u8>(2)? != 3;
            Ok(Entry { t: row.get(0)?, is_live, updated: Instant(row.get(3)?) })
        });
        Ok(found.optional()?)
    }

    /// How many resources there are of a type.
    pub(super) fn n_live(&self, t: u32) -> Try<u64> {
        let mut statement = self.conn.prepare_cached("SELECT n FROM kind WHERE t = ?1")?;
        Ok(statement.query_row([t], |row| row.get::<_, i64>(0))?.cast_unsigned())
    }
}
