//! `salus synth`: writes a synthetic population as bundles, NDJSON or tables.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

use anyhow::Context;

use crate::cli::{SynthArgs, SynthFormat};
use crate::exit::{Exit, usage};
use crate::output::{grouped, say, say_json, table};

pub(crate) fn run(args: &SynthArgs) -> anyhow::Result<Exit> {
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create `{}`", args.out.display()))?;
    let mut listed =
        fs::read_dir(&args.out).with_context(|| format!("cannot read `{}`", args.out.display()))?;
    if listed.next().is_some() {
        return Err(usage(format!("`{}` is not empty: name a new folder with `--out`", args.out.display())));
    }
    let format = match args.format {
        SynthFormat::Bundles => synth::Format::Bundles,
        SynthFormat::Ndjson => synth::Format::Ndjson,
        SynthFormat::Csv => synth::Format::Csv,
    };
    let config = synth::Config { patients: args.patients, seed: args.seed, ..synth::Config::default() };
    let started = std::time::Instant::now();
    // Formats with a file per type come back to the same file again and again.
    let mut open: BTreeMap<String, BufWriter<File>> = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| -> io::Result<()> {
        if matches!(format, synth::Format::Bundles) {
            return fs::write(args.out.join(name), bytes);
        }
        if !open.contains_key(name) {
            open.insert(name.to_owned(), BufWriter::new(File::create(args.out.join(name))?));
        }
        open.get_mut(name).map_or(Ok(()), |file| file.write_all(bytes))
    };
    let summary = synth::write(config, format, &mut put)
        .with_context(|| format!("cannot write to `{}`", args.out.display()))?;
    for (name, mut file) in open {
        file.flush().with_context(|| format!("cannot write `{name}`"))?;
    }
    let secs = started.elapsed().as_secs_f64();
    if args.json {
        let counts: BTreeMap<String, u64> =
            summary.counts.iter().map(|(kind, n)| (kind.to_string(), *n)).collect();
        let planted: Vec<serde_json::Value> = summary.planted.iter().map(planted_json).collect();
        say_json(&serde_json::json!({
            "patients": args.patients, "seed": args.seed, "counts": counts, "bytes": summary.bytes, "planted": planted,
            "duration_secs": secs,
        }))?;
    } else {
        let mut rows = vec![vec![String::new(), "written".to_owned()]];
        rows.extend(summary.counts.iter().map(|(kind, n)| vec![kind.to_string(), grouped(*n)]));
        say(table(&rows).trim_end())?;
        say(format!("{} in {secs:.1} s", args.out.display()))?;
        let mut rows = vec![["planted disparity", "rate", "elsewhere"].map(str::to_owned).to_vec()];
        rows.extend(summary.planted.iter().map(planted_row));
        say(format!("\n{}", table(&rows).trim_end()))?;
    }
    Ok(Exit::Done)
}

fn planted_row(planted: &synth::Planted) -> Vec<String> {
    let percent = |rate: f64| format!("{:.0} %", rate * 100.0);
    vec![planted.slug.to_owned(), percent(planted.rate_group), percent(planted.rate_other)]
}

fn planted_json(planted: &synth::Planted) -> serde_json::Value {
    serde_json::json!({
        "slug": planted.slug, "measure": planted.measure, "group": planted.group, "other": planted.other,
        "rate_group": planted.rate_group, "rate_other": planted.rate_other, "tolerance_at_4000_patients": planted.tolerance,
    })
}
