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
    hashed: Option<Box<Hashed<'a>>>,
}

/// The items once more: texts, and those that are no texts. A text equals none of the others.
struct Hashed<'a> {
    texts: HashSet<CompactString>,
    others: Items<'a>,
}

impl<'a> Distinct<'a> {
    /// Adds an item unless an equal one is there; says whether it was added.
    pub(super) fn add(&mut self, eval: &Eval<'_, 'a>, item: Item<'a>, at: u32) -> Result<bool> {
        let known = match &mut self.hashed {
            None => eval.holds(&self.items, &item, at)?,
            Some(hashed) => hashed.is_known(eval, &item, at)?,
        };
        if known {
            return Ok(false);
        }
        self.items.push(item);
        if self.items.len() == HASHED_FROM {
            self.hashed = Some(Box::new(Hashed::of(&self.items)));
        }
        eval.check_items(self.items.len(), at)?;
        Ok(true)
    }
}

impl<'a> Hashed<'a> {
    fn of(items: &Items<'a>) -> Hashed<'a> {
        Hashed {
            texts: items.iter().filter_map(text_of).map(CompactString::from).collect(),
            others: items.iter().filter(|item| text_of(item).is_none()).cloned().collect(),
        }
    }

    /// Is an equal item there; if not, it is from now on.
    fn is_known(&mut self, eval: &Eval<'_, 'a>, item: &Item<'a>, at: u32) -> Result<bool> {
        if let Some(text) = text_of(item) {
            eval.charge(1 + text.len() / 64, at)?;
            return Ok(!self.texts.insert(text.into()));
        }
        let known = eval.holds(&self.others, item, at)?;
        if !known {
            self.others.push(item.clone());
        }
        Ok(known)
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
