//! What changed since a watermark: the bounds of the window, in the same snapshot in which its rows are read.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::source::Backfill;
use crate::source::postgres::describe::{self, Found, relation_sql};
use crate::source::postgres::set;
use crate::source::sql::{Lookback, SqlSource, Window};
use crate::sql::{Dialect, Failure, postgres, quoted};

/// The type of the cursor column. A column that has no order in time, or a look-back that does not fit it, is a failure.
pub(super) fn cursor_type(source: &SqlSource, found: &[Found]) -> Result<Option<&'static str>, Failure> {
    let Some(cursor) = &source.cursor else { return Ok(None) };
    let name = &cursor.column;
    let column = found.iter().find(|found| *found.name == name.text);
    let column =
        column.ok_or_else(|| Failure::lasting(format!("there is no column `{name}` for the cursor")))?;
    let kind = describe::cursor_type(&column.pg_type).ok_or_else(|| {
        let why = format!(
            "the column `{name}` is `{}`, which cannot be a cursor: take a date, a timestamp or a number",
            column.pg_type
        );
        Failure::lasting(why)
    })?;
    let fits = match cursor.lookback {
        Lookback::None => true,
        Lookback::Span(_) => matches!(kind, "date" | "timestamp" | "timestamptz"),
        Lookback::Count(_) => kind == "int8",
    };
    if fits {
        Ok(Some(kind))
    } else {
        Err(Failure::lasting(format!(
            "`lookback` does not fit the cursor `{name}`, which is `{kind}`: a time span goes with dates and timestamps, a number with numbers"
        )))
    }
}

/// A text of the session as a value.
pub(super) fn setting(name: &str, kind: &str) -> String {
    format!("(nullif(current_setting('salus.{name}', true), '')::{kind})")
}

/// The rows of a window.
pub(super) fn condition(source: &SqlSource, kind: &str, has_from: bool, has_to: bool) -> String {
    let Some(cursor) = &source.cursor else { return String::new() };
    let column = quoted(Dialect::Standard, &cursor.column);
    let mut bounds = Vec::new();
    if has_from {
        bounds.push(format!("{column} >= {}", setting("from", kind)));
    }
    if has_to {
        bounds.push(format!("{column} <= {}", setting("to", kind)));
    }
    // Rows that do not say when they changed may have changed: they are read every time.
    match bounds.is_empty() {
        true => String::new(),
        false => format!("WHERE ({}) OR {column} IS NULL", bounds.join(" AND ")),
    }
}

/// What a window begins with.
#[derive(Clone, Copy)]
pub(super) enum Behind<'a> {
    /// What the targets have.
    Watermark(Option<&'a str>),
    /// What somebody chose.
    Chosen(&'a Backfill),
}

/// Looks at the window, and tells the session its bounds.
pub(super) async fn look(
    client: &Client,
    source: &SqlSource,
    kind: &'static str,
    behind: Behind<'_>,
    timeout: Duration,
) -> Result<Window, Failure> {
    let lookback = source.cursor.as_ref().map(|cursor| cursor.lookback).unwrap_or_default();
    let (from, lookback, limit) = match behind {
        Behind::Watermark(since) => (since, lookback, None),
        Behind::Chosen(chosen) => (chosen.from.as_deref(), Lookback::None, chosen.to.as_deref()),
    };
    let from = match from {
        Some(since) => Some(bound(client, kind, since, lookback).await?),
        None => None,
    };
    let limit = match limit {
        Some(limit) => Some(bound(client, kind, limit, Lookback::None).await?),
        None => None,
    };
    set(client, "salus.to", limit.as_deref().unwrap_or_default()).await?;
    set(client, "salus.watermark", from.as_deref().unwrap_or_default()).await?;
    set(client, "salus.from", from.as_deref().unwrap_or_default()).await?;
    let Some(cursor) = &source.cursor else { return Ok(Window::default()) };
    let column = quoted(Dialect::Standard, &cursor.column);
    let relation = relation_sql(&source.relation, &setting("watermark", kind));
    // From the beginning, an index gives the bound; otherwise the rows of the window are looked at.
    let is_bounded = from.is_some() || limit.is_some();
    let sql = match is_bounded {
        false => format!(
            "SELECT (SELECT max({column}) FROM {relation})::text, EXISTS (SELECT 1 FROM {relation})::int::int8, ''"
        ),
        true => format!(
            "SELECT max({column})::text, count(*), coalesce(sum(hashtext({column}::text)::int8), 0)::text FROM {relation} {}",
            condition(source, kind, from.is_some(), limit.is_some())
        ),
    };
    let asking = async { client.query_one(&sql, &[]).await.map_err(|error| postgres::failure(&error)) };
    let row = postgres::within(timeout, asking).await?;
    let wrong = |_| Failure::lasting("the server's answer about the window has another form");
    let to: Option<String> = row.try_get(0).map_err(wrong)?;
    let n_rows: i64 = row.try_get(1).map_err(wrong)?;
    let checksum: String = row.try_get(2).map_err(wrong)?;
    set(client, "salus.to", to.as_deref().unwrap_or_default()).await?;
    let n_rows = u64::try_from(n_rows).unwrap_or(0);
    let content = is_bounded.then_some((n_rows, checksum));
    Ok(Window { from, to, is_empty: n_rows == 0, content })
}

/// A value of the cursor minus a look-back.
async fn bound(client: &Client, kind: &str, since: &str, lookback: Lookback) -> Result<String, Failure> {
    set(client, "salus.since", since).await?;
    let since = setting("since", kind);
    let bound = match lookback {
        Lookback::None => since,
        Lookback::Count(n) => format!("({since} - {n})"),
        Lookback::Span(span) if kind == "date" => format!("({since} - {})", span.as_secs().div_ceil(86_400)),
        Lookback::Span(span) => format!("({since} - make_interval(secs => {}))", span.as_secs()),
    };
    let row = client.query_one(&format!("SELECT {bound}::text"), &[]).await.map_err(|error| {
        let is_other_type =
            [Some(&SqlState::INVALID_TEXT_REPRESENTATION), Some(&SqlState::INVALID_DATETIME_FORMAT)].contains(&error.code());
        if is_other_type {
            Failure::lasting(format!(
                "the watermark that the target keeps, or a bound of the backfill, is not of the cursor's type `{kind}`: another \
                 column was the cursor before, or the bound is written in another way"
            ))
        } else {
            postgres::failure(&error)
        }
    })?;
    row.try_get(0).map_err(|_| Failure::lasting("the watermark that the target keeps is empty"))
}
