//! Reading MySQL: columns, the bounds of a window, rows. A connection that breaks before anything was given out is made anew.

use std::sync::atomic::Ordering;

use mysql_async::prelude::Queryable as _;
use mysql_async::{BinaryProtocol, Conn, Params, QueryResult, Row, Value};
use table::Type;

use crate::EtlError;
use crate::source::mysql::cell::{self, Found};
use crate::source::mysql::{Open, Session};
use crate::source::sql::{Lookback, Relation, SqlSource, WATERMARK, Window, pieces_of};
use crate::source::{Out, sql};
use crate::sql::{Dialect, Failure, Piece, Rows, calendar, mysql, postgres, quoted};

/// Why reading stopped.
enum Stop {
    Failed(Failure),
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

/// Whether the server knows the zone; it needs its tables of zones for names.
pub(super) async fn check_zone(conn: &mut Conn, source: &SqlSource) -> Result<(), Failure> {
    let Some(zone) = &source.time_zone else { return Ok(()) };
    let sql = "SELECT CONVERT_TZ('2020-01-01 00:00:00', ?, '+00:00') IS NOT NULL";
    let known: Option<i64> = conn.exec_first(sql, (zone.text.as_str(),)).await.map_err(Failure::from)?;
    if known == Some(1) {
        return Ok(());
    }
    Err(Failure::lasting(
        "`time_zone` is not a zone that the server knows: write an offset such as `-06:00`, or load its tables of zones \
         (`mysql_tzinfo_to_sql`)",
    ))
}

/// The relation behind `FROM`, and the names of its parameters in order.
fn relation_sql(relation: &Relation) -> (String, Vec<&str>) {
    match relation {
        Relation::Table(table) => (table.quoted(Dialect::Mysql), Vec::new()),
        Relation::Query(template) => {
            let text = template.render(|_| "?".to_owned());
            let names = template.pieces.iter().filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(name.as_str()),
                Piece::Sql(_) => None,
            });
            (format!("({text}\n) AS `salus_rows`"), names.collect())
        }
    }
}

/// The columns of the relation.
pub(super) async fn describe(conn: &mut Conn, source: &SqlSource) -> Result<Vec<Found>, Failure> {
    let (from, _) = relation_sql(&source.relation);
    let statement = conn.prep(format!("SELECT * FROM {from}")).await.map_err(Failure::from)?;
    statement
        .columns()
        .iter()
        .map(|column| cell::found(column, source.time_zone.is_some(), &source.declared))
        .collect()
}

/// The type of the cursor column.
pub(super) fn cursor_kind(source: &SqlSource, found: &[Found]) -> Result<Option<Type>, Failure> {
    let Some(cursor) = &source.cursor else { return Ok(None) };
    let column = found.iter().find(|found| *found.name == cursor.column.text);
    let kind = column.map_or(Type::Text, |found| found.kind);
    sql::check_cursor(cursor, kind)?;
    if kind == Type::Text && cursor.lookback != Lookback::None {
        return Err(Failure::lasting(format!(
            "`{}` is text: a look-back needs a date, a moment or an integer",
            cursor.column
        )));
    }
    Ok(Some(kind))
}

/// A bound as the server compares it: integers with integers, texts with texts, texts of moments with moments.
fn bound(text: Option<&str>, kind: Type) -> Value {
    match (text, kind) {
        (None, _) => Value::NULL,
        (Some(text), Type::Integer) => text.parse().map_or_else(|_| Value::from(text), Value::Int),
        (Some(text), _) => Value::from(text),
    }
}

impl Open {
    /// Values of the parameters of a statement: those of the relation, then the bounds.
    fn values(&self, names: &[&str], window: &Window) -> Vec<Value> {
        let kind = self.cursor.unwrap_or(Type::Text);
        let of_name = |name: &&str| match *name {
            WATERMARK => bound(window.from.as_deref(), kind),
            name => {
                let value = self.parameters.iter().find(|(known, _)| known == name);
                value.map_or(Value::NULL, |(_, value)| Value::from(value.as_str()))
            }
        };
        let bounds = [&window.from, &window.to].into_iter().flatten();
        names.iter().map(of_name).chain(bounds.map(|text| bound(Some(text), kind))).collect()
    }

    /// The rows of a window.
    fn condition(&self, window: &Window) -> String {
        let Some(cursor) = &self.source.cursor else { return String::new() };
        let column = quoted(Dialect::Mysql, &cursor.column);
        let from = window.from.as_ref().map(|_| format!("{column} >= ?"));
        let to = window.to.as_ref().map(|_| format!("{column} <= ?"));
        let bounds: Vec<String> = from.into_iter().chain(to).collect();
        // Rows that do not say when they changed may have changed: they are read every time.
        if bounds.is_empty() {
            String::new()
        } else {
            format!("WHERE ({}) OR {column} IS NULL", bounds.join(" AND "))
        }
    }

    /// The session, with a read-only transaction in which everything is seen as it was at its beginning.
    async fn begun(&mut self) -> Result<&mut Conn, Failure> {
        if self.session.is_none() {
            self.session = Some(Session { conn: self.connector.connect().await?, is_begun: false });
        }
        let session = self.session.as_mut().ok_or_else(|| Failure::transient("the connection was closed"))?;
        if !session.is_begun {
            mysql::run(&mut session.conn, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
            session.is_begun = true;
        }
        Ok(&mut session.conn)
    }

    /// The bounds of what changed, in a new snapshot; tries again with a new connection where that may help.
    pub(super) async fn look(&mut self, since: Option<&str>) -> Result<Window, Failure> {
        let mut retries = self.connector.retries();
        loop {
            if let Some(session) = &mut self.session {
                session.is_begun = false;
            }
            match self.look_once(since).await {
                Ok(window) => return Ok(window),
                Err(failure) => {
                    self.session = None;
                    retries.wait_or(failure).await?;
                }
            }
        }
    }

    async fn look_once(&mut self, since: Option<&str>) -> Result<Window, Failure> {
        let Some(cursor) = self.source.cursor.clone() else { return Ok(Window::default()) };
        let kind = self.cursor.unwrap_or(Type::Text);
        let bound =
            |text: Option<&str>, lookback| text.map(|text| minus_lookback(text, kind, lookback)).transpose();
        let (from, to) = match &self.chosen {
            Some(chosen) => {
                (bound(chosen.from.as_deref(), Lookback::None)?, bound(chosen.to.as_deref(), Lookback::None)?)
            }
            None => (bound(since, cursor.lookback)?, None),
        };
        let is_bounded = from.is_some() || to.is_some();
        let mut window = Window { from, to, ..Window::default() };
        let column = quoted(Dialect::Mysql, &cursor.column);
        let source = self.source.clone();
        let (relation, names) = relation_sql(&source.relation);
        // From the beginning, an index gives the bound; otherwise the rows of the window are looked at.
        let sql = match is_bounded {
            false => format!(
                "SELECT (SELECT CAST(MAX({column}) AS CHAR) FROM {relation}), EXISTS (SELECT 1 FROM {relation}), ''"
            ),
            true => format!(
                "SELECT CAST(MAX({column}) AS CHAR), COUNT(*), CAST(COALESCE(SUM(CRC32({column})), 0) AS CHAR) FROM {relation} {}",
                self.condition(&window)
            ),
        };
        let names = if is_bounded { names } else { [names.clone(), names].concat() };
        let values = self.values(&names, &window);
        let timeout = self.connector.timeout;
        let conn = self.begun().await?;
        let asking =
            async { conn.exec_first::<Row, _, _>(sql, positional(values)).await.map_err(Failure::from) };
        let row = postgres::within(timeout, asking).await?;
        let wrong = || Failure::lasting("the server's answer about the window has another form");
        let row = row.ok_or_else(wrong)?;
        window.to = row.get_opt(0).ok_or_else(wrong)?.map_err(|_| wrong())?;
        let n_rows: u64 = row.get_opt(1).ok_or_else(wrong)?.map_err(|_| wrong())?;
        let checksum: String = row.get_opt(2).ok_or_else(wrong)?.map_err(|_| wrong())?;
        window.is_empty = n_rows == 0;
        window.content = is_bounded.then_some((n_rows, checksum));
        Ok(window)
    }

    /// Reads the unit.
    pub(super) async fn read_unit(&mut self, number: u32, out: Out) -> Result<(), EtlError> {
        let name = self.source.name.clone();
        let mut retries = self.connector.retries();
        let mut n_given = 0;
        loop {
            let failure = match self.read_once(number, &out, &mut n_given).await {
                Ok(()) => return Ok(()),
                Err(Stop::Ended(error)) => {
                    // Rows of the answer may be under way: the session cannot be used any more.
                    self.session = None;
                    return Err(error);
                }
                Err(Stop::Failed(failure)) => failure,
            };
            self.session = None;
            if n_given > 0 {
                let why = format!("the connection broke off while rows were read: {}", failure.why);
                return Err(Failure { why, ..failure }.of_source(&name));
            }
            retries.wait_or(failure).await.map_err(|failure| failure.of_source(&name))?;
        }
    }

    async fn read_once(&mut self, number: u32, out: &Out, n_given: &mut u64) -> Result<(), Stop> {
        let source = self.source.clone();
        let (relation, names) = relation_sql(&source.relation);
        let window = self.window.clone().unwrap_or_default();
        let select: Vec<&str> = self.found.iter().map(|found| found.select.as_str()).collect();
        let cursor = source.cursor.iter().map(|cursor| &cursor.column);
        let order: Vec<String> = cursor.chain(&source.key).map(|word| quoted(Dialect::Mysql, word)).collect();
        let order = if order.is_empty() { String::new() } else { format!("ORDER BY {}", order.join(", ")) };
        let sql = format!("SELECT {} FROM {relation} {} {order}", select.join(", "), self.condition(&window));
        let zone = source.time_zone.as_ref().map_or(Value::NULL, |zone| Value::from(zone.text.as_str()));
        let zones = self.found.iter().filter(|found| found.has_zone).map(|_| zone.clone());
        let values: Vec<Value> = zones.chain(self.values(&names, &window)).collect();
        let kinds: Vec<Type> = self.found.iter().map(|found| found.kind).collect();
        let mut rows = Rows::new(&self.read_columns, number);
        let (typing, cancelled) = (self.typing.clone(), self.cancelled.clone());
        let timeout = self.connector.timeout;
        let conn = self.begun().await?;
        let starting = async { conn.exec_iter(sql, positional(values)).await.map_err(Failure::from) };
        let mut result: QueryResult<'_, 'static, BinaryProtocol> =
            postgres::within(timeout, starting).await?;
        loop {
            let next = tokio::time::timeout(timeout, result.next())
                .await
                .map_err(|_| postgres::too_slow(timeout))?;
            let row = next.map_err(Failure::from)?;
            if let Some(row) = &row {
                for (index, kind) in kinds.iter().enumerate() {
                    cell::push(row.as_ref(index).unwrap_or(&Value::NULL), index, *kind, &mut rows);
                }
                rows.end_row();
            }
            if rows.len() >= source.fetch_rows || (row.is_none() && rows.len() > 0) {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(Stop::Ended(EtlError::Cancelled));
                }
                let (batch, rejects) = rows.take()?;
                for piece in pieces_of(batch, rejects, typing.as_ref())? {
                    out.send(piece).await?;
                    *n_given += 1;
                }
            }
            if row.is_none() {
                return Ok(());
            }
        }
    }
}

fn positional(values: Vec<Value>) -> Params {
    if values.is_empty() { Params::Empty } else { Params::Positional(values) }
}

/// A value of the cursor minus a look-back.
fn minus_lookback(since: &str, kind: Type, lookback: Lookback) -> Result<String, Failure> {
    let wrong = || {
        let why = format!(
            "the watermark that the target keeps, or a bound of the backfill, is not of the cursor's type {kind}: another column was the cursor before, or the bound is written in another way"
        );
        Failure::lasting(why)
    };
    match kind {
        Type::Integer => {
            let since: i64 = since.parse().map_err(|_| wrong())?;
            let back =
                if let Lookback::Count(n) = lookback { i64::try_from(n).unwrap_or(i64::MAX) } else { 0 };
            Ok(since.saturating_sub(back).to_string())
        }
        Type::Date | Type::Instant => {
            let secs = if let Lookback::Span(span) = lookback {
                i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
            } else {
                0
            };
            let mut text = String::new();
            let is_written = if kind == Type::Date {
                let days = calendar::parse_day(since).ok_or_else(wrong)?;
                let back = secs.div_euclid(86_400) + i64::from(secs % 86_400 > 0);
                calendar::write_day(i64::from(days).saturating_sub(back), &mut text)
            } else {
                let micros = calendar::parse_moment(since).ok_or_else(wrong)?;
                calendar::write_moment(micros.saturating_sub(secs.saturating_mul(1_000_000)), &mut text)
            };
            // The server writes moments without a zone: the session's is UTC.
            if is_written { Ok(text.trim_end_matches('Z').replace('T', " ")) } else { Err(wrong()) }
        }
        _ => Ok(since.to_owned()),
    }
}
