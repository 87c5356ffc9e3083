//! The search index as rows: made from what `search` extracts, kept in one table per sort of value and once more in one piece per
//! resource.

pub(crate) mod blob;
pub(crate) mod delta;
pub(crate) mod pack;
pub(crate) mod part;
pub(crate) mod row;
pub(crate) mod tables;
