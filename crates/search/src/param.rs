//! The table of search parameters: one entry per resource type and code, R4's own and those of salus.

use std::collections::HashMap;
use std::sync::OnceLock;

use fhir::Kind;
use fhir::definitions::{self, SearchType};

/// A search parameter of one resource type: `Observation` and `code`. A small number for tables; it may differ between program versions,
/// so a database keeps the names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(u16);

/// Where the values of a parameter come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An FHIRPath expression on the resource.
    Expression(&'static str),
    /// Code with a name, see [`Derived`].
    Derived(Derived),
    /// The store knows: `_id`, `_lastUpdated`.
    Store,
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
    /// `risk`: the level that a `RiskAssessment` gives the patient.
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
}

/// One part of a composite parameter.
#[derive(Clone, Debug)]
pub struct ComponentDef {
    /// What sort of values the part has.
    pub ty: SearchType,
    /// FHIRPath, evaluated on what the composite's own expression finds.
    pub expression: &'static str,
}
