//! Collections in which each item stands once. Texts are found by hashing, so that long lists of them (ids, paths, links) cost no square.

use std::collections::HashSet;

use compact_str::CompactString;
use fhir::Value;

use super::Eval;
use crate::error::Result;
use crate::item::{Data, Item, Items};
use crate::types::Class;

/// From so many items on, texts are hashed.
const HASHED_FROM: usize = 16;

/// Items that are all different.
#[derive(Default)]
pub(super) struct Distinct<'a> {
    pub(super) items: Items<'a>,
    texts: HashSet<CompactString>,
    /// Items that are no texts; a text equals none of them.
    others: Items<'a>,
}

impl<'a> Distinct<'a> {
    /// Adds an item unless an equal one is there; says whether it was added.
    pub(super) fn add(&mut self, eval: &Eval<'_, 'a>, item: Item<'a>, at: u32) -> Result<bool> {
        if self.items.len() == HASHED_FROM {
            self.texts = self.items.iter().filter_map(text_of).map(CompactString::from).collect();
            self.others = self.items.iter().filter(|item| text_of(item).is_none()).cloned().collect();
        }
        let known = if self.items.len() < HASHED_FROM {
            eval.holds(&self.items, &item, at)?
        } else if let Some(text) = text_of(&item) {
            eval.charge(1 + text.len() / 64, at)?;
            !self.texts.insert(text.into())
        } else {
            let known = eval.holds(&self.others, &item, at)?;
            if !known {
                self.others.push(item.clone());
            }
            known
        };
        if !known {
            self.items.push(item);
            eval.check_items(self.items.len(), at)?;
        }
        Ok(!known)
    }
}

/// The text of an item that is equal to texts only.
fn text_of<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match &item.data {
        Data::Element(Some(Value::String(text)), _) => {
            item.fhir_type().filter(|ty| Class::of(*ty) == Class::String).map(|_| text.as_str())
        }
        Data::Str(text) => Some(text),
        Data::Text(text) => Some(text),
        _ => None,
    }
}

impl<'a> Eval<'_, 'a> {
    /// Each item once, in order.
    pub(super) fn distinct(&self, items: Items<'a>, at: u32) -> Result<Items<'a>> {
        let mut distinct = Distinct::default();
        for item in items {
            distinct.add(self, item, at)?;
        }
        Ok(distinct.items)
    }

    /// Does no item stand twice.
    pub(super) fn is_distinct(&self, items: Items<'a>, at: u32) -> Result<bool> {
        let mut distinct = Distinct::default();
        for item in items {
            if !distinct.add(self, item, at)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
