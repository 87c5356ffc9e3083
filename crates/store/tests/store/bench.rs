//! How fast: printed, never a reason to fail.
