//! Rules for people: which versions were ever used here, what changed between them, how their tests go, and what each has open.

use std::sync::Arc;

use fhir::Instant;
use gate::{Matter, Permit};
use rules::{RuleInfo, TestOutcome};
use rusqlite::params;

use crate::{Platform, StreamError};

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

impl Platform {
    /// Remembers the versions of the rules that are used now.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep_rules(&self) -> Result<(), StreamError> {
        let (rules, now) = (self.rules().rules(), self.now());
        let written = self.database().write(move |conn| {
            let mut statement = conn.prepare_cached(
                "INSERT INTO rule_version (rule, version, hash, text, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            )?;
            for info in &rules {
                statement.execute(params![info.name, info.version, info.hash.to_string(), text_of(info), now.0])?;
            }
            Ok::<(), rusqlite::Error>(())
        });
        Ok(written.await?)
    }

    /// Versions of a rule that were ever used here, the last first.
    ///
    /// # Errors
    /// The permit is for something else, or the database fails.
    pub async fn rule_versions(&self, permit: &Permit, rule: &str) -> Result<Vec<Kept>, StreamError> {
        looking(permit)?;
        let rule = rule.to_owned();
        let found = self.database().read(move |conn| {
            let mut statement = conn.prepare_cached(
                "SELECT version, hash, text, since FROM rule_version WHERE rule = ?1 ORDER BY since DESC, version DESC",
            )?;
            let rows = statement.query_map(params![rule], |row| {
                Ok(Kept { version: row.get(0)?, hash: row.get(1)?, text: row.get(2)?, since: Instant(row.get(3)?) })
            })?;
            rows.collect::<rusqlite::Result<Vec<Kept>>>()
        });
        Ok(found.await?)
    }

    /// How many alerts each rule has open.
    ///
    /// # Errors
    /// The permit is for something else, or the database fails.
    pub async fn active_by_rule(&self, permit: &Permit) -> Result<Vec<(String, u64)>, StreamError> {
        looking(permit)?;
        let tenant = permit.tenant().to_string();
        let found = self.database().read(move |conn| {
            let mut statement = conn.prepare_cached(
                "SELECT rule, count(*) FROM alert WHERE tenant = ?1 AND ended_at IS NULL GROUP BY rule",
            )?;
            let rows = statement.query_map(params![tenant], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<(String, u64)>>>()
        });
        Ok(found.await?)
    }

    /// How the tests in the shipped rule files go; they run once per process.
    pub async fn rule_tests(&self) -> Arc<Vec<TestOutcome>> {
        static TESTS: tokio::sync::OnceCell<Arc<Vec<TestOutcome>>> = tokio::sync::OnceCell::const_new();
        let run = || async {
            let run = || rules::test_files(&rules::shipped_files()).unwrap_or_default();
            Arc::new(tokio::task::spawn_blocking(run).await.unwrap_or_default())
        };
        Arc::clone(TESTS.get_or_init(run).await)
    }
}

fn looking(permit: &Permit) -> Result<(), StreamError> {
    if permit.matter() == Matter::Streams {
        return Ok(());
    }
    Err(StreamError::Invalid("the permit is for something else".to_owned()))
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
