//! What can be done of a write before the writer has it: ids are given, references resolved, labels kept, the body packed, index rows
//! extracted. Knows no database: it is told what is stored ([`Facts`]).

mod amend;
mod content;
mod facts;
mod labels;
mod narrative;
mod needs;
mod plan;
mod references;

pub(crate) use content::refresh;
pub(crate) use facts::{Facts, Found, Seen};
pub(crate) use needs::{Condition, Needs};
pub(crate) use plan::{Planned, Planner, Put, Step};
