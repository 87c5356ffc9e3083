//! The table of types, parsed once from `types.txt`, and the index from JSON keys to elements.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::{BindingRef, Child, Element, Strength, TypeId, lines};
use crate::Kind;

/// Everything about types.
pub(super) struct Table {
    pub(super) types: Vec<Type>,
    pub(super) by_name: HashMap<&'static str, TypeId>,
    /// Short addresses of the value sets of required bindings.
    pub(super) required: Vec<&'static str>,
}

/// One type.
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) base: Option<TypeId>,
    is_abstract: bool,
    primitive: bool,
    elements: &'static [Element],
    index: Index,
}

/// The element and type of a JSON key; `None` for a key that the type does not have (`resourceType` is no element). Keys of extensions
/// of primitives (`_birthDate`) are asked for without the `_`.
pub fn child(ty: TypeId, key: &str) -> Option<Child> {
    of(ty).index.get(key)
}

/// The elements in order, inherited ones first.
pub fn elements(ty: TypeId) -> &'static [Element] {
    of(ty).elements
}

/// Is it a primitive type, a value with an `_` sibling in JSON.
pub fn is_primitive(ty: TypeId) -> bool {
    of(ty).primitive
}

/// Is it only a base of others: `Element`, `BackboneElement`, `Resource`, `DomainResource`.
pub fn is_abstract(ty: TypeId) -> bool {
    of(ty).is_abstract
}

/// The table.
pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| parse(include_str!("../../definitions/types.txt")))
}

pub(super) fn of(ty: TypeId) -> &'static Type {
    &table().types[usize::from(ty.0)]
}

/// A type as the file has it, before its base is known.
struct Raw {
    name: &'static str,
    base: &'static str,
    marks: &'static str,
    lines: Vec<&'static str>,
}

fn parse(text: &'static str) -> Table {
    let mut raws: Vec<Raw> = Vec::with_capacity(700);
    for line in lines(text) {
        if let Some(element) = line.strip_prefix(' ') {
            raws.last_mut().expect("a type comes before its elements").lines.push(element);
        } else {
            let (name, rest) = line.split_once(" <").expect("a type names its base");
            let mut words = rest.split_whitespace();
            let base = words.next().unwrap_or("");
            // The two types without a base are abstract.
            let (base, marks) = if base == "a" { ("", "a") } else { (base, words.next().unwrap_or("")) };
            raws.push(Raw { name, base, marks, lines: Vec::new() });
        }
    }
    let by_name: HashMap<&'static str, TypeId> = raws
        .iter()
        .enumerate()
        .map(|(at, raw)| (raw.name, TypeId(u16::try_from(at).expect("fewer than 65,536 types"))))
        .collect();
    let mut pools = Pools {
        by_name: &by_name,
        types: HashMap::new(),
        targets: HashMap::new(),
        required: Vec::new(),
        numbers: HashMap::new(),
    };
    let own: Vec<Vec<Element>> =
        raws.iter().map(|raw| raw.lines.iter().map(|line| pools.element(line)).collect()).collect();
    let types = raws
        .iter()
        .map(|raw| {
            let elements: &'static [Element] = Box::leak(inherited(raw, &raws, &own, &by_name).into());
            Type {
                name: raw.name,
                base: by_name.get(raw.base).copied(),
                is_abstract: raw.marks == "a",
                primitive: raw.marks == "p",
                elements,
                index: Index::of(elements, &raws),
            }
        })
        .collect();
    let required = pools.required;
    Table { types, by_name, required }
}

/// Own elements behind those of the base.
fn inherited(
    raw: &Raw,
    raws: &[Raw],
    own: &[Vec<Element>],
    by_name: &HashMap<&'static str, TypeId>,
) -> Vec<Element> {
    let at = |name: &str| by_name.get(name).map(|ty| usize::from(ty.0));
    let mut chain = Vec::new();
    let mut name = raw.name;
    while let Some(here) = at(name) {
        chain.push(here);
        name = raws[here].base;
    }
    let mut elements: Vec<Element> = chain.iter().rev().flat_map(|here| own[*here].iter().copied()).collect();
    elements.iter_mut().enumerate().for_each(|(at, element)| element.position = at);
    elements
}

/// Lists that many elements share.
struct Pools<'a> {
    by_name: &'a HashMap<&'static str, TypeId>,
    types: HashMap<&'static str, (&'static [TypeId], &'static [Kind])>,
    targets: HashMap<&'static str, &'static [Kind]>,
    required: Vec<&'static str>,
    numbers: HashMap<&'static str, u16>,
}

impl Pools<'_> {
    fn element(&mut self, line: &'static str) -> Element {
        let mut words = line.split(' ');
        let mut word = || words.next().expect("an element has four words");
        let (name, cardinality, flags, types) = (word(), word(), word(), word());
        let (min, max) = cardinality.split_once("..").expect("cardinality is `min..max`");
        let (types, targets) = self.types_of(types);
        Element {
            name: name.strip_suffix("[x]").unwrap_or(name),
            choice: name.ends_with("[x]"),
            position: 0, // given when the elements of the type are put together
            min: min.parse().expect("the least number is a number"),
            max: max.parse().ok(),
            summary: flags.contains('s'),
            modifier: flags.contains('m'),
            simple_quantity: line.contains("SimpleQuantity"),
            types,
            targets,
            binding: words.next().map(|text| self.binding(text)),
        }
    }

    fn binding(&mut self, text: &'static str) -> BindingRef {
        let (mark, name) = text.split_at(1);
        let strength = match mark {
            "!" => Strength::Required,
            "+" => Strength::Extensible,
            "~" => Strength::Preferred,
            _ => Strength::Example,
        };
        let number = (strength == Strength::Required).then(|| {
            *self.numbers.entry(name).or_insert_with(|| {
                self.required.push(name);
                u16::try_from(self.required.len() - 1).expect("fewer than 65,536 value sets")
            })
        });
        BindingRef { strength, name, number }
    }

    fn types_of(&mut self, text: &'static str) -> (&'static [TypeId], &'static [Kind]) {
        if let Some(known) = self.types.get(text) {
            return *known;
        }
        let mut types = Vec::new();
        let mut targets: &'static [Kind] = &[];
        for part in text.split('|') {
            let (name, list) = part.split_once('(').map_or((part, None), |(name, list)| (name, Some(list)));
            let name = if name == "SimpleQuantity" { "Quantity" } else { name };
            types.push(*self.by_name.get(name).expect("the type of an element is in the file"));
            if let Some(list) = list {
                targets = self.targets.entry(list).or_insert_with(|| {
                    let list: Vec<Kind> = list.trim_end_matches(')').split(',').map(Kind::named).collect();
                    Box::leak(list.into())
                });
            }
        }
        let known = (&*Box::leak(types.into_boxed_slice()), targets);
        self.types.insert(text, known);
        known
    }
}

/// JSON key to child: open addressing, at most half full.
struct Index {
    /// One more than the position of an entry; 0 is free.
    slots: Box<[u16]>,
    entries: Box<[(&'static str, Child)]>,
}

impl Index {
    fn of(elements: &'static [Element], raws: &[Raw]) -> Index {
        let mut entries: Vec<(&'static str, Child)> = Vec::with_capacity(elements.len());
        for element in elements {
            for ty in element.types {
                let key = if element.choice {
                    // The few thousand keys live as long as the process.
                    Box::leak(choice_key(element.name, raws[usize::from(ty.0)].name).into_boxed_str())
                } else {
                    element.name
                };
                entries.push((key, Child { element, ty: *ty }));
            }
        }
        let mut slots = vec![0; (entries.len() * 2).next_power_of_two()].into_boxed_slice();
        let mask = slots.len() - 1;
        for (at, (key, _)) in entries.iter().enumerate() {
            let mut slot = hash(key) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = u16::try_from(at + 1).expect("a type has fewer than 65,535 keys");
        }
        Index { slots, entries: entries.into() }
    }

    fn get(&self, key: &str) -> Option<Child> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) & mask;
        loop {
            let at = usize::from(self.slots[slot]).checked_sub(1)?;
            let (found, child) = &self.entries[at];
            if *found == key {
                return Some(*child);
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// The JSON key of a choice: `value` and `dateTime` make `valueDateTime`.
pub fn choice_key(name: &str, ty: &str) -> String {
    let mut key = String::with_capacity(name.len() + ty.len());
    key.push_str(name);
    let mut rest = ty.chars();
    key.extend(rest.next().map(|first| first.to_ascii_uppercase()));
    key.push_str(rest.as_str());
    key
}

/// FNV-1a, folded. Keys are chosen by the specification, so nobody can aim at collisions; a miss costs a few probes.
fn hash(key: &str) -> usize {
    let hash =
        key.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 15)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ty: &str, key: &str, expected: &str) {
        let ty = TypeId::named(ty).unwrap_or_else(|| panic!("{ty} is a type"));
        let answer = child(ty, key).map_or("none".into(), |child| {
            let max = child.element.max.map_or("*".into(), |max| max.to_string());
            format!("{} {}..{max} {:?}", child.element.name, child.element.min, child.ty)
        });
        assert_eq!(answer, expected, "{ty}.{key}");
    }

    #[test]
    fn resource_types_come_first_in_order() {
        for kind in Kind::all() {
            assert_eq!(TypeId::of_kind(kind).name(), kind.name());
            assert_eq!(TypeId::of_kind(kind).kind(), Some(kind));
        }
        assert_eq!(TypeId::named("DomainResource").unwrap().kind(), None);
        assert_eq!(TypeId::named("Pacient"), None);
    }

    #[test]
    fn keys_lead_to_elements() {
        check("Patient", "birthDate", "birthDate 0..1 date");
        check("Patient", "deceasedBoolean", "deceased 0..1 boolean");
        check("Patient", "deceased", "none");
        check("Patient", "deceasedString", "none");
        check("Patient", "resourceType", "none");
        check("Patient", "id", "id 0..1 id");
        check("Patient", "contained", "contained 0..* Resource");
        check("Patient", "contact", "contact 0..* Patient.contact");
        check("Patient.contact", "modifierExtension", "modifierExtension 0..* Extension");
        check("Observation", "valueDateTime", "value 0..1 dateTime");
        check("Observation.component", "referenceRange", "referenceRange 0..* Observation.referenceRange");
        check("Extension", "url", "url 1..1 uri");
        check("Extension", "valueCodeableConcept", "value 0..1 CodeableConcept");
        check("HumanName", "given", "given 0..* string");
        check("Age", "value", "value 0..1 decimal");
        check("Bundle.entry", "resource", "resource 0..1 Resource");
        check("string", "extension", "extension 0..* Extension");
    }

    #[test]
    fn types_know_their_bases() {
        let is_a = |a, b| TypeId::named(a).unwrap().is_a(TypeId::named(b).unwrap());
        assert!(is_a("Patient", "Resource") && is_a("code", "Element") && is_a("Age", "Quantity"));
        assert!(!is_a("Bundle", "DomainResource") && !is_a("Quantity", "Age"));
        assert!(is_primitive(TypeId::named("xhtml").unwrap()));
        assert!(!is_primitive(TypeId::named("Quantity").unwrap()));
        assert!(is_abstract(TypeId::named("Resource").unwrap()));
    }

    #[test]
    fn targets_and_flags_are_kept() {
        let practitioner = child(TypeId::named("Patient").unwrap(), "generalPractitioner").unwrap().element;
        let names: Vec<&str> = practitioner.targets.iter().map(|kind| kind.name()).collect();
        assert_eq!(names, ["Organization", "Practitioner", "PractitionerRole"]);
        let active = child(TypeId::named("Patient").unwrap(), "active").unwrap().element;
        assert!(active.summary && active.modifier);
        let gender = child(TypeId::named("Patient").unwrap(), "gender").unwrap().element.binding.unwrap();
        assert_eq!(gender.url(), "http://hl7.org/fhir/ValueSet/administrative-gender");
        assert!(child(TypeId::named("Range").unwrap(), "low").unwrap().element.simple_quantity);
    }
}
