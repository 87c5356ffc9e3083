//! Tests of one parameter's values, one file per sort: which rows pass, and where the index has them.

pub(super) mod composite;
pub(super) mod date;
pub(super) mod number;
pub(super) mod quantity;
pub(super) mod reference;
pub(super) mod text;
pub(super) mod token;
pub(super) mod uri;
