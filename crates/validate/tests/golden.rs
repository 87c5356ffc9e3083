//! Golden cases: a resource and the issues it gives, one passing and one failing resource per rule.
//!
//! `cases/rules/*.case` hold blocks: `## what the block shows`, the JSON, `----`, then one line per issue (`Basic` when that level
//! finds it too) or `(nothing)`. `SALUS_BLESS=1` rewrites the answers.

use std::path::Path;

use fhir::{Resource, json::Limits};
use validate::{Level, check};

fn answer(json: &str) -> String {
    let resource = match Resource::parse(json.as_bytes(), &Limits::default()) {
        Ok(resource) => resource,
        Err(issues) => return format!("no resource: {}\n", issues[0].diagnostics),
    };
    let basic = check(&resource, Level::Basic);
    let full = check(&resource, Level::Full);
    assert!(
        basic.iter().all(|issue| full.contains(issue)),
        "what the basic level finds, the full one finds too: {json}"
    );
    let mut text = String::new();
    for issue in &full {
        let level = if basic.contains(issue) { "Basic" } else { "Full " };
        let place = issue.expression.as_deref().expect("every issue has a place");
        text.push_str(&format!(
            "{level} {} {} {place}: {}\n",
            issue.severity.code(),
            issue.slug,
            issue.diagnostics
        ));
    }
    if text.is_empty() { "(nothing)\n".into() } else { text }
}

#[test]
fn golden_cases_are_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/rules");
    let mut n_blocks = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut answered = String::new();
        for block in text.split("## ").skip(1) {
            n_blocks += 1;
            let (title, rest) = block.split_once('\n').expect("a block has a title");
            let json = rest.split("\n----\n").next().unwrap_or(rest).trim_end();
            answered.push_str(&format!("## {title}\n{json}\n----\n{}\n", answer(json)));
        }
        if std::env::var_os("SALUS_BLESS").is_some() {
            std::fs::write(&path, answered.trim_end().to_owned() + "\n").unwrap();
        } else {
            assert_eq!(text.trim_end(), answered.trim_end(), "{}: SALUS_BLESS=1 rewrites it", path.display());
        }
    }
    assert!(n_blocks > 60, "only {n_blocks} blocks");
}
