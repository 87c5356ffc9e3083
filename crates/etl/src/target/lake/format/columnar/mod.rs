//! Columns to Parquet column chunks, without a look at each value where Arrow has done that work already: keys of dictionaries are
//! renumbered and packed, texts and numbers are copied, validity bitmaps become definition levels as they are.
//!
//! * `chunk` – one column of a row group: pages, dictionary, statistics; `values` – what a page holds; `pack` – bits.

mod chunk;
mod pack;
mod values;

pub(super) use chunk::{Chunk, Codec};
