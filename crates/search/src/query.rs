//! A search, parsed: what must hold, in which order, with what beside it. Stores plan it; `matches` evaluates it.

use compact_str::CompactString;
use fhir::{Instant, Kind};

use crate::ParamId;

/// A whole search.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// One per resource type; their results are joined.
    pub branches: Vec<Branch>,
    /// Order of the results; by rising insertion order when empty.
    pub sort: Vec<SortKey>,
    /// What comes along.
    pub includes: Vec<Include>,
    /// `_count`.
    pub count: Option<u32>,
    /// `_cursor`: where the page starts, as a store wrote it.
    pub cursor: Option<CompactString>,
    /// `_total`.
    pub total: Total,
    /// `_summary`.
    pub summary: Summary,
    /// `_elements`.
    pub elements: Vec<String>,
    /// The search as understood, in query form without `_count` and `_cursor`: goes into links, and page links are bound to it.
    pub canonical: String,
    /// What "now" meant when it was parsed: relative conditions (`ap` on dates, current membership) use it.
    pub now: Instant,
}

/// What must hold of resources of one type: all of the filters.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The type.
    pub kind: Kind,
    /// Conditions, all of which hold.
    pub filters: Vec<Filter>,
}

/// One condition on a resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// `_id`.
    Id {
        /// One of these.
        any_of: Vec<CompactString>,
        /// Or none of them.
        negated: bool,
    },
    /// `_lastUpdated`.
    LastUpdated(Vec<DateOperand>),
    /// A value of a parameter passes a test.
    Value {
        /// The parameter; its type is the branch's.
        param: ParamId,
        /// The test.
        test: Test,
    },
    /// `:missing`. A value is any row of the parameter, in whichever table: a concept with a text only is one.
    Missing {
        /// The parameter.
        param: ParamId,
        /// `true`: there is no value; `false`: there is one.
        missing: bool,
    },
    /// `subject:Patient.name=x`: what a reference points at passes one of the branches. Chains nest.
    Chain {
        /// The reference parameter.
        param: ParamId,
        /// One per possible target type.
        any_of: Vec<Branch>,
    },
    /// `_has:Observation:patient:code=x`: something that points here passes all filters.
    Has {
        /// The reference parameter of the other type.
        param: ParamId,
        /// The other type and what must hold of it.
        branch: Branch,
    },
    /// `_list`: the resource is an item of one of these lists.
    List(Vec<CompactString>),
    /// A relation of the resource's patient (`region`, `population`, `risk`), in force at the start of the resource's event date; for the
    /// patient's own resource, and for types without an event date parameter, in force at the query's `now`. A resource whose event date is
    /// not stated has no relation at a known time. Only what a resource states that the caller may see counts.
    Relation {
        /// Which relation.
        relation: Relation,
        /// One of these.
        any_of: Vec<RelationOperand>,
        /// Or none of them.
        negated: bool,
    },
    /// One of these holds; none when empty. Restrictions use it.
    Any(Vec<Filter>),
}

/// Facts about a patient that are kept with the patient and joined when a search asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// Where the patient lives: level `state`, `county` (FIPS) or `zip3`, and its code.
    Region,
    /// Which programmes and groups the patient is in: system and code, or `Group/id`.
    Population,
    /// Which risk level a rule gave the patient: system and code.
    Risk,
}

/// A value of a relation: `county|48201`, `diabetes-care`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationOperand {
    /// Level or system; `None` for any.
    pub system: Option<CompactString>,
    /// The code.
    pub code: CompactString,
}

/// A test of one parameter's values; it passes when one value passes one operand.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Token.
    Token {
        /// One of these.
        any_of: Vec<TokenOperand>,
        /// `:not`: passes when no value does.
        negated: bool,
    },
    /// Token with `:text`: the text of the code contains one of these (folded).
    TokenText(Vec<CompactString>),
    /// Token with `:of-type`: identifiers by type and value.
    OfType(Vec<OfTypeOperand>),
    /// String.
    String {
        /// How texts are compared.
        mode: StringMode,
        /// One of these; folded unless the mode is exact.
        any_of: Vec<CompactString>,
    },
    /// Date.
    Date(Vec<DateOperand>),
    /// Number.
    Number(Vec<NumberOperand>),
    /// Quantity.
    Quantity(Vec<QuantityOperand>),
    /// Reference.
    Reference {
        /// One of these.
        any_of: Vec<ReferenceOperand>,
        /// `:not`.
        negated: bool,
    },
    /// Reference with `:identifier`: its logical identifier.
    ReferenceIdentifier(Vec<TokenOperand>),
    /// Reference with `:above` or `:below` along the hierarchy of the type that it points at ([`ParamId::hierarchy_of`]: `Location` by
    /// `partof`): the reference points at a starting point, or at something from which the way up leads to one (`:below`), or to which the
    /// way up from one leads (`:above`). The way goes over resources that are there and visible.
    ReferenceHierarchy {
        /// Type and id of the starting points.
        any_of: Vec<(Kind, CompactString)>,
        /// `:below` (the descendants) or `:above` (the ancestors); the starting point belongs to both.
        below: bool,
    },
    /// Uri.
    Uri {
        /// How they are compared.
        mode: UriMode,
        /// One of these.
        any_of: Vec<CompactString>,
        /// `:not`.
        negated: bool,
    },
    /// Composite: one value whose parts pass all parts of one operand.
    Composite(Vec<CompositeOperand>),
}

/// `system|code`, `|code`, `system|`, `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOperand {
    /// The system.
    pub system: SystemMatch,
    /// The code; `None` for any code of the system.
    pub code: Option<CompactString>,
}

/// What a token's system must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemMatch {
    /// Anything, also none.
    Any,
    /// None: `|code`.
    Absent,
    /// This one.
    Is(CompactString),
}

/// `type-system|type-code|value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfTypeOperand {
    /// System of the identifier's type.
    pub system: CompactString,
    /// Code of the identifier's type.
    pub code: CompactString,
    /// The identifier's value.
    pub value: CompactString,
}

/// How strings are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringMode {
    /// Folded (case, accents), from the start.
    StartsWith,
    /// `:contains`: folded, anywhere.
    Contains,
    /// `:exact`: the whole text as it is.
    Exact,
}

/// How uris are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriMode {
    /// The whole text.
    Exact,
    /// `:below`: the value is the operand or a path below it.
    Below,
    /// `:above`: the operand is the value or a path below it.
    Above,
}

/// Comparison of ordered values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// The range of the search contains the value.
    Eq,
    /// It does not.
    Ne,
    /// The value reaches above.
    Gt,
    /// The value reaches below.
    Lt,
    /// `gt` or `eq`.
    Ge,
    /// `lt` or `eq`.
    Le,
    /// The value starts after.
    Sa,
    /// The value ends before.
    Eb,
    /// The ranges overlap, after the search was widened by a tenth.
    Ap,
}

/// A date with a prefix: a half-open period of microseconds. For `ap` it was widened by the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateOperand {
    /// Comparison.
    pub prefix: Prefix,
    /// First microsecond.
    pub low: i64,
    /// The microsecond behind the last.
    pub high: i64,
}

/// A number with a prefix. Keys are order-preserving bytes of exact decimals ([`fhir::Decimal::key`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberOperand {
    /// Comparison.
    pub prefix: Prefix,
    /// The stated number: all prefixes but `eq`, `ne` and `ap` compare with it.
    pub value: Vec<u8>,
    /// Lower end of the range that the stated precision (or `ap`) covers.
    pub low: Vec<u8>,
    /// Upper end of it, not included.
    pub high: Vec<u8>,
}

/// A quantity: number, and what its unit must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityOperand {
    /// The number in the unit that the search stated.
    pub number: NumberOperand,
    /// The unit.
    pub unit: UnitMatch,
    /// The same in canonical UCUM units, when the search states a UCUM unit that can be converted: then this one counts.
    pub canonical: Option<(NumberOperand, CompactString)>,
}

/// What a quantity's unit must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitMatch {
    /// Anything.
    Any,
    /// `5||mg`: the code or the written unit.
    Text(CompactString),
    /// `5|system|code`.
    Coded {
        /// System.
        system: CompactString,
        /// Code.
        code: CompactString,
    },
}

/// What a reference points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceOperand {
    /// A resource of this store.
    Local {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
    },
    /// An absolute URL elsewhere, or a canonical.
    Url(CompactString),
}

/// One operand of a composite: one part per component.
#[derive(Clone, Debug, PartialEq)]
pub struct CompositeOperand {
    /// In the order of the parameter's components; each a test with one operand.
    pub parts: Vec<Test>,
}

/// `_sort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// By what.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What results are ordered by. A resource without a value comes last either way; among several values the smallest counts when rising, the
/// largest when falling. Tokens are ordered by code, strings folded, dates by their start, numbers and quantities by their lower end as
/// stated. What is equal stays in the order of first versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// `_id`.
    Id,
    /// `_lastUpdated`.
    LastUpdated,
    /// A parameter of the only branch.
    Param(ParamId),
}

/// `_include` or `_revinclude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The type whose parameter it is; `None` for `*`.
    pub source: Option<Kind>,
    /// The reference parameter; `None` for `*`.
    pub param: Option<ParamId>,
    /// Only targets of this type.
    pub target: Option<Kind>,
    /// `_revinclude`: from the results to what points at them.
    pub reverse: bool,
    /// `:iterate`: also from what was included.
    pub iterate: bool,
}

/// `_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Total {
    /// Not needed.
    #[default]
    None,
    /// About.
    Estimate,
    /// Exact.
    Accurate,
}

/// `_summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Summary {
    /// The whole resource.
    #[default]
    False,
    /// Elements marked as summary.
    True,
    /// Text, id, meta and mandatory elements.
    Text,
    /// All but the text.
    Data,
    /// How many there are.
    Count,
}
