//! How much one message may ask of this machine.

/// Limits of one message; what goes beyond is an error with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes as they came.
    pub message_bytes_max: usize,
    /// Most segments of a message.
    pub segments_max: usize,
    /// Most fields of a segment.
    pub fields_per_segment_max: usize,
    /// Most repetitions of a field.
    pub repetitions_per_field_max: usize,
}

impl Default for Limits {
    /// What a document of some megabytes in an OBX, or a year of results in one message, needs.
    fn default() -> Limits {
        Limits {
            message_bytes_max: 16 * 1024 * 1024,
            segments_max: 50_000,
            fields_per_segment_max: 1_000,
            repetitions_per_field_max: 10_000,
        }
    }
}
