//! SMART App Launch 2 scopes: `patient/*.rs`, `user/Observation.cruds`, `system/*.cruds`; and `metrics`.

use std::fmt;

use fhir::Kind;

/// One thing that can be done to a resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// `c`: create.
    Create,
    /// `r`: read, vread, history of one resource.
    Read,
    /// `u`: update.
    Update,
    /// `d`: delete.
    Delete,
    /// `s`: search, history of a type or of everything.
    Search,
}

/// The letters of a scope, in the only order SMART allows.
const LETTERS: [(char, Right); 5] = [
    ('c', Right::Create),
    ('r', Right::Read),
    ('u', Right::Update),
    ('d', Right::Delete),
    ('s', Right::Search),
];

impl Right {
    fn bit(self) -> u8 {
        match self {
            Right::Create => 1,
            Right::Read => 2,
            Right::Update => 4,
            Right::Delete => 8,
            Right::Search => 16,
        }
    }

    /// The letter in a scope.
    pub fn letter(self) -> char {
        LETTERS.iter().find(|(_, right)| *right == self).map_or('?', |(letter, _)| *letter)
    }
}

/// Whose data a scope reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// The compartment of the token's patient.
    Patient,
    /// What the person may see.
    User,
    /// What the machine may see.
    System,
}

/// How far a principal reaches for one right on one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// No scope covers it.
    Nothing,
    /// Only the compartment of the token's patient.
    Patient,
    /// Every resource of the type.
    Everything,
}

/// One scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read `/metrics`.
    Metrics,
    /// Rights on resources.
    Resources {
        /// Whose data.
        context: Context,
        /// One type, or every type for `*`.
        kind: Option<Kind>,
        /// Bits of [`Right`].
        rights: u8,
    },
}

/// The scopes of a token.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scopes(Vec<Scope>);

/// Why a scope was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Not of the form `context/type.rights`.
    #[error(
        "scope `{0}` is not understood: write `patient/*.rs`, `user/Observation.cruds`, `system/*.cruds` or `metrics`"
    )]
    Syntax(String),
    /// The type is not an R4 resource type.
    #[error("scope `{scope}`: `{kind}` is not an R4 resource type")]
    Kind {
        /// The scope as written.
        scope: String,
        /// The part that is wrong.
        kind: String,
    },
    /// The letters are wrong or out of order.
    #[error("scope `{0}`: rights are the letters `cruds`, each at most once and in this order")]
    Rights(String),
    /// Search parameters behind a scope.
    #[error("scope `{0}`: scopes with search parameters are not supported")]
    FineGrained(String),
}

impl Scopes {
    /// Scopes separated by white space; anything not understood is an error, never ignored.
    pub fn parse(text: &str) -> Result<Scopes, ScopeError> {
        text.split_whitespace().map(parse_scope).collect::<Result<Vec<Scope>, ScopeError>>().map(Scopes)
    }

    /// How far these scopes reach for one right on one type.
    pub fn reach(&self, right: Right, kind: Kind) -> Reach {
        let covers = |of: &Option<Kind>| of.is_none_or(|k| k == kind);
        let reach = |scope: &Scope| match scope {
            Scope::Resources { context, kind, rights } if covers(kind) && rights & right.bit() != 0 => {
                if *context == Context::Patient {
                    Reach::Patient
                } else {
                    Reach::Everything
                }
            }
            Scope::Resources { .. } | Scope::Metrics => Reach::Nothing,
        };
        self.0.iter().map(reach).max().unwrap_or(Reach::Nothing)
    }

    /// How far a right reaches on every type at once: what `*` scopes alone give.
    pub fn reach_of_all(&self, right: Right) -> Reach {
        let reach = |scope: &Scope| match scope {
            Scope::Resources { context, kind: None, rights } if rights & right.bit() != 0 => {
                if *context == Context::Patient { Reach::Patient } else { Reach::Everything }
            }
            Scope::Resources { .. } | Scope::Metrics => Reach::Nothing,
        };
        self.0.iter().map(reach).max().unwrap_or(Reach::Nothing)
    }

    /// The types that a scope names.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Resources { kind, .. } => *kind,
            Scope::Metrics => None,
        })
    }

    /// May `/metrics` be read.
    pub fn metrics(&self) -> bool {
        self.0.contains(&Scope::Metrics)
    }

    /// Does any scope speak of one patient, so that the token must name the patient.
    pub fn needs_patient(&self) -> bool {
        self.0.iter().any(|s| matches!(s, Scope::Resources { context: Context::Patient, .. }))
    }

    /// The first scope here that goes beyond `ceiling`. A `patient/` scope is within any scope on the same type.
    pub fn beyond(&self, ceiling: &Scopes) -> Option<&Scope> {
        self.0.iter().find(|scope| !ceiling.0.iter().any(|top| top.contains(scope)))
    }

    /// The scopes one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl Scope {
    fn contains(&self, other: &Scope) -> bool {
        match (self, other) {
            (Scope::Metrics, Scope::Metrics) => true,
            (
                Scope::Resources { context, kind, rights },
                Scope::Resources { context: c, kind: k, rights: r },
            ) => {
                let wide = *context != Context::Patient || *c == Context::Patient;
                wide && (kind.is_none() || kind == k) && r & !rights == 0
            }
            (Scope::Metrics | Scope::Resources { .. }, _) => false,
        }
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Scopes {
        Scopes(scopes)
    }
}

fn parse_scope(text: &str) -> Result<Scope, ScopeError> {
    if text == "metrics" {
        return Ok(Scope::Metrics);
    }
    let syntax = || ScopeError::Syntax(text.to_string());
    if text.contains('?') {
        return Err(ScopeError::FineGrained(text.to_string()));
    }
    let (context, rest) = text.split_once('/').ok_or_else(syntax)?;
    let (kind, letters) = rest.split_once('.').ok_or_else(syntax)?;
    let context = match context {
        "patient" => Context::Patient,
        "user" => Context::User,
        "system" => Context::System,
        _ => return Err(syntax()),
    };
    let kind = match kind {
        "*" => None,
        name => Some(
            Kind::parse(name)
                .ok_or_else(|| ScopeError::Kind { scope: text.to_string(), kind: name.to_string() })?,
        ),
    };
    let rights = parse_rights(letters).ok_or_else(|| ScopeError::Rights(text.to_string()))?;
    Ok(Scope::Resources { context, kind, rights })
}

fn parse_rights(letters: &str) -> Option<u8> {
    let mut bits = 0u8;
    for letter in letters.chars() {
        let bit = LETTERS.iter().find(|(l, _)| *l == letter)?.1.bit();
        // Each letter once and in order: the new bit must be above all bits so far.
        if bits >= bit {
            return None;
        }
        bits |= bit;
    }
    (bits != 0).then_some(bits)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Metrics => f.write_str("metrics"),
            Scope::Resources { context, kind, rights } => {
                let context = match context {
                    Context::Patient => "patient",
                    Context::User => "user",
                    Context::System => "system",
                };
                write!(f, "{context}/{}.", kind.map_or("*", Kind::name))?;
                for (letter, right) in LETTERS {
                    if rights & right.bit() != 0 {
                        write!(f, "{letter}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.0.iter().enumerate() {
            write!(f, "{}{scope}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let answer = match Scopes::parse(text) {
            Ok(scopes) => scopes.to_string(),
            Err(e) => format!("error: {e}"),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn scopes_are_read_and_written() {
        check("patient/*.rs", "patient/*.rs");
        check(
            "  user/Observation.cruds\tsystem/*.cruds metrics",
            "user/Observation.cruds system/*.cruds metrics",
        );
    }

    #[test]
    fn unknown_syntax_is_an_error() {
        let advice = "write `patient/*.rs`, `user/Observation.cruds`, `system/*.cruds` or `metrics`";
        check("launch", &format!("error: scope `launch` is not understood: {advice}"));
        check("group/*.rs", &format!("error: scope `group/*.rs` is not understood: {advice}"));
        check(
            "user/Observation.read",
            "error: scope `user/Observation.read`: rights are the letters `cruds`, each at most once and in this order",
        );
        check(
            "user/*.sr",
            "error: scope `user/*.sr`: rights are the letters `cruds`, each at most once and in this order",
        );
        check(
            "user/*.",
            "error: scope `user/*.`: rights are the letters `cruds`, each at most once and in this order",
        );
        check("user/Pacient.rs", "error: scope `user/Pacient.rs`: `Pacient` is not an R4 resource type");
        check(
            "user/Observation.rs?code=1",
            "error: scope `user/Observation.rs?code=1`: scopes with search parameters are not supported",
        );
    }

    #[test]
    fn the_widest_scope_counts() {
        let scopes = Scopes::parse("patient/*.rs user/Observation.r").unwrap();
        let [patient, observation] = [Kind::named("Patient"), Kind::named("Observation")];
        assert_eq!(scopes.reach(Right::Read, patient), Reach::Patient);
        assert_eq!(scopes.reach(Right::Read, observation), Reach::Everything);
        assert_eq!(scopes.reach(Right::Search, observation), Reach::Patient);
        assert_eq!(scopes.reach(Right::Create, observation), Reach::Nothing);
        assert!(scopes.needs_patient());
    }

    #[test]
    fn a_ceiling_holds() {
        let ceiling = Scopes::parse("user/*.rs").unwrap();
        let beyond = |text: &str| Scopes::parse(text).unwrap().beyond(&ceiling).map(ToString::to_string);
        assert_eq!(beyond("patient/*.rs user/Patient.r"), None);
        assert_eq!(beyond("user/Patient.crs"), Some("user/Patient.crs".to_string()));
        assert_eq!(beyond("metrics"), Some("metrics".to_string()));
    }
}
