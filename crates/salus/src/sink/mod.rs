//! From changes to a store: this folder's gate, a server behind its socket, or any FHIR server.

pub(crate) mod dispatch;
pub(crate) mod keys;
pub(crate) mod local;
pub(crate) mod progress;
pub(crate) mod remote;
pub(crate) mod report;

use crate::source::Unit;

pub(crate) use local::LocalSink;
pub(crate) use remote::RemoteSink;

/// What became of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    Updated,
    Unchanged,
    Deleted,
}

/// What became of a unit: for each item, in order, its outcome or the reason why it was not taken.
#[derive(Debug)]
pub(crate) enum Written {
    /// Each on its own.
    Each(Vec<Result<Outcome, String>>),
    /// Nothing of it was taken: `entry` (a position in the unit) is at fault when it is known.
    Nothing { entry: Option<usize>, reason: String, waits: bool },
}

/// Where changes go.
#[derive(Clone)]
pub(crate) enum Sink {
    Local(LocalSink),
    Remote(RemoteSink),
}

impl Sink {
    /// Writes one unit. An error means that the store itself failed and nothing more should be sent.
    pub(crate) async fn write(&self, unit: Unit) -> anyhow::Result<Written> {
        match self {
            Sink::Local(sink) => sink.write(unit).await,
            Sink::Remote(sink) => sink.write(&unit).await,
        }
    }

    /// The resource with a type and id, if it is there.
    pub(crate) async fn read(&self, kind: &str, id: &str) -> anyhow::Result<Option<fhir::Value>> {
        match self {
            Sink::Local(sink) => sink.read(kind, id).await,
            Sink::Remote(sink) => Ok(sink.client.read(kind, id).await?),
        }
    }
}
