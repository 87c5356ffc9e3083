//! What becomes of one value, and how often that happened.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What was done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// There was nothing.
    Absent,
    /// Left as it is.
    Kept,
    /// Left out.
    Dropped,
    /// Less exact: a year, three digits of a ZIP code, `90+`.
    Generalised,
    /// A date was moved.
    Shifted,
    /// A date was moved up to the limit only, so that the past stays in the past: its intervals are shortened.
    Clamped,
    /// Replaced by a code.
    Replaced,
    /// Not in a form that the rule can treat safely, so left out.
    Unreadable,
}

impl Effect {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Absent => "absent",
            Effect::Kept => "kept",
            Effect::Dropped => "dropped",
            Effect::Generalised => "generalised",
            Effect::Shifted => "shifted",
            Effect::Clamped => "clamped",
            Effect::Replaced => "replaced",
            Effect::Unreadable => "unreadable",
        }
    }
}

/// What leaves in place of a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell<'a> {
    text: Option<Cow<'a, str>>,
    effect: Effect,
}

impl<'a> Cell<'a> {
    pub(crate) fn new(text: impl Into<Cow<'a, str>>, effect: Effect) -> Cell<'a> {
        Cell { text: Some(text.into()), effect }
    }

    pub(crate) fn empty(effect: Effect) -> Cell<'a> {
        Cell { text: None, effect }
    }

    /// The text that leaves, if any.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The same, owned when it is new.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        self.text
    }

    /// What was done.
    pub fn effect(&self) -> Effect {
        self.effect
    }
}

/// A value is patient data until the whole table is done, so it does not print.
impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.effect.name())
    }
}

/// How many values met with which effect. Tallies of parts add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Effect, u64>);

impl Tally {
    /// Counts a cell that stands in `n_rows` rows.
    pub fn add(&mut self, cell: &Cell<'_>, n_rows: u64) {
        self.add_effect(cell.effect, n_rows);
    }

    /// Counts rows whose cell needs no look: a dropped column, an absent value.
    pub fn add_effect(&mut self, effect: Effect, n_rows: u64) {
        if n_rows > 0 {
            *self.0.entry(effect).or_default() += n_rows;
        }
    }

    /// Adds another part.
    pub fn merge(&mut self, other: &Tally) {
        for (effect, n_rows) in &other.0 {
            self.add_effect(*effect, *n_rows);
        }
    }

    /// Rows with an effect.
    pub fn count(&self, effect: Effect) -> u64 {
        self.0.get(&effect).copied().unwrap_or(0)
    }

    /// Names and counts.
    pub(crate) fn named(&self) -> BTreeMap<&'static str, u64> {
        self.0.iter().map(|(effect, n_rows)| (effect.name(), *n_rows)).collect()
    }
}
