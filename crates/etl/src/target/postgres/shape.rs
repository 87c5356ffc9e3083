//! The target table: what it looks like, how it is created, which columns it lacks, the unique index of its key.

use table::{Columns, Type};
use tokio_postgres::Client;
use tokio_postgres::types::Type as PgType;

use crate::sql::{Dialect, Failure, postgres, quoted};
use crate::target::postgres::encode::Encode;
use crate::target::sql::SqlTarget;

/// A column of an existing table.
pub(super) struct Existing {
    pub(super) name: String,
    type_oid: u32,
    modifier: i32,
    /// As PostgreSQL writes it: `numeric(10,2)`.
    pub(super) written_type: String,
    /// It has no default and may not be missing.
    pub(super) must_be_given: bool,
}

/// The columns of the table; `None` when it is not there.
pub(super) async fn existing(client: &Client, target: &SqlTarget) -> Result<Option<Vec<Existing>>, Failure> {
    let sql = "SELECT c.relkind::text, a.attname::text, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod), \
               a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' \
               FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               WHERE c.oid = to_regclass($1) ORDER BY a.attnum";
    let name = target.table.quoted(Dialect::Standard);
    let rows = client.query(sql, &[&name]).await.map_err(|error| postgres::failure(&error))?;
    let Some(first) = rows.first() else { return Ok(None) };
    let wrong = |_| Failure::lasting("the server's answer about the table has another form");
    let kind: String = first.try_get(0).map_err(wrong)?;
    if !matches!(kind.as_str(), "r" | "p") {
        return Err(Failure::lasting(format!("`{}` is there, but it is not a table", target.table)));
    }
    let mut columns = Vec::new();
    for row in rows {
        let name: Option<String> = row.try_get(1).map_err(wrong)?;
        let Some(name) = name else { continue };
        columns.push(Existing {
            name,
            type_oid: row.try_get(2).map_err(wrong)?,
            modifier: row.try_get(3).map_err(wrong)?,
            written_type: row.try_get(4).map_err(wrong)?,
            must_be_given: row.try_get(5).map_err(wrong)?,
        });
    }
    Ok(Some(columns))
}

/// How values of a type are written into an existing column, when that loses nothing.
pub(super) fn written_as(existing: &Existing, kind: Type) -> Result<Encode, String> {
    let limit = u32::try_from(existing.modifier).ok().and_then(|modifier| modifier.checked_sub(4));
    let fitting = match (kind, PgType::from_oid(existing.type_oid)) {
        (Type::Text, Some(PgType::TEXT)) => Some(Encode::Text { chars_max: None }),
        (Type::Text, Some(PgType::VARCHAR)) => Some(Encode::Text { chars_max: limit }),
        (Type::Integer, Some(PgType::INT8)) => Some(Encode::Int8),
        (Type::Integer, Some(PgType::INT4)) => Some(Encode::Int4),
        (Type::Integer, Some(PgType::INT2)) => Some(Encode::Int2),
        (Type::Integer, Some(PgType::NUMERIC)) => holds(limit, 19, 0).then_some(Encode::Numeric),
        (Type::Decimal { precision, scale }, Some(PgType::NUMERIC)) => {
            holds(limit, precision, scale).then_some(Encode::Numeric)
        }
        (Type::Number, Some(PgType::FLOAT8)) => Some(Encode::Float8),
        (Type::Date, Some(PgType::DATE)) => Some(Encode::Date),
        (Type::Instant, Some(PgType::TIMESTAMPTZ)) => Some(Encode::Timestamptz),
        (Type::Boolean, Some(PgType::BOOL)) => Some(Encode::Bool),
        _ => None,
    };
    fitting.ok_or_else(|| {
        format!(
            "is `{}` there, which cannot take {kind} without loss: it would have to be `{}`",
            existing.written_type,
            sql_type(kind)
        )
    })
}

/// Whether a numeric column has room for all digits before and behind the point.
fn holds(limit: Option<u32>, precision: u8, scale: u8) -> bool {
    let Some(limit) = limit else { return true };
    let (has_precision, has_scale) = (limit >> 16, limit & 0x7ff);
    let (precision, scale) = (u32::from(precision), u32::from(scale));
    has_scale <= has_precision && has_scale >= scale && has_precision - has_scale >= precision - scale
}

/// The type of a column that is created.
pub(super) fn sql_type(kind: Type) -> String {
    match kind {
        Type::Text => "text".to_owned(),
        Type::Integer => "bigint".to_owned(),
        Type::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
        Type::Number => "double precision".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Instant => "timestamptz".to_owned(),
        Type::Boolean => "boolean".to_owned(),
    }
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
    format!("CREATE TABLE {} ({})", target.table.quoted(Dialect::Standard), columns.join(", "))
}

/// The statement that adds columns.
pub(super) fn add_columns(target: &SqlTarget, columns: &Columns, missing: &[usize]) -> String {
    let added: Vec<String> = columns
        .iter()
        .enumerate()
        .filter(|(index, _)| missing.contains(index))
        .map(|(_, column)| {
            format!("ADD COLUMN {} {}", quoted(Dialect::Standard, &column.name), sql_type(column.kind))
        })
        .collect();
    format!("ALTER TABLE {} {}", target.table.quoted(Dialect::Standard), added.join(", "))
}

/// Names in quotes with commas between them.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| quoted(Dialect::Standard, name)).collect::<Vec<_>>().join(", ")
}

/// The statement that makes the key unique.
pub(super) fn create_index(target: &SqlTarget) -> String {
    let key = list(target.key.iter().map(|key| key.text.as_str()));
    format!("CREATE UNIQUE INDEX ON {} ({key})", target.table.quoted(Dialect::Standard))
}

/// Whether a unique index without conditions has exactly the columns of the key.
pub(super) async fn has_index(client: &Client, target: &SqlTarget) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid \
               AND i.indpred IS NULL AND i.indexprs IS NULL AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE \"C\") \
               FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) = $2)";
    let mut key: Vec<&str> = target.key.iter().map(|key| key.text.as_str()).collect();
    key.sort_unstable();
    let name = target.table.quoted(Dialect::Standard);
    let row = client.query_one(sql, &[&name, &key]).await.map_err(|error| postgres::failure(&error))?;
    row.try_get(0).map_err(|_| Failure::lasting("the server's answer about the index has another form"))
}
