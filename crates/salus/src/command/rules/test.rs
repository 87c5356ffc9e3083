//! `salus rules test`: the tests that stand in rule files, and what the rules would have said of the past.

use rules::{RuleFile, shipped_files, test_files};
use serde_json::{Value, json};

use super::{compare, invalid, read};
use crate::cli::RulesTestArgs;
use crate::command::stream::replay;
use crate::exit::{Exit, usage};
use crate::output::{say, say_json};

pub(super) async fn run(args: RulesTestArgs) -> anyhow::Result<Exit> {
    let files = if args.files.is_empty() { shipped_files() } else { read(&args.files)? };
    let outcomes = test_files(&files).map_err(|problems| invalid(&problems))?;
    let (mut n_passed, mut shown) = (0, Vec::new());
    for outcome in &outcomes {
        let passed = outcome.failures.is_empty();
        n_passed += usize::from(passed);
        if !args.json {
            let place = format!("{}:{}", outcome.path, outcome.at);
            say(format!("{}  {}  {place}", if passed { "ok    " } else { "FAILED" }, outcome.name))?;
            outcome.failures.iter().try_for_each(|failure| say(format!("        {failure}")))?;
        }
        shown.push(json!({
            "file": outcome.path, "test": outcome.name, "line": outcome.at.line, "passed": passed, "failures": outcome.failures,
        }));
    }
    let n_failed = outcomes.len() - n_passed;
    let replayed = replayed(&args, &files).await?;
    if args.json {
        say_json(&json!({"passed": n_passed, "failed": n_failed, "tests": shown, "replay": replayed}))?;
    } else {
        say(format!("{n_passed} passed, {n_failed} failed"))?;
        replayed.as_ref().map_or(Ok(()), replay::say_difference)?;
    }
    Ok(if n_failed > 0 { Exit::NotInOrder } else { Exit::Done })
}

/// The difference of the alerts over a file of events, or over the history of a server.
async fn replayed(args: &RulesTestArgs, files: &[RuleFile]) -> anyhow::Result<Option<Value>> {
    if let Some(events) = &args.events {
        return compare::on_file(files, events).map(Some);
    }
    let Some(span) = &args.replay else { return Ok(None) };
    let since = since(span).ok_or_else(|| usage("`--replay` takes a span such as `90m`, `12h` or `30d`"))?;
    let history = replay::History { since: &since, patient: None };
    let other = match args.files.is_empty() && args.versions.is_empty() {
        // Nothing was named: the shipped rules, instead of what the server has.
        true => replay::Other::Instead(files),
        false if args.files.is_empty() => replay::Other::Beside(&[], &args.versions),
        false => replay::Other::Beside(files, &args.versions),
    };
    replay::difference(&args.target, &history, &other).await.map(Some)
}

/// The instant so long ago.
fn since(span: &str) -> Option<String> {
    use fhir::Clock as _;
    let unit = span.chars().last()?;
    let secs: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: i64 = span[..span.len() - 1].parse().ok().filter(|count| *count >= 0)?;
    let micros = count.checked_mul(secs)?.checked_mul(1_000_000)?;
    Some(fhir::Instant(db::SystemClock.now().0.checked_sub(micros)?).to_rfc3339_millis())
}
