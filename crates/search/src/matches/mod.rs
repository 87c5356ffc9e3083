//! What a search means: each resource is looked at by itself, with plain Rust on the rows that it puts into the index.

pub(crate) mod test;
