//! vread: `GET [type]/[id]/_history/[version]`, one version as it was.

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::read::show;
use crate::fhir::reply::Reply;

/// Answers with the stored bytes of a version; 410 when that version is the deletion.
pub(crate) async fn vread(ask: Ask) -> Result<Reply, ServerError> {
    let subset = ask.controls.subset(ask.place.kind())?;
    let (kind, id, version) = (ask.place.kind(), &ask.place.id, ask.place.version);
    let stored = ask.app.gate().vread(&ask.access, kind, id, version).await?;
    Ok(show(&ask, stored, &subset))
}
