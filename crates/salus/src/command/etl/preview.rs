//! `salus etl preview`: rows as they are after a step.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{failed, read_pipeline};
use crate::cli::EtlPreviewArgs;
use crate::door::config_of;
use crate::exit::Exit;
use crate::output::{say, say_json, table};
use crate::pipelines::{WorldParts, keys_of, world_of};

const CELL_CHARS_MAX: usize = 40;

pub(crate) async fn run(args: EtlPreviewArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    crate::logging::start(&config.log)?;
    let pipeline = read_pipeline(&args.file)?;
    let (world, _scratch) = world_of(WorldParts {
        config: &config,
        file: &args.file,
        roots: &args.place.roots,
        pipeline: &pipeline,
        keys: Some(keys_of(&config.data_dir)?),
        store: None,
        clock: Arc::new(db::SystemClock),
        die_at: None,
    })?;
    let shown =
        etl::run::preview(&pipeline, &world, args.source.as_deref(), args.step.as_deref(), args.rows).await;
    let shown = shown.map_err(|error| failed(&args.file, error))?;
    if args.json {
        let rows: Vec<Value> = shown
            .rows
            .iter()
            .map(|row| {
                let cells =
                    shown.columns.iter().zip(row).map(|((name, _), cell)| (name.clone(), json!(cell)));
                Value::Object(cells.collect::<Map<_, _>>())
            })
            .collect();
        let columns: Vec<Value> =
            shown.columns.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
        let rejects: Vec<Value> =
            shown.rejects.iter().map(|(rule, why)| json!({"rule": rule, "message": why})).collect();
        say_json(&json!({"source": shown.source, "columns": columns, "rows": rows, "rejects": rejects}))?;
        return Ok(Exit::Done);
    }
    let short = |text: &str| match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    let mut rows = vec![shown.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()];
    for row in &shown.rows {
        rows.push(row.iter().map(|cell| cell.as_deref().map_or_else(|| "–".to_owned(), short)).collect());
    }
    say(table(&rows).trim_end())?;
    for (rule, why) in shown.rejects.iter().take(args.rows) {
        say(format!("rejected by {rule}: {why}"))?;
    }
    Ok(Exit::Done)
}
