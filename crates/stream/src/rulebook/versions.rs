//! Versions of rules that were used: kept with the file they stood in, so that an alert can be explained and history replayed after the file changed.

use std::collections::BTreeMap;

use fhir::Instant;
use gate::{Matter, Permit};
use rules::{RuleFile, RuleSet, UsedVersion, files_with_shipped, load_with_older};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Kept, text_of};
use crate::{Platform, StreamError};

impl Platform {
    /// Remembers the versions of the rules that are used now, and the files they stand in. Timers of patients are looked at again: another
    /// version may have other times. To be called after the rules were set.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep_rules(&self) -> Result<(), StreamError> {
        let (rules, now) = (self.rules().rules(), self.now());
        let files: BTreeMap<String, (String, RuleFile)> = files_with_shipped(&self.rule_files())
            .into_iter()
            .filter_map(|file| Some((file.pack()?.to_owned(), (hash_of(&file), file))))
            .collect();
        let written = self.database().write(move |conn| {
            let mut source = conn.prepare_cached(
                "INSERT INTO rule_source (hash, path, text, since) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?;
            for (hash, file) in files.values() {
                source.execute(params![hash, file.path, file.text, now.0])?;
            }
            let mut version = conn.prepare_cached(
                "INSERT INTO rule_version (rule, version, hash, text, since, source) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET source = excluded.source WHERE source IS NULL AND hash = excluded.hash",
            )?;
            for info in &rules {
                let source = files.get(pack_of(&info.name)).map(|(hash, _)| hash);
                version.execute(params![info.name, info.version, info.hash.to_string(), text_of(info), now.0, source])?;
            }
            conn.execute("UPDATE patient_state SET due = 0 WHERE due IS NOT NULL", [])?;
            Ok::<(), rusqlite::Error>(())
        });
        written.await?;
        self.inner.wake.notify_waiters();
        Ok(())
    }

    /// Versions that were ever used here: a file that says something else under one of them is refused.
    ///
    /// # Errors
    /// The database fails.
    pub async fn used_rules(&self) -> Result<Vec<UsedVersion>, StreamError> {
        let found = self.database().read(|conn| {
            let mut rows = conn.prepare_cached("SELECT rule, version, hash FROM rule_version")?;
            rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?
                .collect::<rusqlite::Result<Vec<(String, String, String)>>>()
        });
        let used = |(rule, version, hash): (String, String, String)| {
            Some(UsedVersion { rule, version, hash: Uuid::parse_str(&hash).ok()? })
        };
        Ok(found.await?.into_iter().filter_map(used).collect())
    }

    /// Versions of a rule that were ever used here, the last first.
    ///
    /// # Errors
    /// The permit is for something else, or the database fails.
    pub async fn rule_versions(&self, permit: &Permit, rule: &str) -> Result<Vec<Kept>, StreamError> {
        looking(permit)?;
        let rule = rule.to_owned();
        Ok(self.database().read(move |conn| versions(conn, &rule, false)).await?)
    }

    /// The rules of today, with these files laid over their packs, and with some rules (or all of a pack) as a version said that was used before:
    /// `PACK/NAME@VERSION` or `PACK@VERSION`.
    ///
    /// # Errors
    /// The permit is for something else, a version was never used here, or the files are wrong.
    pub async fn rules_with(
        &self,
        permit: &Permit,
        files: Vec<RuleFile>,
        older: &[String],
    ) -> Result<RuleSet, StreamError> {
        crate::platform::must_be(permit, &[Matter::ChangeRules])?;
        let mut files = laid_over(&self.rule_files(), files);
        let mut rules = Vec::new();
        for asked in older {
            let Some((name, version)) = asked.split_once('@') else {
                return Err(StreamError::Invalid(format!(
                    "`{asked}` is no version of a rule: name it `PACK/NAME@VERSION`"
                )));
            };
            let file = self.file_of(name, version).await?;
            if name.contains('/') {
                rules.push((name.to_owned(), file));
            } else {
                files = laid_over(&files, vec![file]);
            }
        }
        let told = |problems: Vec<rules::RuleProblem>| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            StreamError::Invalid(lines.join("; "))
        };
        let mut set = load_with_older(&files, &rules).map_err(told)?;
        set.set_quality_of(&self.rules());
        Ok(set)
    }

    /// The file in which a version of a rule, or of any rule of a pack, stood.
    async fn file_of(&self, name: &str, version: &str) -> Result<RuleFile, StreamError> {
        let (asked, is_pack) = (name.to_owned(), !name.contains('/'));
        let kept = self.database().read(move |conn| versions(conn, &asked, is_pack)).await?;
        let unknown = || {
            let known: Vec<&str> = kept.iter().map(|kept| kept.version.as_str()).collect();
            StreamError::NotFound(format!(
                "`{name}` was never used here as version `{version}`, or before its file was kept; known: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ))
        };
        let found = kept.iter().find(|kept| kept.version == version && kept.file.is_some());
        found.and_then(|kept| kept.file.clone()).ok_or_else(unknown)
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
}

fn versions(conn: &Connection, name: &str, is_pack: bool) -> rusqlite::Result<Vec<Kept>> {
    let mut statement = conn.prepare_cached(
        "SELECT v.version, v.hash, v.text, v.since, s.path, s.text FROM rule_version AS v LEFT JOIN rule_source AS s ON s.hash = v.source
         WHERE v.rule = ?1 OR (?2 AND v.rule >= ?1 || '/' AND v.rule < ?1 || '0') ORDER BY v.since DESC, v.version DESC",
    )?;
    let rows = statement.query_map(params![name, is_pack], |row| {
        let file: (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
        Ok(Kept {
            version: row.get(0)?,
            hash: row.get(1)?,
            text: row.get(2)?,
            since: Instant(row.get(3)?),
            file: file.0.zip(file.1).map(|(path, text)| RuleFile { path, text }),
        })
    })?;
    rows.collect()
}

/// Files with others over those of the same pack.
fn laid_over(files: &[RuleFile], over: Vec<RuleFile>) -> Vec<RuleFile> {
    let is_replaced = |file: &&RuleFile| over.iter().any(|other| other.pack() == file.pack());
    let mut all: Vec<RuleFile> = files.iter().filter(|file| !is_replaced(file)).cloned().collect();
    all.extend(over);
    all
}

fn pack_of(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(pack, _)| pack)
}

fn hash_of(file: &RuleFile) -> String {
    let digest = Sha256::digest(file.text.as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn looking(permit: &Permit) -> Result<(), StreamError> {
    crate::platform::must_be(permit, &[Matter::Streams])
}
