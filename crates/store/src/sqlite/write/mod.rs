//! Writing: the one writer's work. A batch is what waits; each request has a savepoint; index rows go in once per batch.

mod batch;
mod conditions;
mod delete;
mod integrity;
mod journal;
mod numbers;
mod put;
mod request;
mod state;
mod store_row;

pub(crate) use batch::{Answer, Job, Task, WriteJob, Writing};
pub(crate) use numbers::{WriterNumbers, name_of};
pub(crate) use put::indexed;
pub(crate) use state::State;
