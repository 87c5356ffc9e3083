//! Search over the index: a query becomes probes (does a filter hold for a row) and arms (which rows a filter holds for). The most
//! selective filter drives, the others are probed by row from the one piece of bytes that holds all index rows of a resource.
//!
//! Shares no evaluation code with `search::matches`, which defines what must come out; cases compare the two.

mod arm;
mod compile;
mod cursor;
mod cx;
mod drive;
mod entry;
mod goal;
mod holds;
mod include;
mod link;
mod page;
mod relation;
mod row_test;
mod sets;
mod sort;
mod sql;
mod test;
mod visible;
mod walk;

pub(crate) use entry::{count_kind, find_ids, find_one, search, touches_other_kinds};
pub(crate) use visible::Visible;
