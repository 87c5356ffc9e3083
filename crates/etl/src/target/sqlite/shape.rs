//! The target table: what it looks like, how it is created, whether its columns keep what they are given.

use rusqlite::Connection;
use table::{Columns, Type};

use crate::sql::{Dialect, Failure, quoted, sqlite};
use crate::target::sql::SqlTarget;

/// A column of an existing table.
pub(super) struct Existing {
    pub(super) name: String,
    /// As it was declared.
    pub(super) declaration: String,
    /// It has no default and may not be missing.
    pub(super) must_be_given: bool,
}

/// What SQLite does with values of a column, from its declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    None,
    Real,
    Numeric,
}

impl Affinity {
    /// The five rules of SQLite's documentation (Datatypes, 3.1), in their order.
    fn of(declaration: &str) -> Affinity {
        let upper = declaration.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
        if has(&["INT"]) {
            Affinity::Integer
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Affinity::Text
        } else if upper.is_empty() || has(&["BLOB"]) {
            Affinity::None
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }
}

/// The columns of the table; `None` when it is not there.
pub(super) fn existing(
    connection: &Connection,
    target: &SqlTarget,
) -> Result<Option<Vec<Existing>>, Failure> {
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let kind: Option<String> = {
        let mut statement = connection
            .prepare("SELECT type FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')")
            .map_err(failed)?;
        let mut rows = statement.query([&target.table.table]).map_err(failed)?;
        rows.next().map_err(failed)?.map(|row| row.get(0)).transpose().map_err(failed)?
    };
    match kind.as_deref() {
        None => return Ok(None),
        Some("table") => {}
        Some(_) => {
            return Err(Failure::lasting(format!("`{}` is there, but it is not a table", target.table)));
        }
    }
    let mut statement = connection
        .prepare(
            "SELECT name, type, \"notnull\" AND dflt_value IS NULL AND pk = 0 FROM pragma_table_info(?1)",
        )
        .map_err(failed)?;
    let columns = statement
        .query_map([&target.table.table], |row| {
            Ok(Existing { name: row.get(0)?, declaration: row.get(1)?, must_be_given: row.get(2)? })
        })
        .map_err(failed)?;
    columns.collect::<Result<Vec<_>, _>>().map(Some).map_err(failed)
}

/// Whether the column keeps values of a type as they are: a number column makes numbers of digits.
pub(super) fn keeps(existing: &Existing, kind: Type) -> Result<(), String> {
    let affinity = Affinity::of(&existing.declaration);
    let is_kept = match kind {
        Type::Text | Type::Decimal { .. } => matches!(affinity, Affinity::Text | Affinity::None),
        Type::Integer | Type::Boolean => {
            matches!(affinity, Affinity::Integer | Affinity::Numeric | Affinity::None)
        }
        Type::Number => matches!(affinity, Affinity::Real | Affinity::Numeric | Affinity::None),
        Type::Date | Type::Instant => matches!(affinity, Affinity::Text | Affinity::Numeric | Affinity::None),
    };
    if is_kept {
        return Ok(());
    }
    Err(format!(
        "is `{}` there, which does not keep {kind} as it is: it would have to be `{}`",
        existing.declaration,
        sql_type(kind)
    ))
}

/// The type of a column that is created. SQLite has no decimals, dates and moments: they are text, and numbers of digits stay exact.
pub(super) fn sql_type(kind: Type) -> String {
    match kind {
        Type::Text => "TEXT".to_owned(),
        Type::Integer => "INTEGER".to_owned(),
        Type::Decimal { precision, scale } => format!("TEXT_DECIMAL({precision},{scale})"),
        Type::Number => "REAL".to_owned(),
        Type::Date => "DATE".to_owned(),
        Type::Instant => "TIMESTAMP".to_owned(),
        Type::Boolean => "BOOLEAN".to_owned(),
    }
}

/// Names in quotes with commas between them.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| quoted(Dialect::Standard, name)).collect::<Vec<_>>().join(", ")
}

/// The statement that creates the table.
pub(super) fn create_table(target: &SqlTarget, columns: &Columns) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let not_null = if target.is_key(&column.name) { " NOT NULL" } else { "" };
            format!("{} {}{not_null}", quoted(Dialect::Standard, &column.name), sql_type(column.kind))
        })
        .collect();
    format!("CREATE TABLE main.{} ({})", quoted(Dialect::Standard, &target.table.table), columns.join(", "))
}

/// The name of the key's index.
fn index_name(target: &SqlTarget) -> String {
    quoted(Dialect::Standard, &format!("{}_salus_key", target.table.table))
}

/// The statement that makes the key unique.
pub(super) fn create_index(target: &SqlTarget) -> String {
    let key = list(target.key.iter().map(|key| key.text.as_str()));
    let table = quoted(Dialect::Standard, &target.table.table);
    format!("CREATE UNIQUE INDEX main.{} ON {table} ({key})", index_name(target))
}

/// Whether a unique index without conditions (or the primary key) has exactly the columns of the key.
pub(super) fn has_index(connection: &Connection, target: &SqlTarget) -> Result<bool, Failure> {
    let failed = |error: rusqlite::Error| sqlite::failure(&error);
    let mut key: Vec<&str> = target.key.iter().map(|key| key.text.as_str()).collect();
    key.sort_unstable();
    let of_primary_key = "SELECT group_concat(name, char(0)) FROM (SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY name)";
    let primary: Option<String> =
        connection.query_row(of_primary_key, [&target.table.table], |row| row.get(0)).map_err(failed)?;
    if primary.is_some_and(|names| names == key.join("\0")) {
        return Ok(true);
    }
    let mut statement = connection
        .prepare("SELECT (SELECT group_concat(name, char(0)) FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY name)) \
                  FROM pragma_index_list(?1) AS l WHERE l.\"unique\" AND NOT l.partial")
        .map_err(failed)?;
    let mut rows = statement.query([&target.table.table]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let names: Option<String> = row.get(0).map_err(failed)?;
        if names.is_some_and(|names| names == key.join("\0")) {
            return Ok(true);
        }
    }
    Ok(false)
}
