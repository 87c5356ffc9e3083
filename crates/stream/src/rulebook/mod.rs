//! Rules for people: which versions were ever used here, what changed between them, how their tests go, what each has open, what is wrong
//! with files that are not used.

mod book;
mod versions;

use fhir::Instant;
use rules::{RuleFile, RuleInfo};

pub(crate) use book::Book;

/// A version of a rule that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its version.
    pub version: String,
    /// Hash of its content.
    pub hash: String,
    /// What it said, a line for each thing.
    pub text: String,
    /// Since when it is known here.
    pub since: Instant,
    /// The file it stood in, as it was then; `None` of versions that were used before files were kept.
    pub file: Option<RuleFile>,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// In both.
    Same(String),
    /// Only in the first.
    Gone(String),
    /// Only in the second.
    New(String),
}

/// What a rule says, a line for each thing, so that two versions can be compared.
fn text_of(info: &RuleInfo) -> String {
    let mut lines = vec![
        format!("looks at: {}", info.looks_at),
        format!("applies to: {}", info.applies),
        format!("topic: {}", info.topic),
        format!("source: {}", info.source),
    ];
    for row in &info.rows {
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        lines.push(format!(
            "limit: {}, {}, holds for {}, over when {}, respond within {}{}{}",
            row.limit,
            row.severity.name(),
            or(&row.sustained, "no time"),
            row.clear,
            or(&row.respond_within, "the time of its severity"),
            if row.immediate { ", arrest range" } else { "" },
            row.says.as_ref().map(|says| format!(", says `{says}`")).unwrap_or_default(),
        ));
    }
    lines.push(format!("quiet after: {}", info.refractory.as_deref().unwrap_or("not at all")));
    lines.push(format!("enabled: {}", info.enabled));
    lines.join("\n")
}

/// The lines of two texts: what stayed, went and came, in order, by their longest common part.
pub fn compared(before: &str, after: &str) -> Vec<Change> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    // Rules have a few dozen lines: a table of all pairs is small.
    let mut common = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] =
                if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut changes) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            changes.push(Change::Same(a[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            changes.push(Change::Gone(a[i].to_owned()));
            i += 1;
        } else {
            changes.push(Change::New(b[j].to_owned()));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: &str) {
        let line = |change: Change| match change {
            Change::Same(line) => format!(" {line}"),
            Change::Gone(line) => format!("-{line}"),
            Change::New(line) => format!("+{line}"),
        };
        let found: Vec<String> = compared(before, after).into_iter().map(line).collect();
        assert_eq!(found.join("\n"), expected);
    }

    #[test]
    fn lines_are_compared_in_order() {
        check("a\nb\nc", "a\nx\nc\nd", " a\n-b\n+x\n c\n+d");
        check("", "a", "+a");
        check("a", "", "-a");
        check("a\nb", "a\nb", " a\n b");
    }

    #[test]
    fn a_moved_limit_is_one_line() {
        let set = rules::RuleSet::shipped();
        let mut rule = set.rules().into_iter().find(|rule| rule.name == "founding/heart-rate").unwrap();
        let before = text_of(&rule);
        rule.rows[0].limit = "above 121 /min".into();
        let changed =
            compared(&before, &text_of(&rule)).into_iter().filter(|one| !matches!(one, Change::Same(_)));
        assert_eq!(changed.count(), 2);
    }
}
