//! `salus etl report`: the quality report of a run, as a page or as JSON.

use anyhow::Context as _;
use etl::report::RunQuality;

use super::run::find_run;
use crate::cli::EtlReportArgs;
use crate::door::config_of;
use crate::exit::{Exit, usage};
use crate::output::{say, say_json, write_all};
use crate::pipelines::runs_of;

pub(crate) fn run(args: &EtlReportArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.data)?;
    let runs = runs_of(&config.data_dir)?;
    let found = find_run(&runs, &args.run)?;
    let Some(record) = found.record else {
        return Err(usage(format!("the run `{}` has not ended: it is {}", found.run, found.status)));
    };
    let quality = RunQuality {
        pipeline: record.pipeline,
        run: record.run,
        at: record.started_at.to_string(),
        sources: record.sources.into_iter().filter_map(|source| source.quality).collect(),
    };
    let page = match (args.json, &args.out) {
        (true, None) => {
            say_json(&quality)?;
            return Ok(Exit::Done);
        }
        (true, Some(_)) => serde_json::to_string_pretty(&quality)?,
        (false, _) => etl::report::html(&quality),
    };
    match &args.out {
        None => write_all(page.as_bytes())?,
        Some(path) => {
            std::fs::write(path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
            say(format!("wrote {}", path.display()))?;
        }
    }
    Ok(Exit::Done)
}
