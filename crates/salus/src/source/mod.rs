//! From paths to changes: finds files, expands them within bounds, cuts them into pieces, and parses the pieces.
//!
//! [`walk`] finds inputs, [`read`] turns them into raw pieces on one thread, [`parse`] turns a piece into units of changes on many.
//! Nothing here knows where the changes go.

pub(crate) mod bundle;
pub(crate) mod expand;
pub(crate) mod limits;
pub(crate) mod lines;
pub(crate) mod parse;
pub(crate) mod read;
pub(crate) mod unit;
pub(crate) mod walk;

pub(crate) use limits::SourceLimits;
pub(crate) use read::{Piece, Raw};
pub(crate) use unit::{At, Change, Item, Place, Reject, Unit};
