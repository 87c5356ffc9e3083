//! quality.
