//! A function of text that is evaluated once per distinct value, also where a column has no dictionary; and columns of few labels.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;
use table::Text;

/// Slots of the memory. A column of codes has fewer values that are common; the others are evaluated again.
const SLOTS: usize = 1024;

/// Remembers the answers of a function of text. Bounded: a new text takes the slot of an older one.
pub(crate) struct PerValue<T> {
    slots: Vec<Option<(Box<str>, T)>>,
}

impl<T: Copy> PerValue<T> {
    pub(crate) fn new() -> PerValue<T> {
        PerValue { slots: (0..SLOTS).map(|_| None).collect() }
    }

    /// The answer for a text.
    #[inline]
    pub(crate) fn get(&mut self, text: &str, of: impl FnOnce(&str) -> T) -> T {
        let slot = &mut self.slots[slot_of(text.as_bytes())];
        match slot {
            Some((known, answer)) if **known == *text => *answer,
            _ => {
                let answer = of(text);
                *slot = Some((text.into(), answer));
                answer
            }
        }
    }

    /// The answers for a column: per value of its dictionary, or remembered.
    pub(crate) fn map<'a>(&mut self, column: &Text<'a>, missing: T, mut of: impl FnMut(&str) -> T) -> Vec<T> {
        column.map(|text| match text {
            Some(text) => self.get(text, &mut of),
            None => missing,
        })
    }
}

/// Mixes eight bytes at a time. Quality matters little: a wrong slot costs one evaluation.
#[inline]
fn slot_of(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut mixed = bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        mixed = (mixed.rotate_left(23) ^ u64::from_le_bytes(*chunk)).wrapping_mul(FACTOR);
    }
    let tail = rest.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    mixed = (mixed.rotate_left(23) ^ tail).wrapping_mul(FACTOR);
    (mixed >> 54) as usize
}

/// The distinct texts of a column that is made: few, so that it becomes a dictionary.
#[derive(Default)]
pub(crate) struct Labels {
    texts: Vec<Box<str>>,
    array: Option<Arc<StringArray>>,
}

impl Labels {
    /// Labels that are known beforehand, numbered from 0.
    pub(crate) fn of(texts: &[&str]) -> Labels {
        Labels { texts: texts.iter().map(|text| (*text).into()).collect(), array: None }
    }

    /// The number of a label; it is added when it is new.
    pub(crate) fn number(&mut self, text: &str) -> i32 {
        let at = self.texts.iter().position(|known| **known == *text).unwrap_or_else(|| {
            self.texts.push(text.into());
            self.array = None;
            self.texts.len() - 1
        });
        i32::try_from(at).unwrap_or(i32::MAX)
    }

    /// The label with a number.
    pub(crate) fn text(&self, number: i32) -> Option<&str> {
        self.texts.get(usize::try_from(number).ok()?).map(|text| &**text)
    }

    /// A column of labels by their numbers.
    pub(crate) fn column(&mut self, numbers: Int32Array) -> ArrayRef {
        let texts = &self.texts;
        let values =
            self.array.get_or_insert_with(|| Arc::new(texts.iter().map(|text| Some(&**text)).collect()));
        let coded = DictionaryArray::<Int32Type>::try_new(numbers, values.clone());
        Arc::new(coded.expect("every number was given by `number`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_evaluated_once() {
        let views: ArrayRef =
            Arc::new(arrow::array::StringViewArray::from(vec![Some("a"), None, Some("a"), Some("bb")]));
        let (mut calls, mut memory) = (0, PerValue::new());
        for _ in 0..2 {
            let lengths = memory.map(&Text::of(&views).unwrap(), 99, |text| {
                calls += 1;
                text.len()
            });
            assert_eq!(lengths, [1, 99, 1, 2]);
        }
        assert_eq!(calls, 2);
    }

    #[test]
    fn more_texts_than_slots_are_right_too() {
        let mut memory = PerValue::new();
        for round in 0..2 {
            for n in 0..5_000_usize {
                let text = format!("value-{n}-{}", "x".repeat(n % 20));
                assert_eq!(memory.get(&text, str::len), text.len(), "{round}");
            }
        }
    }

    #[test]
    fn labels_make_a_dictionary() {
        let mut labels = Labels::of(&["a"]);
        let b = labels.number("b");
        assert_eq!((labels.number("a"), b, labels.text(1)), (0, 1, Some("b")));
        let column = labels.column(Int32Array::from(vec![Some(1), None, Some(0)]));
        let text = Text::of(&column).unwrap();
        assert_eq!([text.get(0), text.get(1), text.get(2)], [Some("b"), None, Some("a")]);
    }
}
