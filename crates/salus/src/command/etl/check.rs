//! `salus etl check`: everything that is wrong with a pipeline, together.

use std::sync::Arc;

use etl::EtlError;
use etl::file::Pipeline;
use etl::plan::Plan;
use serde_json::{Value, json};

use super::{failed, invalid, read_pipeline};
use crate::cli::EtlCheckArgs;
use crate::door::config_of;
use crate::exit::Exit;
use crate::output::{say, say_json};
use crate::pipelines::{WorldParts, keys_of, store_door, world_of};

pub(crate) async fn run(args: EtlCheckArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    crate::logging::start(&config.log)?;
    let text = std::fs::read_to_string(&args.file);
    if args.json
        && let Ok(text) = &text
        && let Err(problems) = Pipeline::parse(text)
    {
        return report_problems(&problems);
    }
    let pipeline = read_pipeline(&args.file)?;
    if args.offline {
        let plan = match etl::run::declared_plan(&pipeline) {
            Ok(plan) => plan,
            Err(problems) if args.json => return report_problems(&problems),
            Err(problems) => return Err(invalid(&args.file, &problems)),
        };
        return report(&pipeline, &plan, args.json);
    }
    let (world, _scratch) = world_of(WorldParts {
        config: &config,
        file: &args.file,
        roots: &args.place.roots,
        pipeline: &pipeline,
        keys: Some(keys_of(&config.data_dir)?),
        store: store_door(&config, &pipeline)?,
        clock: Arc::new(db::SystemClock),
        die_at: None,
    })?;
    let (plan, connected) = match etl::run::connect(&pipeline, &world).await {
        Ok(connected) => connected,
        Err(EtlError::Invalid(problems)) if args.json => return report_problems(&problems),
        Err(error) => return Err(failed(&args.file, error)),
    };
    let unreachable = etl::run::reach_targets(&pipeline, &world).await;
    for error in connected.failed.values().chain(&unreachable) {
        say(format!("{error}"))?;
    }
    report(&pipeline, &plan, args.json)?;
    Ok(match () {
        () if !connected.failed.is_empty() => Exit::Source,
        () if !unreachable.is_empty() => Exit::Target,
        () => Exit::Done,
    })
}

fn report_problems(problems: &[etl::Problem]) -> anyhow::Result<Exit> {
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| json!({"line": problem.at.line, "column": problem.at.column, "message": problem.message}))
        .collect();
    say_json(&json!({ "ok": false, "problems": problems }))?;
    Ok(Exit::NotInOrder)
}

fn report(pipeline: &Pipeline, plan: &Plan, json: bool) -> anyhow::Result<Exit> {
    let mut sources = Vec::new();
    for source in &pipeline.sources {
        let Some(columns) = plan.flow(&source.name) else { continue };
        let names: Vec<String> =
            columns.output().iter().map(|column| format!("{} {}", column.name, column.kind)).collect();
        let steps: Vec<&str> = source.steps.iter().map(|step| step.name.text.as_str()).collect();
        let targets: Vec<&str> =
            pipeline.targets_of(&source.name).map(|target| target.name.text.as_str()).collect();
        if !json {
            say(format!("{} ({}) → {} → {}", source.name, source.kind, arrow(&steps), arrow(&targets)))?;
            say(format!("  {}", names.join(", ")))?;
        }
        sources.push(json!({"name": source.name.text, "type": source.kind.text, "steps": steps, "targets": targets, "columns": names}));
    }
    if json {
        say_json(
            &json!({"ok": true, "pipeline": pipeline.name.text, "hash": pipeline.hash, "sources": sources}),
        )?;
    } else {
        say(format!("{} is in order", pipeline.name))?;
    }
    Ok(Exit::Done)
}

fn arrow(names: &[&str]) -> String {
    if names.is_empty() { "(nothing)".to_owned() } else { names.join(" → ") }
}
