//! A node of a YAML document with its place.

use crate::{Fields, Point, Problems, Word};

/// A node of a YAML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it begins.
    pub at: Point,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar as it is written, without its quotes. Plain means written without quotes.
    Scalar {
        /// The text.
        text: String,
        /// Without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file. Keys are different: a key that stands twice is a problem of reading.
    Map(Vec<(Word, Node)>),
}

impl Node {
    /// What the node is, in words for error texts.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The text of a scalar; anything else is a problem. `what` names the node: "`where` of the step `filter`".
    pub fn text(&self, what: &str, problems: &mut Problems) -> Option<Word> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(Word { text: text.clone(), at: self.at }),
            _ => {
                problems.add(self.at, format!("{what} must be a single value, not {}", self.what()));
                None
            }
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&self, what: &str, problems: &mut Problems) -> Vec<Word> {
        match &self.kind {
            Kind::List(items) => items.iter().filter_map(|item| item.text(what, problems)).collect(),
            Kind::Scalar { .. } => self.text(what, problems).into_iter().collect(),
            _ => {
                problems.add(self.at, format!("{what} must be a list of values, not {}", self.what()));
                Vec::new()
            }
        }
    }

    /// The items of a list; anything else but nothing is a problem.
    pub fn items(&self, what: &str, problems: &mut Problems) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            Kind::Null => &[],
            _ => {
                problems.add(self.at, format!("{what} must be a list, not {}", self.what()));
                &[]
            }
        }
    }

    /// The entries of a map; anything else but nothing is a problem.
    pub fn entries(&self, what: &str, problems: &mut Problems) -> &[(Word, Node)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Null => &[],
            _ => {
                problems.add(self.at, format!("{what} must be a map, not {}", self.what()));
                &[]
            }
        }
    }

    /// Reads the map key by key: see [`Fields`]. `what` names it in error texts: "the step `filter`".
    pub fn fields<'a>(&'a self, what: impl Into<String>, problems: &mut Problems) -> Fields<'a> {
        Fields::new(self, what.into(), problems)
    }
}
