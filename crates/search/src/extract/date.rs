//! Dates as periods: date, dateTime and instant by their precision, Period by its ends, Timing by its outer limits.

use fhir::date::parse_date;
use fhir::{Period, Value};

use crate::ParamId;
use crate::rows::{DateRow, IndexRows};

pub(super) fn date(param: ParamId, value: &Value, rows: &mut IndexRows) {
    push(param, covered(value), rows);
}

pub(super) fn period(param: ParamId, value: &Value, rows: &mut IndexRows) {
    push(param, period_of(value), rows);
}

/// R4: of a schedule only the outer limits matter.
pub(super) fn timing(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let events = value.get("event").map(Value::each).unwrap_or_default().iter().filter_map(covered);
    let bounds = value.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period_of);
    let outer =
        events.chain(bounds).reduce(|a, b| Period { low: a.low.min(b.low), high: a.high.max(b.high) });
    push(param, outer, rows);
}

/// The time that a date covers.
pub(crate) fn covered(value: &Value) -> Option<Period> {
    Some(parse_date(value.as_str()?)?.period())
}

/// A period; an end that is not stated is open. Without both ends there is none.
pub(crate) fn period_of(value: &Value) -> Option<Period> {
    let (start, end) = (value.get("start"), value.get("end"));
    if start.is_none() && end.is_none() {
        return None;
    }
    let low = start.and_then(covered).map_or(i64::MIN, |period| period.low);
    let high = end.and_then(covered).map_or(i64::MAX, |period| period.high);
    Some(Period { low, high })
}

fn push(param: ParamId, period: Option<Period>, rows: &mut IndexRows) {
    if let Some(Period { low, high }) = period {
        rows.dates.push(DateRow { param, low, high });
    }
}
