//! What is remembered of a run.

use fhir::Instant;
use serde::{Deserialize, Serialize};

use crate::report::SourceQuality;
use crate::run::{Counts, StepCounts, TargetCounts};

/// How a run or a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// At work, or its process has died.
    Running,
    /// All that could be loaded is loaded.
    Completed,
    /// Something failed, something else is loaded.
    CompletedWithErrors,
    /// Nothing of it is loaded.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Status {
    /// As scripts and people read it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Completed => "completed",
            Status::CompletedWithErrors => "completed_with_errors",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }
}

/// Why a source is not (wholly) loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It cannot be read, or a step failed as a whole.
    Source,
    /// A quality gate was not passed.
    Gate,
    /// A target cannot be written.
    Target,
    /// Somebody stopped the run.
    Cancelled,
}

/// What is remembered of one source of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The source's name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// How it stands.
    pub status: Status,
    /// Why it is not loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What went wrong, without values of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Units that were read.
    pub units: Vec<UnitRecord>,
    /// The four terms.
    pub counts: Counts,
    /// The checks and steps.
    pub steps: Vec<StepCounts>,
    /// The targets.
    pub targets: Vec<TargetCounts>,
    /// The quality of what was read. `None` when it was not read to its end.
    pub quality: Option<SourceQuality>,
    /// Seconds it took.
    pub duration_secs: f64,
}

impl SourceRecord {
    /// Rows of units that the (first) target had already.
    pub fn already_loaded(&self) -> u64 {
        self.targets.first().map_or(0, |target| target.already_loaded)
    }

    /// Rows that came to the end of the steps and were not committed: a gate refused the source, or the (first) target failed.
    pub fn held_back(&self) -> u64 {
        let first = self.targets.first();
        if first.is_some_and(|target| target.status == "committed") {
            return 0;
        }
        let counts = &self.counts;
        let rejected: u64 = self.steps.iter().map(|step| step.quarantined).sum();
        let at_target = first.map_or(0, |target| target.quarantined);
        let unread = counts.quarantined.saturating_sub(rejected + at_target);
        let reached = self.steps.last().map_or(counts.read.saturating_sub(unread), |step| step.rows_out);
        let told = first.map_or(0, |target| {
            target.already_loaded + target.n_loaded() + target.quarantined + target.deduplicated
        });
        reached.saturating_sub(told)
    }
}

/// A unit that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRecord {
    /// See [`crate::source::Unit`].
    pub id: String,
    /// For people.
    pub name: String,
    /// The watermark when it is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
}

/// What is remembered of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's id.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The hash of its file.
    pub pipeline_hash: String,
    /// How it stands.
    pub status: Status,
    /// Whether it continues a run whose process died.
    pub resumed: bool,
    /// Whether it only counted and wrote nothing.
    pub dry_run: bool,
    /// When it began.
    #[serde(with = "instant_text")]
    pub started_at: Instant,
    /// When it ended.
    #[serde(with = "instant_text_option")]
    pub ended_at: Option<Instant>,
    /// Seconds it took.
    pub duration_secs: f64,
    /// All sources together.
    pub counts: Counts,
    /// Each source.
    pub sources: Vec<SourceRecord>,
    /// Things worth knowing that did not stop the run: a lineage endpoint that did not answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl RunRecord {
    /// The exit code of `salus etl run`: the first of source (5), target (6), gate (3) and rejects (4) that happened; 0 when nothing did.
    pub fn exit_code(&self) -> u8 {
        let failed = |failure| self.sources.iter().any(|source| source.failure == Some(failure));
        match () {
            () if self.status == Status::Cancelled => 1,
            () if failed(Failure::Source) => 5,
            () if failed(Failure::Target) => 6,
            () if failed(Failure::Gate) => 3,
            () if self.counts.quarantined > 0 => 4,
            () => 0,
        }
    }
}

mod instant_text {
    use fhir::Instant;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse(&text).ok_or_else(|| D::Error::custom("not an instant"))
    }
}

mod instant_text_option {
    use fhir::Instant;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[allow(clippy::ref_option)] // the shape serde asks for
    pub(super) fn serialize<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Instant>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Instant::parse(&text).ok_or_else(|| D::Error::custom("not an instant"))).transpose()
    }
}
