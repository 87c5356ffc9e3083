//! `salus rules check`: everything that is wrong with rule files, together.

use rules::load_with_shipped;
use serde_json::{Value, json};

use super::{invalid, read};
use crate::cli::RulesCheckArgs;
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(super) fn run(args: &RulesCheckArgs) -> anyhow::Result<Exit> {
    let files = read(&args.files)?;
    let set = match load_with_shipped(&files) {
        Ok(set) => set,
        Err(problems) if args.json => {
            let problems: Vec<Value> = problems
                .iter()
                .map(|problem| {
                    json!({"file": problem.path, "line": problem.at.line, "column": problem.at.column, "message": problem.message})
                })
                .collect();
            say_json(&json!({"ok": false, "problems": problems}))?;
            return Ok(Exit::NotInOrder);
        }
        Err(problems) => return Err(invalid(&problems)),
    };
    let own: Vec<String> =
        files.iter().filter_map(rules::RuleFile::pack).map(|pack| format!("{pack}/")).collect();
    let rules = set.rules();
    let asked = rules.iter().filter(|rule| own.iter().any(|pack| rule.name.starts_with(pack)));
    let mut shown = Vec::new();
    for rule in asked {
        if !args.json {
            say(format!("{} {}  {}  for {}", rule.name, rule.version, rule.looks_at, rule.applies))?;
            for row in &rule.rows {
                let sustained =
                    row.sustained.as_ref().map_or_else(String::new, |span| format!(" for {span}"));
                say(format!("  {}  {}{sustained}; over: {}", row.severity.name(), row.limit, row.clear))?;
            }
        }
        shown.push(json!({"name": rule.name, "version": rule.version, "hash": rule.hash.to_string(), "topic": rule.topic, "enabled": rule.enabled}));
    }
    if args.json {
        say_json(&json!({"ok": true, "rules": shown}))?;
    } else {
        say(format!("{} rules are in order", shown.len()))?;
    }
    Ok(Exit::Done)
}
