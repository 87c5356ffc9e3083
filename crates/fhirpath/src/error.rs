//! What can go wrong with an expression, and where in its text. Names places and types, never contents.

use std::fmt;

/// Why an expression cannot be read or evaluated; `at` is the byte in its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {at}: {problem}")]
pub struct PathError {
    /// Byte offset into the text of the expression.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something else was expected by the grammar.
    Expected(&'static str),
    /// A literal that is none, such as a month 13.
    Literal(&'static str),
    /// A function that FHIRPath does not know.
    UnknownFunction(String),
    /// A function with a wrong number of arguments.
    Arguments(String),
    /// A type that neither FHIR R4 nor FHIRPath knows.
    UnknownType(String),
    /// An environment variable that nobody set.
    UnknownVariable(String),
    /// An element that the type does not have (found by [`crate::Expression::check`]).
    UnknownElement {
        /// The type.
        owner: String,
        /// The name that is no element of it.
        name: String,
    },
    /// One item is needed, more are there.
    Several(&'static str),
    /// The operation does not work on values of these types.
    Operands {
        /// Operator or function.
        operation: &'static str,
        /// The types that were found.
        found: String,
    },
    /// Works by the specification, but not here.
    Unsupported(String),
    /// `now()`, `today()` or `timeOfDay()` without a time in the context.
    NoClock,
    /// A regular expression that cannot be used.
    Regex(String),
    /// A number beyond what is computed with.
    Overflow,
    /// The order of the items is not defined (found by [`crate::Expression::check`]).
    Unordered(&'static str),
    /// The expression is too long or nested too deep to be read.
    TooLarge(&'static str),
    /// The evaluation takes more steps than allowed.
    Steps(usize),
    /// The evaluation gives more items than allowed.
    Items(usize),
}

impl Problem {
    pub(crate) fn at(self, at: u32) -> PathError {
        PathError { at: at as usize, problem: self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Expected(what) => write!(f, "{what} was expected"),
            Problem::Literal(what) => write!(f, "this is not a {what}"),
            Problem::UnknownFunction(name) => write!(f, "there is no function `{name}`"),
            Problem::Arguments(usage) => write!(f, "wrong number of arguments, use `{usage}`"),
            Problem::UnknownType(name) => write!(f, "`{name}` is no type of FHIR R4 or FHIRPath"),
            Problem::UnknownVariable(name) => write!(f, "the variable `%{name}` is not set"),
            Problem::UnknownElement { owner, name } => write!(f, "`{owner}` has no element `{name}`"),
            Problem::Several(what) => write!(f, "`{what}` needs at most one item, there are more"),
            Problem::Operands { operation, found } => write!(f, "`{operation}` does not work on {found}"),
            Problem::Unsupported(what) => write!(f, "not supported: {what}"),
            Problem::NoClock => f.write_str("the context has no time: set `now`"),
            Problem::Regex(why) => write!(f, "cannot use the regular expression: {why}"),
            Problem::Overflow => f.write_str("the number is too large"),
            Problem::Unordered(what) => write!(f, "`{what}` needs an order, these items have none"),
            Problem::TooLarge(what) => write!(f, "the expression is too large: {what}"),
            Problem::Steps(max) => write!(f, "the evaluation takes more than {max} steps"),
            Problem::Items(max) => write!(f, "the evaluation gives more than {max} items"),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, PathError>;
