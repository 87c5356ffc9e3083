//! `salus export`: every resource as one line of NDJSON, one file per type, as it is stored.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use egress::FhirClient;
use fhir::{Instant, Kind, Value};
use gate::ScanQuery;

use crate::cli::{ExportArgs, ExportFormat};
use crate::command::api::refused;
use crate::door::{Door, Own, open_target};
use crate::exit::{Exit, usage};
use crate::output::{grouped, say, say_json, table};

/// Resources read at once.
const PAGE_COUNT: usize = 1_000;

pub(crate) async fn run(args: ExportArgs) -> anyhow::Result<Exit> {
    if args.format == ExportFormat::Parquet {
        return Err(usage("export as Parquet is not supported yet: leave `--format` out for NDJSON"));
    }
    let kinds = args
        .types
        .iter()
        .map(|name| Kind::parse(name).ok_or_else(|| usage(format!("`{name}` is not a resource type of R4"))))
        .collect::<anyhow::Result<Vec<Kind>>>()?;
    let since = match &args.since {
        None => None,
        Some(text) => Some(Instant::parse(text).ok_or_else(|| {
            usage(format!("`{text}` is not an instant: write it like 2026-01-31T00:00:00Z"))
        })?),
    };
    prepare(&args.out)?;
    let mut files = Files { folder: args.out.clone(), open: BTreeMap::new() };
    let started = std::time::Instant::now();
    match open_target(&args.target, true)? {
        Door::Own(own) => from_gate(&own, &kinds, since, &mut files).await?,
        Door::Server(client) => from_server(&client, &kinds, since, &mut files).await?,
    }
    let counts = files.finish()?;
    let total: u64 = counts.values().sum();
    let secs = started.elapsed().as_secs_f64();
    if args.json {
        let counts: BTreeMap<&str, u64> = counts.iter().map(|(kind, n)| (kind.name(), *n)).collect();
        say_json(&serde_json::json!({"counts": counts, "total": total, "duration_secs": secs}))?;
    } else {
        let mut rows = vec![vec![String::new(), "written".to_owned()]];
        rows.extend(counts.iter().map(|(kind, n)| vec![format!("{kind}.ndjson"), grouped(*n)]));
        say(table(&rows).trim_end())?;
        say(format!("{} resources in {secs:.1} s", grouped(total)))?;
    }
    Ok(Exit::Done)
}

// An older export in the same folder would be mixed with this one.
fn prepare(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".ndjson") {
            return Err(usage(format!(
                "`{}` holds an export already: name another folder with `--out`",
                folder.display()
            )));
        }
    }
    Ok(())
}

async fn from_gate(
    own: &Own,
    kinds: &[Kind],
    since: Option<Instant>,
    files: &mut Files,
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let query = ScanQuery { kinds: kinds.to_vec(), since, after, count: PAGE_COUNT };
        let page = own.gate.scan(&own.access, query).await?;
        for stored in &page.entries {
            files.line(stored.kind, stored.body.bytes())?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn from_server(
    client: &FhirClient,
    kinds: &[Kind],
    since: Option<Instant>,
    files: &mut Files,
) -> anyhow::Result<()> {
    let kinds: Vec<Kind> = if kinds.is_empty() { Kind::all().collect() } else { kinds.to_vec() };
    for kind in kinds {
        let since = since.map(|at| format!("&_lastUpdated=ge{at}")).unwrap_or_default();
        let mut pages = client.search(&format!("{kind}?_count={PAGE_COUNT}{since}"))?;
        while let Some(page) = pages.next().await.map_err(refused)? {
            for entry in page.get("entry").map(Value::items).unwrap_or_default() {
                let matched = entry.get("search").is_none_or(|search| search.text("mode") != Some("outcome"));
                if let Some(resource) = entry.get("resource").filter(|_| matched) {
                    files.line(kind, &resource.to_bytes())?;
                }
            }
        }
    }
    Ok(())
}

/// One file per type, opened when its first resource comes.
struct Files {
    folder: PathBuf,
    open: BTreeMap<Kind, (BufWriter<File>, u64)>,
}

impl Files {
    fn line(&mut self, kind: Kind, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(format!("{kind}.ndjson"));
        let failed = || format!("cannot write `{}`", path.display());
        let (file, n_lines) = match self.open.entry(kind) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert((BufWriter::new(File::create_new(&path).with_context(failed)?), 0))
            }
        };
        file.write_all(bytes).and_then(|()| file.write_all(b"\n")).with_context(failed)?;
        *n_lines += 1;
        Ok(())
    }

    /// Brings everything to the disk.
    fn finish(self) -> anyhow::Result<BTreeMap<Kind, u64>> {
        let mut counts = BTreeMap::new();
        for (kind, (file, n_lines)) in self.open {
            let file = file.into_inner().map_err(|error| anyhow::Error::new(error.into_error()))?;
            file.sync_all().with_context(|| format!("cannot write `{kind}.ndjson`"))?;
            counts.insert(kind, n_lines);
        }
        Ok(counts)
    }
}
