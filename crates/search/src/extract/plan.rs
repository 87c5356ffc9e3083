//! The search expressions of one resource type as one tree of JSON keys, so that a resource is walked once and shared prefixes are followed once.

use std::sync::OnceLock;

use compact_str::{CompactString, format_compact};
use fhir::Kind;
use fhir::definitions::{self, Element, SearchType, TypeId};
use fhirpath::Expression;

use super::convert::{self, Convert};
use super::path::{self, Guard, Path, Step};
use crate::ParamId;
use crate::param::{ParamDef, Source};

/// Everything that is extracted from one resource type.
pub(crate) struct Plan {
    pub(super) root: Node,
    /// Reference parameters whose values are addresses.
    addresses: Vec<ParamId>,
    /// What is more than a path.
    pub(super) expressions: Vec<(ParamId, SearchType, Expression)>,
}

/// What happens at an element, and below it.
pub(super) struct Node {
    ty: TypeId,
    /// Sorted by key; several with one key differ in their guard.
    edges: Vec<Edge>,
    pub(super) emits: Vec<Emit>,
}

/// The way to a member.
pub(super) struct Edge {
    key: CompactString,
    pub(super) guard: Guard,
    pub(super) node: Node,
}

/// A value of a parameter.
pub(super) enum Emit {
    Value { param: ParamId, convert: Convert, leads_to: Option<Kind> },
    Composite(Composite),
}

/// A composite on the element where it stands.
pub(super) struct Composite {
    pub(super) param: ParamId,
    pub(super) parts: Vec<Part>,
}

/// How the values of one component are found.
pub(super) struct Part {
    pub(super) ty: SearchType,
    /// From the element.
    pub(super) here: Node,
    /// From the resource.
    pub(super) root: Option<Node>,
}

/// The plan of a type, built when the first resource of it comes.
pub(crate) fn plan(kind: Kind) -> &'static Plan {
    static PLANS: [OnceLock<Plan>; 146] = [const { OnceLock::new() }; 146];
    PLANS[kind.index()].get_or_init(|| Plan::build(kind))
}

impl Plan {
    fn build(kind: Kind) -> Plan {
        let root = Node::of(TypeId::of_kind(kind));
        let mut plan = Plan { root, addresses: Vec::new(), expressions: Vec::new() };
        for param in ParamId::of_kind(kind) {
            let def = param.def();
            let Source::Expression(expression) = def.source else { continue };
            match path::parse(expression) {
                Some(paths) => {
                    for path in &paths {
                        plan.root.insert(&path.steps, &Goal { param, def }, None);
                    }
                }
                None => {
                    let parsed = Expression::parse(expression).expect("the expressions of R4 are FHIRPath");
                    plan.expressions.push((param, def.ty, parsed));
                }
            }
        }
        let mut references = Vec::new();
        plan.root.params(&mut plan.addresses, |convert| matches!(convert, Convert::AddressReference));
        plan.root.params(&mut references, |convert| {
            matches!(convert, Convert::Reference | Convert::ResourceReference)
        });
        // An extension may have a value of any type; where R4 says which, it is a reference.
        plan.addresses.retain(|param| !references.contains(param));
        plan
    }

    /// Are the values of a reference parameter of the type addresses (`canonical`, `uri`) and no references.
    pub(crate) fn holds_addresses(&self, param: ParamId) -> bool {
        self.addresses.contains(&param)
    }
}

/// What a path leads to.
struct Goal<'d> {
    param: ParamId,
    def: &'d ParamDef,
}

impl Node {
    fn of(ty: TypeId) -> Node {
        Node { ty, edges: Vec::new(), emits: Vec::new() }
    }

    /// The ways on by a key.
    pub(super) fn edges(&self, key: &str) -> &[Edge] {
        let start = self.edges.partition_point(|edge| edge.key.as_str() < key);
        let n_same = self.edges[start..].iter().take_while(|edge| edge.key == key).count();
        &self.edges[start..start + n_same]
    }

    /// Is there nothing below.
    pub(super) fn is_leaf(&self) -> bool {
        self.edges.is_empty()
    }

    /// Gathers the parameters that have a wanted conversion here or below.
    fn params(&self, into: &mut Vec<ParamId>, wanted: fn(Convert) -> bool) {
        for emit in &self.emits {
            if let Emit::Value { param, convert, .. } = emit
                && wanted(*convert)
            {
                into.push(*param);
            }
        }
        self.edges.iter().for_each(|edge| edge.node.params(into, wanted));
    }

    fn insert(&mut self, steps: &[Step], goal: &Goal<'_>, from: Option<(&'static Element, Option<Kind>)>) {
        let Some((step, rest)) = steps.split_first() else { return self.finish(goal, from) };
        let elements = definitions::elements(self.ty);
        let Some(element) = elements.iter().find(|element| element.name == step.name) else { return };
        for ty in element.types.iter().filter(|ty| step.ty.is_none_or(|wanted| is_type(**ty, wanted))) {
            let key = if element.choice { choice_key(element.name, ty.name()) } else { element.name.into() };
            self.edge(key, step.guard, *ty).insert(rest, goal, Some((element, step.leads_to)));
        }
    }

    fn edge(&mut self, key: CompactString, guard: Guard, ty: TypeId) -> &mut Node {
        let known = self.edges.iter().position(|edge| edge.key == key && edge.guard == guard);
        let at = known.unwrap_or_else(|| {
            let at = self.edges.partition_point(|edge| edge.key <= key);
            self.edges.insert(at, Edge { key, guard, node: Node::of(ty) });
            at
        });
        &mut self.edges[at].node
    }

    fn finish(&mut self, goal: &Goal<'_>, from: Option<(&'static Element, Option<Kind>)>) {
        let (param, def) = (goal.param, goal.def);
        if def.ty == SearchType::Composite {
            self.emits.push(Emit::Composite(Composite::of(goal, self.ty)));
            return;
        }
        let element = from.map(|(element, _)| element);
        if let Some(mut convert) = convert::choose(def.ty, self.ty, element) {
            if def.code == "phonetic" {
                convert = Convert::NameSounds;
            }
            self.emits.push(Emit::Value { param, convert, leads_to: from.and_then(|(_, kind)| kind) });
        } else if self.ty.name() == "Extension" {
            // The expression ends at the extension; what it says is its value.
            let value = Step { name: "value", ty: None, guard: Guard::None, leads_to: None };
            self.insert(&[value], goal, None);
        }
        // Else a choice has a type that R4 does not search by this parameter, such as a string among dates.
    }
}

impl Composite {
    fn of(goal: &Goal<'_>, ty: TypeId) -> Composite {
        let parts = goal.def.components.iter().map(|component| {
            let def = ParamDef { ty: component.ty, components: Vec::new(), ..goal.def.clone() };
            let goal = Goal { param: goal.param, def: &def };
            let paths: Vec<Path> = path::parse(component.expression).unwrap_or_default();
            let mut part = Part { ty: component.ty, here: Node::of(ty), root: None };
            for path in paths {
                let node = if path.from_root {
                    part.root.get_or_insert_with(|| Node::of(TypeId::of_kind(goal.def.kind)))
                } else {
                    &mut part.here
                };
                node.insert(&path.steps, &goal, None);
            }
            part
        });
        Composite { param: goal.param, parts: parts.collect() }
    }
}

/// R4 writes `DateTime` in one expression where it means `dateTime`.
fn is_type(ty: TypeId, wanted: &str) -> bool {
    ty.name() == wanted || (wanted == "DateTime" && ty.name() == "dateTime")
}

/// `value` and `dateTime` make `valueDateTime`.
fn choice_key(name: &str, ty: &str) -> CompactString {
    let (first, rest) = ty.split_at(1);
    format_compact!("{name}{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn params_of(node: &Node, found: &mut BTreeSet<ParamId>) {
        for emit in &node.emits {
            match emit {
                Emit::Value { param, .. } => found.insert(*param),
                Emit::Composite(composite) => {
                    for part in &composite.parts {
                        let mut inside = BTreeSet::new();
                        params_of(&part.here, &mut inside);
                        part.root.iter().for_each(|root| params_of(root, &mut inside));
                        assert!(!inside.is_empty(), "a part of {} finds nothing", composite.param);
                    }
                    found.insert(composite.param)
                }
            };
        }
        node.edges.iter().for_each(|edge| params_of(&edge.node, found));
    }

    #[test]
    fn addresses_are_told_from_references() {
        let holds: Vec<ParamId> = ParamId::all().filter(|param| param.holds_addresses()).collect();
        assert!((70..100).contains(&holds.len()), "{}", holds.len());
        let mixed = ParamId::find(Kind::named("DiagnosticReport"), "assessed-condition").unwrap();
        assert!(!holds.contains(&mixed));
    }

    #[test]
    fn every_parameter_of_r4_finds_something() {
        let mut without = Vec::new();
        let mut by_expression = Vec::new();
        for kind in Kind::all() {
            let plan = plan(kind);
            let mut found = BTreeSet::new();
            params_of(&plan.root, &mut found);
            by_expression.extend(plan.expressions.iter().map(|(param, _, _)| param.to_string()));
            for param in ParamId::of_kind(kind) {
                let planned = plan.expressions.iter().any(|(other, _, _)| *other == param);
                if matches!(param.def().source, Source::Expression(_)) && !planned && !found.contains(&param)
                {
                    without.push(param.to_string());
                }
            }
        }
        assert_eq!(by_expression, ["Patient.deceased", "QuestionnaireResponse.item-subject"]);
        assert!(without.is_empty(), "{without:?}");
    }
}
