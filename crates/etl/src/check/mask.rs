//! One bit per row from a test of a text column: evaluated once per distinct value of a dictionary, and remembered for short values.

use arrow::array::Array;
use arrow::buffer::BooleanBuffer;
use table::Text;

/// Values of at most 12 bytes lie inside their view, so that the view is the value.
const INLINE_BYTES_MAX: u32 = 12;
const SLOTS: usize = 1 << 12;
const EMPTY: u8 = 2;

/// Answers for short texts that were seen lately, by the 16 bytes of their view. A fixed table of 68 KiB: a later text takes the slot
/// of an earlier one.
pub(super) struct Memo {
    keys: Box<[u128]>,
    answers: Box<[u8]>,
}

impl Default for Memo {
    fn default() -> Memo {
        Memo { keys: vec![0; SLOTS].into(), answers: vec![EMPTY; SLOTS].into() }
    }
}

impl Memo {
    /// The answer for a text that lies inside its view.
    #[inline]
    fn answer(&mut self, view: u128, test: impl FnOnce() -> bool) -> bool {
        let (low, high) = (view as u64, (view >> 64) as u64);
        let mixed = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = (mixed >> 52) as usize;
        if self.keys[slot] == view && self.answers[slot] != EMPTY {
            return self.answers[slot] == 1;
        }
        let answer = test();
        self.keys[slot] = view;
        self.answers[slot] = u8::from(answer);
        answer
    }
}

/// One bit per row: whether its text passes the test. What the bit says where the text is missing means nothing.
pub(super) fn of_text(text: &Text<'_>, memo: &mut Memo, test: impl Fn(&str) -> bool) -> BooleanBuffer {
    match text {
        Text::Plain(views) => {
            let raw = views.views();
            BooleanBuffer::collect_bool(views.len(), |row| {
                let view = raw[row];
                if view as u32 <= INLINE_BYTES_MAX {
                    memo.answer(view, || test(views.value(row)))
                } else {
                    test(views.value(row))
                }
            })
        }
        Text::Coded(coded, values) => {
            let known: Vec<bool> =
                (0..values.len()).map(|key| !values.is_null(key) && test(values.value(key))).collect();
            let keys = coded.keys().values();
            BooleanBuffer::collect_bool(keys.len(), |row| {
                usize::try_from(keys[row]).ok().and_then(|key| known.get(key)).copied().unwrap_or(false)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, StringViewArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn plain_and_coded_texts_give_the_same_bits() {
        let words = [Some("a"), None, Some("a much longer text"), Some(""), Some("a"), Some("b")];
        let plain: ArrayRef = Arc::new(words.into_iter().collect::<StringViewArray>());
        let coded: ArrayRef = Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>());
        let bits = |array: &ArrayRef| {
            let text = Text::of(array).unwrap();
            let found = of_text(&text, &mut Memo::default(), |text| text.starts_with('a'));
            let valid = (0..array.len()).map(|row| found.value(row) && text.get(row).is_some());
            valid.collect::<Vec<_>>()
        };
        assert_eq!(bits(&plain), [true, false, true, false, true, false]);
        assert_eq!(bits(&coded), bits(&plain));
    }

    #[test]
    fn a_memo_answers_as_the_test_does() {
        let words: Vec<String> = (0..50_000).map(|n| format!("{:x}", n % 9_973)).collect();
        let array: ArrayRef = Arc::new(words.iter().map(Some).collect::<StringViewArray>());
        let test = |text: &str| text.len().is_multiple_of(2) || text.contains('7');
        let found = of_text(&Text::of(&array).unwrap(), &mut Memo::default(), test);
        assert!(words.iter().enumerate().all(|(row, word)| found.value(row) == test(word)));
    }
}
