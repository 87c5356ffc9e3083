//! Walks a resource along the definitions: known elements, arrays, JSON types, choices, cardinality, extensions of primitives.

use fhir::definitions::{self, Child, Element, TypeId};
use fhir::{Issue, IssueType, Kind, Object, Resource, Severity, Value};

use crate::info::{Shape, bit, info};
use crate::place::Place;
use crate::primitive::{Primitive, Problem};
use crate::reference::{Entries, Scope};
use crate::{ISSUES_MAX, Level};

/// So many names of a choice are shown.
const KEYS_SHOWN_MAX: usize = 12;

/// A check on its way.
pub(crate) struct Walk {
    level: Level,
    issues: Vec<Issue>,
    n_errors: usize,
    n_warnings: usize,
}

impl Walk {
    pub(crate) fn new(level: Level) -> Walk {
        Walk { level, issues: Vec::new(), n_errors: 0, n_warnings: 0 }
    }

    /// A resource that stands alone.
    pub(crate) fn root(mut self, resource: &Resource) -> Vec<Issue> {
        let place = Place::root(resource.kind().name());
        self.resource(resource.kind(), resource.value(), resource.object(), &place, None);
        for (n_issues, severity) in [(self.n_errors, Severity::Error), (self.n_warnings, Severity::Warning)] {
            if n_issues > ISSUES_MAX {
                let text =
                    format!("there are {n_issues} of these: mend the first {ISSUES_MAX}, which are shown");
                let more = Issue::error(IssueType::TooCostly, "too-many-issues", text);
                self.issues.push(Issue { severity, ..more }.at(place.to_string()));
            }
        }
        self.issues
    }

    pub(crate) fn is_full(&self) -> bool {
        self.level >= Level::Full
    }

    /// Adds an error.
    pub(crate) fn error(
        &mut self,
        code: IssueType,
        slug: &'static str,
        text: impl Into<String>,
        place: &Place,
    ) {
        self.push(Issue::error(code, slug, text), place);
    }

    /// Adds an issue; of those beyond the limit only the number is kept.
    pub(crate) fn push(&mut self, issue: Issue, place: &Place) {
        let n_issues = if issue.is_error() { &mut self.n_errors } else { &mut self.n_warnings };
        *n_issues += 1;
        if *n_issues <= ISSUES_MAX {
            self.issues.push(issue.at(place.to_string()));
        }
    }

    fn resource(
        &mut self,
        kind: Kind,
        value: &Value,
        object: &Object,
        place: &Place,
        bundle: Option<&Entries>,
    ) {
        let own = (kind == Kind::BUNDLE && self.is_full()).then(|| Entries::of(object));
        let scope = Scope { kind, container: value, resource: value, bundle: own.as_ref().or(bundle) };
        self.object(TypeId::of_kind(kind), value, object, place, &scope);
        if self.is_full() {
            self.contained(object, place);
        }
    }

    /// A resource inside another one: its type is what it says. One in a bundle's entry is a container of its own.
    fn nested(&mut self, value: &Value, element: &Element, place: &Place, scope: &Scope) {
        let Value::Object(object) = value else {
            return self.json_type("a resource, which is an object", value, place);
        };
        let Some(kind) = object.get("resourceType").and_then(Value::as_str).and_then(Kind::parse) else {
            let text = "`resourceType` must name a resource type of R4";
            return self.error(IssueType::Structure, "resource-type", text, &place.member("resourceType"));
        };
        if element.name == "contained" {
            let scope = Scope { resource: value, ..*scope };
            self.object(TypeId::of_kind(kind), value, object, place, &scope);
        } else {
            self.resource(kind, value, object, place, scope.bundle);
        }
    }

    fn object(&mut self, ty: TypeId, whole: &Value, object: &Object, place: &Place, scope: &Scope) {
        let (mut seen, mut chosen) = (0u128, 0u128);
        for (key, value) in object.iter() {
            let sibling = key.strip_prefix('_');
            let name = sibling.unwrap_or(key);
            let child = definitions::child(ty, name)
                .filter(|child| sibling.is_none() || definitions::is_primitive(child.ty));
            let Some(child) = child else {
                if key != "resourceType" || ty.kind().is_none() {
                    self.unknown(ty, key, place);
                }
                continue;
            };
            let bit = bit(child.element.position);
            let alone = sibling.is_none() || !object.contains_key(name);
            if child.element.choice && alone {
                if chosen & bit != 0 {
                    self.second_choice(child.element, place);
                }
                chosen |= bit;
            }
            seen |= bit;
            let here = place.member(child.element.name);
            if sibling.is_some() {
                self.extensions(child, value, object.get(name), &here, scope);
            } else {
                self.values(child, value, || object.get(&format!("_{key}")), &here, scope);
            }
        }
        if self.is_full() {
            let info = info(ty);
            let missing = info.required & !seen;
            if missing != 0 {
                self.missing(ty, missing, place);
            }
            for rule in info.rules.iter().filter(|rule| (rule.broken)(object)) {
                let inner = place.member(rule.element);
                let place = if rule.element.is_empty() { place } else { &inner };
                self.error(IssueType::Invariant, rule.key, rule.text, place);
            }
            self.invariants(ty, whole, place, scope);
        }
    }

    /// The value or values of a member.
    fn values<'a>(
        &mut self,
        child: Child,
        value: &'a Value,
        sibling: impl Fn() -> Option<&'a Value>,
        place: &Place,
        scope: &Scope,
    ) {
        match value {
            Value::Array(items) if child.element.repeats() => {
                if items.is_empty() && self.is_full() {
                    let text = "an array is never empty: leave the element out";
                    self.error(IssueType::Structure, "empty-array", text, place);
                }
                for (at, item) in items.iter().enumerate() {
                    let place = place.item(at);
                    if item.is_null() && is_extended(sibling(), at) {
                        continue;
                    }
                    self.value(child, item, &place, scope);
                }
            }
            Value::Array(_) => {
                let text =
                    format!("`{}` occurs once: write the value itself, not an array", child.element.name);
                self.error(IssueType::Structure, "array-not-allowed", text, place);
            }
            _ if child.element.repeats() => {
                let text = format!("`{}` may repeat: write an array, with `[` and `]`", child.element.name);
                self.error(IssueType::Structure, "array-needed", text, place);
            }
            one => self.value(child, one, place, scope),
        }
    }

    fn value(&mut self, child: Child, value: &Value, place: &Place, scope: &Scope) {
        match (info(child.ty).shape, value) {
            (Shape::Primitive(primitive), _) => self.primitive(child, primitive, value, place),
            (Shape::AnyResource, _) => self.nested(value, child.element, place, scope),
            (shape, Value::Object(object)) => {
                self.object(child.ty, value, object, place, scope);
                if self.is_full() {
                    self.complex(child, shape, object, place, scope);
                }
            }
            _ => self.json_type("an object", value, place),
        }
    }

    fn complex(&mut self, child: Child, shape: Shape, object: &Object, place: &Place, scope: &Scope) {
        if object.iter().all(|(key, _)| key == "id") {
            let text = "an element has a value or children: leave it out when there is nothing to say";
            self.error(IssueType::Invariant, "empty-object", text, place);
        }
        if shape == Shape::Reference {
            self.reference(child.element, object, place, scope);
        }
        if child.element.simple_quantity && child.ty.name() == "Quantity" && object.contains_key("comparator")
        {
            let text = "a quantity without comparator is needed here: leave `comparator` out";
            self.error(IssueType::Invariant, "sqq-1", text, &place.member("comparator"));
        }
        if let Some(binding) = child.element.binding {
            self.bound_object(child, binding, object, place);
        }
    }

    fn primitive(&mut self, child: Child, primitive: Primitive, value: &Value, place: &Place) {
        match primitive.check(value) {
            Err(Problem::JsonType(needed)) => self.json_type(needed, value, place),
            Err(Problem::Format(slug, needed)) => self.error(IssueType::Value, slug, needed, place),
            Ok(()) => {
                if let (true, Some(binding), Value::String(code)) =
                    (self.is_full(), child.element.binding, value)
                {
                    self.bound_code(binding, code, place);
                }
            }
        }
    }

    fn json_type(&mut self, needed: &str, value: &Value, place: &Place) {
        let text = format!("needed here is {needed}; this is {}", value.type_name());
        self.error(IssueType::Structure, "wrong-json-type", text, place);
    }

    fn second_choice(&mut self, element: &Element, place: &Place) {
        let text = format!("`{}[x]` has one value of one type: keep one of them", element.name);
        self.error(IssueType::Structure, "two-choices", text, &place.member(element.name));
    }

    fn unknown(&mut self, ty: TypeId, key: &str, place: &Place) {
        let here = place.member(key);
        let elements = definitions::elements(ty);
        let name = key.strip_prefix('_').unwrap_or(key);
        let choice = elements.iter().find(|element| element.choice && name.starts_with(element.name));
        let text = if let Some(choice) = choice {
            let key = |ty: &TypeId| format!("`{}`", definitions::choice_key(choice.name, ty.name()));
            let keys: Vec<String> = choice.types.iter().take(KEYS_SHOWN_MAX).map(key).collect();
            let more = if choice.types.len() > KEYS_SHOWN_MAX { ", ..." } else { "" };
            format!("`{}[x]` is written with its type: {}{more}", choice.name, keys.join(", "))
        } else if let Some(near) = elements.iter().find(|element| element.name.eq_ignore_ascii_case(name)) {
            format!("`{ty}` has no such element; is `{}` meant", near.name)
        } else if name != key && definitions::child(ty, name).is_some() {
            "only primitive elements have a `_` beside them: put the extension into the element".to_owned()
        } else {
            format!("`{ty}` has no such element: take it out, or send it as an extension")
        };
        self.error(IssueType::Structure, "unknown-element", text, &here);
    }

    fn missing(&mut self, ty: TypeId, missing: u128, place: &Place) {
        for element in definitions::elements(ty).iter().filter(|element| missing & bit(element.position) != 0)
        {
            let text = format!("`{}` is required in `{ty}`", element.name);
            self.error(IssueType::Required, "required-element", text, &place.member(element.name));
        }
    }

    /// `_name`: ids and extensions beside a primitive value or, with gaps, beside an array of them.
    fn extensions(
        &mut self,
        child: Child,
        value: &Value,
        values: Option<&Value>,
        place: &Place,
        scope: &Scope,
    ) {
        if !child.element.repeats() {
            return self.extended(child, value, place, scope);
        }
        let Value::Array(items) = value else {
            let text = format!("`_{}` is an array, as `{}` is", child.element.name, child.element.name);
            return self.error(IssueType::Structure, "array-needed", text, place);
        };
        if values.is_some_and(|values| values.items().len() != items.len()) {
            let text = "the arrays with and without `_` have the same length: fill the gaps with `null`";
            self.error(IssueType::Structure, "arrays-differ-in-length", text, place);
        }
        for (at, item) in items.iter().enumerate() {
            let place = place.item(at);
            if !item.is_null() {
                self.extended(child, item, &place, scope);
            } else if values.is_none() {
                let text = "here is neither a value nor an extension: take the item out";
                self.error(IssueType::Structure, "empty-item", text, &place);
            }
        }
    }

    fn extended(&mut self, child: Child, value: &Value, place: &Place, scope: &Scope) {
        let Value::Object(object) = value else {
            return self.json_type("an object with `id` or `extension`", value, place);
        };
        self.object(child.ty, value, object, place, scope);
        if self.is_full() && object.is_empty() {
            let text = "here is neither a value nor an extension: leave it out";
            self.error(IssueType::Invariant, "empty-object", text, place);
        }
    }
}

/// Has the sibling array an extension at a position.
fn is_extended(sibling: Option<&Value>, at: usize) -> bool {
    sibling.and_then(|sibling| sibling.items().get(at)).is_some_and(|item| !item.is_null())
}
