//! Reading a text column, whatever Arrow form it has.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray as _, DictionaryArray, StringArray, StringViewArray};
use arrow::datatypes::Int32Type;

/// A text column: a view per row, or a code per row with a dictionary of values.
#[derive(Clone, Copy)]
pub enum Text<'a> {
    /// A text per row.
    Plain(&'a StringViewArray),
    /// A code per row, and the distinct values.
    Coded(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl<'a> Text<'a> {
    /// The text column in an Arrow array, if it is one of the two forms.
    pub fn of(array: &'a ArrayRef) -> Option<Text<'a>> {
        if let Some(views) = array.as_string_view_opt() {
            return Some(Text::Plain(views));
        }
        let coded = array.as_dictionary_opt::<Int32Type>()?;
        Some(Text::Coded(coded, coded.values().as_string_opt::<i32>()?))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Text::Plain(views) => views.len(),
            Text::Coded(coded, _) => coded.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a row; `None` where it is missing.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Text::Plain(views) => (!views.is_null(row)).then(|| views.value(row)),
            Text::Coded(coded, values) => {
                let key = coded.key(row)?;
                (!values.is_null(key)).then(|| values.value(key))
            }
        }
    }

    /// A value per row from a function of the text: evaluated once per distinct value of a dictionary, once per row otherwise.
    pub fn map<T: Clone>(&self, mut of: impl FnMut(Option<&'a str>) -> T) -> Vec<T> {
        match self {
            Text::Plain(_) => (0..self.len()).map(|row| of(self.get(row))).collect(),
            Text::Coded(coded, values) => {
                let missing = of(None);
                let known: Vec<T> = (0..values.len())
                    .map(
                        |key| if values.is_null(key) { missing.clone() } else { of(Some(values.value(key))) },
                    )
                    .collect();
                let keys = coded.keys();
                (0..coded.len())
                    .map(|row| {
                        if keys.is_null(row) {
                            return missing.clone();
                        }
                        let key = usize::try_from(keys.value(row)).unwrap_or(usize::MAX);
                        known.get(key).unwrap_or(&missing).clone()
                    })
                    .collect()
            }
        }
    }

    /// A text column from a function of the text. A dictionary stays one: only its values are computed. The function may be called
    /// for values that no row uses.
    pub fn map_text(&self, mut of: impl FnMut(&'a str) -> Option<std::borrow::Cow<'a, str>>) -> ArrayRef {
        match self {
            Text::Plain(views) => {
                let mapped = views.iter().map(|text| text.and_then(&mut of));
                Arc::new(mapped.collect::<StringViewArray>())
            }
            Text::Coded(coded, values) => {
                let mapped = values.iter().map(|text| text.and_then(&mut of));
                Arc::new(coded.with_values(Arc::new(mapped.collect::<StringArray>())))
            }
        }
    }
}
