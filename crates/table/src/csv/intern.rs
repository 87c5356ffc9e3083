//! Distinct texts of a column to small numbers. Short texts are compared as integers.

use std::sync::Arc;

use arrow::array::{Array as _, StringArray};

use crate::typing::values::Nulls;

/// A column with more distinct texts is no dictionary.
pub(crate) const DISTINCT_MAX: usize = 512;
const SLOTS: usize = 2 * DISTINCT_MAX;
const EMPTY: i32 = i32::MIN;
/// The number of a missing value.
pub(crate) const MISSING: i32 = -1;

#[derive(Clone, Copy)]
struct Slot {
    head: u128,
    len: u32,
    code: i32,
}

/// Distinct texts in the order of their first use.
pub(crate) struct Interner {
    slots: Vec<Slot>,
    n_slots: usize,
    texts: Vec<Box<str>>,
    nulls: Nulls,
    array: Option<Arc<StringArray>>,
}

/// The first 16 bytes of a text as a number, zeros behind it.
#[inline]
fn head_of(bytes: &[u8], start: usize, len: usize) -> u128 {
    let head: [u8; 16] = bytes[start..start + 16].try_into().expect("16 bytes are 16 bytes");
    let head = u128::from_le_bytes(head);
    if len >= 16 { head } else { head & ((1 << (8 * len)) - 1) }
}

impl Interner {
    pub(crate) fn new(nulls: Nulls) -> Interner {
        let slots = vec![Slot { head: 0, len: 0, code: EMPTY }; SLOTS];
        Interner { slots, n_slots: 0, texts: Vec::new(), nulls, array: None }
    }

    /// The number of the text of `len` bytes at a position, behind which 16 bytes can be looked at; `None`: there are too many texts.
    #[inline]
    pub(crate) fn code(&mut self, bytes: &[u8], start: usize, len: usize) -> Option<i32> {
        let head = head_of(bytes, start, len);
        let mut hash = (head as u64) ^ ((head >> 64) as u64).rotate_left(31) ^ (len as u64).rotate_left(59);
        if len > 16 {
            let tail = start + len - 8;
            let tail: [u8; 8] = bytes[tail..tail + 8].try_into().expect("8 bytes are 8 bytes");
            hash ^= u64::from_le_bytes(tail).rotate_left(17);
        }
        let mut index = (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize % SLOTS;
        loop {
            let slot = self.slots[index];
            if slot.head == head && slot.len as usize == len && slot.code != EMPTY {
                if len <= 16 || self.has_text(slot.code, &bytes[start..start + len]) {
                    return Some(slot.code);
                }
            } else if slot.code == EMPTY {
                return self.insert(index, head, &bytes[start..start + len]);
            }
            index = (index + 1) % SLOTS;
        }
    }

    fn has_text(&self, code: i32, text: &[u8]) -> bool {
        match usize::try_from(code) {
            Ok(code) => self.texts[code].as_bytes() == text,
            // Tokens of missing values are kept nowhere else: they are looked up.
            Err(_) => self.nulls.has(text),
        }
    }

    #[cold]
    fn insert(&mut self, index: usize, head: u128, text: &[u8]) -> Option<i32> {
        if self.n_slots == DISTINCT_MAX {
            return None;
        }
        let code = if self.nulls.has(text) {
            MISSING
        } else {
            self.texts.push(std::str::from_utf8(text).ok()?.into());
            i32::try_from(self.texts.len() - 1).ok()?
        };
        self.slots[index] = Slot { head, len: u32::try_from(text.len()).ok()?, code };
        self.n_slots += 1;
        Some(code)
    }

    /// Distinct texts.
    pub(crate) fn len(&self) -> usize {
        self.n_slots
    }

    /// The text of a number; `None`: missing.
    pub(crate) fn text(&self, code: i32) -> Option<&str> {
        usize::try_from(code).ok().map(|code| &*self.texts[code])
    }

    /// All texts as an array: the same one until there are new texts.
    pub(crate) fn array(&mut self) -> Arc<StringArray> {
        match &self.array {
            Some(array) if array.len() == self.texts.len() => array.clone(),
            _ => {
                let array = Arc::new(StringArray::from_iter_values(&self.texts));
                self.array = Some(array.clone());
                array
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(interner: &mut Interner, text: &str) -> Option<i32> {
        let padded = format!("{text}{}", "#".repeat(16));
        interner.code(padded.as_bytes(), 0, text.len())
    }

    #[test]
    fn every_text_has_one_number() {
        let mut interner = Interner::new(Nulls::new(&[String::new(), "not known to anybody".to_owned()]));
        let long = "Native Hawaiian or Other Pacific Islander";
        let texts = ["a", "b", "a\0", "1234567890123456", "12345678901234567", "12345678901234568", long];
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(code(&mut interner, text), Some(index as i32));
        }
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(code(&mut interner, text), Some(index as i32));
            assert_eq!(interner.text(index as i32), Some(*text));
        }
        assert_eq!(code(&mut interner, ""), Some(MISSING));
        assert_eq!(code(&mut interner, "not known to anybody"), Some(MISSING));
        assert_eq!(code(&mut interner, "not known to anybody"), Some(MISSING));
        assert!(Arc::ptr_eq(&interner.array(), &interner.array()));
        assert_eq!(interner.array().len(), texts.len());
    }

    #[test]
    fn too_many_texts_are_refused() {
        let mut interner = Interner::new(Nulls::new(&[]));
        for n in 0..DISTINCT_MAX {
            assert_eq!(code(&mut interner, &n.to_string()), Some(n as i32));
        }
        assert_eq!(code(&mut interner, "x"), None);
        assert_eq!(code(&mut interner, "7"), Some(7));
    }
}
