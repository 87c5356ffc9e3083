//! What was loaded from a source, in the store itself: one `Basic` resource with watermark and number of units, and one for each
//! thousand of units. The first is written last and says how many units count.

use fhir::json::Number;
use fhir::{Object, Value as Fhir};
use sha2::{Digest as _, Sha256};

use crate::EtlError;
use crate::source::Unit;
use crate::target::Load;
use crate::world::{ResourceDoor, Written};

const SYSTEM: &str = "urn:salus:etl";
const WATERMARK: &str = "urn:salus:etl:watermark";
const N_UNITS: &str = "urn:salus:etl:n-units";
const UNIT: &str = "urn:salus:etl:unit";
const RUN: &str = "urn:salus:etl:run";
const PIPELINE_HASH: &str = "urn:salus:etl:pipeline-hash";
const PAGE_UNITS: usize = 1_000;

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) units: Vec<String>,
    pub(super) watermark: Option<String>,
}

impl Record {
    /// What the store has of a pipeline and source.
    pub(super) async fn read(store: &dyn ResourceDoor, load: &Load) -> Result<Record, EtlError> {
        let Some(head) = store.read("Basic", &id(load, None)).await? else { return Ok(Record::default()) };
        let damaged = || EtlError::Target {
            target: load.target.clone(),
            why: format!("`Basic/{}`, the record of what was loaded, is damaged: restore it", id(load, None)),
            is_transient: false,
        };
        let n_units = extension(&head, N_UNITS).and_then(|value| value.get("valueInteger"));
        let n_units = n_units.and_then(Fhir::as_number).and_then(Number::as_i64).ok_or_else(damaged)?;
        let n_units = usize::try_from(n_units).map_err(|_| damaged())?;
        let watermark =
            extension(&head, WATERMARK).and_then(|value| value.text("valueString")).map(str::to_owned);
        let mut units = Vec::with_capacity(n_units);
        for page in 0..n_units.div_ceil(PAGE_UNITS) {
            let page = store.read("Basic", &id(load, Some(page))).await?.ok_or_else(damaged)?;
            let found = extensions(&page, UNIT).filter_map(|value| value.text("valueString"));
            units.extend(found.map(str::to_owned));
        }
        // A page may hold units of a load that was cut off before the head was written.
        if units.len() < n_units {
            return Err(damaged());
        }
        units.truncate(n_units);
        Ok(Record { units, watermark })
    }

    /// Adds what a commit loaded.
    pub(super) fn add(&mut self, units: &[Unit], watermark: Option<&str>) {
        for unit in units {
            if !self.units.contains(&unit.id) {
                self.units.push(unit.id.clone());
            }
        }
        if let Some(watermark) = watermark {
            self.watermark = Some(watermark.to_owned());
        }
    }

    /// Writes the last pages and then the head. Full pages do not change, so writing them again costs little; all are written.
    pub(super) async fn write(&self, store: &dyn ResourceDoor, load: &Load) -> Result<(), EtlError> {
        let pages = self.units.chunks(PAGE_UNITS).enumerate();
        for (number, units) in pages {
            let units = units.iter().map(|unit| (UNIT, "valueString", Fhir::String(unit.as_str().into())));
            write_one(store, load, basic(load, Some(number), units.collect())).await?;
        }
        let n_units = Number::parse(&self.units.len().to_string()).map_or(Fhir::Null, Fhir::Number);
        let text = |text: &str| Fhir::String(text.into());
        let mut entries = vec![(N_UNITS, "valueInteger", n_units)];
        entries.extend(self.watermark.as_deref().map(|mark| (WATERMARK, "valueString", text(mark))));
        entries.push((RUN, "valueString", text(&load.run)));
        entries.push((PIPELINE_HASH, "valueString", text(&load.pipeline_hash)));
        write_one(store, load, basic(load, None, entries)).await
    }
}

async fn write_one(store: &dyn ResourceDoor, load: &Load, resource: Fhir) -> Result<(), EtlError> {
    let mut outcomes = store.write(vec![resource]).await?;
    let failed = |why: String| EtlError::Target { target: load.target.clone(), why, is_transient: false };
    match outcomes.pop() {
        Some(Written::Refused(reason)) => {
            Err(failed(format!("the store refused the record of what was loaded: {reason}")))
        }
        Some(_) => Ok(()),
        None => Err(failed("the store gave no answer for the record of what was loaded".to_owned())),
    }
}

/// `etl-` and 40 hexadecimal digits of pipeline, source and target; a page has its number behind.
pub(super) fn id(load: &Load, page: Option<usize>) -> String {
    let mut digest = Sha256::new();
    for part in ["salus/etl-record/v1", &load.pipeline, &load.source, &load.target] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    let hex: String = digest.finalize()[..20].iter().map(|byte| format!("{byte:02x}")).collect();
    match page {
        None => format!("etl-{hex}"),
        Some(page) => format!("etl-{hex}-{page}"),
    }
}

fn basic(load: &Load, page: Option<usize>, entries: Vec<(&str, &str, Fhir)>) -> Fhir {
    let object = |members: Vec<(&str, Fhir)>| {
        let mut object = Object::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        Fhir::Object(object)
    };
    let text = |text: &str| Fhir::String(text.into());
    let extensions =
        entries.into_iter().map(|(url, name, value)| object(vec![("url", text(url)), (name, value)]));
    let what = if page.is_none() { "load-record" } else { "load-record-units" };
    let name = format!("{}/{}/{}", load.pipeline, load.source, load.target);
    object(vec![
        ("resourceType", text("Basic")),
        ("id", text(&id(load, page))),
        ("extension", Fhir::Array(extensions.collect())),
        ("identifier", Fhir::Array(vec![object(vec![("system", text(SYSTEM)), ("value", text(&name))])])),
        (
            "code",
            object(vec![(
                "coding",
                Fhir::Array(vec![object(vec![("system", text(SYSTEM)), ("code", text(what))])]),
            )]),
        ),
    ])
}

fn extensions<'a>(resource: &'a Fhir, url: &'a str) -> impl Iterator<Item = &'a Fhir> {
    let all = resource.get("extension").map(Fhir::items).unwrap_or_default();
    all.iter().filter(move |extension| extension.text("url") == Some(url))
}

fn extension<'a>(resource: &'a Fhir, url: &'a str) -> Option<&'a Fhir> {
    extensions(resource, url).next()
}
