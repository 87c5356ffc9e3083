//! Walks a resource along its plan.

use std::mem;

use fhir::definitions::SearchType;
use fhir::{Resource, Value};

use super::path::Guard;
use super::plan::{Composite, Edge, Emit, Node, Part, Plan};
use super::{expression, reference};
use crate::rows::{self, CompositeRow, IndexRows};

/// What a walk needs beside the element where it is.
pub(super) struct Walk<'w> {
    pub(super) bases: &'w [String],
    pub(super) root: &'w Value,
}

impl Walk<'_> {
    /// All rows of a resource.
    pub(super) fn resource(&self, plan: &Plan, resource: &Resource, rows: &mut IndexRows) {
        self.item(&plan.root, self.root, rows);
        for (param, ty, expression) in &plan.expressions {
            expression::evaluate(*param, *ty, expression, resource, self.bases, rows);
        }
    }

    /// One element, not a list.
    fn item(&self, node: &Node, value: &Value, rows: &mut IndexRows) {
        for emit in &node.emits {
            match emit {
                Emit::Value { param, convert, leads_to } => {
                    if leads_to.is_none_or(|kind| reference::leads_to(value, kind, self.bases)) {
                        convert.run(*param, value, self.bases, rows);
                    }
                }
                Emit::Composite(composite) => self.composite(composite, value, rows),
            }
        }
        if node.is_leaf() {
            return;
        }
        let Some(object) = value.as_object() else { return };
        for (key, member) in object.iter() {
            for edge in node.edges(key) {
                self.edge(edge, member, rows);
            }
        }
    }

    fn edge(&self, edge: &Edge, member: &Value, rows: &mut IndexRows) {
        for (at, item) in member.each().iter().enumerate() {
            let wanted = match edge.guard {
                Guard::None => true,
                Guard::Member(name, text) => item.text(name) == Some(text),
                Guard::At(place) => at == place,
            };
            if wanted {
                self.item(&edge.node, item, rows);
            }
        }
    }

    /// One row for each combination of the parts' values.
    fn composite(&self, composite: &Composite, value: &Value, rows: &mut IndexRows) {
        let mut found: Vec<Vec<rows::Part>> = Vec::with_capacity(composite.parts.len());
        // Backwards: the value is absent more often than the code.
        for part in composite.parts.iter().rev() {
            let values = self.part(part, value);
            if values.is_empty() {
                return;
            }
            found.push(values);
        }
        found.reverse();
        let mut combinations: Vec<Vec<rows::Part>> = vec![Vec::new()];
        for values in &found {
            let longer = combinations.iter().flat_map(|start| {
                values.iter().map(move |value| start.iter().chain([value]).cloned().collect::<Vec<_>>())
            });
            combinations = longer.take(COMBINATIONS_MAX).collect();
        }
        let param = composite.param;
        rows.composites.extend(combinations.into_iter().map(|parts| CompositeRow { param, parts }));
    }

    fn part(&self, part: &Part, value: &Value) -> Vec<rows::Part> {
        let mut found = IndexRows::default();
        self.item(&part.here, value, &mut found);
        if let Some(root) = &part.root {
            self.item(root, self.root, &mut found);
        }
        parts_of(part.ty, &mut found)
    }
}

/// Most rows that one value of a composite may have. A resource with a hundred codes times a hundred values is not worth a hundred times a
/// hundred rows.
const COMBINATIONS_MAX: usize = 1_000;

/// The values of one component.
fn parts_of(ty: SearchType, found: &mut IndexRows) -> Vec<rows::Part> {
    match ty {
        SearchType::Token => {
            let tokens = mem::take(&mut found.tokens).into_iter();
            // A concept with a text only can be told apart from others by nothing that a search can name.
            let tokens = tokens.filter(|row| row.system.is_some() || row.code.is_some());
            tokens.map(|row| rows::Part::Token { system: row.system, code: row.code }).collect()
        }
        SearchType::String => {
            let strings = mem::take(&mut found.strings).into_iter();
            strings.map(|row| rows::Part::String { folded: row.folded, exact: row.exact }).collect()
        }
        SearchType::Date => {
            found.dates.iter().map(|row| rows::Part::Date { low: row.low, high: row.high }).collect()
        }
        SearchType::Number => {
            let numbers = mem::take(&mut found.numbers).into_iter();
            numbers.map(|row| rows::Part::Number { low: row.low, high: row.high }).collect()
        }
        SearchType::Quantity => {
            mem::take(&mut found.quantities).into_iter().map(|row| rows::Part::Quantity(row.value)).collect()
        }
        SearchType::Reference => mem::take(&mut found.references)
            .into_iter()
            .map(|row| rows::Part::Reference(row.target))
            .collect(),
        SearchType::Uri => {
            mem::take(&mut found.uris).into_iter().map(|row| rows::Part::Uri(row.text)).collect()
        }
        SearchType::Composite | SearchType::Special => Vec::new(),
    }
}
