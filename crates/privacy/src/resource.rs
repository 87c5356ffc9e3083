//! FHIR-like values: the rules of columns applied to the leaves of a tree, by path. What no rule names does not leave.

use std::collections::BTreeMap;

use fhir::json::{Object, Value};

use crate::{Cell, ColumnPlan, Effect, TablePlan, Tally};

/// Deeper trees do not come out of the parser.
const DEPTH_MAX: usize = 128;

/// What was done to values: effects per rule, and paths that no rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeTally {
    /// Per column of the plan.
    pub columns: Vec<Tally>,
    /// Leaves left out because nobody classified them, by path without indices.
    pub unclassified: BTreeMap<String, u64>,
}

impl TablePlan {
    /// The value with the rules applied, none when nothing is left. The plan's columns are paths from the top without indices, such as
    /// `address.postalCode`; a rule for `address` is for all below that has no rule of its own. `resourceType` stays.
    pub fn apply_tree(&self, value: &Value, patient: &str, tally: &mut TreeTally) -> Option<Value> {
        tally.columns.resize(self.columns().len(), Tally::default());
        let mut walk = Walk { plan: self, patient, tally, path: String::new() };
        walk.value(value, None, 0)
    }
}

struct Walk<'a> {
    plan: &'a TablePlan,
    patient: &'a str,
    tally: &'a mut TreeTally,
    path: String,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, rule: Option<usize>, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        match value {
            Value::Object(object) => self.object(object, rule, depth),
            Value::Array(items) => {
                let kept: Vec<Value> =
                    items.iter().filter_map(|item| self.value(item, rule, depth + 1)).collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            leaf => self.leaf(leaf, rule),
        }
    }

    fn object(&mut self, object: &Object, rule: Option<usize>, depth: usize) -> Option<Value> {
        let mut kept = Object::new();
        for (key, value) in object.iter() {
            if depth == 0 && key == "resourceType" {
                kept.insert(key, value.clone());
                continue;
            }
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
            let own = self.plan.columns().iter().position(|column| column.name() == self.path);
            if let Some(value) = self.value(value, own.or(rule), depth + 1) {
                kept.insert(key, value);
            }
            self.path.truncate(length);
        }
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn leaf(&mut self, leaf: &Value, rule: Option<usize>) -> Option<Value> {
        let Some(rule) = rule else {
            *self.tally.unclassified.entry(self.path.clone()).or_default() += 1;
            return None;
        };
        let column: &ColumnPlan = &self.plan.columns()[rule];
        let text = match leaf {
            Value::String(text) => text.as_str(),
            Value::Number(number) => number.as_str(),
            // Nothing in them could be generalised: they stay or go.
            _ => "true",
        };
        let is_text = matches!(leaf, Value::String(_) | Value::Number(_));
        let mut cell = column.apply(text, self.patient);
        if !is_text && !matches!(cell.effect(), Effect::Kept | Effect::Dropped) {
            cell = Cell::empty(Effect::Unreadable);
        }
        self.tally.columns[rule].add(&cell, 1);
        match (cell.effect(), cell.text()) {
            (Effect::Kept, _) => Some(leaf.clone()),
            (_, text) => text.map(|text| Value::String(text.into())),
        }
    }
}
