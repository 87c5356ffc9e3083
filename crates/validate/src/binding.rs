//! Required bindings: codes come from the value set. Value sets that R4 does not list are not checked.

use std::fmt::Write;

use fhir::definitions::{BindingRef, Child, ValueSet};
use fhir::{IssueType, Object, Value};

use crate::place::Place;
use crate::walk::Walk;

/// So many codes of a value set are shown.
const CODES_SHOWN_MAX: usize = 12;

impl Walk {
    /// A primitive value: a `code`, or a `string` or `uri` that is bound.
    pub(crate) fn bound_code(&mut self, binding: BindingRef, code: &str, place: &Place) {
        if let Some(set) = binding.required_codes()
            && !set.has_code(code)
        {
            self.not_in_set(binding, set, place);
        }
    }

    pub(crate) fn bound_object(&mut self, child: Child, binding: BindingRef, object: &Object, place: &Place) {
        let Some(set) = binding.required_codes() else { return };
        let right = match child.ty.name() {
            "Coding" | "Quantity" => is_in(set, object),
            "CodeableConcept" => {
                let codings = object.get("coding").map_or(&[][..], Value::items);
                // Nothing but extensions says why there is no code.
                let silent = codings.is_empty() && !object.contains_key("text");
                silent || codings.iter().filter_map(Value::as_object).any(|coding| is_in(set, coding))
            }
            _ => true,
        };
        if !right {
            self.not_in_set(binding, set, place);
        }
    }

    fn not_in_set(&mut self, binding: BindingRef, set: &ValueSet, place: &Place) {
        let mut text = format!("a code of `{}` is required here", binding.url());
        let codes = set.codes();
        for (at, coded) in codes.iter().take(CODES_SHOWN_MAX).enumerate() {
            let _ = write!(text, "{}`{}`", if at == 0 { ": " } else { ", " }, coded.code);
        }
        if codes.len() > CODES_SHOWN_MAX {
            let _ = write!(text, ", ... ({} in all)", codes.len());
        }
        self.error(IssueType::CodeInvalid, "code-not-in-value-set", text, place);
    }
}

fn is_in(set: &ValueSet, coding: &Object) -> bool {
    let text = |key| coding.get(key).and_then(Value::as_str);
    text("code").is_some_and(|code| text("system").is_some_and(|system| set.contains(system, code)))
}
