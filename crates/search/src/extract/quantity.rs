//! Numbers and quantities as exact sort keys, with their canonical UCUM form.

use compact_str::CompactString;
use fhir::{Decimal, Value};

use crate::ParamId;
use crate::rows::{CanonicalValue, IndexRows, NumberRow, QuantityRow, QuantityValue};
use crate::unit::{self, UCUM};

/// The key below all numbers.
const LOWEST: &[u8] = &[];
/// The key above all numbers.
const HIGHEST: &[u8] = &[0xFF];
/// System of currency codes.
const CURRENCY: &str = "urn:iso:std:iso:4217";
/// Most values of sampled data that are looked at.
const SAMPLES_MAX: usize = 100_000;

pub(super) fn number(param: ParamId, value: &Value, rows: &mut IndexRows) {
    if let Some(key) = decimal(value).map(|number| number.key()) {
        rows.numbers.push(NumberRow { param, low: key.clone(), high: key });
    }
}

pub(super) fn number_range(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let end = |name| decimal(value.get(name)?.get("value")?).map(|number| number.key());
    let (low, high) = (end("low"), end("high"));
    if low.is_some() || high.is_some() {
        let low = low.unwrap_or_else(|| LOWEST.to_vec());
        rows.numbers.push(NumberRow { param, low, high: high.unwrap_or_else(|| HIGHEST.to_vec()) });
    }
}

pub(super) fn quantity(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let Some(number) = value.get("value").and_then(decimal) else { return };
    let (low, high) = match value.text("comparator") {
        Some("<" | "<=") => (None, Some(&number)),
        Some(">" | ">=") => (Some(&number), None),
        _ => (Some(&number), Some(&number)),
    };
    push(param, low, high, value, rows);
}

pub(super) fn money(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let Some(number) = value.get("value").and_then(decimal) else { return };
    let key = number.key();
    let code = value.text("currency").map(CompactString::from);
    let system = code.is_some().then(|| CompactString::const_new(CURRENCY));
    let value = QuantityValue { low: key.clone(), high: key, system, code, unit: None, canonical: None };
    rows.quantities.push(QuantityRow { param, value });
}

pub(super) fn range(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let end = |name| decimal(value.get(name)?.get("value")?);
    let (low, high) = (end("low"), end("high"));
    let unit =
        [value.get("low"), value.get("high")].into_iter().flatten().find(|end| end.get("value").is_some());
    if let Some(unit) = unit.filter(|_| low.is_some() || high.is_some()) {
        push(param, low.as_ref(), high.as_ref(), unit, rows);
    }
}

/// R4: the bounds of the values.
pub(super) fn sampled(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let Some(origin) = value.get("origin") else { return };
    let (Some(zero), Some(data)) = (origin.get("value").and_then(decimal), value.text("data")) else {
        return;
    };
    let factor = value.get("factor").and_then(decimal).unwrap_or_else(|| Decimal::from(1));
    let limit = |name| value.get(name).and_then(decimal);
    let (lower, upper) = (limit("lowerLimit"), limit("upperLimit"));
    let samples = data.split_ascii_whitespace().take(SAMPLES_MAX).filter_map(|sample| match sample {
        "E" => None,
        "L" => lower.clone(),
        "U" => upper.clone(),
        number => Decimal::parse(number),
    });
    let mut bounds: Option<(Decimal, Decimal)> = None;
    for sample in samples {
        bounds = Some(match bounds {
            None => (sample.clone(), sample),
            Some((low, high)) => (low.min(sample.clone()), high.max(sample)),
        });
    }
    let Some((low, high)) = bounds else { return };
    let (a, b) = (low.times(&factor).plus(&zero), high.times(&factor).plus(&zero));
    // A negative factor turns the order around.
    let (low, high) = if a.key() <= b.key() { (a, b) } else { (b, a) };
    push(param, Some(&low), Some(&high), origin, rows);
}

fn push(param: ParamId, low: Option<&Decimal>, high: Option<&Decimal>, unit: &Value, rows: &mut IndexRows) {
    let text = |name| unit.text(name).map(CompactString::from);
    let (system, code, unit) = (text("system"), text("code"), text("unit"));
    let ends = |key: &dyn Fn(&Decimal) -> Vec<u8>| {
        let low = low.map_or_else(|| LOWEST.to_vec(), key);
        (low, high.map_or_else(|| HIGHEST.to_vec(), key))
    };
    let canonical = match (&system, &code) {
        (Some(system), Some(code)) if system == UCUM => unit::cached(code).map(|unit| {
            let (low, high) = ends(&|number| unit.convert(number));
            CanonicalValue { low, high, unit: unit.canonical().into() }
        }),
        _ => None,
    };
    let (low, high) = ends(&Decimal::key);
    rows.quantities
        .push(QuantityRow { param, value: QuantityValue { low, high, system, code, unit, canonical } });
}

fn decimal(value: &Value) -> Option<Decimal> {
    Decimal::parse(value.as_number()?.as_str())
}
