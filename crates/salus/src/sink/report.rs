//! What an import did: counts per type that add up, and every reject with its place and reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Context;
use fhir::Kind;
use serde::Serialize;

use crate::output::{grouped, table};
use crate::source::Reject;

use super::Outcome;

/// Rejects kept in memory and in the report; all of them are counted, and `--rejects` writes all.
const REJECTS_KEPT_MAX: usize = 10_000;
/// Rejects shown on a terminal.
const REJECTS_SHOWN_MAX: usize = 20;

/// Counts of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) deleted: u64,
    pub(crate) failed: u64,
}

/// One line about something that was not loaded.
#[derive(Debug, Serialize)]
struct RejectLine {
    place: String,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    reason: String,
    /// Other entries of the same transaction, which were refused with it.
    #[serde(skip_serializing_if = "is_zero")]
    others: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is given by serde")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The report of an import.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Per resource type; input that could not be told to be any resource is under `(unreadable)`.
    types: BTreeMap<String, Counts>,
    total: Counts,
    rejects: Vec<RejectLine>,
    /// Rejects beyond those listed.
    rejects_left_off: u64,
    /// Files that are no FHIR data by their name.
    skipped: Vec<RejectLine>,
    pub(crate) duration_secs: f64,
    #[serde(skip)]
    reject_file: Option<BufWriter<File>>,
}

impl Report {
    /// A report that also writes every reject to a file.
    pub(crate) fn with_reject_file(path: Option<&std::path::Path>) -> anyhow::Result<Report> {
        let reject_file = match path {
            None => None,
            Some(path) => Some(BufWriter::new(
                File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?,
            )),
        };
        Ok(Report { reject_file, ..Report::default() })
    }

    pub(crate) fn total(&self) -> Counts {
        self.total
    }

    /// Resources taken or found unchanged.
    pub(crate) fn done(&self) -> u64 {
        self.total.created + self.total.updated + self.total.unchanged + self.total.deleted
    }

    pub(crate) fn count(&mut self, kind: Kind, outcome: Outcome) {
        for counts in [self.types.entry(kind.name().to_owned()).or_default(), &mut self.total] {
            match outcome {
                Outcome::Created => counts.created += 1,
                Outcome::Updated => counts.updated += 1,
                Outcome::Unchanged => counts.unchanged += 1,
                Outcome::Deleted => counts.deleted += 1,
            }
        }
    }

    /// Counts a reject and keeps or writes its line.
    pub(crate) fn reject(&mut self, reject: Reject) -> anyhow::Result<()> {
        self.reject_with(reject, &[])
    }

    /// The same for a transaction: `others` are the types of the entries that were refused with this one.
    pub(crate) fn reject_with(&mut self, reject: Reject, others: &[Kind]) -> anyhow::Result<()> {
        let name = reject.kind.map_or("(unreadable)", Kind::name);
        for name in std::iter::once(name).chain(others.iter().map(|kind| kind.name())) {
            self.types.entry(name.to_owned()).or_default().failed += 1;
            self.total.failed += 1;
        }
        let line = line_of(reject, others.len() as u64);
        if let Some(file) = &mut self.reject_file {
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n").context("cannot write the rejects")?;
        }
        if self.rejects.len() < REJECTS_KEPT_MAX {
            self.rejects.push(line);
        } else {
            self.rejects_left_off += 1;
        }
        Ok(())
    }

    pub(crate) fn skip(&mut self, reject: Reject) {
        self.skipped.push(line_of(reject, 0));
    }

    /// Brings the reject file to the disk.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        match &mut self.reject_file {
            Some(file) => file.flush().context("cannot write the rejects"),
            None => Ok(()),
        }
    }

    /// The report for people.
    pub(crate) fn text(&self) -> String {
        let head = ["", "created", "updated", "unchanged", "deleted", "failed"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.types.iter().map(|(name, counts)| row_of(name, counts)));
        rows.push(row_of("total", &self.total));
        let mut text = table(&rows);
        for line in self.rejects.iter().take(REJECTS_SHOWN_MAX) {
            let kind = line.kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
            let others = if line.others > 0 {
                format!("; with it {} other entries of its transaction", line.others)
            } else {
                String::new()
            };
            text.push_str(&format!("rejected {}{kind}: {}{others}\n", line.place, line.reason));
        }
        let unlisted = self.rejects.len().saturating_sub(REJECTS_SHOWN_MAX) as u64 + self.rejects_left_off;
        if unlisted > 0 {
            text.push_str(&format!("and {} more: `--rejects FILE` writes them all\n", grouped(unlisted)));
        }
        if !self.skipped.is_empty() {
            text.push_str(&format!(
                "skipped {} files that are no FHIR data by their name\n",
                self.skipped.len()
            ));
        }
        let rate = self.done() as f64 / self.duration_secs.max(0.001);
        text.push_str(&format!(
            "{} resources in {:.1} s, {} a second",
            grouped(self.done()),
            self.duration_secs,
            grouped(rate as u64)
        ));
        text
    }
}

fn line_of(reject: Reject, others: u64) -> RejectLine {
    RejectLine {
        place: reject.place.to_string(),
        kind: reject.kind.map(Kind::name),
        reason: reject.reason,
        others,
    }
}

fn row_of(name: &str, counts: &Counts) -> Vec<String> {
    let numbers = [counts.created, counts.updated, counts.unchanged, counts.deleted, counts.failed];
    std::iter::once(name.to_owned()).chain(numbers.into_iter().map(grouped)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{At, Place};

    #[test]
    fn counts_add_up_and_rejects_have_their_place() {
        let mut report = Report::default();
        let patient = Kind::named("Patient");
        report.count(patient, Outcome::Created);
        report.count(patient, Outcome::Unchanged);
        let place = Place::new(&Arc::from("a.ndjson"), At::Line(7));
        report
            .reject(Reject { place: place.clone(), kind: Some(patient), reason: "bad".to_owned() })
            .unwrap();
        report.reject_with(Reject::new(place.entry(2), "worse"), &[patient, patient]).unwrap();
        assert_eq!(report.total(), Counts { created: 1, unchanged: 1, failed: 4, ..Counts::default() });
        let text = report.text();
        assert!(text.contains("rejected a.ndjson:7 (Patient): bad"), "{text}");
        assert!(text.contains("rejected a.ndjson:7 entry[2]: worse; with it 2 other entries"), "{text}");
    }
}
