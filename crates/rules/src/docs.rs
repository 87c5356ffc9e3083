//! `docs/rules.md`, written from the shipped rule files: every threshold with unit, times and source.

use std::fmt::Write as _;

use crate::{RowInfo, RuleInfo, RuleSet};

const HEAD: &str = include_str!("docs/head.md");

/// The page.
pub fn page(set: &RuleSet) -> String {
    let mut page = HEAD.to_owned();
    let mut pack = String::new();
    for rule in set.rules() {
        let own = rule.name.split('/').next().unwrap_or("").to_owned();
        if own != pack {
            let _ = write!(page, "\n## {own}\n");
            pack = own;
        }
        rule_section(&mut page, &rule);
    }
    page
}

fn rule_section(page: &mut String, rule: &RuleInfo) {
    let disabled = if rule.enabled { "" } else { " (not enabled)" };
    let _ = write!(page, "\n### {} {}{disabled}\n\n", rule.name, rule.version);
    if !rule.about.is_empty() {
        let _ = write!(page, "{}\n\n", rule.about);
    }
    let _ = write!(page, "For {}. Topic `{}`.", rule.applies, rule.topic);
    if let Some(refractory) = &rule.refractory {
        let _ = write!(page, " Not said again for {refractory} unless it is worse.");
    }
    let _ = write!(page, " Source: {}\n\n", rule.source);
    let _ = writeln!(page, "| {} | for | severity | over | respond within | |", cell(&rule.looks_at));
    page.push_str("|---|---|---|---|---|---|\n");
    rule.rows.iter().for_each(|row| row_line(page, row));
}

fn row_line(page: &mut String, row: &RowInfo) {
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let mut notes = Vec::new();
    notes.extend(row.immediate.then(|| "arrest range: never delayed".to_owned()));
    notes.extend(row.says.clone());
    let _ = writeln!(
        page,
        "| {} | {} | {} | {} | {} | {} |",
        cell(&row.limit),
        dash(&row.sustained),
        row.severity.name(),
        cell(&row.clear),
        dash(&row.respond_within),
        cell(&notes.join("; "))
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SALUS_BLESS=1` writes the page.
    #[test]
    fn the_page_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
        let page = page(&RuleSet::shipped());
        if std::env::var_os("SALUS_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            page,
            "SALUS_BLESS=1 writes `docs/rules.md`"
        );
    }
}
