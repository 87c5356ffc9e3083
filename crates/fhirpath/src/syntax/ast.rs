//! The syntax tree of an expression.

use compact_str::CompactString;
use fhir::Decimal;

use crate::temporal::Temporal;

/// A term and the byte of the text where it starts (of an operation: where its operator stands).
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: u32,
    pub(crate) term: Term,
}

/// Two trees are equal when they mean the same, wherever they stand.
impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.term == other.term
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    Literal(Literal),
    /// An element of `$this`, or at the start of an expression the type of the context.
    Name(CompactString),
    This,
    Index,
    Total,
    /// `%name`.
    Variable(CompactString),
    /// A function on `$this`.
    Call(CompactString, Vec<Node>),
    /// `a.b`: `b` is a name, a call, `$this`, `$index` or `$total`.
    Dot(Box<Node>, Box<Node>),
    /// `a[i]`.
    At(Box<Node>, Box<Node>),
    Negative(Box<Node>),
    Positive(Box<Node>),
    Binary(Op, Box<Node>, Box<Node>),
    /// `a is T`.
    Is(Box<Node>, TypeName),
    /// `a as T`.
    As(Box<Node>, TypeName),
}

/// `Patient`, `FHIR.Patient`, `System.String`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeName {
    pub(crate) namespace: Option<CompactString>,
    pub(crate) name: CompactString,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// `{}`
    Empty,
    Boolean(bool),
    String(CompactString),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    /// A number with a unit; the unit of a calendar duration is a bare word.
    Quantity {
        value: Decimal,
        unit: CompactString,
        calendar: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Times,
    Over,
    Div,
    Mod,
    Plus,
    Minus,
    Concat,
    Union,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    Equivalent,
    NotEqual,
    NotEquivalent,
    In,
    Contains,
    And,
    Xor,
    Or,
    Implies,
}

impl Op {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Op::Times => "*",
            Op::Over => "/",
            Op::Div => "div",
            Op::Mod => "mod",
            Op::Plus => "+",
            Op::Minus => "-",
            Op::Concat => "&",
            Op::Union => "|",
            Op::Less => "<",
            Op::Greater => ">",
            Op::LessOrEqual => "<=",
            Op::GreaterOrEqual => ">=",
            Op::Equal => "=",
            Op::Equivalent => "~",
            Op::NotEqual => "!=",
            Op::NotEquivalent => "!~",
            Op::In => "in",
            Op::Contains => "contains",
            Op::And => "and",
            Op::Xor => "xor",
            Op::Or => "or",
            Op::Implies => "implies",
        }
    }

    /// How tightly it binds; higher binds tighter.
    pub(crate) fn power(self) -> u8 {
        match self {
            Op::Times | Op::Over | Op::Div | Op::Mod => 11,
            Op::Plus | Op::Minus | Op::Concat => 10,
            // `is` and `as` have 9.
            Op::Union => 8,
            Op::Less | Op::Greater | Op::LessOrEqual | Op::GreaterOrEqual => 7,
            Op::Equal | Op::Equivalent | Op::NotEqual | Op::NotEquivalent => 6,
            Op::In | Op::Contains => 5,
            Op::And => 4,
            Op::Xor | Op::Or => 3,
            Op::Implies => 2,
        }
    }
}

/// Binding power of `is` and `as`.
pub(crate) const POWER_TYPE: u8 = 9;
/// Binding power of a sign.
pub(crate) const POWER_SIGN: u8 = 12;
/// Binding power of `.` and `[`.
pub(crate) const POWER_PATH: u8 = 13;
