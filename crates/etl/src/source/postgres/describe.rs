//! The columns that PostgreSQL gives: how each is asked for, how it comes over the wire, which type it becomes.

use std::sync::Arc;

use table::Type;
use tokio_postgres::Client;
use tokio_postgres::types::Type as PgType;

use crate::source::sql::{Relation, SqlSource, WATERMARK};
use crate::sql::{Dialect, Failure, postgres, quoted};

/// How a column comes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Text,
    Int2,
    Int4,
    Int8,
    Numeric { precision: u8, scale: u8 },
    Float4,
    Float8,
    Bool,
    Date,
    Timestamp,
}

impl Wire {
    /// The type it becomes.
    pub(super) fn kind(self) -> Type {
        match self {
            Wire::Text => Type::Text,
            Wire::Int2 | Wire::Int4 | Wire::Int8 => Type::Integer,
            Wire::Numeric { precision, scale } => Type::Decimal { precision, scale },
            Wire::Float4 | Wire::Float8 => Type::Number,
            Wire::Bool => Type::Boolean,
            Wire::Date => Type::Date,
            Wire::Timestamp => Type::Instant,
        }
    }
}

/// A column as it is found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its name.
    pub(super) name: Arc<str>,
    /// How it comes.
    pub(super) wire: Wire,
    /// The expression that asks for it.
    pub(super) select: String,
    /// Its type in PostgreSQL.
    pub(super) pg_type: PgType,
}

/// The relation as it stands behind `FROM`. `watermark` stands for the parameter of that name.
pub(super) fn relation_sql(relation: &Relation, watermark: &str) -> String {
    match relation {
        Relation::Table(table) => table.quoted(Dialect::Standard),
        Relation::Query(template) => {
            let text = template.render(|name| {
                if name == WATERMARK {
                    watermark.to_owned()
                } else {
                    // The values are bound as settings of the session, because COPY takes no parameters.
                    format!("current_setting('salus.parameter_{name}')")
                }
            });
            // The line break ends a comment that the query may end with.
            format!("({text}\n) AS \"salus_rows\"")
        }
    }
}

/// The columns of the relation.
pub(super) async fn describe(client: &Client, source: &SqlSource) -> Result<Vec<Found>, Failure> {
    let from = relation_sql(&source.relation, "NULL");
    let statement = client.prepare(&format!("SELECT * FROM {from}")).await;
    let statement = statement.map_err(|error| postgres::failure(&error))?;
    statement.columns().iter().map(|column| found(column, source)).collect()
}

fn found(column: &tokio_postgres::Column, source: &SqlSource) -> Result<Found, Failure> {
    let (name, pg_type) = (column.name(), column.type_().clone());
    let quoted = quoted(Dialect::Standard, name);
    // An integer that is declared to be a truth value is read as one: 0 and 1.
    let is_flag = source.declared.kind_of(name) == Some(Type::Boolean);
    let (wire, select) = match pg_type {
        PgType::INT2 | PgType::INT4 | PgType::INT8 if is_flag => (Wire::Text, format!("{quoted}::text")),
        PgType::INT2 => (Wire::Int2, quoted),
        PgType::INT4 => (Wire::Int4, quoted),
        PgType::INT8 => (Wire::Int8, quoted),
        PgType::FLOAT4 => (Wire::Float4, quoted),
        PgType::FLOAT8 => (Wire::Float8, quoted),
        PgType::BOOL => (Wire::Bool, quoted),
        PgType::DATE => (Wire::Date, quoted),
        PgType::TIMESTAMPTZ => (Wire::Timestamp, quoted),
        PgType::TIMESTAMP if source.time_zone.is_some() => {
            (Wire::Timestamp, format!("({quoted} AT TIME ZONE current_setting('salus.time_zone'))"))
        }
        PgType::TIMESTAMP => (Wire::Timestamp, quoted),
        PgType::TEXT | PgType::VARCHAR | PgType::NAME => (Wire::Text, quoted),
        PgType::NUMERIC => match numeric(column.type_modifier()) {
            Some(wire) => (wire, quoted),
            None => (Wire::Text, format!("{quoted}::text")),
        },
        PgType::BYTEA => {
            return Err(Failure::lasting(format!(
                "the column `{name}` is `bytea`, which pipelines do not read: name the columns you need in a `query`, \
                 or encode it there with `encode({quoted}, 'base64')`"
            )));
        }
        _ => (Wire::Text, format!("{quoted}::text")),
    };
    Ok(Found { name: name.into(), wire, select, pg_type })
}

/// Precision and scale of `numeric(p, s)`, when both fit; without them a numeric has any scale, so it stays text.
fn numeric(modifier: i32) -> Option<Wire> {
    let modifier = u32::try_from(modifier.checked_sub(4)?).ok()?;
    let precision = u8::try_from(modifier >> 16).ok().filter(|precision| (1..=38).contains(precision))?;
    // Eleven bits with a sign: scales below 0 and above the precision exist since PostgreSQL 15.
    let scale = u8::try_from(modifier & 0x7ff).ok().filter(|scale| *scale <= precision)?;
    Some(Wire::Numeric { precision, scale })
}

/// The type that a watermark is written as in the query; `None` when the column cannot be a cursor.
pub(super) fn cursor_type(pg_type: &PgType) -> Option<&'static str> {
    Some(match *pg_type {
        PgType::INT2 | PgType::INT4 | PgType::INT8 => "int8",
        PgType::DATE => "date",
        PgType::TIMESTAMP => "timestamp",
        PgType::TIMESTAMPTZ => "timestamptz",
        PgType::TEXT | PgType::VARCHAR => "text",
        _ => return None,
    })
}
