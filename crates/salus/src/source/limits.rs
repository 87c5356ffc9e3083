//! How much an input may ask of this machine.

/// Limits on what is read. The defaults suit a laptop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceLimits {
    /// Largest JSON document, expanded: one bundle, one resource.
    pub(crate) document_bytes_max: usize,
    /// Longest NDJSON line, expanded.
    pub(crate) line_bytes_max: usize,
    /// NDJSON is cut into pieces of about this size; a piece is parsed and written as one.
    pub(crate) piece_bytes: usize,
    /// A compressed file may expand to this size whatever its ratio.
    pub(crate) expanded_bytes_free: u64,
    /// Beyond that, it may expand to at most this many times its own size. Real health data stays far below; gzip cannot exceed 1,032.
    pub(crate) expansion_ratio_max: u64,
    /// Deepest folder below a given path.
    pub(crate) folder_depth_max: usize,
}

impl Default for SourceLimits {
    fn default() -> Self {
        SourceLimits {
            document_bytes_max: 64 * 1024 * 1024,
            line_bytes_max: 16 * 1024 * 1024,
            piece_bytes: 1024 * 1024,
            expanded_bytes_free: 64 * 1024 * 1024,
            expansion_ratio_max: 500,
            folder_depth_max: 32,
        }
    }
}
