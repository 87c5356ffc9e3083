//! `salus etl test`: the tests that stand in pipeline files.

use std::sync::Arc;

use fhir::{Clock, Instant};
use serde_json::{Value, json};

use super::{failed, read_pipeline};
use crate::cli::EtlTestArgs;
use crate::door::config_of;
use crate::exit::Exit;
use crate::output::{say, say_json};
use crate::pipelines::{WorldParts, keys_of, world_of};

/// A clock that stands at a test's time.
struct StandingClock(Instant);

impl Clock for StandingClock {
    fn now(&self) -> Instant {
        self.0
    }
}

pub(crate) async fn run(args: EtlTestArgs) -> anyhow::Result<Exit> {
    let config = config_of(&args.place.data)?;
    crate::logging::start(&config.log)?;
    let (mut outcomes, mut n_failed, mut n_passed) = (Vec::new(), 0, 0);
    for file in &args.files {
        let pipeline = read_pipeline(file)?;
        for test in &pipeline.tests {
            let at = test.at.unwrap_or_else(|| db::SystemClock.now());
            let (world, _scratch) = world_of(WorldParts {
                config: &config,
                file,
                roots: &args.place.roots,
                pipeline: &pipeline,
                keys: Some(keys_of(&config.data_dir)?),
                store: None,
                clock: Arc::new(StandingClock(at)),
                die_at: None,
            })?;
            let outcome =
                etl::run::rehearse(&pipeline, test, &world).await.map_err(|error| failed(file, error))?;
            let passed = outcome.failures.is_empty();
            (n_passed, n_failed) = (n_passed + usize::from(passed), n_failed + usize::from(!passed));
            if !args.json {
                let place = format!("{}:{}", file.display(), outcome.at);
                say(format!("{}  {}  {place}", if passed { "ok    " } else { "FAILED" }, outcome.name))?;
                outcome.failures.iter().try_for_each(|failure| say(format!("        {failure}")))?;
            }
            outcomes.push(json!({
                "file": file, "test": outcome.name, "line": outcome.at.line, "passed": passed, "failures": outcome.failures,
            }));
        }
    }
    if args.json {
        say_json(&json!({"passed": n_passed, "failed": n_failed, "tests": Value::Array(outcomes)}))?;
    } else {
        say(format!("{n_passed} passed, {n_failed} failed"))?;
    }
    Ok(if n_failed > 0 { Exit::NotInOrder } else { Exit::Done })
}
