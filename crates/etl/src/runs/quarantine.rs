//! Rows that were set aside: listed without their content, opened only by who may see it.

use fhir::Instant;
use rusqlite::{Connection, Row, params, params_from_iter, types::Value};

use crate::EtlError;
use crate::runs::{Runs, scope};

const ROWS_AT_ONCE_MAX: usize = 10_000;

/// What became of a row that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits.
    Open,
    /// It was run again.
    Replayed,
    /// Somebody decided that it is not needed.
    Waived,
}

impl State {
    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Replayed => "replayed",
            State::Waived => "waived",
        }
    }

    /// The state with a name.
    pub fn parse(name: &str) -> Option<State> {
        [State::Open, State::Replayed, State::Waived].into_iter().find(|state| state.name() == name)
    }
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Of this run.
    pub run: Option<String>,
    /// Of this pipeline.
    pub pipeline: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// Refused by this rule.
    pub rule: Option<String>,
    /// In this state.
    pub state: Option<State>,
    /// With a greater id: for pages.
    pub after: i64,
    /// At most this many, and at most 10,000.
    pub rows_max: usize,
}

/// A row that was set aside, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Its number.
    pub id: i64,
    /// The run.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// The source.
    pub source: String,
    /// File or window.
    pub unit: String,
    /// Line, or number of the row.
    pub line: i64,
    /// Byte offset in the file.
    pub byte: Option<i64>,
    /// The rule that refused it.
    pub rule: String,
    /// The column that was looked at.
    pub column: Option<String>,
    /// A word for machines.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// What became of it.
    pub state: State,
    /// When that was decided.
    pub state_at: Option<Instant>,
}

impl Runs {
    /// Rows that were set aside, by id.
    pub fn quarantined(&self, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>, EtlError> {
        let (conditions, mut values) = conditions(filter);
        let rows_max = filter.rows_max.clamp(1, ROWS_AT_ONCE_MAX);
        values.push(Value::Integer(i64::try_from(rows_max).unwrap_or(1)));
        let sql = format!(
            "SELECT id, run, pipeline, source, unit, line, byte, rule, column_name, reason, message, state, state_at
             FROM quarantine WHERE {conditions} ORDER BY id LIMIT ?"
        );
        self.read(move |conn| {
            let mut query = conn.prepare_cached(&sql)?;
            query.query_map(params_from_iter(values), row_of)?.collect()
        })
    }

    /// How many rows each rule set aside: source, rule, state, rows.
    pub fn quarantine_counts(
        &self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<(String, String, State, u64)>, EtlError> {
        let (conditions, values) = conditions(filter);
        let sql = format!(
            "SELECT source, rule, state, count(*) FROM quarantine WHERE {conditions} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2"
        );
        self.read(move |conn| {
            let mut query = conn.prepare_cached(&sql)?;
            let rows = query.query_map(params_from_iter(values), |row| {
                let state: String = row.get(2)?;
                let n: i64 = row.get(3)?;
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    State::parse(&state).unwrap_or(State::Open),
                    u64::try_from(n).unwrap_or(0),
                ))
            })?;
            rows.collect()
        })
    }

    /// The content of a row, opened. Who calls this has asked the gate.
    pub fn open_quarantined(&self, id: i64) -> Result<Option<Vec<u8>>, EtlError> {
        use rusqlite::OptionalExtension as _;
        let sealed: Option<(String, Vec<u8>)> = self.read(move |conn| {
            conn.query_row("SELECT run, raw FROM quarantine WHERE id = ?1", [id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
        })?;
        let Some((run, sealed)) = sealed else { return Ok(None) };
        let opened = self.keys.open(&scope(), run.as_bytes(), &sealed);
        opened.map(|raw| Some(raw.to_vec())).map_err(|error| EtlError::Record(error.to_string()))
    }

    /// Sets the state of rows. Gives how many changed.
    pub fn set_state(&self, ids: &[i64], state: State, by: &str) -> Result<u64, EtlError> {
        let (ids, by, now) = (ids.to_vec(), by.to_owned(), self.clock.now().0);
        self.write(move |conn| decide(conn, &ids, state, &by, now))
    }
}

/// Sets the state of rows that are open. Gives how many changed.
pub(super) fn decide(
    conn: &Connection,
    ids: &[i64],
    state: State,
    by: &str,
    now: i64,
) -> rusqlite::Result<u64> {
    let mut update = conn.prepare_cached(
        "UPDATE quarantine SET state = ?2, state_at = ?3, state_by = ?4 WHERE id = ?1 AND state = 'open'",
    )?;
    let mut n = 0;
    for id in ids {
        n += update.execute(params![id, state.name(), now, by])? as u64;
    }
    Ok(n)
}

fn conditions(filter: &QuarantineFilter) -> (String, Vec<Value>) {
    let (mut sql, mut values) = ("id > ?".to_owned(), vec![Value::Integer(filter.after)]);
    let texts = [
        ("run", filter.run.clone()),
        ("pipeline", filter.pipeline.clone()),
        ("source", filter.source.clone()),
        ("rule", filter.rule.clone()),
        ("state", filter.state.map(|state| state.name().to_owned())),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            sql.push_str(&format!(" AND {column} = ?"));
            values.push(Value::Text(text));
        }
    }
    (sql, values)
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<QuarantineRow> {
    let state: String = row.get(11)?;
    Ok(QuarantineRow {
        id: row.get(0)?,
        run: row.get(1)?,
        pipeline: row.get(2)?,
        source: row.get(3)?,
        unit: row.get(4)?,
        line: row.get(5)?,
        byte: row.get(6)?,
        rule: row.get(7)?,
        column: row.get(8)?,
        reason: row.get(9)?,
        message: row.get(10)?,
        state: State::parse(&state).unwrap_or(State::Open),
        state_at: row.get::<_, Option<i64>>(12)?.map(Instant),
    })
}
