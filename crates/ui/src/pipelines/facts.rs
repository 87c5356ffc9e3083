//! What the pages about pipelines are told: plain numbers and words, filled in by whoever serves them.

use fhir::Instant;

/// A pipeline: of a file, or known by its runs only.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Its name; of a file that does not parse, the file's.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where its file stands; `None`: the file is gone or elsewhere.
    pub file: Option<String>,
    /// Each source with its targets.
    pub flows: Vec<Flow>,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// Its newest run.
    pub last: Option<RunRow>,
    /// The level and the score of the last run that was assessed.
    pub quality: Option<(String, Option<f64>)>,
    /// All that is wrong with the file.
    pub faults: Vec<Fault>,
    /// Why it could not be run when its time came.
    pub trouble: Option<String>,
}

/// A source and where it goes.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// Name of the source.
    pub source: String,
    /// Its type.
    pub kind: String,
    /// Names and types of the targets.
    pub targets: Vec<(String, String)>,
}

/// When a pipeline runs by itself.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// As it is written.
    pub written: String,
    /// The next time.
    pub next: Option<Instant>,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// From 1; 0 when the file could not be read at all.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What, and what to do.
    pub message: String,
}

/// A run in a list.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its id.
    pub run: String,
    /// The pipeline.
    pub pipeline: String,
    /// `running`, `completed`, `completed_with_errors`, `failed`, `cancelled`, `interrupted`.
    pub status: String,
    /// When it began.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// Seconds it took.
    pub duration_secs: Option<f64>,
    /// Who asked for it.
    pub by: String,
    /// How often it was started.
    pub attempts: u32,
    /// Whether it only counted.
    pub is_dry: bool,
    /// All sources together; `None` until it has ended.
    pub sums: Option<Sums>,
}

/// Where the rows that were read went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Records read.
    pub read: u64,
    /// Rows in the target.
    pub loaded: u64,
    /// Rows that were in the target from before.
    pub already: u64,
    /// Rows set aside.
    pub quarantined: u64,
    /// Rows left out by a rule.
    pub filtered: u64,
    /// Rows left out because of a key.
    pub deduplicated: u64,
    /// Rows used up to make others.
    pub consumed: u64,
    /// Rows made from those.
    pub produced: u64,
    /// Rows that came to the end and were not loaded, because the source was refused or the target failed.
    pub held_back: u64,
}

impl Sums {
    /// The sum on the right.
    pub fn accounted(&self) -> u64 {
        self.loaded
            + self.already
            + self.quarantined
            + self.filtered
            + self.deduplicated
            + self.consumed
            + self.held_back
    }

    /// Does every row that was read or made stand under one of the terms.
    pub fn adds_up(&self) -> bool {
        self.read + self.produced == self.accounted()
    }
}

/// A run in full.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// As in a list.
    pub row: RunRow,
    /// Where its file stood.
    pub file: String,
    /// Hash of the file.
    pub hash: String,
    /// Why it broke off before its sources were read.
    pub error: Option<String>,
    /// Things worth knowing.
    pub warnings: Vec<String>,
    /// In the order of the file.
    pub sources: Vec<Source>,
}

/// A source of a run.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its type; empty while nothing but progress is known.
    pub kind: String,
    /// `waiting`, `running`, or how it ended.
    pub status: String,
    /// `source`, `gate`, `target`, `cancelled`.
    pub failure: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Seconds it took.
    pub duration_secs: f64,
    /// How far it is, while it runs.
    pub progress: Option<Progress>,
    /// Where its rows went.
    pub sums: Sums,
    /// The checks and steps.
    pub steps: Vec<Step>,
    /// The targets.
    pub targets: Vec<Target>,
    /// Files or windows that were read.
    pub units: Vec<Unit>,
    /// The level and score of its quality; `None`: it was not read to its end.
    pub quality: Option<(Option<String>, Option<f64>)>,
    /// The gates.
    pub gates: Vec<Gate>,
    /// Why it was not let through.
    pub refused: Vec<String>,
}

/// How far a source is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Bytes read, where they are counted.
    pub bytes: u64,
    /// Records read.
    pub read: u64,
    /// Rows given to the targets.
    pub given: u64,
    /// Rows set aside.
    pub quarantined: u64,
}

/// What a step did with its rows.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Its name; `checks` for the checks.
    pub name: String,
    /// Rows that came.
    pub rows_in: u64,
    /// Rows that went on.
    pub rows_out: u64,
    /// Rows set aside.
    pub quarantined: u64,
    /// Rows left out, by rule.
    pub filtered: Vec<(String, u64)>,
    /// Rows left out, by key.
    pub deduplicated: Vec<(String, u64)>,
    /// Rows used up.
    pub consumed: u64,
    /// Rows made.
    pub produced: u64,
    /// What the step says about its work.
    pub facts: Vec<(String, String)>,
}

/// What happened at a target.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// `committed`, `nothing_new`, `aborted`, `failed`.
    pub status: String,
    /// Rows offered.
    pub offered: u64,
    /// Rows from before.
    pub already: u64,
    /// New rows.
    pub inserted: u64,
    /// Rows that replaced another state.
    pub updated: u64,
    /// Rows that were the same.
    pub unchanged: u64,
    /// Rows that it refused.
    pub quarantined: u64,
    /// Rows left out for a later one with the same key.
    pub deduplicated: u64,
    /// Bytes written, where known.
    pub n_bytes: Option<u64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A file or window that was read.
#[derive(Clone, Debug)]
pub struct Unit {
    /// For people.
    pub name: String,
    /// Where the next run goes on.
    pub watermark: Option<String>,
}

/// A quality gate.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Of what.
    pub dimension: String,
    /// What it must reach.
    pub threshold: f64,
    /// What it reached.
    pub score: Option<f64>,
    /// Whether it did.
    pub passed: Option<bool>,
}
