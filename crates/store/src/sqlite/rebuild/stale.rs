//! An index that was made with other definitions than this program's is built anew beside the work of others, while it goes on serving.

use std::sync::Arc;

use super::run;
use crate::StoreError;
use crate::sqlite::SqliteStore;

/// Starts when the index is not up to date.
pub(crate) fn build_when_stale(store: &Arc<SqliteStore>) -> Result<(), StoreError> {
    if store.shared.catalog().is_current {
        return Ok(());
    }
    tracing::info!("the search index was made with other definitions: it is built anew in the background");
    let failed =
        |error: std::io::Error| StoreError::Io { doing: "start a thread".into(), kind: error.kind() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(failed)?;
    let store = Arc::clone(store);
    let work = move || match runtime.block_on(run(&store)) {
        // Closing ends it; the next start begins again.
        Ok(_) | Err(StoreError::Closed) => {}
        Err(error) => {
            tracing::error!(%error, "the search index was not built anew: run `salus rebuild index`");
        }
    };
    std::thread::Builder::new().name("store-rebuild".into()).spawn(work).map_err(failed)?;
    Ok(())
}
