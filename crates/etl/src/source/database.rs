//! A source that is a database: what all of them have in common.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use table::Columns;

use crate::source::sql::SqlSource;
use crate::source::{Dataset, Division, Source, SourceSpec};
use crate::sql::Failure;
use crate::{EtlError, world::World};

/// A kind of database, and where it is.
pub(crate) trait Database: std::fmt::Debug + Send + Sync + 'static {
    /// An open source.
    type Open: Source + 'static;
    /// Opens a source in it.
    fn connect(
        &self,
        source: &Arc<SqlSource>,
        world: &World,
    ) -> impl Future<Output = Result<Self::Open, Failure>> + Send;
    /// The namespace of what is in it, and what stands before the names of its tables.
    fn place(&self) -> (String, String);
}

/// Rows of a database.
#[derive(Debug)]
pub(crate) struct DatabaseSource<D> {
    pub(crate) database: D,
    pub(crate) source: Arc<SqlSource>,
}

impl<D: Database> SourceSpec for DatabaseSource<D> {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        Box::pin(async move {
            let opened = self.database.connect(&self.source, world).await;
            let source = opened.map_err(|failure| failure.of_source(&self.source.name))?;
            Ok(Box::new(source) as Box<dyn Source>)
        })
    }

    fn columns(&self) -> Option<Columns> {
        self.source.declared.columns()
    }

    fn division(&self) -> Division {
        self.source.division()
    }

    fn dataset(&self) -> Dataset {
        let (namespace, database) = self.database.place();
        Dataset { namespace, name: self.source.dataset_name(&database) }
    }
}
