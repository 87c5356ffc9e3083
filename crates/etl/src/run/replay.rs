//! Runs rows again that were set aside, through the pipeline as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use table::{Columns, Place};

use crate::EtlError;
use crate::file::Pipeline;
use crate::run::flow::Flow;
use crate::run::through::gather;
use crate::run::{Counts, Observer, RunOptions, RunRecord, given};
use crate::source::{Out, Piece, Source, Unit};
use crate::target::Mode;
use crate::world::World;

/// A row that was set aside, opened.
pub struct Quarantined {
    /// Its number.
    pub id: i64,
    /// File or window it came from.
    pub unit: String,
    /// Its place there.
    pub place: Place,
    /// Its content: a JSON object of texts.
    pub raw: Vec<u8>,
}

/// Runs rows of a source again. Gives the run's record and the numbers of the rows that could not be run again, because their record
/// was never understood: correct the file and run the pipeline. Rows that are refused again are new rows of the quarantine.
pub async fn replay(
    pipeline: &Pipeline,
    world: &Arc<World>,
    options: &RunOptions,
    observer: &Arc<dyn Observer>,
    source: &str,
    rows: Vec<Quarantined>,
) -> Result<(RunRecord, Vec<i64>), EtlError> {
    let entry = pipeline.source(source).ok_or_else(|| EtlError::Source {
        source_name: source.to_owned(),
        why: "the pipeline has no such source any more".to_owned(),
        is_transient: false,
    })?;
    if let Some(target) = pipeline.targets_of(source).find(|target| target.spec.mode() == Mode::Replace) {
        return Err(EtlError::Target {
            target: target.name.text.clone(),
            why: "its rows are replaced as a whole: run the pipeline again instead of replaying rows"
                .to_owned(),
            is_transient: false,
        });
    }
    let (plan, mut connected) = crate::run::connect(pipeline, world).await?;
    let columns = plan.flow(source).ok_or_else(|| EtlError::Source {
        source_name: source.to_owned(),
        why: "its columns are not known".to_owned(),
        is_transient: false,
    })?;
    connected.open.remove(source);
    let gathered = gather(pipeline, &plan, &mut connected, &mut BTreeMap::new(), world).await?;
    let (again, unreadable) = understood(rows);
    let ids: Vec<String> = again.iter().map(|(row, _)| row.id.to_string()).collect();
    let open = Again::new(columns.source.clone(), again, &ids)?;
    let meter = Arc::default();
    let flow = Flow { pipeline, source: entry, columns, options, world, observer, meter, retries: 0 };
    let end = flow.attempt(1, Some(Box::new(open)), &gathered.for_source(entry), Vec::new()).await?;
    observer.source_done(&end.record)?;
    let mut counts = Counts::default();
    counts.add(&end.record.counts);
    let record = RunRecord {
        run: options.run.clone(),
        pipeline: pipeline.name.text.clone(),
        pipeline_hash: pipeline.hash.clone(),
        status: end.record.status,
        resumed: false,
        dry_run: options.dry_run,
        started_at: options.started_at,
        ended_at: Some(world.now()),
        duration_secs: end.record.duration_secs,
        counts,
        sources: vec![end.record],
        warnings: Vec::new(),
    };
    Ok((record, unreadable))
}

/// Rows whose content is a row, and the numbers of the others.
fn understood(rows: Vec<Quarantined>) -> (Vec<(Quarantined, given::Given)>, Vec<i64>) {
    let (mut again, mut unreadable) = (Vec::new(), Vec::new());
    for row in rows {
        match serde_json::from_slice::<Json>(&row.raw) {
            Ok(Json::Object(object)) => {
                let cells = object.into_iter().map(|(name, cell)| match cell {
                    Json::Null => (name, None),
                    Json::String(text) => (name, Some(text)),
                    other => (name, Some(other.to_string())),
                });
                let cells = cells.collect();
                again.push((row, cells));
            }
            _ => unreadable.push(row.id),
        }
    }
    (again, unreadable)
}

/// A source that gives rows again. Its unit is the set of rows, so that a replay that died is not loaded twice.
struct Again {
    columns: Columns,
    rows: Vec<(Quarantined, given::Given)>,
    units: Vec<Unit>,
}

impl Again {
    fn new(
        columns: Columns,
        mut rows: Vec<(Quarantined, given::Given)>,
        ids: &[String],
    ) -> Result<Again, EtlError> {
        let digest = Sha256::digest(ids.join(","));
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        rows.sort_by(|a, b| a.0.unit.cmp(&b.0.unit).then(a.0.place.cmp(&b.0.place)));
        let mut units: Vec<Unit> = Vec::new();
        for (row, _) in &mut rows {
            if units.last().is_none_or(|unit| unit.name != row.unit) {
                units.push(Unit {
                    id: format!("replay/{hex}/{}", units.len()),
                    name: row.unit.clone(),
                    watermark: None,
                    n_bytes: None,
                    n_rows: None,
                });
            }
            row.place.unit = u32::try_from(units.len() - 1).unwrap_or(u32::MAX);
        }
        Ok(Again { columns, rows, units })
    }
}

impl Source for Again {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn units<'a>(&'a mut self, _since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        async { Ok(self.units.clone()) }.boxed()
    }

    fn read<'a>(&'a mut self, unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        async move {
            let index = self.units.iter().position(|known| known.id == unit.id).unwrap_or(0);
            let (mut cells, mut places) = (Vec::new(), Vec::new());
            for (row, given) in self.rows.iter().filter(|(row, _)| row.place.unit as usize == index) {
                cells.push(given.clone());
                places.push(Place { unit: number, ..row.place });
            }
            let typed = given::typed(&self.columns, &cells, &places)?;
            if !typed.rejects.is_empty() {
                out.send(Piece::Rejects(typed.rejects)).await?;
            }
            out.send(Piece::Rows(typed.batch)).await
        }
        .boxed()
    }
}
