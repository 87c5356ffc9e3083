//! Tokens of codes, codings, concepts, identifiers, contact points and truth values.

use compact_str::CompactString;
use fhir::Value;
use fhir::definitions::ValueSet;

use crate::ParamId;
use crate::fold::fold;
use crate::rows::{IndexRows, OfTypeRow, TextRow, TokenRow};

pub(super) fn code(param: ParamId, value: &Value, set: Option<&ValueSet>, rows: &mut IndexRows) {
    let Some(code) = value.as_str() else { return };
    let system = set.and_then(|set| {
        let at = set.codes().partition_point(|own| own.code < code);
        set.codes().get(at).filter(|own| own.code == code).map(|own| CompactString::const_new(own.system))
    });
    rows.tokens.push(TokenRow { param, system, code: Some(code.into()) });
}

pub(super) fn coding(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let system = value.text("system").map(CompactString::from);
    let code = value.text("code").map(CompactString::from);
    let display = value.text("display");
    // A coding with a display only is still a value: `:missing=false` finds it.
    if system.is_some() || code.is_some() || display.is_some() {
        rows.tokens.push(TokenRow { param, system, code });
    }
    words(param, display, rows);
}

pub(super) fn concept(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let codings = value.get("coding").map(Value::each).unwrap_or_default();
    codings.iter().for_each(|value| coding(param, value, rows));
    let text = value.text("text");
    if codings.is_empty() && text.is_some() {
        rows.tokens.push(TokenRow { param, system: None, code: None });
    }
    words(param, text, rows);
}

pub(super) fn identifier(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let system = value.text("system").map(CompactString::from);
    let text = value.text("value");
    let ty = value.get("type");
    if system.is_some() || text.is_some() || ty.is_some() {
        rows.tokens.push(TokenRow { param, system, code: text.map(CompactString::from) });
    }
    let Some(ty) = ty else { return };
    words(param, ty.text("text"), rows);
    for coding in ty.get("coding").map(Value::each).unwrap_or_default() {
        words(param, coding.text("display"), rows);
        if let (Some(system), Some(code), Some(value)) = (coding.text("system"), coding.text("code"), text) {
            rows.of_types.push(OfTypeRow {
                param,
                system: system.into(),
                code: code.into(),
                value: value.into(),
            });
        }
    }
}

/// The system of a contact point is the kind of contact: `phone|555-1234`.
pub(super) fn contact(param: ParamId, value: &Value, rows: &mut IndexRows) {
    let system = value.text("system").map(CompactString::from);
    let code = value.text("value").map(CompactString::from);
    if system.is_some() || code.is_some() {
        rows.tokens.push(TokenRow { param, system, code });
    }
}

pub(super) fn boolean(param: ParamId, value: &Value, rows: &mut IndexRows) {
    if let Some(truth) = value.as_bool() {
        let code = CompactString::const_new(if truth { "true" } else { "false" });
        rows.tokens.push(TokenRow { param, system: None, code: Some(code) });
    }
}

pub(super) fn text(param: ParamId, value: &Value, rows: &mut IndexRows) {
    if let Some(text) = value.as_str() {
        rows.tokens.push(TokenRow { param, system: None, code: Some(text.into()) });
    }
}

fn words(param: ParamId, text: Option<&str>, rows: &mut IndexRows) {
    let Some(text) = text else { return };
    let text = fold(text);
    // Concept text and display are often the same.
    let known = rows.token_texts.last().is_some_and(|last| last.param == param && last.text == text);
    if !known && !text.is_empty() {
        rows.token_texts.push(TextRow { param, text });
    }
}
