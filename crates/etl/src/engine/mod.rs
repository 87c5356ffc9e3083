//! Expressions, SQL, sorting and spooling on DataFusion and Arrow, within a memory limit.

/// The embedded engine of a run.
#[derive(Debug)]
pub struct Engine {}
