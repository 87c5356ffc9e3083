//! How much one JSON document may ask of this machine.

/// Limits of one document; what goes beyond is an error with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of objects and arrays.
    pub depth_max: usize,
    /// Most values, members and items together.
    pub values_max: usize,
    /// Longest number, in characters.
    pub number_chars_max: usize,
}

impl Default for Limits {
    /// What a transaction bundle of 64 MiB needs, and no more.
    fn default() -> Limits {
        Limits { depth_max: 100, values_max: 8_000_000, number_chars_max: 100 }
    }
}
