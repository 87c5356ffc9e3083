//! What a resource puts into the search index.

use compact_str::CompactString;
use fhir::Kind;

use crate::ParamId;
use crate::query::Relation;

/// Everything that one version of a resource puts into the index. Rows may repeat; the store need not keep repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexRows {
    /// Tokens.
    pub tokens: Vec<TokenRow>,
    /// Texts of tokens, for `:text`.
    pub token_texts: Vec<TextRow>,
    /// Identifiers by type, for `:of-type`.
    pub of_types: Vec<OfTypeRow>,
    /// Strings.
    pub strings: Vec<StringRow>,
    /// Dates.
    pub dates: Vec<DateRow>,
    /// Numbers.
    pub numbers: Vec<NumberRow>,
    /// Quantities.
    pub quantities: Vec<QuantityRow>,
    /// References.
    pub references: Vec<ReferenceRow>,
    /// The canonical addresses among the references, as they are stated: chains and includes follow them. An index needs no rows of them, it has
    /// those of `references`.
    pub canonicals: Vec<CanonicalRow>,
    /// Logical identifiers of references, for `:identifier`.
    pub reference_identifiers: Vec<TokenRow>,
    /// Uris.
    pub uris: Vec<UriRow>,
    /// Composites.
    pub composites: Vec<CompositeRow>,
    /// Facts about patients that this resource states.
    pub relations: Vec<RelationRow>,
}

/// A code, identifier, truth value or contact point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Parameter.
    pub param: ParamId,
    /// System, when stated or known from the element's required binding.
    pub system: Option<CompactString>,
    /// Code; `None` when only a system is stated.
    pub code: Option<CompactString>,
}

/// A folded text of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow {
    /// Parameter.
    pub param: ParamId,
    /// Folded text.
    pub text: CompactString,
}

/// An identifier with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfTypeRow {
    /// Parameter.
    pub param: ParamId,
    /// System of the type.
    pub system: CompactString,
    /// Code of the type.
    pub code: CompactString,
    /// Value.
    pub value: CompactString,
}

/// A string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringRow {
    /// Parameter.
    pub param: ParamId,
    /// Lower case, without accents, single spaces.
    pub folded: CompactString,
    /// As it was sent.
    pub exact: CompactString,
}

/// A date or period, half open, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRow {
    /// Parameter.
    pub param: ParamId,
    /// First microsecond; `i64::MIN` when open.
    pub low: i64,
    /// Behind the last; `i64::MAX` when open.
    pub high: i64,
}

/// A number: a point, so `low` and `high` are equal; a range has two ends. Keys of [`fhir::Decimal::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRow {
    /// Parameter.
    pub param: ParamId,
    /// Lower end; empty when open.
    pub low: Vec<u8>,
    /// Upper end; `[0xFF]` when open.
    pub high: Vec<u8>,
}

/// A quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityRow {
    /// Parameter.
    pub param: ParamId,
    /// The value.
    pub value: QuantityValue,
}

/// Number and unit, as stated and in canonical units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityValue {
    /// Lower end; empty when open.
    pub low: Vec<u8>,
    /// Upper end; `[0xFF]` when open.
    pub high: Vec<u8>,
    /// System of the unit.
    pub system: Option<CompactString>,
    /// Code of the unit.
    pub code: Option<CompactString>,
    /// The unit as written for people.
    pub unit: Option<CompactString>,
    /// The same in canonical UCUM units, when it can be converted.
    pub canonical: Option<CanonicalValue>,
}

/// A quantity in canonical units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalValue {
    /// Lower end; empty when open.
    pub low: Vec<u8>,
    /// Upper end; `[0xFF]` when open.
    pub high: Vec<u8>,
    /// The canonical unit.
    pub unit: CompactString,
}

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Parameter.
    pub param: ParamId,
    /// What it points at.
    pub target: Target,
}

/// What a reference points at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A resource of this store, there or not.
    Local {
        /// Type.
        kind: Kind,
        /// Id.
        id: CompactString,
    },
    /// An absolute URL or canonical.
    Url(CompactString),
}

/// A canonical address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalRow {
    /// Parameter.
    pub param: ParamId,
    /// The `url` of what is meant.
    pub url: CompactString,
    /// Its `version`, when stated; else any is meant.
    pub version: Option<CompactString>,
}

/// A uri.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriRow {
    /// Parameter.
    pub param: ParamId,
    /// The text.
    pub text: CompactString,
}

/// One value of a composite: a part per component, in the parameter's order. Where a component has several values, there is one row per
/// combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompositeRow {
    /// Parameter.
    pub param: ParamId,
    /// Parts.
    pub parts: Vec<Part>,
}

/// A part of a composite value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Token.
    Token {
        /// System.
        system: Option<CompactString>,
        /// Code.
        code: Option<CompactString>,
    },
    /// String.
    String {
        /// Folded.
        folded: CompactString,
        /// As it was sent.
        exact: CompactString,
    },
    /// Date.
    Date {
        /// First microsecond.
        low: i64,
        /// Behind the last.
        high: i64,
    },
    /// Number.
    Number {
        /// Lower end.
        low: Vec<u8>,
        /// Upper end.
        high: Vec<u8>,
    },
    /// Quantity.
    Quantity(QuantityValue),
    /// Reference.
    Reference(Target),
    /// Uri.
    Uri(CompactString),
}

/// A fact about a patient: kept with the patient, never copied into what refers to the patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationRow {
    /// Which relation.
    pub relation: Relation,
    /// Id of the patient; the resource's own id when it is a `Patient`.
    pub patient: CompactString,
    /// Level or system.
    pub system: Option<CompactString>,
    /// The code.
    pub code: CompactString,
    /// In force from this microsecond; `i64::MIN` when not stated.
    pub low: i64,
    /// Until before this one; `i64::MAX` when not stated.
    pub high: i64,
}

impl IndexRows {
    /// How many rows there are in an index.
    pub fn len(&self) -> usize {
        self.tokens.len()
            + self.token_texts.len()
            + self.of_types.len()
            + self.strings.len()
            + self.dates.len()
            + self.numbers.len()
            + self.quantities.len()
            + self.references.len()
            + self.reference_identifiers.len()
            + self.uris.len()
            + self.composites.len()
            + self.relations.len()
    }

    /// Is there none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
