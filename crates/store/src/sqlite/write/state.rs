//! What the writer keeps in memory between writes.

use std::collections::HashMap;
use std::sync::Arc;

use compact_str::CompactString;
use fhir::{Instant, Kind};
use rusqlite::Connection;

use super::journal::{ActorKey, Remembered, UnitKey};
use crate::Tenant;
use crate::sqlite::Shared;
use crate::sqlite::catalog::{Catalog, Generations};
use crate::sqlite::index::delta::{Deltas, Mark};

/// Entries of one cache; then it starts anew. At 100 bytes each, some tens of megabytes at most.
const CACHE_MAX: usize = 200_000;

/// The writer's memory.
pub(crate) struct State {
    pub(crate) shared: Arc<Shared>,
    pub(crate) catalog: Catalog,
    pub(crate) deltas: Deltas,
    pub(super) names: HashMap<CompactString, u32>,
    pub(super) units: HashMap<UnitKey, u32>,
    pub(super) targets: HashMap<(u32, CompactString), i64>,
    pub(super) actors: HashMap<ActorKey, i64>,
    journal: Vec<Remembered>,
    /// Was the catalog extended since it was last shown to readers.
    pub(super) is_catalog_new: bool,
    /// The row number that is given out next.
    pub(super) next_rid: i64,
    /// The position that is given out next.
    pub(super) next_seq: i64,
    /// The time of the last write: time never goes back.
    pub(super) last_at: i64,
    /// The time of this batch.
    pub(super) at: Instant,
    /// Position of the last write of each type: a condition that was looked up before it must be looked up again.
    pub(super) changed: HashMap<u32, i64>,
}

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Savepoint {
    deltas: Mark,
    n_remembered: usize,
}

impl State {
    pub(crate) fn load(conn: &Connection, shared: Arc<Shared>) -> rusqlite::Result<State> {
        let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
        let next_seq = number("SELECT coalesce(max(seq), 0) + 1 FROM log")?;
        let last_at = number("SELECT coalesce((SELECT at FROM request ORDER BY request DESC LIMIT 1), 0)")?;
        Ok(State {
            catalog: Catalog::clone(&shared.catalog()),
            shared,
            deltas: Deltas::default(),
            names: HashMap::new(),
            units: HashMap::new(),
            targets: HashMap::new(),
            actors: HashMap::new(),
            journal: Vec::new(),
            is_catalog_new: false,
            next_rid: number("SELECT coalesce(max(rid), 0) + 1 FROM resource")?,
            next_seq,
            last_at,
            at: Instant(last_at),
            // What happened before this program started is not known: everything may have changed at the last position.
            changed: HashMap::new(),
        })
    }

    /// Sets the time of a batch: the clock's, in milliseconds, but never before the last one.
    pub(super) fn start_batch(&mut self) {
        let now = self.shared.clock.now().0.div_euclid(1_000) * 1_000;
        self.at = Instant(now.max(self.last_at));
        for is_full in
            [self.names.len() > CACHE_MAX, self.targets.len() > CACHE_MAX, self.actors.len() > CACHE_MAX]
        {
            if is_full {
                self.names.clear();
                self.targets.clear();
                self.actors.clear();
            }
        }
    }

    pub(super) fn savepoint(&self) -> Savepoint {
        Savepoint { deltas: self.deltas.mark(), n_remembered: self.journal.len() }
    }

    /// Forgets what came after the savepoint, which was rolled back.
    pub(super) fn rewind(&mut self, savepoint: Savepoint) {
        self.deltas.rewind(savepoint.deltas);
        while self.journal.len() > savepoint.n_remembered {
            match self.journal.pop() {
                Some(Remembered::Number(given)) => self.catalog.forget(&given),
                Some(Remembered::Name(text)) => drop(self.names.remove(&text)),
                Some(Remembered::Unit(unit)) => drop(self.units.remove(&unit)),
                Some(Remembered::Target(t, id)) => drop(self.targets.remove(&(t, id))),
                Some(Remembered::Actor(actor)) => drop(self.actors.remove(&actor)),
                Some(Remembered::Generations(before, is_current)) => {
                    self.catalog.generations = before;
                    self.catalog.is_current = is_current;
                }
                None => {}
            }
        }
    }

    /// Changes which generations of the index there are.
    pub(crate) fn set_generations(&mut self, generations: Generations) {
        self.remember(Remembered::Generations(self.catalog.generations, self.catalog.is_current));
        self.catalog.generations = generations;
    }

    pub(super) fn remember(&mut self, what: Remembered) {
        self.is_catalog_new |= matches!(what, Remembered::Number(_) | Remembered::Generations(..));
        self.journal.push(what);
    }

    /// The batch is on disk.
    pub(super) fn end_batch(&mut self) {
        self.deltas.clear();
        self.journal.clear();
        self.last_at = self.at.0;
    }

    /// Readers learn new numbers before the commit: one who sees a new row knows its type, and a number that nothing has yet does no harm.
    pub(super) fn show_catalog(&mut self) {
        if std::mem::take(&mut self.is_catalog_new) {
            self.shared.show_catalog(self.catalog.clone());
        }
    }

    /// Nothing of the batch was written.
    pub(super) fn undo_batch(&mut self) {
        let start = Savepoint { deltas: Deltas::default().mark(), n_remembered: 0 };
        self.rewind(start);
        self.is_catalog_new = true;
        self.show_catalog();
    }

    pub(super) fn take_seq(&mut self, t: u32) -> i64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.changed.insert(t, seq);
        seq
    }

    pub(super) fn take_rid(&mut self) -> i64 {
        self.next_rid += 1;
        self.next_rid - 1
    }

    /// Generations that writes go to.
    pub(super) fn generations(&self) -> impl Iterator<Item = u32> + use<> {
        let generations = self.catalog.generations;
        std::iter::once(generations.serving).chain(generations.building)
    }

    pub(super) fn tenant(&mut self, conn: &Connection, tenant: &Tenant) -> rusqlite::Result<u32> {
        let (number, is_new) = self.catalog.make_tenant(conn, tenant)?;
        if is_new {
            self.remember(Remembered::Number(crate::sqlite::catalog::Given::Tenant(tenant.clone())));
        }
        Ok(number)
    }

    pub(super) fn t(&mut self, conn: &Connection, tenant: u32, kind: Kind) -> rusqlite::Result<u32> {
        let (t, is_new) = self.catalog.make_t(conn, tenant, kind)?;
        if is_new {
            self.remember(Remembered::Number(crate::sqlite::catalog::Given::Kind(tenant, kind)));
        }
        Ok(t)
    }
}
