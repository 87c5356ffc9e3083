//! Columns and cells of MySQL: which types they become, and cells into builders.

use std::sync::Arc;

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Value};
use table::Type;

use crate::source::declared::Declared;
use crate::sql::{Cells, Dialect, Failure, Rows, calendar, decimal_of, quoted};

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// A column as it is found.
pub(super) struct Found {
    pub(super) name: Arc<str>,
    pub(super) kind: Type,
    /// The expression that asks for it.
    pub(super) select: String,
    /// The expression holds a parameter: the zone of the column's moments.
    pub(super) has_zone: bool,
}

/// A column with its type.
pub(super) fn found(column: &Column, has_zone: bool, declared: &Declared) -> Result<Found, Failure> {
    let name: Arc<str> = column.name_str().as_ref().into();
    let select = quoted(Dialect::Mysql, &name);
    let plain = |kind| Ok(Found { name: name.clone(), kind, select: select.clone(), has_zone: false });
    let as_text = || {
        let select = format!("CAST({select} AS CHAR)");
        Ok(Found { name: name.clone(), kind: Type::Text, select, has_zone: false })
    };
    let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    // An integer that is declared to be a truth value is read as one: 0 and 1.
    let is_flag = declared.kind_of(&name) == Some(Type::Boolean);
    match column.column_type() {
        kind if is_flag && is_integer(kind) => as_text(),
        ColumnType::MYSQL_TYPE_LONGLONG if is_unsigned => plain(Type::Decimal { precision: 20, scale: 0 }),
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_YEAR => plain(Type::Integer),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            match decimal(column, is_unsigned) {
                Some(kind) => plain(kind),
                None => as_text(),
            }
        }
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => plain(Type::Number),
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => plain(Type::Date),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 if has_zone => Ok(Found {
            select: format!("CONVERT_TZ({select}, ?, '+00:00')"),
            name,
            kind: Type::Instant,
            has_zone: true,
        }),
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_TIMESTAMP
        | ColumnType::MYSQL_TYPE_TIMESTAMP2 => plain(Type::Instant),
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 | ColumnType::MYSQL_TYPE_JSON => as_text(),
        ColumnType::MYSQL_TYPE_BIT | ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => {
            Err(refused(&name))
        }
        ColumnType::MYSQL_TYPE_NULL => plain(Type::Text),
        _ if column.character_set() == BINARY => Err(refused(&name)),
        _ => plain(Type::Text),
    }
}

fn is_integer(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
    )
}

fn refused(name: &str) -> Failure {
    Failure::lasting(format!(
        "the column `{name}` holds bytes, which pipelines do not read: name the columns you need in a `query`, or encode it \
         there with `TO_BASE64`"
    ))
}

/// Precision and scale; the length counts the sign and the point.
fn decimal(column: &Column, is_unsigned: bool) -> Option<Type> {
    let scale = column.decimals();
    let precision = column.column_length().checked_sub(u32::from(scale > 0) + u32::from(!is_unsigned))?;
    let precision = u8::try_from(precision).ok().filter(|precision| (1..=38).contains(precision))?;
    (scale <= precision).then_some(Type::Decimal { precision, scale })
}

type Wrong = (&'static str, &'static str);
const ZERO_DATE: Wrong = ("zero_date", "is a date of zeros, which is no day of the calendar");
const OTHER: Wrong = ("wrong_type", "is of another type than its column");

/// Adds a cell.
#[inline]
pub(super) fn push(value: &Value, column: usize, kind: Type, rows: &mut Rows) {
    if let Err((reason, message)) = try_push(value, kind, rows.cells(column)) {
        rows.fault(column, reason, message, shown(value));
    }
}

fn try_push(value: &Value, kind: Type, cells: &mut Cells) -> Result<(), Wrong> {
    match (cells, value) {
        (cells, Value::NULL) => cells.null(),
        (Cells::Text(cells), Value::Bytes(bytes)) => {
            cells.push(std::str::from_utf8(bytes).map_err(|_| ("encoding", "is not text in UTF-8"))?);
        }
        (Cells::Integer(cells), Value::Int(n)) => cells.append_value(*n),
        (Cells::Integer(cells), Value::UInt(n)) => {
            cells.append_value(
                i64::try_from(*n).map_err(|_| ("out_of_range", "is larger than an integer may be"))?,
            );
        }
        (Cells::Number(cells), Value::Double(n)) => cells.append_value(*n),
        // The double that is written like the single: 0.1 stays 0.1.
        (Cells::Number(cells), Value::Float(n)) => {
            cells.append_value(n.to_string().parse().unwrap_or_else(|_| f64::from(*n)));
        }
        (Cells::Decimal(cells), value) => {
            let Type::Decimal { precision, scale } = kind else { return Err(OTHER) };
            let unscaled = match value {
                Value::Bytes(bytes) => {
                    std::str::from_utf8(bytes).ok().and_then(|text| decimal_of(text, precision, scale))
                }
                Value::UInt(n) if scale == 0 => Some((*n).into()),
                Value::Int(n) if scale == 0 => Some((*n).into()),
                _ => None,
            };
            cells.append_value(unscaled.ok_or(OTHER)?);
        }
        (Cells::Date(cells), Value::Date(year, month, day, ..)) => {
            let days = calendar::days_of(*year, *month, *day).ok_or(ZERO_DATE)?;
            cells.append_value(i32::try_from(days).map_err(|_| ZERO_DATE)?);
        }
        (Cells::Instant(cells), Value::Date(year, month, day, hour, minute, second, micros)) => {
            let days = calendar::days_of(*year, *month, *day).ok_or(ZERO_DATE)?;
            let seconds = i64::from(*hour) * 3_600 + i64::from(*minute) * 60 + i64::from(*second);
            cells.append_value((days * 86_400 + seconds) * 1_000_000 + i64::from(*micros));
        }
        _ => return Err(OTHER),
    }
    Ok(())
}

/// A cell in text, for the quarantine.
fn shown(value: &Value) -> String {
    match value {
        Value::NULL => String::new(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Date(year, month, day, hour, minute, second, _) => {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        Value::Time(..) => "a time".to_owned(),
    }
}
