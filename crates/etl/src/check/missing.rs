//! Which cells count as missing: nulls, blank texts, not-a-number, and texts that mean "nothing here".

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Float64Type;
use table::Text;

/// Texts that mean "missing" when a check names none of its own. Blank texts always do.
pub(super) const DEFAULTS: [&str; 8] = ["NULL", "null", "\\N", "N/A", "n/a", "#N/A", "NaN", "nan"];

/// Texts that mean "missing".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    texts: Vec<Box<str>>,
    bytes_max: usize,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens::new(DEFAULTS.iter().map(|text| (*text).into()).collect())
    }
}

impl Tokens {
    /// These texts.
    pub(super) fn new(texts: Vec<Box<str>>) -> Tokens {
        let bytes_max = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        Tokens { texts, bytes_max }
    }

    fn is_missing(&self, text: &str) -> bool {
        let text = text.trim();
        text.is_empty() || (text.len() <= self.bytes_max && self.texts.iter().any(|token| **token == *text))
    }

    /// One bit per row: whether there is a value.
    pub(super) fn present(&self, array: &ArrayRef) -> BooleanBuffer {
        let n = array.len();
        let valid = array.nulls().map(|nulls| nulls.inner().clone());
        let bits = match Text::of(array) {
            Some(Text::Plain(views)) => {
                let raw = views.views();
                // Long texts that begin with a visible character need no look at their bytes: the view holds length and beginning.
                let length_max = self.bytes_max as u32;
                Some(BooleanBuffer::collect_bool(n, |row| {
                    let view = raw[row];
                    let begins_visibly = (view >> 32) as u8 > b' ';
                    (begins_visibly && view as u32 > length_max) || !self.is_missing(views.value(row))
                }))
            }
            Some(Text::Coded(coded, values)) => {
                let known: Vec<bool> = (0..values.len())
                    .map(|key| !values.is_null(key) && !self.is_missing(values.value(key)))
                    .collect();
                let keys = coded.keys().values();
                Some(BooleanBuffer::collect_bool(n, |row| {
                    usize::try_from(keys[row]).ok().and_then(|key| known.get(key)).copied().unwrap_or(false)
                }))
            }
            None => array.as_primitive_opt::<Float64Type>().map(|numbers| {
                let values = numbers.values();
                BooleanBuffer::collect_bool(n, |row| !values[row].is_nan())
            }),
        };
        match (valid, bits) {
            (Some(valid), Some(bits)) => &valid & &bits,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => BooleanBuffer::new_set(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Float64Array, Int64Array, StringViewArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(tokens: &Tokens, array: &ArrayRef, expected: &[bool]) {
        let found = tokens.present(array);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn blank_and_null_words_are_missing() {
        let words = [
            Some("M"),
            None,
            Some(""),
            Some("   "),
            Some("NULL"),
            Some("Null"),
            Some("-999"),
            Some(" long enough"),
        ];
        let plain: ArrayRef = Arc::new(words.into_iter().collect::<StringViewArray>());
        let coded: ArrayRef = Arc::new(words.into_iter().collect::<DictionaryArray<Int32Type>>());
        let expected = [true, false, false, false, false, true, true, true];
        check(&Tokens::default(), &plain, &expected);
        check(&Tokens::default(), &coded, &expected);
        let own = Tokens::new(vec!["-999".into()]);
        check(&own, &plain, &[true, false, false, false, true, true, false, true]);
    }

    #[test]
    fn numbers_are_missing_when_null_or_not_a_number() {
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.0), None, Some(f64::NAN)]));
        check(&Tokens::default(), &numbers, &[true, false, false]);
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        check(&Tokens::default(), &whole, &[true, true]);
    }
}
