//! The values of a column on their way into pages: keys of a dictionary, texts, numbers, bits.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray as _, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use parquet::basic::Type as Physical;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::statistics::Statistics;
use table::Text;
use twox_hash::XxHash3_128;

use super::super::FileError;
use crate::keyed::AsIs;

/// A dictionary stops to grow here; what comes after is written plain.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;
/// Longer texts are left out of statistics.
const STATISTIC_BYTES_MAX: usize = 64;
/// Rows of the first batch that are looked at to decide whether a dictionary pays.
const SAMPLE_ROWS: usize = 2_048;

/// Codes by a 128-bit hash of the text.
type Codes = HashMap<u128, u32, BuildHasherDefault<AsIs>>;

/// The distinct texts of a chunk.
#[derive(Default)]
pub(super) struct Dictionary {
    codes: Codes,
    /// As they stand in the dictionary page.
    pub(super) page: Vec<u8>,
}

impl Dictionary {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    fn code(&mut self, text: &[u8]) -> u32 {
        let next = u32::try_from(self.codes.len()).unwrap_or(u32::MAX);
        let page = &mut self.page;
        *self.codes.entry(XxHash3_128::oneshot(text)).or_insert_with(|| {
            plain(text, page);
            next
        })
    }
}

fn plain(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text);
}

/// What the open page holds.
pub(super) enum Open {
    /// Keys of the dictionary.
    Codes(Vec<u32>),
    /// Values, one after the other.
    Plain(Vec<u8>),
    /// Bits, and how many.
    Bits(Vec<u8>, usize),
}

/// The values of a column.
pub(super) struct Values {
    pub(super) open: Open,
    pub(super) dictionary: Dictionary,
    range: Range,
}

/// The smallest and the largest value.
enum Range {
    Off,
    Whole(Option<(i128, i128)>),
    Number(Option<(f64, f64)>),
    Text(Option<(Vec<u8>, Vec<u8>)>),
}

impl Values {
    /// For a column whose first rows are these.
    pub(super) fn new(first: &ArrayRef, has_text_statistics: bool) -> Values {
        let (open, range) = match first.data_type() {
            DataType::Boolean => (Open::Bits(Vec::new(), 0), Range::Whole(None)),
            DataType::Float64 => (Open::Plain(Vec::new()), Range::Number(None)),
            _ => match Text::of(first) {
                None => (Open::Plain(Vec::new()), Range::Whole(None)),
                Some(text) => {
                    let range = if has_text_statistics { Range::Text(None) } else { Range::Off };
                    let open = if repeats(&text) { Open::Codes(Vec::new()) } else { Open::Plain(Vec::new()) };
                    (open, range)
                }
            },
        };
        Values { open, dictionary: Dictionary::default(), range }
    }

    /// Bytes of the open page, about.
    pub(super) fn n_bytes(&self) -> usize {
        match &self.open {
            Open::Codes(codes) => codes.len() * 2,
            Open::Plain(bytes) => bytes.len(),
            Open::Bits(bytes, _) => bytes.len(),
        }
    }

    /// Whether the dictionary must not grow any more.
    pub(super) fn is_dictionary_full(&self) -> bool {
        matches!(self.open, Open::Codes(_)) && self.dictionary.page.len() > DICTIONARY_BYTES_MAX
    }

    /// Takes the values of the rows that have one. `physical` and `length` say how Parquet holds decimals.
    pub(super) fn push(
        &mut self,
        array: &ArrayRef,
        present: Option<&NullBuffer>,
        physical: Physical,
        length: usize,
    ) -> Result<(), FileError> {
        if let Some(text) = Text::of(array) {
            match text {
                Text::Coded(..) => self.push_coded(&text, present),
                Text::Plain(_) => self.push_texts(&text, present),
            }
            return Ok(());
        }
        match array.data_type() {
            DataType::Int64 => self.push_whole(array.as_primitive::<Int64Type>(), present),
            DataType::Date32 => self.push_whole(array.as_primitive::<Date32Type>(), present),
            DataType::Timestamp(_, _) => {
                self.push_whole(array.as_primitive::<TimestampMicrosecondType>(), present);
            }
            DataType::Float64 => self.push_numbers(array.as_primitive::<Float64Type>(), present),
            DataType::Decimal128(_, _) => {
                self.push_decimals(array.as_primitive::<Decimal128Type>(), present, physical, length);
            }
            DataType::Boolean => self.push_bits(array.as_boolean(), present),
            other => return Err(FileError::Changed(format!("the type {other} cannot be written"))),
        }
        Ok(())
    }

    fn push_coded(&mut self, text: &Text<'_>, present: Option<&NullBuffer>) {
        let Text::Coded(coded, values) = text else { return };
        let keys = coded.keys().values();
        let key = |row: usize| usize::try_from(keys[row]).unwrap_or_default();
        match &mut self.open {
            Open::Codes(codes) => {
                const UNKNOWN: u32 = u32::MAX;
                let mut known = vec![UNKNOWN; values.len()];
                codes.reserve(text.len());
                each(present, text.len(), |row| {
                    let key = key(row);
                    if known[key] == UNKNOWN {
                        known[key] = self.dictionary.code(values.value(key).as_bytes());
                    }
                    codes.push(known[key]);
                });
            }
            Open::Plain(bytes) => {
                each(present, text.len(), |row| plain(values.value(key(row)).as_bytes(), bytes));
            }
            Open::Bits(..) => {}
        }
        if let Range::Text(range) = &mut self.range {
            each(present, text.len(), |row| widen(range, values.value(key(row)).as_bytes()));
        }
    }

    fn push_texts(&mut self, text: &Text<'_>, present: Option<&NullBuffer>) {
        let Text::Plain(views) = text else { return };
        match &mut self.open {
            Open::Codes(codes) => {
                each(present, text.len(), |row| {
                    codes.push(self.dictionary.code(views.value(row).as_bytes()));
                });
            }
            Open::Plain(bytes) => {
                each(present, text.len(), |row| plain(views.value(row).as_bytes(), bytes));
            }
            Open::Bits(..) => {}
        }
        if let Range::Text(range) = &mut self.range {
            each(present, text.len(), |row| widen(range, views.value(row).as_bytes()));
        }
    }

    fn push_whole<T: ArrowPrimitiveType>(&mut self, array: &PrimitiveArray<T>, present: Option<&NullBuffer>)
    where
        T::Native: Into<i128> + Ord + Bytes,
    {
        let Open::Plain(bytes) = &mut self.open else { return };
        let values = array.values();
        bytes.reserve(values.len() * size_of::<T::Native>());
        let mut range: Option<(T::Native, T::Native)> = None;
        each(present, values.len(), |row| {
            let value = values[row];
            value.append(bytes);
            range = Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        });
        if let Some((low, high)) = range {
            self.widen_whole(low.into(), high.into());
        }
    }

    fn push_decimals(
        &mut self,
        array: &PrimitiveArray<Decimal128Type>,
        present: Option<&NullBuffer>,
        physical: Physical,
        length: usize,
    ) {
        let Open::Plain(bytes) = &mut self.open else { return };
        let values = array.values();
        let mut range: Option<(i128, i128)> = None;
        each(present, values.len(), |row| {
            let value = values[row];
            match physical {
                Physical::INT32 => bytes.extend_from_slice(&value.to_le_bytes()[..4]),
                Physical::INT64 => bytes.extend_from_slice(&value.to_le_bytes()[..8]),
                _ => bytes.extend_from_slice(&value.to_be_bytes()[16 - length..]),
            }
            range = Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        });
        if let Some((low, high)) = range {
            self.widen_whole(low, high);
        }
    }

    fn push_numbers(&mut self, array: &PrimitiveArray<Float64Type>, present: Option<&NullBuffer>) {
        let Open::Plain(bytes) = &mut self.open else { return };
        let values = array.values();
        bytes.reserve(values.len() * 8);
        let mut found = match &self.range {
            Range::Number(found) => *found,
            _ => None,
        };
        each(present, values.len(), |row| {
            let value = values[row];
            bytes.extend_from_slice(&value.to_le_bytes());
            // What is not a number has no place in an order.
            if !value.is_nan() {
                found = Some(found.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
            }
        });
        self.range = Range::Number(found);
    }

    fn push_bits(&mut self, array: &arrow::array::BooleanArray, present: Option<&NullBuffer>) {
        let Open::Bits(bytes, n) = &mut self.open else { return };
        let mut range: Option<(i128, i128)> = None;
        each(present, array.len(), |row| {
            if (*n).is_multiple_of(8) {
                bytes.push(0);
            }
            let bit = array.value(row);
            if let Some(last) = bytes.last_mut() {
                *last |= u8::from(bit) << (*n % 8);
            }
            *n += 1;
            let value = i128::from(bit);
            range = Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        });
        if let Some((low, high)) = range {
            self.widen_whole(low, high);
        }
    }

    fn widen_whole(&mut self, low: i128, high: i128) {
        if let Range::Whole(found) = &mut self.range {
            *found =
                Some(found.map_or((low, high), |(was_low, was_high)| (was_low.min(low), was_high.max(high))));
        }
    }

    /// The statistics of the chunk.
    pub(super) fn statistics(&self, physical: Physical, length: usize, n_missing: u64) -> Statistics {
        let nulls = Some(n_missing);
        let whole = match &self.range {
            Range::Whole(found) => *found,
            _ => None,
        };
        let (low, high) = (whole.map(|(low, _)| low), whole.map(|(_, high)| high));
        match physical {
            Physical::BOOLEAN => {
                Statistics::boolean(low.map(|n| n != 0), high.map(|n| n != 0), None, nulls, false)
            }
            Physical::INT32 => {
                let small = |n: i128| i32::try_from(n).ok();
                Statistics::int32(low.and_then(small), high.and_then(small), None, nulls, false)
            }
            Physical::INT64 => {
                let small = |n: i128| i64::try_from(n).ok();
                Statistics::int64(low.and_then(small), high.and_then(small), None, nulls, false)
            }
            Physical::DOUBLE => {
                let found = if let Range::Number(found) = &self.range { *found } else { None };
                // Zeros have signs, and readers may compare them with the other one.
                let low = found.map(|(low, _)| if low == 0.0 { -0.0 } else { low });
                let high = found.map(|(_, high)| if high == 0.0 { 0.0 } else { high });
                Statistics::double(low, high, None, nulls, false)
            }
            Physical::FIXED_LEN_BYTE_ARRAY => {
                let fixed = |n: i128| FixedLenByteArray::from(n.to_be_bytes()[16 - length..].to_vec());
                Statistics::fixed_len_byte_array(low.map(fixed), high.map(fixed), None, nulls, false)
            }
            _ => {
                let bounds = match &self.range {
                    Range::Text(Some((low, high))) => Some((low.as_slice(), high.as_slice())),
                    _ => None,
                };
                let bounds = bounds.filter(|(low, high)| low.len().max(high.len()) <= STATISTIC_BYTES_MAX);
                let bytes = |text: &[u8]| ByteArray::from(text.to_vec());
                let (low, high) = (bounds.map(|(low, _)| bytes(low)), bounds.map(|(_, high)| bytes(high)));
                Statistics::byte_array(low, high, None, nulls, false)
            }
        }
    }
}

/// Whether most texts of the first rows come more than once.
fn repeats(text: &Text<'_>) -> bool {
    if matches!(text, Text::Coded(..)) {
        return true;
    }
    let n = text.len().min(SAMPLE_ROWS);
    let distinct: std::collections::HashSet<&str> = (0..n).filter_map(|row| text.get(row)).collect();
    distinct.len() * 2 < n
}

fn widen(range: &mut Option<(Vec<u8>, Vec<u8>)>, text: &[u8]) {
    match range {
        None => *range = Some((text.to_vec(), text.to_vec())),
        Some((low, high)) => {
            if text < low.as_slice() {
                *low = text.to_vec();
            }
            if text > high.as_slice() {
                *high = text.to_vec();
            }
        }
    }
}

/// Calls a function for every row that has a value.
#[inline]
fn each(present: Option<&NullBuffer>, n: usize, mut of: impl FnMut(usize)) {
    match present {
        None => (0..n).for_each(of),
        Some(present) => present.valid_indices().for_each(&mut of),
    }
}

/// A number as Parquet writes it.
pub(super) trait Bytes {
    fn append(self, out: &mut Vec<u8>);
}

impl Bytes for i64 {
    fn append(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Bytes for i32 {
    fn append(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}
