//! Building blocks of resources as JSON: codes, quantities, references. Knows nothing of people.

use compact_str::{CompactString, ToCompactString, format_compact};
use fhir::json::Number;
use fhir::{Object, Value};

pub(crate) const LOINC: &str = "http://loinc.org";
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
pub(crate) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(crate) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(crate) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(crate) const GRAVITY: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
pub(crate) const US_CORE_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
pub(crate) const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
pub(crate) const UCUM: &str = "http://unitsofmeasure.org";

/// A code of a code system with the name people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
}

/// A code of any system.
pub(crate) const fn code(system: &'static str, code: &'static str, display: &'static str) -> Code {
    Code { system, code, display }
}

/// A code of LOINC.
pub(crate) const fn loinc(code: &'static str, display: &'static str) -> Code {
    Code { system: LOINC, code, display }
}

/// A code of SNOMED CT.
pub(crate) const fn snomed(code: &'static str, display: &'static str) -> Code {
    Code { system: SNOMED, code, display }
}

impl Code {
    /// A Coding.
    pub(crate) fn coding(self) -> Value {
        let display = if self.display.is_empty() { Value::Null } else { word(self.display) };
        object([("system", word(self.system)), ("code", word(self.code)), ("display", display)])
    }

    /// A CodeableConcept of this code alone.
    pub(crate) fn concept(self) -> Value {
        concept(&[self], "")
    }
}

/// A CodeableConcept of several codes, with a text when it is not empty.
pub(crate) fn concept(codes: &[Code], text: &'static str) -> Value {
    let codings = codes.iter().map(|code| code.coding()).collect::<Vec<_>>();
    let text = if text.is_empty() { Value::Null } else { word(text) };
    object([("coding", codings.into()), ("text", text)])
}

/// A fixed text; it is not copied.
pub(crate) fn word(text: &'static str) -> Value {
    Value::String(CompactString::const_new(text))
}

/// An object of the members that are not `null`.
pub(crate) fn object<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    let kept = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(key, value)| (CompactString::const_new(key), value)).collect::<Object>())
}

/// A list of one.
pub(crate) fn one(value: Value) -> Value {
    Value::Array(vec![value])
}

/// A reference to a resource by type and id.
pub(crate) fn reference(kind: &str, id: &str) -> Value {
    object([("reference", format_compact!("{kind}/{id}").into())])
}

/// A decimal with `scale` digits behind the point, rounded half away from zero.
pub(crate) fn decimal(value: f64, scale: u32) -> Value {
    let units = (value * 10_f64.powi(i32::try_from(scale).expect("scales are small"))).round() as i64;
    let text = match scale {
        0 => units.to_compact_string(),
        _ => {
            let (sign, size, unit) = (if units < 0 { "-" } else { "" }, units.abs(), 10_i64.pow(scale));
            format_compact!("{sign}{}.{:0width$}", size / unit, size % unit, width = scale as usize)
        }
    };
    Value::Number(Number::parse(&text).expect("digits with a point are a number"))
}

/// A Quantity in a UCUM unit.
pub(crate) fn quantity(value: f64, scale: u32, unit: &'static str, ucum: &'static str) -> Value {
    object([
        ("value", decimal(value, scale)),
        ("unit", word(unit)),
        ("system", word(UCUM)),
        ("code", word(ucum)),
    ])
}

/// Money in US dollars, from cents.
pub(crate) fn money(cents: i64) -> Value {
    let text = format_compact!("{}.{:02}", cents / 100, cents % 100);
    let value = Number::parse(&text).expect("digits with a point are a number");
    object([("value", Value::Number(value)), ("currency", word("USD"))])
}

/// An Identifier with a type of HL7 table 0203.
pub(crate) fn identifier(kind: &'static str, system: &'static str, value: CompactString) -> Value {
    object([
        ("type", code(IDENTIFIER_TYPE, kind, "").concept()),
        ("system", word(system)),
        ("value", value.into()),
    ])
}

/// A Period.
pub(crate) fn period(start: CompactString, end: Option<CompactString>) -> Value {
    object([("start", start.into()), ("end", end.map_or(Value::Null, Value::from))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        for (value, scale, expected) in [
            (7.04, 1, "7.0"),
            (98.6, 0, "99"),
            (-0.05, 2, "-0.05"),
            (120.0, 2, "120.00"),
            (0.125, 3, "0.125"),
        ] {
            assert_eq!(decimal(value, scale).to_text(), expected);
        }
    }

    #[test]
    fn absent_members_are_left_out() {
        let value = object([("a", Value::Null), ("b", word("c"))]);
        assert_eq!(value.to_text(), r#"{"b":"c"}"#);
        assert_eq!(reference("Patient", "1").to_text(), r#"{"reference":"Patient/1"}"#);
    }
}
