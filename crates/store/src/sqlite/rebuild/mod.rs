//! Builds the search index anew as a new generation: the old one serves and both are written until the new one is complete.

mod run;
mod stale;
mod steps;

pub(crate) use run::run;
pub(crate) use stale::build_when_stale;
pub(crate) use steps::{Filled, Step, step};
