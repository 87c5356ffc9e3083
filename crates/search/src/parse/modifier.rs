//! What can stand behind the colon of a parameter's name.

use fhir::{IssueType, Kind};

use super::{Refusal, problem, shown};

/// A modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier<'a> {
    Missing,
    Exact,
    Contains,
    Text,
    Not,
    In,
    NotIn,
    Above,
    Below,
    Identifier,
    OfType,
    /// `subject:Patient`; the word as it was sent.
    Type(Kind, &'a str),
}

impl<'a> Modifier<'a> {
    pub(super) fn parse(name: &str, word: &'a str) -> Result<Modifier<'a>, Refusal> {
        Ok(match word {
            "missing" => Modifier::Missing,
            "exact" => Modifier::Exact,
            "contains" => Modifier::Contains,
            "text" => Modifier::Text,
            "not" => Modifier::Not,
            "in" => Modifier::In,
            "not-in" => Modifier::NotIn,
            "above" => Modifier::Above,
            "below" => Modifier::Below,
            "identifier" => Modifier::Identifier,
            "of-type" => Modifier::OfType,
            other => match Kind::parse(other) {
                Some(kind) => Modifier::Type(kind, other),
                None => {
                    let text = format!("`:{}` is not a modifier of R4", shown(other));
                    return Err(Refusal::Wrong(problem(IssueType::NotSupported, "bad-modifier", name, text)));
                }
            },
        })
    }

    /// The word.
    pub(super) fn word(self) -> &'a str {
        match self {
            Modifier::Missing => "missing",
            Modifier::Exact => "exact",
            Modifier::Contains => "contains",
            Modifier::Text => "text",
            Modifier::Not => "not",
            Modifier::In => "in",
            Modifier::NotIn => "not-in",
            Modifier::Above => "above",
            Modifier::Below => "below",
            Modifier::Identifier => "identifier",
            Modifier::OfType => "of-type",
            Modifier::Type(_, word) => word,
        }
    }
}
