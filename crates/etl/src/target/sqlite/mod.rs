//! Rows into a table of a SQLite file: staged in a file of their own, then rows, units and watermark in one transaction.

mod cell;
mod ledger;
mod load;
mod merge;
mod shape;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use table::{Batch, Columns, Reject};

use crate::source::{Dataset, Division, Unit};
use crate::sql::{Failure, sqlite};
use crate::target::sql::SqlTarget;
use crate::target::{Committed, Load, Loaded, Mode, Target, TargetSpec};
use crate::yaml::Fields;
use crate::{EtlError, Problems, Word, world::World};
use load::Work;

/// Decodes a target of the type `sqlite`.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let path = fields.required_text("path", problems);
    let target = SqlTarget::decode(name, fields, problems);
    Some(Box::new(SqliteTarget { path: path?, target: target? }))
}

/// A target of the type `sqlite`.
#[derive(Debug)]
struct SqliteTarget {
    path: Word,
    target: SqlTarget,
}

impl TargetSpec for SqliteTarget {
    fn plan(&self, input: &Columns, division: Division, problems: &mut Problems) {
        self.target.plan(input, division, problems);
    }

    fn key(&self) -> &[Word] {
        &self.target.key
    }

    fn mode(&self) -> Mode {
        self.target.mode
    }

    fn dataset(&self) -> Dataset {
        Dataset { namespace: "sqlite".to_owned(), name: format!("{}.{}", self.path, self.target.table) }
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        Box::pin(async move {
            let opened = self.prepare(load, world);
            let open = opened.map_err(|failure| failure.of_target(&self.target.name))?;
            Ok(Box::new(open) as Box<dyn Target>)
        })
    }
}

impl SqliteTarget {
    fn prepare(&self, load: Load, world: &Arc<World>) -> Result<Open, Failure> {
        let path: PathBuf = world.path(&self.path).map_err(Failure::lasting)?;
        if !path.parent().is_some_and(std::path::Path::is_dir) {
            return Err(Failure::lasting(format!("the folder of `{}` is not there: make it", self.path)));
        }
        let work = Work::new(self.target.clone(), load, world.clone(), path, self.path.text.clone());
        Ok(Open { name: self.target.name.clone(), work: Arc::new(Mutex::new(work)) })
    }
}

/// An open target. The work blocks, so it is done on threads for it.
struct Open {
    name: String,
    work: Arc<Mutex<Work>>,
}

impl Open {
    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Work) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, EtlError> {
        let shared = self.work.clone();
        let working =
            sqlite::blocking(move || work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner)));
        working.await.map_err(|failure| failure.of_target(&self.name))
    }
}

impl Target for Open {
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>> {
        Box::pin(self.on_thread(Work::committed))
    }

    fn begin<'a>(&'a mut self, columns: &'a Columns) -> BoxFuture<'a, Result<(), EtlError>> {
        let columns = columns.clone();
        Box::pin(self.on_thread(move |work| work.begin(&columns)))
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(self.on_thread(move |work| work.write(&batch)))
    }

    fn commit<'a>(
        &'a mut self,
        units: &'a [Unit],
        watermark: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Loaded, EtlError>> {
        let (units, watermark) = (units.to_vec(), watermark.map(str::to_owned));
        Box::pin(self.on_thread(move |work| work.commit(&units, watermark.as_deref())))
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        Box::pin(self.on_thread(Work::abort))
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.work.lock().unwrap_or_else(PoisonError::into_inner).refused)
    }
}
