//! Values of observations, with their units.

use fhir::Value;

use super::concept_of;

/// A value and, apart from it, its unit.
#[derive(Clone, PartialEq, Eq)]
pub struct Measured {
    /// `7.40`, `Never smoker`, `120 / 80`.
    pub value: String,
    /// `%`, `mm[Hg]`; empty when there is none.
    pub unit: String,
}

impl Measured {
    fn plain(value: impl Into<String>) -> Measured {
        Measured { value: value.into(), unit: String::new() }
    }
}

/// The value of an observation; of its parts when it has none itself.
pub fn measured_of(observation: &Value) -> Option<Measured> {
    if let Some(value) = value_of(observation) {
        return Some(value);
    }
    if let Some(why) = observation.get("dataAbsentReason").and_then(concept_of) {
        return Some(Measured::plain(format!("not known: {why}")));
    }
    let parts: Vec<(Option<String>, Measured)> = observation
        .get("component")?
        .each()
        .iter()
        .filter_map(|part| Some((part.get("code").and_then(concept_of), value_of(part)?)))
        .collect();
    let same_unit = parts.windows(2).all(|pair| pair[0].1.unit == pair[1].1.unit);
    if parts.len() == 2 && same_unit {
        let value = format!("{} / {}", parts[0].1.value, parts[1].1.value);
        return Some(Measured { value, unit: parts[0].1.unit.clone() });
    }
    let texts: Vec<String> = parts
        .into_iter()
        .map(|(name, part)| {
            let value =
                if part.unit.is_empty() { part.value } else { format!("{} {}", part.value, part.unit) };
            name.map_or_else(|| value.clone(), |name| format!("{name}: {value}"))
        })
        .collect();
    if texts.is_empty() { None } else { Some(Measured::plain(texts.join("; "))) }
}

fn value_of(element: &Value) -> Option<Measured> {
    let (name, value) = element.as_object()?.iter().find(|(name, _)| name.starts_with("value"))?;
    match name {
        "valueQuantity" => quantity_of(value),
        "valueCodeableConcept" => concept_of(value).map(Measured::plain),
        "valueBoolean" => value.as_bool().map(|truth| Measured::plain(if truth { "yes" } else { "no" })),
        "valueRange" | "valuePeriod" | "valueRatio" => between(value),
        _ => text_of(value).map(Measured::plain),
    }
}

/// A quantity with its comparator; numbers keep their text.
pub fn quantity_of(quantity: &Value) -> Option<Measured> {
    let number = quantity.get("value")?.as_number()?.as_str();
    let value = format!("{}{number}", quantity.text("comparator").unwrap_or_default());
    let unit = quantity.text("unit").or_else(|| quantity.text("code")).unwrap_or_default().to_string();
    Some(Measured { value, unit })
}

fn between(value: &Value) -> Option<Measured> {
    let side = |names: [&str; 3]| {
        let side = names.iter().find_map(|name| value.get(name))?;
        side.as_str().map(Measured::plain).or_else(|| quantity_of(side))
    };
    let (low, high) = (side(["low", "start", "numerator"]), side(["high", "end", "denominator"]));
    let mark = if value.get("numerator").is_some() { ":" } else { "–" };
    match (low, high) {
        (Some(low), Some(high)) => {
            Some(Measured { value: format!("{} {mark} {}", low.value, high.value), unit: high.unit })
        }
        (Some(only), None) => Some(Measured { value: format!("from {}", only.value), unit: only.unit }),
        (None, Some(only)) => Some(Measured { value: format!("to {}", only.value), unit: only.unit }),
        (None, None) => None,
    }
}

/// A primitive as text.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.as_str().to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;
    use fhir::json::Number;

    fn check(observation: &Value, expected: &str) {
        let shown =
            measured_of(observation).map_or("(nothing)".into(), |m| format!("{} {}", m.value, m.unit));
        assert_eq!(shown.trim_end(), expected);
    }

    #[test]
    fn values_in_words() {
        let number = |text: &str| Value::Number(Number::parse(text).unwrap());
        let quantity = |text: &str| json!({"value": (number(text)), "unit": "mm[Hg]"});
        check(&json!({"valueQuantity": (quantity("7.40"))}), "7.40 mm[Hg]");
        check(
            &json!({"component": [{"valueQuantity": (quantity("120"))}, {"valueQuantity": (quantity("80"))}]}),
            "120 / 80 mm[Hg]",
        );
        check(&json!({"valueCodeableConcept": {"text": "Never smoker"}}), "Never smoker");
        check(&json!({"valueBoolean": false}), "no");
        check(&json!({"dataAbsentReason": {"text": "refused"}}), "not known: refused");
        check(&json!({"valueRange": {"low": (quantity("1")), "high": (quantity("2"))}}), "1 – 2 mm[Hg]");
        check(&json!({"status": "final"}), "(nothing)");
    }
}
