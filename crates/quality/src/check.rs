//! What the checks of the table mean.

use fhir::{Instant, Object, Value};

use crate::dates::{at, date_at, days_between, days_since, has_day, is_future, is_later, least_years};
use crate::ranges::ranges_of;
use crate::score::Tally;
use crate::table::{Check, Rule};

const AGE_YEARS_MAX: f64 = 130.0;
const UCUM: &str = "http://unitsofmeasure.org";
const LOINC: &str = "http://loinc.org";

/// What is checked, and when.
pub(crate) struct Subject<'a> {
    pub(crate) object: &'a Object,
    pub(crate) now: Instant,
}

impl Subject<'_> {
    pub(crate) fn check(&self, rule: &Rule, tally: &mut Tally) {
        let object = self.object;
        let plain = |passed: bool, tally: &mut Tally| tally.count(rule, passed, || rule.place.to_owned());
        match rule.check {
            Check::Present(keys) => plain(keys.iter().any(|key| is_present(at(object, key))), tally),
            Check::PresentUnless(keys, status, exempt) => {
                if !is_one_of(object, status, exempt) {
                    plain(keys.iter().any(|key| is_present(at(object, key))), tally);
                }
            }
            Check::PresentWhen(keys, status, needed) => {
                if is_one_of(object, status, needed) {
                    plain(keys.iter().any(|key| is_present(at(object, key))), tally);
                }
            }
            Check::Known(key) => {
                let text = object.get(key).and_then(Value::as_str);
                plain(text.is_some_and(|text| text != "unknown"), tally);
            }
            Check::NotFuture(path) => self.with_date(path, |date| plain(!is_future(date, self.now), tally)),
            Check::HasDay(path) => self.with_date(path, |date| plain(has_day(date), tally)),
            Check::Order(first, second) => {
                if let (Some(first), Some(second)) = (date_at(object, first), date_at(object, second)) {
                    plain(!is_later(&first, &second), tally);
                }
            }
            Check::Age { birth, death } => self.with_date(birth, |date| {
                // One who is yet to be born has no age.
                if !is_future(date, self.now) {
                    let end = date_at(object, death).map_or(self.now.0, |death| death.period().low);
                    plain(least_years(date, end) <= AGE_YEARS_MAX, tally);
                }
            }),
            Check::WithinDays(first, second, days_max) => {
                // In the wrong order there is no delay; that they are is another rule.
                if let (Some(first), Some(second)) = (date_at(object, first), date_at(object, second))
                    && !is_later(&first, &second)
                {
                    plain(days_between(&first, &second) <= days_max, tally);
                }
            }
            Check::NotForgotten { status, active, since, days_max } => {
                if is_one_of(object, status, active) {
                    self.with_date(since, |date| plain(days_since(date, self.now) <= days_max, tally));
                }
            }
            Check::NotBoth(a, b) => {
                if is_present(object.get(a)) || is_present(object.get(b)) {
                    plain(!(is_present(object.get(a)) && is_present(object.get(b))), tally);
                }
            }
            Check::Coded(key) => each(object, key, rule, tally, is_coded),
            Check::Ucum(key) => each(object, key, rule, tally, is_ucum),
            Check::Member(key, member) => {
                each(object, key, rule, tally, |value| is_present(value.get(member)));
            }
            Check::Measured => self.measured(rule, tally),
            Check::Distinct(key) => self.distinct(key, rule, tally),
        }
    }

    fn with_date(&self, path: &str, then: impl FnOnce(&fhir::date::Date)) {
        if let Some(date) = date_at(self.object, path) {
            then(&date);
        }
    }

    /// The value of an observation and of each of its components, when its range is known.
    fn measured(&self, rule: &Rule, tally: &mut Tally) {
        if let Some(passed) = is_in_range(self.object) {
            tally.count(rule, passed, || "value".to_owned());
        }
        for (index, component) in items(self.object, "component").iter().enumerate() {
            if let Some(passed) = component.as_object().and_then(is_in_range) {
                tally.count(rule, passed, || format!("component[{index}].value"));
            }
        }
    }

    /// No item of a list equals another one; a list of one tells nothing.
    fn distinct(&self, key: &str, rule: &Rule, tally: &mut Tally) {
        let items = items(self.object, key);
        if items.len() < 2 {
            return;
        }
        // Lists of a resource are short; long ones are compared with their neighbours only, to stay linear.
        let window = if items.len() <= 32 { items.len() } else { 2 };
        let twice = (1..items.len()).find(|at| items[at.saturating_sub(window)..*at].contains(&items[*at]));
        tally.count(rule, twice.is_none(), || format!("{key}[{}]", twice.unwrap_or(0)));
    }
}

/// Checks each value of a member.
fn each(object: &Object, key: &str, rule: &Rule, tally: &mut Tally, test: impl Fn(&Value) -> bool) {
    let Some(value) = object.get(key) else { return };
    let list = value.as_array().is_some();
    for (index, item) in value.each().iter().enumerate() {
        let place = || if list { format!("{}[{index}]", rule.place) } else { rule.place.to_owned() };
        tally.count(rule, test(item), place);
    }
}

fn items<'a>(object: &'a Object, key: &str) -> &'a [Value] {
    object.get(key).map_or(&[], Value::items)
}

/// `false` and `0` are values; an empty text, list or object is none.
fn is_present(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(_) | Value::Number(_)) => true,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(items)) => items.iter().any(|item| is_present(Some(item))),
        Some(Value::Object(object)) => object.iter().any(|(_, value)| is_present(Some(value))),
    }
}

/// Is a code, or a coding of a concept, one of these.
fn is_one_of(object: &Object, key: &str, codes: &[&str]) -> bool {
    match object.get(key) {
        Some(Value::String(code)) => codes.contains(&code.as_str()),
        Some(concept) => concept
            .get("coding")
            .map_or(&[][..], Value::items)
            .iter()
            .filter_map(|coding| coding.text("code"))
            .any(|code| codes.contains(&code)),
        None => false,
    }
}

/// Has a concept a coding with system and code; a coding itself is looked at as well.
fn is_coded(value: &Value) -> bool {
    let complete = |coding: &Value| is_present(coding.get("system")) && is_present(coding.get("code"));
    match value.get("coding") {
        Some(codings) => codings.items().iter().any(complete),
        None => complete(value),
    }
}

fn is_ucum(quantity: &Value) -> bool {
    quantity.text("system") == Some(UCUM) && is_present(quantity.get("code"))
}

/// Is the measured value plausible; `None` when it is no quantity, or nothing is known of its code and unit.
fn is_in_range(observation: &Object) -> Option<bool> {
    let quantity = observation.get("valueQuantity")?;
    let unit = quantity.text("code").filter(|_| quantity.text("system") == Some(UCUM))?;
    let codings = observation.get("code")?.get("coding")?.items();
    let (_, low, high) = codings
        .iter()
        .filter(|coding| coding.text("system") == Some(LOINC))
        .flat_map(|coding| ranges_of(coding.text("code").unwrap_or_default()))
        .find(|(known, ..)| *known == unit)?;
    // For a comparison with wide bounds only; the stored number keeps its text.
    let value: f64 = quantity.get("value")?.as_number()?.as_str().parse().ok()?;
    Some((*low..=*high).contains(&value))
}
