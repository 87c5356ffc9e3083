//! Cells of SQLite into builders. SQLite lets any cell hold anything: what is not of its column's declared type refuses its row.

use rusqlite::types::ValueRef;
use table::Type;

use crate::sql::{Cells, Rows, calendar, decimal_of as decimal};

/// The type of a column from its declaration; text when it has none, or one that says nothing.
pub(super) fn kind_of(declaration: Option<&str>) -> Type {
    let upper = declaration.unwrap_or_default().to_ascii_uppercase();
    let (name, arguments) = upper.split_once('(').unwrap_or((&upper, ""));
    let name = name.trim();
    match name {
        "DATE" => return Type::Date,
        "BOOLEAN" | "BOOL" => return Type::Boolean,
        "DATETIME" => return Type::Instant,
        _ if name.starts_with("TIMESTAMP") => return Type::Instant,
        "DECIMAL" | "NUMERIC" | "TEXT_DECIMAL" => return decimal_type(arguments).unwrap_or(Type::Text),
        _ => {}
    }
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(&["CHAR", "CLOB", "TEXT"]) {
        Type::Text
    } else if has(&["INT"]) {
        Type::Integer
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Type::Number
    } else {
        Type::Text
    }
}

fn decimal_type(arguments: &str) -> Option<Type> {
    let inner = arguments.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
    Type::parse(&format!("decimal({},{})", precision.trim(), scale.trim()))
}

const WRONG_TYPE: &str = "wrong_type";
/// Doubles hold every integer up to here.
const EXACT_MAX: u64 = 1 << 53;

/// Adds a cell.
#[inline]
pub(super) fn push(value: ValueRef<'_>, column: usize, kind: Type, rows: &mut Rows) {
    if let Err((reason, message)) = try_push(value, kind, rows.cells(column)) {
        rows.fault(column, reason, message, shown(value));
    }
}

type Wrong = (&'static str, &'static str);

const OTHER: Wrong = (WRONG_TYPE, "is of another type than its column is declared");

fn try_push(value: ValueRef<'_>, kind: Type, cells: &mut Cells) -> Result<(), Wrong> {
    match (cells, value) {
        (cells, ValueRef::Null) => cells.null(),
        (Cells::Text(cells), ValueRef::Text(bytes)) => cells.push(utf8(bytes)?),
        (Cells::Text(cells), ValueRef::Integer(n)) => cells.push(&n.to_string()),
        (Cells::Text(cells), ValueRef::Real(n)) => cells.push(&real_text(n)),
        (Cells::Integer(cells), ValueRef::Integer(n)) => cells.append_value(n),
        (Cells::Number(cells), ValueRef::Real(n)) => cells.append_value(n),
        (Cells::Number(cells), ValueRef::Integer(n)) if n.unsigned_abs() <= EXACT_MAX => {
            cells.append_value(n as f64);
        }
        (Cells::Boolean(cells), ValueRef::Integer(n @ (0 | 1))) => cells.append_value(n == 1),
        (Cells::Decimal(cells), value) => {
            let text = match value {
                ValueRef::Text(bytes) => utf8(bytes)?.to_owned(),
                ValueRef::Integer(n) => n.to_string(),
                ValueRef::Real(n) => n.to_string(),
                _ => return Err(OTHER),
            };
            let Type::Decimal { precision, scale } = kind else { return Err(OTHER) };
            let unscaled = decimal(&text, precision, scale);
            cells.append_value(unscaled.ok_or((WRONG_TYPE, "is not a decimal with the declared digits"))?);
        }
        (Cells::Date(cells), ValueRef::Text(bytes)) => {
            cells.append_value(
                calendar::parse_day(utf8(bytes)?)
                    .ok_or(("bad_date", "is not a day in the form `2026-01-31`"))?,
            );
        }
        (Cells::Instant(cells), ValueRef::Text(bytes)) => {
            let micros = calendar::parse_moment(utf8(bytes)?);
            cells.append_value(
                micros.ok_or(("bad_instant", "is not a moment in the form `2026-01-31T10:00:00Z`"))?,
            );
        }
        _ => return Err(OTHER),
    }
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes).map_err(|_| ("encoding", "is not text in UTF-8"))
}

/// A floating point number as text: `1.0` keeps its point, so that it does not look like an integer.
fn real_text(n: f64) -> String {
    let text = n.to_string();
    if n.is_finite() && !text.contains('.') { format!("{text}.0") } else { text }
}

/// A cell in text, for the quarantine.
fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(n) => real_text(n),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_have_types() {
        let check = |declaration, kind: &str| assert_eq!(kind_of(Some(declaration)).to_string(), kind);
        check("INTEGER", "integer");
        check("unsigned big int", "integer");
        check("VARCHAR(20)", "text");
        check("character varying(5)", "text");
        check("DOUBLE PRECISION", "number");
        check("decimal(10, 2)", "decimal(10,2)");
        check("TEXT_DECIMAL(38,10)", "decimal(38,10)");
        check("NUMERIC", "text");
        check("date", "date");
        check("timestamp with time zone", "instant");
        check("bool", "boolean");
        check("whatever", "text");
        assert_eq!(kind_of(None), Type::Text);
    }
}
