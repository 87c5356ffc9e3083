//! Targets that are Delta Lake tables, written on the open protocol: readers of version 1, writers of version 2.
//!
//! * `action` – the lines of the log; `snapshot` – the state of a table; `checkpoint`, `summary` – the state as a Parquet file, read and
//!   written.
//! * `load` – the life of a load; `commit` – what a load adds to the log.

mod action;
mod checkpoint;
mod commit;
mod load;
mod snapshot;
mod summary;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use table::{Columns, Type};

use super::options::{self, FolderOptions};
use crate::source::{Dataset, Division};
use crate::target::{Load, Mode, Target, TargetSpec};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};

/// A target that is a Delta Lake table. Its options are those of a folder of Parquet files.
#[derive(Clone, Debug)]
struct DeltaOptions(FolderOptions);

/// Decodes a target of a Delta Lake table.
pub(crate) fn delta(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let form = options::parquet_form(fields, problems);
    options::decode(name, fields, problems, form)
        .map(|options| Box::new(DeltaOptions(options)) as Box<dyn TargetSpec>)
}

impl TargetSpec for DeltaOptions {
    fn plan(&self, input: &Columns, division: Division, problems: &mut Problems) {
        self.0.check(input, division, problems);
        for name in &self.0.partition_by {
            if input.get(name).is_some_and(|column| column.kind == Type::Instant) {
                problems.add(
                    name.at,
                    format!("the target `{}` partitions by the instant `{name}`: use a date", self.0.name),
                );
            }
        }
    }

    fn key(&self) -> &[Word] {
        &self.0.key
    }

    fn mode(&self) -> Mode {
        self.0.mode
    }

    fn dataset(&self) -> Dataset {
        self.0.place()
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        Box::pin(async move {
            let target = load::open(self.0.clone(), load, world.clone()).await?;
            Ok(Box::new(target) as Box<dyn Target>)
        })
    }
}
