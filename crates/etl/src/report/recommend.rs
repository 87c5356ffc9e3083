//! What to do about rules that fail, made from the rules themselves.

use serde::{Deserialize, Serialize};

use crate::check::Severity;
use crate::report::RuleQuality;

/// What to do about a rule that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The check's id.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was found: counts, columns and the rule, without values.
    pub found: String,
    /// What to do.
    pub hint: String,
}

/// One for each rule with failures, the gravest and most frequent first.
pub(super) fn recommendations(rules: &[RuleQuality]) -> Vec<Recommendation> {
    let mut failing: Vec<&RuleQuality> = rules.iter().filter(|rule| rule.n_failed > 0).collect();
    failing.sort_by(|a, b| {
        let shares = b.share.unwrap_or(0.0).total_cmp(&a.share.unwrap_or(0.0));
        b.is_broken().cmp(&a.is_broken()).then(a.severity.cmp(&b.severity)).then(shares)
    });
    let made = failing.into_iter().map(|rule| Recommendation {
        rule: rule.id.clone(),
        severity: rule.severity,
        found: found(rule),
        hint: rule.hint.clone(),
    });
    made.collect()
}

fn found(rule: &RuleQuality) -> String {
    let columns: Vec<String> = rule.columns.iter().map(|column| format!("`{column}`")).collect();
    let must = format!("{} {}", columns.join(" and "), rule.must);
    if rule.is_of_table && rule.n_assessed == 1 {
        return format!("{}, and is not so", must.trim_start());
    }
    let what = if rule.rule == "completeness" { "cells" } else { "rows" };
    format!("{}: {} of {} {what} fail", must.trim_start(), rule.n_failed, rule.n_assessed)
}
