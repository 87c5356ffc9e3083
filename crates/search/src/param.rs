//! Search parameters as small numbers: one for each resource type and code, R4's own and those of salus.

use std::fmt;

use fhir::Kind;
use fhir::definitions::SearchType;

use crate::registry::registry;

/// A search parameter of one resource type: `Observation` and `code`. A small number for tables; it may differ between program versions,
/// so a database keeps the names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(pub(crate) u16);

/// Where the values of a parameter come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An FHIRPath expression on the resource.
    Expression(&'static str),
    /// Code with a name, see [`Derived`].
    Derived(Derived),
    /// The store knows: `_id`, `_lastUpdated`.
    Store,
    /// Known by name only: a search by it is refused with a message (`_text`, `_filter`, `near`, ...).
    Unsupported,
}

/// Parameters of salus, derived by named code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Derived {
    /// `population`: active membership of the patient in a `Group`, or `meta.tag` of system `urn:salus:population`.
    Population,
    /// `sdoh-category`: the Gravity category of the resource's own codes.
    SdohCategory,
    /// `region`: state, county or ZIP3 of the patient's home at the event's date; own address for organisations and locations.
    Region,
    /// `risk`: the level that a `RiskAssessment` gives the patient. (`RiskAssessment` itself has R4's own `risk`.)
    Risk,
    /// `equity-flag`: named rules of the configuration over coded fields.
    EquityFlag,
    /// `quality`: the score of the resource, from 0 to 1.
    Quality,
}

/// One search parameter.
#[derive(Clone, Debug)]
pub struct ParamDef {
    /// The name in a query.
    pub code: &'static str,
    /// The resource type that is searched.
    pub kind: Kind,
    /// What sort of values it has.
    pub ty: SearchType,
    /// Where they come from.
    pub source: Source,
    /// For references: the types it may point at; empty for any.
    pub targets: &'static [Kind],
    /// For composites: the parts in order.
    pub components: Vec<ComponentDef>,
    /// The canonical address of R4's definition; empty for those of salus.
    pub url: &'static str,
}

/// One part of a composite parameter.
#[derive(Clone, Debug)]
pub struct ComponentDef {
    /// The parameter that the part is.
    pub code: &'static str,
    /// What sort of values the part has.
    pub ty: SearchType,
    /// FHIRPath, evaluated on what the composite's own expression finds.
    pub expression: &'static str,
}

impl ParamId {
    /// The parameter of a type by its name in a query.
    pub fn find(kind: Kind, code: &str) -> Option<ParamId> {
        registry().find(kind, code)
    }

    /// Everything known about it.
    pub fn def(self) -> &'static ParamDef {
        registry().def(self)
    }

    /// Position in the table of all parameters of this program version.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The parameter at a position.
    pub fn at_index(index: usize) -> Option<ParamId> {
        registry().at_index(index)
    }

    /// Every parameter, by type and code.
    pub fn all() -> impl ExactSizeIterator<Item = ParamId> + Clone {
        registry().all()
    }

    /// The parameters of a type, by code.
    pub fn of_kind(kind: Kind) -> impl ExactSizeIterator<Item = ParamId> + Clone {
        registry().of_kind(kind)
    }

    /// The reference parameter along which resources of a type form a hierarchy: `Location` by `partof`.
    pub fn hierarchy_of(kind: Kind) -> Option<ParamId> {
        let candidates = ["partof", "part-of"];
        let param = candidates.iter().find_map(|code| ParamId::find(kind, code))?;
        param.def().targets.contains(&kind).then_some(param)
    }

    /// The parameters by which resources of a type are found when a canonical address is followed, `url` and `version`; `None` for types that
    /// have no such address (`Device.url` and `Subscription`'s `url` are something else).
    pub fn canonical_of(kind: Kind) -> Option<(ParamId, ParamId)> {
        let of_resource = |code: &str| {
            let param = ParamId::find(kind, code)?;
            let path = format!("{kind}.{code}");
            matches!(param.def().source, Source::Expression(text) if text == path).then_some(param)
        };
        Some((of_resource("url")?, of_resource("version")?))
    }

    /// Are the values of this reference parameter addresses, which lead to resources by their `url` and `version`, and no references.
    pub fn holds_addresses(self) -> bool {
        let def = self.def();
        // Most are known by what they lead to.
        let leads = def.ty == SearchType::Reference
            && (def.targets.is_empty()
                || def.targets.iter().any(|kind| ParamId::canonical_of(*kind).is_some()));
        leads && crate::extract::plan(def.kind).holds_addresses(self)
    }
}

impl ParamDef {
    /// May a reference of this parameter point at a type.
    pub fn leads_to(&self, kind: Kind) -> bool {
        self.ty == SearchType::Reference && (self.targets.is_empty() || self.targets.contains(&kind))
    }

    /// Does the query language have it; else a search by it is refused.
    pub fn is_supported(&self) -> bool {
        self.source != Source::Unsupported
    }
}

/// `Observation.code`: type and code, stable across program versions.
impl fmt::Display for ParamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let def = self.def();
        write!(f, "{}.{}", def.kind, def.code)
    }
}

impl fmt::Debug for ParamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
