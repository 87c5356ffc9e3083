//! The writer's part: each step is one job between the writes of others.

use rusqlite::{Connection, OptionalExtension, params};
use search::IndexRows;

use crate::sqlite::catalog::Generations;
use crate::sqlite::failure::Try;
use crate::sqlite::index::delta::{Delta, RowsOf};
use crate::sqlite::index::pack::pack;
use crate::sqlite::read::current::op_number;
use crate::sqlite::write::{State, WriterNumbers, indexed};
use crate::{Op, StoreError};

/// Rows that one step removes from one table.
const DROPPED_MAX: usize = 5_000;
const TABLES: [(&str, &str); 9] = [
    ("token", "p, h, rid, sys"),
    ("ref", "p, target, rid"),
    ("uri", "p, n, rid"),
    ("string", "p, text, rid, exact"),
    ("date", "p, w, lo, e, rid"),
    ("number", "p, w, lo, hi, rid"),
    ("quantity", "p, u, w, lo, hi, rid"),
    ("composite", "p, h, parts, rid"),
    ("relation", "p, patient, h, sys, lo, hi, rid"),
];

/// What the writer is asked.
pub(crate) enum Step {
    /// Starts a generation. Answers its number.
    Begin,
    /// Adds resources to it that are not in it yet. Answers 0.
    Fill(Vec<Filled>),
    /// Lets it serve. Answers the number of the generation that served before.
    Switch,
    /// Removes some rows of a generation that does not serve. Answers 1 while there may be more.
    Drop(u32),
}

/// A resource, extracted.
pub(crate) struct Filled {
    pub(crate) rid: i64,
    pub(crate) t: u32,
    /// The version that was extracted; when another is stored now, it was written to the new generation, too.
    pub(crate) version: i64,
    pub(crate) rows: IndexRows,
}

impl Step {
    pub(crate) fn weight(&self) -> usize {
        match self {
            Step::Fill(resources) => resources.len() * 1_024,
            Step::Begin | Step::Switch | Step::Drop(_) => 1,
        }
    }
}

/// Does a step.
pub(crate) fn step(state: &mut State, conn: &Connection, step: Step) -> Try<u32> {
    match step {
        Step::Begin => begin(state, conn),
        Step::Fill(resources) => fill(state, conn, resources),
        Step::Switch => switch(state, conn),
        Step::Drop(g) => drop_some(state, conn, g),
    }
}

fn begin(state: &mut State, conn: &Connection) -> Try<u32> {
    let generations = state.catalog.generations;
    if let Some(g) = generations.building {
        return Ok(g);
    }
    let sql = "INSERT INTO generation (state, definitions) VALUES (0, ?1) RETURNING g";
    let g = conn.prepare_cached(sql)?.query_row([&*state.catalog.definitions], |row| row.get(0))?;
    state.set_generations(Generations { building: Some(g), ..generations });
    Ok(g)
}

fn fill(state: &mut State, conn: &Connection, resources: Vec<Filled>) -> Try<u32> {
    let g = building(state)?;
    for resource in resources {
        let Filled { rid, t, version, rows } = resource;
        // What waits in this batch is written to both generations already.
        if state.deltas.waits(rid) || !is_stored(conn, rid, version)? || !indexed(conn, g, rid)?.is_empty() {
            continue;
        }
        let Some((tenant, _)) = state.catalog.of_t(t) else { continue };
        let after = pack(&rows, &mut WriterNumbers { state, conn, tenant, g })?;
        let rows = vec![RowsOf::between(g, &[], after)];
        state.deltas.push(Delta { rid, t, rows, ..Delta::default() });
    }
    Ok(0)
}

fn switch(state: &mut State, conn: &Connection) -> Try<u32> {
    let g = building(state)?;
    let old = state.catalog.generations.serving;
    state.deltas.write(conn)?;
    conn.execute("UPDATE generation SET state = CASE g WHEN ?1 THEN 1 ELSE 2 END", [g])?;
    let deletion = op_number(Op::Delete);
    conn.execute("DELETE FROM live", [])?;
    conn.execute(
        "INSERT INTO live SELECT t, rid FROM resource WHERE version > 0 AND op <> ?1 ORDER BY t, rid",
        [deletion],
    )?;
    conn.execute("DELETE FROM latest", [])?;
    conn.execute(
        "INSERT INTO latest SELECT t, seq, rid FROM resource WHERE version > 0 ORDER BY t, seq",
        [],
    )?;
    conn.execute("UPDATE kind SET n = (SELECT count(*) FROM live WHERE live.t = kind.t)", [])?;
    state.set_generations(Generations { serving: g, building: None });
    state.catalog.is_current = true;
    Ok(old)
}

fn drop_some(state: &mut State, conn: &Connection, g: u32) -> Try<u32> {
    if state.catalog.generations.serving == g || state.catalog.generations.building == Some(g) {
        return Err(StoreError::Bug { what: "a generation that is in use was to be removed".into() }.into());
    }
    let p: Option<u32> =
        conn.query_row("SELECT p FROM param WHERE g = ?1 LIMIT 1", [g], |row| row.get(0)).optional()?;
    if let Some(p) = p {
        let mut all = true;
        for (table, key) in TABLES {
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE p = ?1 LIMIT {DROPPED_MAX})"
            );
            all &= conn.prepare_cached(&sql)?.execute([p])? < DROPPED_MAX;
        }
        if all {
            conn.execute("DELETE FROM param WHERE p = ?1", [p])?;
        }
        return Ok(1);
    }
    state.catalog.forget_generation(g);
    let sql = "DELETE FROM fwd WHERE g = ?1 AND rid IN (SELECT rid FROM fwd WHERE g = ?1 LIMIT ?2)";
    if conn.prepare_cached(sql)?.execute(params![g, DROPPED_MAX])? == DROPPED_MAX {
        return Ok(1);
    }
    conn.execute("DELETE FROM generation WHERE g = ?1", [g])?;
    Ok(0)
}

fn building(state: &State) -> Try<u32> {
    let missing = || StoreError::Bug { what: "no generation is being built".into() };
    Ok(state.catalog.generations.building.ok_or_else(missing)?)
}

fn is_stored(conn: &Connection, rid: i64, version: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM resource WHERE rid = ?1 AND version = ?2 AND op <> ?3";
    let mut statement = conn.prepare_cached(sql)?;
    statement.exists(params![rid, version, op_number(Op::Delete)])
}
