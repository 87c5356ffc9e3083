//! Reading a SQLite file: columns, the bounds of a window, rows. Blocks; runs on a thread for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};
use table::Type;

use crate::EtlError;
use crate::source::sql::{Lookback, Relation, SqlSource, WATERMARK, Window, check_cursor, pieces_of};
use crate::source::sqlite::{Shared, cell};
use crate::source::{Backfill, Out};
use crate::sql::{Dialect, Failure, Rows, calendar, quoted, sqlite};

/// Why reading stopped.
pub(super) enum Stop {
    /// The file cannot be read.
    Failed(Failure),
    /// The run ended, or a batch could not be built.
    Ended(EtlError),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<EtlError> for Stop {
    fn from(error: EtlError) -> Stop {
        Stop::Ended(error)
    }
}

/// A column as it is found.
pub(super) struct Found {
    pub(super) name: Arc<str>,
    pub(super) kind: Type,
}

/// Adds the function that makes the checksum of a window.
pub(super) fn add_hash(connection: &Connection) -> Result<(), Failure> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let added = connection.create_scalar_function("salus_hash", 1, flags, |context| {
        let bytes = match context.get_raw(0) {
            ValueRef::Null => Vec::new(),
            ValueRef::Integer(n) => n.to_le_bytes().to_vec(),
            ValueRef::Real(n) => n.to_le_bytes().to_vec(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
        };
        // 32 bits: their sum cannot overflow.
        Ok((twox_hash::XxHash3_128::oneshot(&bytes) & 0xffff_ffff) as i64)
    });
    added.map_err(|error| sqlite::failure(&error))
}

fn relation_sql(relation: &Relation) -> String {
    match relation {
        Relation::Table(table) => table.quoted(Dialect::Standard),
        Relation::Query(template) => {
            let text = template.render(|name| {
                if name == WATERMARK { ":watermark".to_owned() } else { format!(":parameter_{name}") }
            });
            format!("({text}\n) AS salus_rows")
        }
    }
}

/// The columns of the relation.
pub(super) fn describe(connection: &Connection, source: &SqlSource) -> Result<Vec<Found>, Failure> {
    let sql = format!("SELECT * FROM {}", relation_sql(&source.relation));
    let statement = connection.prepare(&sql).map_err(|error| sqlite::failure(&error))?;
    let mut found = Vec::new();
    for column in statement.columns() {
        let name = column.name();
        let declaration = column.decl_type();
        if declaration.is_some_and(|text| text.to_ascii_uppercase().contains("BLOB")) {
            return Err(Failure::lasting(format!(
                "the column `{name}` is `{}`, which pipelines do not read: name the columns you need in a `query`",
                declaration.unwrap_or_default()
            )));
        }
        // A column that the pipeline declares is read as text, so that its declaration says how.
        let is_declared = source.declared.kind_of(name).is_some();
        let kind = if is_declared { Type::Text } else { cell::kind_of(declaration) };
        found.push(Found { name: name.into(), kind });
    }
    Ok(found)
}

/// The type of the cursor column.
pub(super) fn cursor_kind(source: &SqlSource, found: &[Found]) -> Result<Option<Type>, Failure> {
    let Some(cursor) = &source.cursor else { return Ok(None) };
    let column = found.iter().find(|found| *found.name == cursor.column.text);
    let kind = column.map_or(Type::Text, |found| found.kind);
    check_cursor(cursor, kind)?;
    Ok(Some(kind))
}

/// A bound of the window as SQLite compares it: integers with integers, texts with texts.
struct Bound<'a>(Option<&'a str>, Type);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match (self.0, self.1) {
            (None, _) => ToSqlOutput::Borrowed(ValueRef::Null),
            (Some(text), Type::Integer) => match text.parse() {
                Ok(n) => ToSqlOutput::Borrowed(ValueRef::Integer(n)),
                Err(_) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            },
            (Some(text), _) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// Binds the parameters that the statement has.
fn bind(statement: &mut Statement<'_>, shared: &Shared, window: Option<&Window>) -> Result<(), Failure> {
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let kind = shared.cursor.unwrap_or(Type::Text);
    let (from, to) = window.map_or((None, None), |window| (window.from.as_deref(), window.to.as_deref()));
    for (name, value) in [(":watermark", from), (":from", from), (":to", to)] {
        if let Some(index) = statement.parameter_index(name).map_err(failed)? {
            statement.raw_bind_parameter(index, Bound(value, kind)).map_err(failed)?;
        }
    }
    for (name, value) in &shared.parameters {
        if let Some(index) = statement.parameter_index(&format!(":parameter_{name}")).map_err(failed)? {
            statement.raw_bind_parameter(index, value).map_err(failed)?;
        }
    }
    Ok(())
}

fn condition(source: &SqlSource, window: &Window) -> String {
    let Some(cursor) = &source.cursor else { return String::new() };
    let column = quoted(Dialect::Standard, &cursor.column);
    let from = window.from.as_ref().map(|_| format!("{column} >= :from"));
    let to = window.to.as_ref().map(|_| format!("{column} <= :to"));
    let bounds: Vec<String> = from.into_iter().chain(to).collect();
    // Rows that do not say when they changed may have changed: they are read every time.
    if bounds.is_empty() {
        String::new()
    } else {
        format!("WHERE ({}) OR {column} IS NULL", bounds.join(" AND "))
    }
}

/// Begins a transaction, in which everything is seen as it is at the first look.
fn begin(connection: &Connection) -> Result<(), Failure> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN").map_err(|error| sqlite::failure(&error))?;
    }
    Ok(())
}

/// The bounds of what changed.
pub(super) fn look(
    connection: &Connection,
    shared: &Shared,
    since: Option<&str>,
    chosen: Option<&Backfill>,
) -> Result<Window, Failure> {
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let source = &shared.source;
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(failed)?;
    }
    begin(connection)?;
    let Some(cursor) = &source.cursor else { return Ok(Window::default()) };
    let kind = shared.cursor.unwrap_or(Type::Text);
    let bound =
        |text: Option<&str>, lookback| text.map(|text| minus_lookback(text, kind, lookback)).transpose();
    let (from, to) = match chosen {
        Some(chosen) => {
            (bound(chosen.from.as_deref(), Lookback::None)?, bound(chosen.to.as_deref(), Lookback::None)?)
        }
        None => (bound(since, cursor.lookback)?, None),
    };
    let is_bounded = from.is_some() || to.is_some();
    let mut window = Window { from, to, ..Window::default() };
    let column = quoted(Dialect::Standard, &cursor.column);
    let relation = relation_sql(&source.relation);
    // From the beginning, an index gives the bound; otherwise the rows of the window are looked at.
    let sql = match is_bounded {
        false => format!(
            "SELECT (SELECT CAST(max({column}) AS TEXT) FROM {relation}), EXISTS (SELECT 1 FROM {relation}), 0"
        ),
        true => format!(
            "SELECT CAST(max({column}) AS TEXT), count(*), coalesce(sum(salus_hash({column})), 0) FROM {relation} {}",
            condition(source, &window)
        ),
    };
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    bind(&mut statement, shared, Some(&window))?;
    let mut rows = statement.raw_query();
    if let Some(row) = rows.next().map_err(failed)? {
        window.to = row.get(0).map_err(failed)?;
        let n_rows: u64 = row.get(1).map_err(failed)?;
        let checksum: i64 = row.get(2).map_err(failed)?;
        window.is_empty = n_rows == 0;
        window.content = is_bounded.then_some((n_rows, checksum.to_string()));
    }
    Ok(window)
}

/// A value of the cursor minus a look-back. Moments are texts here: the bound is written in the shortest of their forms, which sorts before
/// the others of the same second.
fn minus_lookback(since: &str, kind: Type, lookback: Lookback) -> Result<String, Failure> {
    let wrong = || {
        Failure::lasting(format!(
            "the watermark that the target keeps, or a bound of the backfill, is not of the cursor's type {kind}: another \
             column was the cursor before, or its form is not `2026-01-31 10:00:00`"
        ))
    };
    match lookback {
        Lookback::None => {
            if kind == Type::Integer && since.parse::<i64>().is_err() {
                return Err(wrong());
            }
            Ok(since.to_owned())
        }
        Lookback::Count(n) => {
            let since: i64 = since.parse().map_err(|_| wrong())?;
            Ok(since.saturating_sub(i64::try_from(n).unwrap_or(i64::MAX)).to_string())
        }
        Lookback::Span(span) => {
            let secs = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
            let mut text = String::new();
            let is_written = if let Some(days) = calendar::parse_day(since) {
                calendar::write_day(
                    i64::from(days) - secs.div_euclid(86_400) - i64::from(secs % 86_400 > 0),
                    &mut text,
                )
            } else {
                let micros = calendar::parse_moment(since).ok_or_else(wrong)?;
                calendar::write_moment(micros.saturating_sub(secs.saturating_mul(1_000_000)), &mut text)
            };
            // `2026-01-31T10:00:00.123456Z` sorts behind `2026-01-31 10:00:00`, which is the widest of the bounds.
            if is_written {
                Ok(text.chars().take(19).collect::<String>().replace('T', " "))
            } else {
                Err(wrong())
            }
        }
    }
}

/// Reads a unit.
pub(super) fn read(
    connection: &Connection,
    shared: &Shared,
    window: Option<&Window>,
    number: u32,
    out: &Out,
) -> Result<(), Stop> {
    let failed = |error: rusqlite::Error| Stop::Failed(sqlite::failure(&error));
    let source = &shared.source;
    begin(connection)?;
    let names = shared.read_columns.names();
    let select: Vec<String> = names.iter().map(|name| quoted(Dialect::Standard, name)).collect();
    let order: Vec<String> = source
        .cursor
        .iter()
        .map(|cursor| &cursor.column)
        .chain(&source.key)
        .map(|word| quoted(Dialect::Standard, word))
        .collect();
    let order = if order.is_empty() { String::new() } else { format!("ORDER BY {}", order.join(", ")) };
    let condition = window.map_or_else(String::new, |window| condition(source, window));
    let sql =
        format!("SELECT {} FROM {} {condition} {order}", select.join(", "), relation_sql(&source.relation));
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    bind(&mut statement, shared, window)?;
    let kinds: Vec<Type> = shared.read_columns.iter().map(|column| column.kind).collect();
    let mut rows = Rows::new(&shared.read_columns, number);
    let mut cursor = statement.raw_query();
    while let Some(row) = cursor.next().map_err(failed)? {
        for (index, kind) in kinds.iter().enumerate() {
            cell::push(row.get_ref(index).map_err(failed)?, index, *kind, &mut rows);
        }
        rows.end_row();
        if rows.len() >= source.fetch_rows {
            give(&mut rows, shared, out)?;
        }
    }
    if rows.len() > 0 {
        give(&mut rows, shared, out)?;
    }
    Ok(())
}

fn give(rows: &mut Rows, shared: &Shared, out: &Out) -> Result<(), EtlError> {
    if shared.cancelled.load(Ordering::Relaxed) {
        return Err(EtlError::Cancelled);
    }
    let (batch, rejects) = rows.take()?;
    for piece in pieces_of(batch, rejects, shared.typing.as_ref())? {
        out.blocking_send(piece)?;
    }
    Ok(())
}
