//! The target table: what it looks like, how it is created, which columns it lacks, the unique index of its key.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use table::{Columns, Type};

use crate::sql::{Dialect, Failure, mysql, quoted};
use crate::target::mysql::cell::Room;
use crate::target::sql::SqlTarget;

/// The longest text in a key that is created: an index holds 3072 bytes, a character up to four.
const KEY_CHARS: u64 = 255;
/// Bytes of a `LONGTEXT`.
const LONGTEXT_BYTES: u64 = u32::MAX as u64;

/// A column of an existing table.
pub(super) struct Existing {
    pub(super) name: String,
    data_type: String,
    column_type: String,
    length: Option<u64>,
    precision: Option<u64>,
    scale: Option<u64>,
    moment_digits: Option<u64>,
    charset: Option<String>,
    collation: Option<String>,
    /// It has no default and may not be missing.
    pub(super) must_be_given: bool,
}

impl Existing {
    /// As it is declared, for the staging table.
    pub(super) fn declaration(&self) -> String {
        match (&self.charset, &self.collation) {
            (Some(charset), Some(collation)) => {
                format!("{} CHARACTER SET {charset} COLLATE {collation}", self.column_type)
            }
            _ => self.column_type.clone(),
        }
    }
}

/// How a column is written and staged.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) room: Room,
    pub(super) declaration: String,
}

/// The columns of the table; `None` when it is not there.
pub(super) async fn existing(conn: &mut Conn, target: &SqlTarget) -> Result<Option<Vec<Existing>>, Failure> {
    let failed = |error: mysql_async::Error| mysql::failure(&error);
    let sql = "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?";
    let names = (&target.table.schema, &target.table.table);
    let kind: Option<String> = conn.exec_first(sql, names).await.map_err(failed)?;
    match kind.as_deref() {
        None => return Ok(None),
        Some("BASE TABLE") => {}
        Some(_) => {
            return Err(Failure::lasting(format!("`{}` is there, but it is not a table", target.table)));
        }
    }
    let sql = "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CAST(CHARACTER_MAXIMUM_LENGTH AS UNSIGNED), \
               CAST(NUMERIC_PRECISION AS UNSIGNED), CAST(NUMERIC_SCALE AS UNSIGNED), CAST(DATETIME_PRECISION AS UNSIGNED), \
               CHARACTER_SET_NAME, COLLATION_NAME, \
               IS_NULLABLE = 'NO' AND COLUMN_DEFAULT IS NULL AND EXTRA NOT LIKE '%auto_increment%' AND EXTRA NOT LIKE '%GENERATED%' \
               FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";
    let rows: Vec<Row> = conn.exec(sql, names).await.map_err(failed)?;
    let wrong = || Failure::lasting("the server's answer about the table has another form");
    rows.iter().map(|row| existing_of(row).ok_or_else(wrong)).collect::<Result<Vec<_>, _>>().map(Some)
}

fn existing_of(row: &Row) -> Option<Existing> {
    Some(Existing {
        name: row.get_opt(0)?.ok()?,
        data_type: row.get_opt::<String, _>(1)?.ok()?.to_ascii_lowercase(),
        column_type: row.get_opt(2)?.ok()?,
        length: row.get_opt(3)?.ok()?,
        precision: row.get_opt(4)?.ok()?,
        scale: row.get_opt(5)?.ok()?,
        moment_digits: row.get_opt(6)?.ok()?,
        charset: row.get_opt(7)?.ok()?,
        collation: row.get_opt(8)?.ok()?,
        must_be_given: row.get_opt::<i64, _>(9)?.ok()? == 1,
    })
}

/// How values of a type are written into an existing column, when that loses nothing.
pub(super) fn written_as(existing: &Existing, kind: Type) -> Result<Written, String> {
    let is_unsigned = existing.column_type.to_ascii_lowercase().contains("unsigned");
    let is_utf8 = existing.charset.as_deref() == Some("utf8mb4");
    let digits = existing.precision.zip(existing.scale);
    let holds = |precision: u64, scale: u64| {
        digits
            .is_some_and(|(all, behind)| !is_unsigned && behind >= scale && all - behind >= precision - scale)
    };
    let plain = Some(Room::default());
    let room = match (kind, existing.data_type.as_str()) {
        (Type::Text, "varchar") if is_utf8 => Some(Room { chars_max: existing.length, ..Room::default() }),
        (Type::Text, "tinytext" | "text" | "mediumtext" | "longtext") if is_utf8 => {
            Some(Room { bytes_max: existing.length, ..Room::default() })
        }
        (Type::Integer, data_type) if integers(data_type, is_unsigned).is_some() => {
            Some(Room { integers: integers(data_type, is_unsigned), ..Room::default() })
        }
        (Type::Integer, "decimal") => plain.filter(|_| holds(19, 0)),
        (Type::Decimal { precision, scale }, "decimal") => {
            plain.filter(|_| holds(precision.into(), scale.into()))
        }
        (Type::Number, "double") => plain,
        (Type::Date, "date") => plain,
        (Type::Instant, "datetime") => plain.filter(|_| existing.moment_digits == Some(6)),
        (Type::Boolean, "tinyint") => plain,
        _ => None,
    };
    match room {
        Some(room) => Ok(Written { room, declaration: existing.declaration() }),
        None => Err(format!(
            "is `{}` there, which cannot take {kind} without loss: it would have to be `{}`",
            existing.declaration(),
            sql_type(kind, false, "")
        )),
    }
}

/// The smallest and largest value of a type of integers.
fn integers(data_type: &str, is_unsigned: bool) -> Option<(i64, i64)> {
    let bits = match data_type {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    Some(match (bits, is_unsigned) {
        (64, true) => (0, i64::MAX),
        (64, false) => (i64::MIN, i64::MAX),
        (bits, true) => (0, (1 << bits) - 1),
        (bits, false) => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
    })
}

/// The collation in which texts are equal when their bytes are: it does not ignore blanks at the end, unlike `utf8mb4_bin`.
pub(super) async fn exact_collation(conn: &mut Conn) -> Result<String, Failure> {
    let sql = "SELECT COLLATION_NAME FROM information_schema.COLLATIONS \
               WHERE COLLATION_NAME IN ('utf8mb4_0900_bin', 'utf8mb4_nopad_bin') LIMIT 1";
    let found: Option<String> = conn.query_first(sql).await.map_err(|error| mysql::failure(&error))?;
    Ok(found.unwrap_or_else(|| "utf8mb4_bin".to_owned()))
}

/// The type of a column that is created.
fn sql_type(kind: Type, is_key: bool, collation: &str) -> String {
    let text = if is_key { format!("VARCHAR({KEY_CHARS})") } else { "LONGTEXT".to_owned() };
    match kind {
        Type::Text if collation.is_empty() => format!("{text} CHARACTER SET utf8mb4"),
        Type::Text => format!("{text} CHARACTER SET utf8mb4 COLLATE {collation}"),
        Type::Integer => "BIGINT".to_owned(),
        Type::Decimal { precision, scale } => format!("DECIMAL({precision},{scale})"),
        Type::Number => "DOUBLE".to_owned(),
        Type::Date => "DATE".to_owned(),
        Type::Instant => "DATETIME(6)".to_owned(),
        Type::Boolean => "BOOLEAN".to_owned(),
    }
}

/// How a column is written that the target creates.
pub(super) fn created_as(target: &SqlTarget, name: &str, kind: Type, collation: &str) -> Written {
    let is_key = target.is_key(name);
    let room = match kind {
        Type::Text if is_key => Room { chars_max: Some(KEY_CHARS), ..Room::default() },
        Type::Text => Room { bytes_max: Some(LONGTEXT_BYTES), ..Room::default() },
        _ => Room::default(),
    };
    Written { room, declaration: sql_type(kind, is_key, collation) }
}

/// Columns as they are declared, those of the key never missing.
pub(super) fn declared(target: &SqlTarget, columns: &Columns, written: &[Written]) -> String {
    let columns = columns.iter().zip(written).map(|(column, written)| {
        let not_null = if target.is_key(&column.name) { "NOT NULL" } else { "NULL" };
        format!("{} {} {not_null}", quoted(Dialect::Mysql, &column.name), written.declaration)
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// Names in quotes with commas between them.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| quoted(Dialect::Mysql, name)).collect::<Vec<_>>().join(", ")
}

/// The columns of the key.
pub(super) fn key_list(target: &SqlTarget) -> String {
    list(target.key.iter().map(|key| key.text.as_str()))
}

/// The statement that creates the table.
pub(super) fn create_table(target: &SqlTarget, columns: &Columns, written: &[Written]) -> String {
    let unique =
        if target.key.is_empty() { String::new() } else { format!(", UNIQUE ({})", key_list(target)) };
    format!(
        "CREATE TABLE {} ({}{unique}) ENGINE = InnoDB",
        target.table.quoted(Dialect::Mysql),
        declared(target, columns, written)
    )
}

/// Whether a unique index of whole columns has exactly the columns of the key.
pub(super) async fn has_index(conn: &mut Conn, target: &SqlTarget) -> Result<bool, Failure> {
    let sql = "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART IS NULL FROM information_schema.STATISTICS \
               WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME";
    let names = (&target.table.schema, &target.table.table);
    let rows: Vec<(String, Option<String>, bool)> =
        conn.exec(sql, names).await.map_err(|error| mysql::failure(&error))?;
    let mut indexes: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for (index, column, is_whole) in &rows {
        // Part of a column, or an expression, makes it another index.
        let column = column.as_deref().filter(|_| *is_whole).unwrap_or("");
        indexes.entry(index).or_default().push(column);
    }
    let mut key: Vec<&str> = target.key.iter().map(|key| key.text.as_str()).collect();
    key.sort_unstable();
    Ok(indexes.into_values().any(|mut columns| {
        columns.sort_unstable();
        columns == key
    }))
}
