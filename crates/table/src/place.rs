//! Where a row came from: unit, line, byte offset. Three columns at the end of every batch.

use arrow::datatypes::{DataType, Field};

/// Number of the unit (a file, a window of a table) among the units of its source in this run.
pub const UNIT: &str = "_salus_unit";
/// Line of the row's first byte in its file, or the number of the row, from 1.
pub const LINE: &str = "_salus_line";
/// Byte offset of the row's first byte in its file; null where the source has none.
pub const OFFSET: &str = "_salus_offset";

/// Where a row came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Number of the unit among the units of its source in this run.
    pub unit: u32,
    /// Line of the row's first byte in its file (after decompression), or the number of the row, from 1.
    pub line: u64,
    /// Byte offset of the row's first byte in its file (after decompression).
    pub offset: Option<u64>,
}

/// Whether a name is one of the columns of the places, or could become one.
pub fn is_place(name: &str) -> bool {
    name.starts_with("_salus_")
}

/// The Arrow fields of the three columns: `UInt32`, `UInt64`, `UInt64`.
pub fn place_fields() -> [Field; 3] {
    [
        Field::new(UNIT, DataType::UInt32, true),
        Field::new(LINE, DataType::UInt64, true),
        Field::new(OFFSET, DataType::UInt64, true),
    ]
}
