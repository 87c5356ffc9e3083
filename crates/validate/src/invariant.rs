//! The invariants of R4 that are evaluated as FHIRPath: all that `rules.rs` and the walk do not check themselves.

use fhir::definitions::{self, TypeId};
use fhir::{Issue, IssueType, Value};
use fhirpath::{Context, Expression, Item, Limits};

use crate::info::info;
use crate::place::Place;
use crate::reference::Scope;
use crate::walk::Walk;

/// Checked elsewhere, faster. `dom-6` (a resource should have a narrative) is good practice that hardly anybody keeps: it is not reported.
#[rustfmt::skip]
const ELSEWHERE: &[&str] = &[
    "att-1", "bdl-5", "bdl-7", "bdl-8", "con-4", "con-5", "cpt-2", "csd-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ele-1",
    "ext-1", "obs-3", "obs-6", "obs-7", "pat-1", "per-1", "qty-3", "que-2", "que-7", "que-12", "ref-1", "tim-9", "txt-1", "txt-2",
];

/// How much one rule may cost; some compare each item with each other.
const LIMITS: Limits = Limits { steps_max: 1_000_000, items_max: 100_000, text_bytes_max: 1_000_000 };

/// A rule of a type, compiled.
pub(crate) struct Invariant {
    key: &'static str,
    is_error: bool,
    /// Of which element of the type it is, when not of the type itself.
    element: Option<&'static str>,
    text: &'static str,
    expression: Expression,
}

/// The rules of a type and its bases.
pub(crate) fn compile(ty: TypeId) -> Vec<Invariant> {
    let mut rules = Vec::new();
    let mut at = Some(ty);
    while let Some(ty) = at {
        rules.extend(of_path(ty.name(), None));
        for element in definitions::elements(ty) {
            let choice = if element.choice { "[x]" } else { "" };
            let path = format!("{ty}.{}{choice}", element.name);
            // A backbone element is a type of its own.
            if TypeId::named(&path).is_none() {
                rules.extend(of_path(&path, Some(element.name)));
            }
        }
        at = ty.base();
    }
    rules
}

fn of_path(path: &str, element: Option<&'static str>) -> impl Iterator<Item = Invariant> {
    definitions::invariants(path).iter().filter(|rule| !ELSEWHERE.contains(&rule.key)).map(move |rule| {
        let text = rule.expression;
        let whole = element.map_or_else(|| text.to_owned(), |name| format!("{name}.all({text})"));
        let expression = Expression::parse(&whole).expect("a test of this crate compiles every invariant");
        Invariant { key: rule.key, is_error: rule.is_error, element, text, expression }
    })
}

impl Walk {
    pub(crate) fn invariants(&mut self, ty: TypeId, value: &Value, place: &Place, scope: &Scope) {
        let rules = info(ty).invariants(ty);
        if rules.is_empty() {
            return;
        }
        let mut context =
            Context::of(Item::resource(scope.resource)).at(Item::element(ty, Some(value), None));
        context.root = Item::resource(scope.container);
        context.limits = LIMITS;
        for rule in rules {
            // A rule that gives nothing (a value is missing, or only an extension) is not surely broken.
            let mut is_false = false;
            let answer = rule.expression.each(&context, &mut |item| {
                is_false = item.as_bool() == Some(false);
                false
            });
            let issue = match answer {
                Ok(()) if !is_false => continue,
                Ok(()) => {
                    let text = format!("rule `{}` of R4 is broken: `{}`", rule.key, rule.text);
                    let severity = if rule.is_error { Issue::error } else { Issue::warning };
                    severity(IssueType::Invariant, rule.key, text)
                }
                Err(error) => {
                    let text = format!("rule `{}` of R4 could not be checked: {error}", rule.key);
                    Issue::warning(IssueType::NotSupported, "rule-not-checked", text)
                }
            };
            match rule.element {
                Some(element) => self.push(issue, &place.member(element)),
                None => self.push(issue, place),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_compiles() {
        let mut keys: Vec<&str> = TypeId::all().flat_map(compile).map(|rule| rule.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() > 180, "only {} rules", keys.len());
        for key in ["org-2", "ras-1", "eld-3", "que-5", "tim-8", "age-1"] {
            assert!(keys.contains(&key), "{key}");
        }
        assert!(ELSEWHERE.iter().all(|key| !keys.contains(key)));
    }
}
