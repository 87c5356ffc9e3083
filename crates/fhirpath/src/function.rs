//! The table of functions: name, number of arguments, and what an argument is.

/// A function of FHIRPath or of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Aggregate,
    All,
    AllFalse,
    AllTrue,
    AnyFalse,
    AnyTrue,
    As,
    Ceiling,
    Children,
    Combine,
    Comparable,
    ConformsTo,
    Contains,
    ConvertsTo(Target),
    Count,
    Decode,
    Descendants,
    Distinct,
    Empty,
    Encode,
    EndsWith,
    Escape,
    Exclude,
    Exists,
    Exp,
    Extension,
    First,
    Floor,
    GetReferenceKey,
    GetResourceKey,
    GetValue,
    HasExtension,
    HasValue,
    HighBoundary,
    HtmlChecks,
    Iif,
    IndexOf,
    Intersect,
    Is,
    IsDistinct,
    Join,
    Last,
    LastIndexOf,
    Length,
    Ln,
    Log,
    LowBoundary,
    Lower,
    Matches,
    MatchesFull,
    Not,
    Now,
    OfType,
    Power,
    Precision,
    Repeat,
    Replace,
    ReplaceMatches,
    Resolve,
    Round,
    Select,
    Single,
    Skip,
    Sort,
    Split,
    Sqrt,
    StartsWith,
    SubsetOf,
    Substring,
    SupersetOf,
    Tail,
    Take,
    TimeOfDay,
    To(Target),
    ToChars,
    Today,
    Trace,
    Trim,
    Truncate,
    Type,
    Unescape,
    Union,
    Upper,
    Where,
}

/// What a conversion converts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
}

/// What the arguments of a function are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Values, computed on the `$this` of the caller.
    Values,
    /// Expressions, evaluated for each item of the input.
    Each,
    /// The name of a type.
    Type,
}

/// One function.
pub(crate) struct Entry {
    pub(crate) function: Function,
    /// How it is called; the name stands before the `(`.
    pub(crate) usage: &'static str,
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) arguments: Arguments,
}

impl Entry {
    pub(crate) fn name(&self) -> &'static str {
        self.usage.split('(').next().unwrap_or(self.usage)
    }
}

const fn values(function: Function, usage: &'static str, min: usize, max: usize) -> Entry {
    Entry { function, usage, min, max, arguments: Arguments::Values }
}

const fn each(function: Function, usage: &'static str, min: usize, max: usize) -> Entry {
    Entry { function, usage, min, max, arguments: Arguments::Each }
}

const fn typed(function: Function, usage: &'static str) -> Entry {
    Entry { function, usage, min: 1, max: 1, arguments: Arguments::Type }
}

use Function as F;

/// Every function.
pub(crate) const FUNCTIONS: &[Entry] = &[
    values(F::Abs, "abs()", 0, 0),
    each(F::Aggregate, "aggregate(expression, start)", 1, 2),
    each(F::All, "all(criteria)", 1, 1),
    values(F::AllFalse, "allFalse()", 0, 0),
    values(F::AllTrue, "allTrue()", 0, 0),
    values(F::AnyFalse, "anyFalse()", 0, 0),
    values(F::AnyTrue, "anyTrue()", 0, 0),
    typed(F::As, "as(type)"),
    values(F::Ceiling, "ceiling()", 0, 0),
    values(F::Children, "children()", 0, 0),
    values(F::Combine, "combine(other)", 1, 1),
    values(F::Comparable, "comparable(quantity)", 1, 1),
    values(F::ConformsTo, "conformsTo(url)", 1, 1),
    values(F::Contains, "contains(text)", 1, 1),
    values(F::ConvertsTo(Target::Boolean), "convertsToBoolean()", 0, 0),
    values(F::ConvertsTo(Target::Date), "convertsToDate()", 0, 0),
    values(F::ConvertsTo(Target::DateTime), "convertsToDateTime()", 0, 0),
    values(F::ConvertsTo(Target::Decimal), "convertsToDecimal()", 0, 0),
    values(F::ConvertsTo(Target::Integer), "convertsToInteger()", 0, 0),
    values(F::ConvertsTo(Target::Quantity), "convertsToQuantity(unit)", 0, 1),
    values(F::ConvertsTo(Target::String), "convertsToString()", 0, 0),
    values(F::ConvertsTo(Target::Time), "convertsToTime()", 0, 0),
    values(F::Count, "count()", 0, 0),
    values(F::Decode, "decode(format)", 1, 1),
    values(F::Descendants, "descendants()", 0, 0),
    values(F::Distinct, "distinct()", 0, 0),
    values(F::Empty, "empty()", 0, 0),
    values(F::Encode, "encode(format)", 1, 1),
    values(F::EndsWith, "endsWith(suffix)", 1, 1),
    values(F::Escape, "escape(format)", 1, 1),
    values(F::Exclude, "exclude(other)", 1, 1),
    each(F::Exists, "exists(criteria)", 0, 1),
    values(F::Exp, "exp()", 0, 0),
    values(F::Extension, "extension(url)", 1, 1),
    values(F::First, "first()", 0, 0),
    values(F::Floor, "floor()", 0, 0),
    Entry {
        function: F::GetReferenceKey,
        usage: "getReferenceKey(type)",
        min: 0,
        max: 1,
        arguments: Arguments::Type,
    },
    values(F::GetResourceKey, "getResourceKey()", 0, 0),
    values(F::GetValue, "getValue()", 0, 0),
    values(F::HasExtension, "hasExtension(url)", 1, 1),
    values(F::HasValue, "hasValue()", 0, 0),
    values(F::HighBoundary, "highBoundary(precision)", 0, 1),
    values(F::HtmlChecks, "htmlChecks()", 0, 0),
    each(F::Iif, "iif(criterion, true-result, otherwise-result)", 2, 3),
    values(F::IndexOf, "indexOf(text)", 1, 1),
    values(F::Intersect, "intersect(other)", 1, 1),
    typed(F::Is, "is(type)"),
    values(F::IsDistinct, "isDistinct()", 0, 0),
    values(F::Join, "join(separator)", 0, 1),
    values(F::Last, "last()", 0, 0),
    values(F::LastIndexOf, "lastIndexOf(text)", 1, 1),
    values(F::Length, "length()", 0, 0),
    values(F::Ln, "ln()", 0, 0),
    values(F::Log, "log(base)", 1, 1),
    values(F::LowBoundary, "lowBoundary(precision)", 0, 1),
    values(F::Lower, "lower()", 0, 0),
    values(F::Matches, "matches(regex)", 1, 1),
    values(F::MatchesFull, "matchesFull(regex)", 1, 1),
    values(F::Not, "not()", 0, 0),
    values(F::Now, "now()", 0, 0),
    typed(F::OfType, "ofType(type)"),
    values(F::Power, "power(exponent)", 1, 1),
    values(F::Precision, "precision()", 0, 0),
    each(F::Repeat, "repeat(projection)", 1, 1),
    values(F::Replace, "replace(text, by)", 2, 2),
    values(F::ReplaceMatches, "replaceMatches(regex, by)", 2, 2),
    values(F::Resolve, "resolve()", 0, 0),
    values(F::Round, "round(digits)", 0, 1),
    each(F::Select, "select(projection)", 1, 1),
    values(F::Single, "single()", 0, 0),
    values(F::Skip, "skip(number)", 1, 1),
    each(F::Sort, "sort(key, ...)", 0, 16),
    values(F::Split, "split(separator)", 1, 1),
    values(F::Sqrt, "sqrt()", 0, 0),
    values(F::StartsWith, "startsWith(prefix)", 1, 1),
    values(F::SubsetOf, "subsetOf(other)", 1, 1),
    values(F::Substring, "substring(start, length)", 1, 2),
    values(F::SupersetOf, "supersetOf(other)", 1, 1),
    values(F::Tail, "tail()", 0, 0),
    values(F::Take, "take(number)", 1, 1),
    values(F::TimeOfDay, "timeOfDay()", 0, 0),
    values(F::To(Target::Boolean), "toBoolean()", 0, 0),
    values(F::ToChars, "toChars()", 0, 0),
    values(F::To(Target::Date), "toDate()", 0, 0),
    values(F::To(Target::DateTime), "toDateTime()", 0, 0),
    values(F::Today, "today()", 0, 0),
    values(F::To(Target::Decimal), "toDecimal()", 0, 0),
    values(F::To(Target::Integer), "toInteger()", 0, 0),
    values(F::To(Target::Quantity), "toQuantity(unit)", 0, 1),
    values(F::To(Target::String), "toString()", 0, 0),
    values(F::To(Target::Time), "toTime()", 0, 0),
    each(F::Trace, "trace(name, projection)", 1, 2),
    values(F::Trim, "trim()", 0, 0),
    values(F::Truncate, "truncate()", 0, 0),
    values(F::Type, "type()", 0, 0),
    values(F::Unescape, "unescape(format)", 1, 1),
    values(F::Union, "union(other)", 1, 1),
    values(F::Upper, "upper()", 0, 0),
    each(F::Where, "where(criteria)", 1, 1),
];

/// Functions of the specification that need what is not here: terminology, profiles.
pub(crate) const UNSUPPORTED: [&str; 7] =
    ["memberOf", "subsumes", "subsumedBy", "elementDefinition", "slice", "checkModifiers", "defineVariable"];

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<&'static Entry> {
    FUNCTIONS.iter().find(|entry| entry.name() == name)
}
