//! Columns that have a type already: kept, or widened where that loses nothing.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt64Type};

use crate::typing::Fault;
use crate::typing::values::RowFault;
use crate::{TableError, Type};

/// Whether values of one type become values of another without losing anything: an integer becomes a decimal, a number or text; a
/// decimal a decimal with no fewer digits behind the point, or an integer when it has none; a date an instant (midnight UTC) or text;
/// everything but a floating point number becomes text. Values that do not fit are faults of their rows.
pub fn check_widening(found: Type, wanted: Type) -> Result<(), String> {
    let is_fine = found == wanted
        || match (found, wanted) {
            (Type::Number, _) => false,
            (Type::Text, _) | (_, Type::Text) => true,
            (Type::Integer, Type::Decimal { .. } | Type::Number) => true,
            (Type::Decimal { scale: 0, .. }, Type::Integer) => true,
            (Type::Decimal { scale, .. }, Type::Decimal { scale: more, .. }) => more >= scale,
            (Type::Date, Type::Instant) => true,
            _ => false,
        };
    if is_fine {
        Ok(())
    } else {
        Err(format!(
            "it is {found}, which does not become {wanted} without losing something: declare {found}, or cast it in the query"
        ))
    }
}

/// The largest integer up to which every integer is a double.
const EXACT_MAX: i64 = 1 << 53;

/// The array in another type. Values that do not fit are faults.
pub(crate) fn widen(
    name: &str,
    array: &ArrayRef,
    wanted: Type,
    faults: &mut Vec<RowFault>,
) -> Result<ArrayRef, TableError> {
    let unknown =
        || TableError::UnknownType { column: name.to_owned(), data_type: array.data_type().to_string() };
    let found = Type::of(array.data_type()).ok_or_else(unknown)?;
    check_widening(found, wanted).map_err(|_| TableError::WrongType {
        column: name.to_owned(),
        found: found.to_string(),
        wanted: wanted.to_string(),
    })?;
    if *array.data_type() == wanted.data_type() {
        return Ok(array.clone());
    }
    let before = faults.len();
    if *array.data_type() == DataType::UInt64 {
        let values = array.as_primitive::<UInt64Type>();
        let is_large = |row: &usize| !values.is_null(*row) && values.value(*row) > i64::MAX as u64;
        faults.extend((0..array.len()).filter(is_large).map(|row| (row, Fault::Range)));
    }
    // Through the type's own form first: 16-bit integers, other units of time.
    let own = match (array.data_type(), found) {
        (DataType::Timestamp(unit, _), _) => instants(array, *unit, faults)?,
        (DataType::Date32, Type::Date) if wanted == Type::Instant => midnights(array),
        _ => cast(array, &found.data_type())?,
    };
    if (found, wanted) == (Type::Integer, Type::Number) {
        let values = own.as_primitive::<Int64Type>();
        let is_large =
            |row: &usize| !values.is_null(*row) && values.value(*row).unsigned_abs() > EXACT_MAX as u64;
        faults.extend((0..own.len()).filter(is_large).map(|row| (row, Fault::Range)));
    }
    let widened = match (own.data_type() == &wanted.data_type(), found, wanted) {
        (true, ..) => own,
        (_, Type::Instant, Type::Text) => texts(&own)?,
        _ => cast(&own, &wanted.data_type())?,
    };
    let lost = |row: &usize| widened.is_null(*row) && !array.is_null(*row);
    let already: Vec<usize> = faults[before..].iter().map(|(row, _)| *row).collect();
    let more = (0..array.len()).filter(lost).filter(|row| !already.contains(row));
    faults.extend(more.map(|row| (row, Fault::Range)).collect::<Vec<_>>());
    Ok(widened)
}

/// Values that do not fit become null; the caller makes them faults.
fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, TableError> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    Ok(cast_with_options(array, to, &options)?)
}

/// Moments in any unit as microseconds in UTC; those without a zone are taken as UTC. A moment between two microseconds is a fault.
fn instants(array: &ArrayRef, unit: TimeUnit, faults: &mut Vec<RowFault>) -> Result<ArrayRef, TableError> {
    let raw = arrow::compute::cast(array, &DataType::Int64)?;
    let raw = raw.as_primitive::<Int64Type>();
    let micros = raw.unary_opt::<_, TimestampMicrosecondType>(|value| match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
    });
    if unit == TimeUnit::Nanosecond {
        let finer = raw.iter().enumerate().filter(|(_, value)| value.is_some_and(|value| value % 1_000 != 0));
        faults.extend(finer.map(|(row, _)| (row, Fault::Digits)));
    }
    Ok(Arc::new(micros.with_timezone("UTC")))
}

/// Days as their first moments in UTC.
fn midnights(days: &ArrayRef) -> ArrayRef {
    let days = days.as_primitive::<Date32Type>();
    let micros = days.unary::<_, TimestampMicrosecondType>(|day| i64::from(day) * 86_400_000_000);
    Arc::new(micros.with_timezone("UTC"))
}

/// Instants as [`crate::Value::to_text`] writes them.
fn texts(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let cells = (0..array.len()).map(|row| Ok(crate::Value::of(array, row)?.to_text()));
    let texts = cells.collect::<Result<arrow::array::StringViewArray, TableError>>()?;
    Ok(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Date32Array, Decimal128Array, Int16Array, Int64Array, TimestampMillisecondArray,
        TimestampNanosecondArray,
    };

    fn check(array: impl Array + 'static, wanted: &str, expected: &[Option<&str>], wrong: &[usize]) {
        let (array, mut faults): (ArrayRef, _) = (Arc::new(array), Vec::new());
        let widened = widen("x", &array, Type::parse(wanted).unwrap(), &mut faults).unwrap();
        let cells: Vec<_> =
            (0..widened.len()).map(|row| crate::Value::of(&widened, row).unwrap().to_text()).collect();
        let rows: Vec<usize> = faults.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, wrong);
        for (row, cell) in cells.iter().enumerate().filter(|(row, _)| !wrong.contains(row)) {
            assert_eq!(cell.as_deref(), expected[row]);
        }
    }

    #[test]
    fn values_are_widened_or_their_rows_are_faults() {
        check(Int16Array::from(vec![Some(7), None]), "integer", &[Some("7"), None], &[]);
        check(Int64Array::from(vec![7, 1_000]), "decimal(5,2)", &[Some("7.00"), None], &[1]);
        check(
            Int64Array::from(vec![1 << 53, (1 << 53) + 1]),
            "number",
            &[Some("9007199254740992"), None],
            &[1],
        );
        let decimals = || Decimal128Array::from(vec![150]).with_precision_and_scale(9, 2).unwrap();
        check(decimals(), "decimal(12,3)", &[Some("1.500")], &[]);
        check(decimals(), "text", &[Some("1.50")], &[]);
        let millis = TimestampMillisecondArray::from(vec![1_500]);
        check(millis.clone(), "instant", &[Some("1970-01-01T00:00:01.500000Z")], &[]);
        let nanos = TimestampNanosecondArray::from(vec![1_000, 1_001]).with_timezone("UTC");
        check(nanos, "instant", &[Some("1970-01-01T00:00:00.000001Z"), None], &[1]);
        check(Date32Array::from(vec![1]), "instant", &[Some("1970-01-02T00:00:00.000000Z")], &[]);
        check(Date32Array::from(vec![1]), "text", &[Some("1970-01-02")], &[]);
        check(millis, "text", &[Some("1970-01-01T00:00:01.500000Z")], &[]);
    }

    #[test]
    fn what_loses_something_is_refused() {
        let number = Type::Number;
        assert!(check_widening(number, Type::Integer).unwrap_err().contains("losing"));
        assert!(check_widening(number, Type::Decimal { precision: 9, scale: 2 }).is_err());
        assert!(check_widening(Type::Instant, Type::Date).is_err());
        let (two, three) =
            (Type::Decimal { precision: 9, scale: 2 }, Type::Decimal { precision: 9, scale: 3 });
        assert!(check_widening(two, three).is_ok() && check_widening(three, two).is_err());
    }
}
