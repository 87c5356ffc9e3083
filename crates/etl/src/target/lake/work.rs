//! What folders of files and Delta tables share: an open target on blocking threads, and the rows of its load until the commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures_util::future::BoxFuture;
use table::{Batch, Columns};

use super::LakeError;
use super::folder::Folder;
use super::merge::{Incoming, Waiting};
use super::options::FolderOptions;
use super::read::in_order;
use super::room::Room;
use super::staging::{Plan, Staged, Staging};
use super::worker::Worker;
use crate::source::Unit;
use crate::target::{Committed, Loaded, Mode, Target};
use crate::{EtlError, world::World};

/// What is attached to a load, by name.
pub(crate) type Attachments = BTreeMap<String, serde_json::Value>;

/// The life of a load where files are kept.
pub(crate) trait Lake: Send + 'static {
    /// What every load has.
    fn parts(&mut self) -> Parts<'_>;
    /// See [`Target::committed`].
    fn committed(&self) -> Result<Committed, LakeError>;
    /// See [`Target::begin`].
    fn begin(&mut self, columns: Columns) -> Result<(), LakeError>;
    /// See [`Target::commit`].
    fn commit(&mut self, units: &[String], watermark: Option<&str>) -> Result<Loaded, LakeError>;
}

/// What every load has.
pub(crate) struct Parts<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) world: &'a World,
    pub(crate) attachments: &'a mut Attachments,
    pub(crate) work: &'a mut Option<Work>,
}

/// An open target.
pub(crate) struct LakeTarget<L>(Worker<L>);

impl<L: Lake> LakeTarget<L> {
    /// Takes a look at what is there.
    pub(crate) async fn open(name: String, lake: L) -> Result<LakeTarget<L>, EtlError> {
        let mut target = LakeTarget(Worker::new(name, lake));
        target.0.run(|lake| lake.committed().map(drop)).await?;
        Ok(target)
    }
}

impl<L: Lake> Target for LakeTarget<L> {
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>> {
        Box::pin(self.0.run(|lake| lake.committed()))
    }

    fn begin<'a>(&'a mut self, columns: &'a Columns) -> BoxFuture<'a, Result<(), EtlError>> {
        let columns = columns.clone();
        Box::pin(self.0.run(move |lake| lake.begin(columns)))
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(self.0.run(move |lake| {
            let Parts { world, work, .. } = lake.parts();
            world.check_cancelled().map_err(|_| LakeError::cancelled())?;
            work.as_mut().ok_or_else(|| LakeError::new("rows came before `begin`"))?.write(&batch)
        }))
    }

    fn commit<'a>(
        &'a mut self,
        units: &'a [Unit],
        watermark: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Loaded, EtlError>> {
        let units: Vec<String> = units.iter().map(|unit| unit.id.clone()).collect();
        let watermark = watermark.map(str::to_owned);
        Box::pin(self.0.run(move |lake| lake.commit(&units, watermark.as_deref())))
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(self.0.run(|lake| {
            let Parts { folder, work, .. } = lake.parts();
            work.take().map_or(Ok(()), |work| work.room.leave(folder))
        }))
    }

    fn attach(&mut self, name: &str, json: serde_json::Value) {
        if let Some(lake) = self.0.inner() {
            lake.parts().attachments.insert(name.to_owned(), json);
        }
    }
}

/// A load that has begun.
pub(crate) struct Work {
    pub(crate) columns: Columns,
    pub(crate) schema: SchemaRef,
    pub(crate) plan: Plan,
    pub(crate) room: Room,
    pub(crate) rows: Coming,
    pub(crate) n_rows: u64,
}

impl Work {
    /// Begins to stage rows in a room. `has_folders`: whether the names of files begin with those of their partitions.
    pub(crate) fn begin(
        columns: Columns,
        room: Room,
        options: &FolderOptions,
        has_folders: bool,
        attachments: &Attachments,
        world: &World,
    ) -> Result<Work, LakeError> {
        let own = columns.schema();
        let schema: SchemaRef = Arc::new(own.project(&(0..columns.len()).collect::<Vec<_>>())?);
        let mut form = options.form.clone();
        form.has_text_statistics &= !attachments.contains_key("privacy_manifest");
        let plan = Plan {
            folder: room.path().to_owned(),
            stems: vec![room.stem().to_owned()],
            form,
            partition_by: options.partition_names(),
            has_folders,
            file_rows_max: options.file_rows_max,
            schema: schema.clone(),
        };
        let rows = if options.mode == Mode::Merge {
            let path = room.path().join("rows.arrow");
            let (key, keys) = (options.key_names(), world.engine.keys());
            Coming::Merge(Box::new(Incoming::new(path, &schema, &key, options.merge_keys_max, keys)?))
        } else {
            Coming::Files(Staging::new(plan.clone()))
        };
        Ok(Work { columns, schema, plan, room, rows, n_rows: 0 })
    }

    fn write(&mut self, batch: &Batch) -> Result<(), LakeError> {
        let rows = in_order(batch, &self.schema)?;
        self.n_rows += rows.num_rows() as u64;
        match &mut self.rows {
            Coming::Files(staging) => staging.write(&rows, 0),
            Coming::Merge(incoming) => incoming.push(&rows),
        }
    }
}

/// Rows on their way.
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub(crate) enum Coming {
    Files(Staging),
    Merge(Box<Incoming>),
}

impl Coming {
    /// No more rows will come.
    pub(crate) fn finish(self) -> Result<Ready, LakeError> {
        Ok(match self {
            Coming::Files(staging) => Ready::Files(staging.finish()?),
            Coming::Merge(incoming) => Ready::Merge(Box::new(incoming.finish()?)),
        })
    }
}

/// What is to be committed.
pub(crate) enum Ready {
    Files(Vec<Staged>),
    Merge(Box<Waiting>),
}
