//! The record of one patient while it is written: who, what has been written, and the next id.

use compact_str::{CompactString, format_compact};
use fhir::{Object, Value};

use crate::day::Day;
use crate::make::{reference, word};
use crate::person::Person;
use crate::random::Draw;

/// Resources of one patient in the making.
pub(crate) struct Record<'a> {
    pub(crate) person: &'a Person,
    pub(crate) draw: Draw,
    pub(crate) end: Day,
    resources: Vec<Value>,
    n_ids: u32,
}

impl<'a> Record<'a> {
    pub(crate) fn new(person: &'a Person, draw: Draw, end: Day) -> Record<'a> {
        Record { person, draw, end, resources: Vec::with_capacity(64), n_ids: 0 }
    }

    /// An id that no other resource of this seed has.
    pub(crate) fn next_id(&mut self) -> CompactString {
        self.n_ids += 1;
        format_compact!("{}-{}", self.person.id, self.n_ids)
    }

    /// Adds a resource of the members that are not `null`.
    pub(crate) fn add<const N: usize>(
        &mut self,
        kind: &'static str,
        id: CompactString,
        members: [(&'static str, Value); N],
    ) {
        let mut object = Object::new();
        object.insert(CompactString::const_new("resourceType"), word(kind));
        object.insert(CompactString::const_new("id"), id.into());
        for (key, value) in members {
            if !value.is_null() {
                object.insert(CompactString::const_new(key), value);
            }
        }
        self.resources.push(Value::Object(object));
    }

    /// A reference to the patient.
    pub(crate) fn subject(&self) -> Value {
        reference("Patient", &self.person.id)
    }

    /// A reference to a practitioner of the person's county: 1 to 4 work in the clinic, 5 and 6 in the hospital.
    pub(crate) fn practitioner(&self, number: u64) -> Value {
        reference("Practitioner", &format!("prac-{}-{number}", self.person.county.fips))
    }

    /// A reference to the general practitioner.
    pub(crate) fn own_practitioner(&self) -> Value {
        self.practitioner(self.person.number % 4 + 1)
    }

    /// A reference to an organization of the person's county: `clinic` or `hospital`.
    pub(crate) fn organization(&self, what: &str) -> Value {
        reference("Organization", &format!("org-{}-{what}", self.person.county.fips))
    }

    /// What the record has so far.
    pub(crate) fn resources(&self) -> &[Value] {
        &self.resources
    }

    pub(crate) fn into_resources(self) -> Vec<Value> {
        self.resources
    }
}
