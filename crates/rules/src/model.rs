//! Rules and measures as they are written in a file, read and checked.

use std::sync::Arc;

use clinical::Number;
use uuid::Uuid;
use yaml::Point;

use crate::Severity;
use crate::expression::Expression;
use crate::limit::{Direction, Limit};
use crate::span::{Age, Span};

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pack {
    pub(crate) path: String,
    pub(crate) measures: Vec<Measure>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<crate::test::Test>,
}

/// A value that can be measured or computed, with its unit.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: String,
    /// How people call it.
    pub(crate) label: String,
    /// UCUM; `None` for words and scores.
    pub(crate) unit: Option<String>,
    pub(crate) loinc: Vec<String>,
    /// Outside is no measurement of a living person: kept, never judged as one.
    pub(crate) plausible: Option<(Number, Number)>,
    /// The words that it can be, from normal to worst; a value is the index of its word.
    pub(crate) words: Vec<String>,
    /// How many values are remembered.
    pub(crate) n_kept: usize,
    /// Computed of others.
    pub(crate) derive: Option<Derive>,
    /// How old an input of a computed value may be.
    pub(crate) inputs_within: Option<Span>,
    pub(crate) canonical: String,
    pub(crate) at: Point,
}

/// How a value is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derive {
    News2,
    /// Parameters of NEWS2 that score 3.
    News2Red,
    Qsofa,
    Mews,
    Sirs,
    AkiStage,
    /// Vital signs whose latest reading is an artefact.
    Artefact,
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Of its content without comments, tests and order of keys.
    pub(crate) hash: Uuid,
    pub(crate) about: String,
    /// Paper, table, edition; or who chose it.
    pub(crate) source: String,
    pub(crate) topic: String,
    /// Kinds of events it looks at; all when empty.
    pub(crate) kinds: Vec<event::Kind>,
    pub(crate) applies: Applies,
    pub(crate) body: Body,
    pub(crate) refractory: Option<Span>,
    pub(crate) message: Option<crate::message::Template>,
    /// Measures whose latest values are shown beside.
    pub(crate) context: Vec<String>,
    /// Also flagged, impossible and low-quality values.
    pub(crate) reads_all: bool,
    pub(crate) enabled: bool,
    pub(crate) at: Point,
}

/// Kinds of events that say something in codes.
pub(crate) const CODED: [event::Kind; 2] = [event::Kind::ClinicalNotes, event::Kind::SocialDeterminants];

impl Rule {
    /// Does it look at the codes of the event.
    pub(crate) fn reads_codes(&self) -> bool {
        let reads = |condition: &Condition| matches!(condition, Condition::When(when) if when.reads_codes);
        self.rows().iter().any(|row| reads(&row.raise) || reads(&row.clear))
    }
}

/// Whom a rule is for. `None` asks nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Applies {
    pub(crate) from: Option<Age>,
    pub(crate) below: Option<Age>,
    /// An unknown age counts as inside.
    pub(crate) unknown_age: bool,
    pub(crate) pregnant: Option<bool>,
    pub(crate) spo2_target_88_92: Option<bool>,
    pub(crate) dialysis: Option<bool>,
    pub(crate) units: Vec<String>,
    pub(crate) not_units: Vec<String>,
}

/// What a rule looks at.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// One measure and its limits, without an expression.
    Limits {
        measure: String,
        /// As the file says it; must be the measure's.
        unit: Option<String>,
        rows: Vec<Row>,
        /// What stands for the numbers of a measure of words: raise and clear of each row.
        words: Vec<[Option<yaml::Word>; 2]>,
    },
    /// An expression; one row.
    When(Row),
    /// An order of medication.
    Order { check: OrderCheck, severity: Severity, respond_within: Option<Span> },
}

/// What is looked for in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderCheck {
    /// A code that the patient has already.
    Duplicate,
    /// A code that the patient is allergic to.
    Allergy,
}

/// One limit with its severity, and when it is over.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) raise: Condition,
    pub(crate) severity: Severity,
    pub(crate) says: Option<String>,
    /// How long it must hold.
    pub(crate) sustained: Option<Span>,
    pub(crate) clear: Condition,
    /// How long the clear condition must hold.
    pub(crate) clear_for: Option<Span>,
    pub(crate) respond_within: Option<Span>,
    /// Arrest range.
    pub(crate) immediate: bool,
}

/// When something is so.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Limit(Limit),
    When(Arc<Expression>),
}

impl Row {
    /// Names the row within its rule, also in the next version of the rule: direction and severity.
    pub(crate) fn key(&self) -> u8 {
        let direction = match &self.raise {
            Condition::Limit(limit) => limit.direction(),
            Condition::When(_) => Direction::Up,
        };
        direction as u8 * 8 + self.severity as u8
    }

    pub(crate) fn sustained_micros(&self) -> i64 {
        self.sustained.map_or(0, Span::micros)
    }

    pub(crate) fn clear_micros(&self) -> i64 {
        self.clear_for.map_or(0, Span::micros)
    }
}

impl Rule {
    /// Its rows; none for orders.
    pub(crate) fn rows(&self) -> &[Row] {
        match &self.body {
            Body::Limits { rows, .. } => rows,
            Body::When(row) => std::slice::from_ref(row),
            Body::Order { .. } => &[],
        }
    }
}
