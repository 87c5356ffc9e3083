//! Resources of a Bulk Data export of a FHIR server (`$export`) as rows: started, waited for, its files read one after the other.

mod files;
mod job;

use std::sync::Arc;
use std::time::Duration;

use ::fhir::Instant;
use egress::Url;
use futures_util::future::BoxFuture;
use table::Columns;

use super::columns::PathColumns;
use crate::source::api::auth::Auth;
use crate::source::api::caller::{Caller, Limits, decode_url, url_of};
use crate::source::api::window::moment;
use crate::source::rest::dataset_of;
use crate::source::sql::need_cursor;
use crate::source::{Backfill, Dataset, Division, Out, Source, SourceSpec, Unit};
use crate::world::World;
use crate::yaml::Fields;
use crate::{EtlError, Problems, Secret, Word};

use job::Manifest;

/// Longest wait for an export, unless the pipeline says otherwise.
const EXPORT_WAIT: Duration = Duration::from_secs(24 * 3_600);
const FILE_BYTES_MAX: u64 = 64 << 30;

/// A source of type `fhir_bulk`.
#[derive(Clone, Debug)]
struct Bulk {
    name: String,
    /// The base URL of the server.
    url: Secret,
    /// What is exported: nothing, `Patient`, or `Group/ID`.
    of: Option<String>,
    types: Vec<String>,
    type_filters: Vec<String>,
    auth: Auth,
    /// Only what changed since the watermark, less this span.
    lookback: Option<Duration>,
    /// What becomes of resources that the server says it could not export: the source ends, or each is a reject.
    errors_fail: bool,
    export_wait: Duration,
    file_bytes_max: u64,
    columns: Arc<PathColumns>,
    limits: Limits,
}

/// Decodes the options of a source of type `fhir_bulk`.
pub(in crate::source) fn decode(
    name: &Word,
    fields: &mut Fields<'_>,
    problems: &mut Problems,
) -> Option<Box<dyn SourceSpec>> {
    let url = decode_url(fields, problems);
    let of = fields.text("of", problems);
    let types = fields.texts("types", problems);
    let type_filters = fields.texts("type_filters", problems);
    let auth = Auth::decode(fields, problems);
    let lookback = fields.node("cursor").map(|node| {
        let mut inner = node.fields("`cursor`", problems);
        let lookback = inner.span("lookback", problems).unwrap_or_default();
        inner.end(problems);
        lookback
    });
    let errors = [("fail", true), ("quarantine", false)];
    let errors_fail = fields.choice("errors", &errors, problems).unwrap_or(true);
    let export_wait = fields.span("export_wait_max", problems).unwrap_or(EXPORT_WAIT);
    let file_bytes_max = fields.size("file_bytes_max", problems).unwrap_or(FILE_BYTES_MAX);
    let limits = Limits::decode(fields, problems);
    let columns = PathColumns::decode(fields, problems);
    if types.is_empty() {
        problems.add(
            fields.at(),
            format!("{} needs `types`: the types of resources, such as `Patient`", fields.what()),
        );
    }
    for word in types.iter().filter(|word| ::fhir::Kind::parse(word).is_none()) {
        problems.add(word.at, format!("`{word}` is not a resource type of R4"));
    }
    if let Some(word) = &of
        && !is_exportable(word)
    {
        problems.add(word.at, "`of` is `Patient` or `Group/ID`: leave it out for all that the server has");
    }
    let texts = |words: Vec<Word>| words.into_iter().map(|word| word.text).collect();
    Some(Box::new(Bulk {
        name: name.text.clone(),
        url,
        of: of.map(|word| word.text),
        types: texts(types),
        type_filters: texts(type_filters),
        auth,
        lookback,
        errors_fail,
        export_wait,
        file_bytes_max,
        columns: Arc::new(columns),
        limits,
    }))
}

fn is_exportable(of: &str) -> bool {
    let is_id = |id: &str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    of == "Patient" || of.strip_prefix("Group/").is_some_and(is_id)
}

impl SourceSpec for Bulk {
    fn open<'a>(&'a self, world: &'a World) -> BoxFuture<'a, Result<Box<dyn Source>, EtlError>> {
        Box::pin(async move {
            let mut base = url_of(&self.url, &self.name, world)?;
            if !base.path().ends_with('/') {
                let path = format!("{}/", base.path());
                base.set_path(&path);
            }
            let accept = "application/fhir+json";
            let mut caller = Caller::new(&self.name, &base, &self.auth, &self.limits, accept, world)?;
            // An export is only started when it is read: this says that the server is there.
            let metadata =
                base.join("metadata").map_err(|_| caller.fails("`url` is no base".to_owned(), false))?;
            caller.get(&metadata).await?;
            let scratch = world.scratch.clone();
            let open = Open {
                spec: self.clone(),
                base,
                caller,
                scratch,
                export: None,
                chosen: None,
                now: world.now(),
            };
            Ok(Box::new(open) as Box<dyn Source>)
        })
    }

    fn columns(&self) -> Option<Columns> {
        Some(self.columns.columns().clone())
    }

    fn division(&self) -> Division {
        if self.lookback.is_some() { Division::Window } else { Division::Snapshot }
    }

    fn dataset(&self) -> Dataset {
        let server = dataset_of(&self.url);
        let of = self.of.as_ref().map_or_else(String::new, |of| format!("/{of}"));
        Dataset {
            namespace: server.namespace,
            name: format!("{}{of}/$export", server.name.trim_end_matches('/')),
        }
    }
}

/// An open server, and the export that was made there.
struct Open {
    spec: Bulk,
    base: Url,
    caller: Caller,
    scratch: std::path::PathBuf,
    export: Option<Export>,
    /// Where a window begins that somebody chose.
    chosen: Option<Option<Instant>>,
    now: Instant,
}

/// An export that is ready.
struct Export {
    manifest: Manifest,
    /// Where its state is told, and where it is given up.
    status: Url,
}

impl Source for Open {
    fn columns(&self) -> &Columns {
        self.spec.columns.columns()
    }

    fn choose(&mut self, window: &Backfill) -> Result<(), String> {
        need_cursor(self.spec.lookback.is_some())?;
        if window.to.is_some() {
            return Err("an export has no end that could be chosen: leave `--to` out".to_owned());
        }
        self.chosen = Some(window.from.as_deref().map(moment).transpose()?);
        Ok(())
    }

    fn units<'a>(&'a mut self, since: Option<&'a str>) -> BoxFuture<'a, Result<Vec<Unit>, EtlError>> {
        Box::pin(async move {
            let since = match (self.chosen, since, self.spec.lookback) {
                (Some(chosen), ..) => chosen,
                (None, Some(text), Some(lookback)) => Some(self.since(text, lookback)?),
                _ => None,
            };
            let export = self.export(since).await?;
            let until = export.manifest.at;
            let unit = unit_of(since, until, self.spec.lookback.is_some());
            self.export = Some(export);
            Ok(vec![unit])
        })
    }

    fn read<'a>(&'a mut self, _unit: &'a Unit, number: u32, out: Out) -> BoxFuture<'a, Result<(), EtlError>> {
        Box::pin(async move {
            let Some(export) = self.export.take() else {
                return Err(self.caller.fails("its export was read already".to_owned(), true));
            };
            self.read_files(&export.manifest, number, &out).await?;
            // The server may throw its files away. One that does not know how will do so by itself.
            if let Err(error) = self.give_up(&export.status).await {
                tracing::debug!(%error, "an export that was read could not be given up");
            }
            Ok(())
        })
    }
}

impl Open {
    fn since(&self, watermark: &str, lookback: Duration) -> Result<Instant, EtlError> {
        let at = Instant::parse(watermark).ok_or_else(|| {
            let why = "the watermark that the target keeps is no instant: another cursor was used before";
            self.caller.fails(why.to_owned(), false)
        })?;
        Ok(Instant(at.0.saturating_sub(i64::try_from(lookback.as_micros()).unwrap_or(i64::MAX))))
    }
}

/// The state of the server at `until`, or what changed up to it.
fn unit_of(since: Option<Instant>, until: Instant, is_window: bool) -> Unit {
    let (from, to) =
        (since.map_or_else(|| "-".to_owned(), Instant::to_rfc3339_millis), until.to_rfc3339_millis());
    Unit {
        id: format!("export [{from}, {to}]"),
        name: format!("export of {to}"),
        watermark: is_window.then_some(to),
        n_bytes: None,
        n_rows: None,
    }
}
