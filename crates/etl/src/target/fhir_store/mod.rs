//! Writes resources into the FHIR store, through the same door as everybody else.
//!
//! Rows wait on disk until the source is judged. Then they are written by update: the id says which resource it is, so writing twice
//! changes nothing. What was loaded (units and watermark) is kept in the store itself, in `Basic` resources with ids made of pipeline and
//! source, and written last: a load that was cut off has no such record and is written again from its beginning.

mod committed;
mod latest;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use fhir::json::Limits;
use fhir::{Resource, Value as Fhir};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use table::{Batch, Columns, Place, Reject, Type};

use crate::engine::{Spool, Spooled};
use crate::source::{Dataset, Division, Unit};
use crate::step::map_to_fhir::{RESOURCE, RESOURCE_ID, RESOURCE_TYPE};
use crate::target::{Committed, Load, Loaded, Mode, Target, TargetSpec};
use crate::world::{ResourceDoor, World, Written};
use crate::yaml::Fields;
use crate::{EtlError, Point, Problems, Word};

use committed::Record;

/// Bytes of resources in one call to the store.
const CALL_BYTES_MAX: usize = 4 << 20;

/// Options of `fhir_store`.
#[derive(Debug)]
struct FhirStore {
    name: String,
    at: Point,
    key: Vec<Word>,
    /// Resources in one call to the store.
    batch: usize,
}

/// Reads the options.
pub(super) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn TargetSpec>> {
    let batch = fields.whole("batch", problems).unwrap_or(500);
    if !(1..=5_000).contains(&batch) {
        problems.add(fields.at(), format!("`batch` of {} must be from 1 to 5000 resources", fields.what()));
    }
    fields.choice("mode", &[("merge", Mode::Merge)], problems);
    let key = [RESOURCE_TYPE, RESOURCE_ID].map(|text| Word { text: text.to_owned(), at: name.at });
    let batch = usize::try_from(batch).unwrap_or(500).clamp(1, 5_000);
    Some(Box::new(FhirStore { name: name.text.clone(), at: name.at, key: key.to_vec(), batch }))
}

impl TargetSpec for FhirStore {
    fn plan(&self, input: &Columns, _division: Division, problems: &mut Problems) {
        for name in [RESOURCE_TYPE, RESOURCE_ID, RESOURCE] {
            if input.get(name).is_none_or(|column| column.kind != Type::Text) {
                let message = format!(
                    "the target `{}` needs the text column `{name}`: end the steps with `map_to_fhir`",
                    self.name
                );
                problems.add(self.at, message);
            }
        }
    }

    fn key(&self) -> &[Word] {
        &self.key
    }

    fn mode(&self) -> Mode {
        Mode::Merge
    }

    fn refuses_late(&self) -> bool {
        true
    }

    fn dataset(&self) -> Dataset {
        Dataset { namespace: "salus".to_owned(), name: "fhir".to_owned() }
    }

    fn open<'a>(
        &'a self,
        load: Load,
        world: &'a Arc<World>,
    ) -> BoxFuture<'a, Result<Box<dyn Target>, EtlError>> {
        async move {
            let Some(store) = world.store.clone() else {
                return Err(failed(
                    &self.name,
                    "there is no FHIR store here: name its folder with `--data-dir`",
                ));
            };
            let target: Box<dyn Target> = Box::new(Open {
                name: self.name.clone(),
                batch: self.batch,
                load,
                store,
                world: Arc::clone(world),
                spool: None,
                prepared: None,
                refused: Vec::new(),
            });
            Ok(target)
        }
        .boxed()
    }
}

fn failed(target: &str, why: impl Into<String>) -> EtlError {
    EtlError::Target { target: target.to_owned(), why: why.into(), is_transient: false }
}

struct Open {
    name: String,
    batch: usize,
    load: Load,
    store: Arc<dyn ResourceDoor>,
    world: Arc<World>,
    spool: Option<Spool>,
    /// The resources are written.
    prepared: Option<Loaded>,
    refused: Vec<Reject>,
}

impl Target for Open {
    fn committed(&mut self) -> BoxFuture<'_, Result<Committed, EtlError>> {
        async move {
            let record = Record::read(&*self.store, &self.load).await?;
            Ok(Committed { units: record.units, watermark: record.watermark })
        }
        .boxed()
    }

    fn begin<'a>(&'a mut self, columns: &'a Columns) -> BoxFuture<'a, Result<(), EtlError>> {
        async move {
            self.refused.clear();
            self.prepared = None;
            self.spool = Some(self.world.engine.spool_of(columns)?);
            Ok(())
        }
        .boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), EtlError>> {
        async move {
            let spool = self.spool.as_mut().ok_or_else(|| failed(&self.name, "rows came before `begin`"))?;
            spool.push(&batch)
        }
        .boxed()
    }

    fn prepare(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        async move {
            let spool = self.spool.take().ok_or_else(|| failed(&self.name, "there is nothing to commit"))?;
            let rows = spool.finish()?;
            (self.world.checkpoint)("fhir_store:staged");
            self.prepared = Some(self.write_all(&rows).await?);
            (self.world.checkpoint)("fhir_store:written");
            Ok(())
        }
        .boxed()
    }

    fn commit<'a>(
        &'a mut self,
        units: &'a [Unit],
        watermark: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Loaded, EtlError>> {
        async move {
            if self.prepared.is_none() {
                self.prepare().await?;
            }
            let mut loaded = self.prepared.take().unwrap_or_default();
            loaded.refused = self.refused.len() as u64;
            let mut record = Record::read(&*self.store, &self.load).await?;
            record.add(units, watermark);
            record.write(&*self.store, &self.load).await?;
            (self.world.checkpoint)("fhir_store:committed");
            Ok(loaded)
        }
        .boxed()
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<(), EtlError>> {
        self.spool = None;
        self.prepared = None;
        self.refused.clear();
        async { Ok(()) }.boxed()
    }

    fn refused(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.refused)
    }
}

impl Open {
    async fn write_all(&mut self, rows: &Spooled) -> Result<Loaded, EtlError> {
        let mut loaded = Loaded::default();
        let last = latest::last_of_each(rows, &self.world)?;
        let (mut call, mut places, mut n_bytes, mut n_calls, mut row) = (Vec::new(), Vec::new(), 0, 0_u64, 0);
        for batch in rows.read()? {
            let batch = batch?;
            self.world.check_cancelled()?;
            let texts: Vec<Option<String>> = {
                let text = batch.text(RESOURCE)?;
                (0..batch.n_rows()).map(|row| text.get(row).map(str::to_owned)).collect()
            };
            for (index, text) in texts.into_iter().enumerate() {
                let is_last = last.get(row);
                row += 1;
                if !is_last {
                    loaded.deduplicated += 1;
                    continue;
                }
                let text = text.unwrap_or_default();
                let place = batch.place(index);
                match fhir::json::parse(text.as_bytes(), &Limits::default()) {
                    Ok(value) => {
                        n_bytes += text.len();
                        call.push(value);
                        places.push(place);
                    }
                    Err(_) => self.refuse(place, "json", "the resource is not JSON".to_owned(), &mut loaded),
                }
                if call.len() >= self.batch || n_bytes >= CALL_BYTES_MAX {
                    self.send(std::mem::take(&mut call), std::mem::take(&mut places), &mut loaded).await?;
                    n_bytes = 0;
                    n_calls += 1;
                    if n_calls == 1 {
                        (self.world.checkpoint)("fhir_store:half");
                    }
                }
            }
        }
        if !call.is_empty() {
            self.send(call, places, &mut loaded).await?;
        }
        Ok(loaded)
    }

    async fn send(
        &mut self,
        resources: Vec<Fhir>,
        places: Vec<Place>,
        loaded: &mut Loaded,
    ) -> Result<(), EtlError> {
        let copies = resources.clone();
        let outcomes = self.store.write(resources).await?;
        if outcomes.len() != places.len() {
            return Err(failed(&self.name, "the store gave another number of answers than it was asked for"));
        }
        for ((outcome, place), resource) in outcomes.into_iter().zip(places).zip(copies) {
            match outcome {
                Written::Created => loaded.inserted += 1,
                Written::Updated => loaded.updated += 1,
                Written::Unchanged => loaded.unchanged += 1,
                Written::Refused(reason) => {
                    let (slug, message) = why_refused(resource, &reason);
                    self.refuse(place, slug, message, loaded);
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, place: Place, reason: &'static str, message: String, loaded: &mut Loaded) {
        loaded.refused += 1;
        self.refused.push(Reject {
            place,
            rule: self.name.clone().into(),
            column: Some(RESOURCE.to_owned()),
            reason: reason.into(),
            message,
            raw: Vec::new(),
        });
    }
}

/// Why the store refused a resource, without its values: issues of validation may quote them, so their names and places are told instead.
fn why_refused(resource: Fhir, reason: &str) -> (&'static str, String) {
    let issues = match Resource::from_value(resource) {
        Ok(resource) => validate::check(&resource, validate::Level::Full),
        Err(issues) => issues,
    };
    match issues.iter().find(|issue| issue.is_error()) {
        Some(issue) => {
            let place = issue.expression.as_deref().unwrap_or("the resource");
            (issue.slug, format!("the store refused the resource: `{}` at `{place}`", issue.slug))
        }
        None => ("refused", format!("the store refused the resource: {reason}")),
    }
}
