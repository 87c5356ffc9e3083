//! The workloads, one file each: what a client does in one step.

mod create;
mod crud;
mod import;
mod read;
mod sample;
mod search;

use rand::rngs::StdRng;

pub(crate) use create::CreateLoad;
pub(crate) use crud::CrudLoad;
pub(crate) use import::ImportLoad;
pub(crate) use read::ReadLoad;
pub(crate) use search::SearchLoad;

use super::recorder::Recorder;

/// A workload, prepared.
pub(crate) enum Load {
    Import(ImportLoad),
    Crud(CrudLoad),
    Search(Box<SearchLoad>),
    Read(ReadLoad),
    Create(CreateLoad),
}

impl Load {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Load::Import(_) => "import",
            Load::Crud(_) => "crud",
            Load::Search(_) => "search",
            Load::Read(_) => "read",
            Load::Create(_) => "create",
        }
    }

    /// Does it end by itself.
    pub(crate) fn is_finite(&self) -> bool {
        matches!(self, Load::Import(_))
    }

    /// One step of one client; `false` when there is nothing more to do.
    pub(crate) async fn step(&self, recorder: &mut Recorder, rng: &mut StdRng) -> bool {
        match self {
            Load::Import(load) => load.step(recorder).await,
            Load::Crud(load) => load.step(recorder, rng).await,
            Load::Search(load) => load.step(recorder, rng).await,
            Load::Read(load) => load.step(recorder, rng).await,
            Load::Create(load) => load.step(recorder, rng).await,
        }
    }
}
