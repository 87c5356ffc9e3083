//! `salus bench store`: the store alone against raw SQLite inserts of the same rows.

use anyhow::Context;

use crate::bench::store::{Side, run as measure};
use crate::cli::BenchStoreArgs;
use crate::exit::{Exit, usage};
use crate::output::{grouped, say, say_json, table};

pub(crate) async fn run(args: BenchStoreArgs) -> anyhow::Result<Exit> {
    let temporary = match &args.data_dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("cannot make a temporary folder")?),
    };
    let dir = match (&args.data_dir, &temporary) {
        (Some(dir), _) => dir.as_path(),
        (None, Some(temporary)) => temporary.path(),
        (None, None) => unreachable!("one of the two was made above"),
    };
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    if std::fs::read_dir(dir).with_context(|| format!("cannot read `{}`", dir.display()))?.next().is_some() {
        return Err(usage(format!("`{}` is not empty: name a new folder with `--data-dir`", dir.display())));
    }
    let result = measure(dir, args.resources.max(1), args.batch.max(1)).await?;
    if args.json {
        say_json(&result)?;
        return Ok(Exit::Done);
    }
    let head = ["", "per s", "per CPU s", "CPU s", "bytes each"].map(str::to_owned).to_vec();
    let row = |name: &str, side: &Side| {
        vec![
            name.to_owned(),
            grouped(side.per_sec as u64),
            grouped(side.per_cpu_sec as u64),
            format!("{:.1}", side.cpu_secs),
            format!("{:.0}", side.bytes_per_resource),
        ]
    };
    say(table(&[head, row("raw SQLite", &result.raw_sqlite), row("store", &result.store)]).trim_end())?;
    say(format!(
        "{} resources of {:.0} bytes with {:.1} index rows; store / raw = {:.2}; {} point reads/s",
        grouped(result.store.resources),
        result.json_bytes_per_resource,
        result.rows_per_resource,
        result.ratio,
        grouped(result.reads_per_sec as u64)
    ))?;
    Ok(Exit::Done)
}
