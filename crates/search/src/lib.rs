//! FHIR search without SQL: query text → [`Query`]; resource → [`IndexRows`]; `matches`, the meaning of search.
//!
//! A store plans a [`Query`] over the rows that `extract` gave it; `matches` answers the same question by looking at resources one by
//! one. The two share no evaluation code and are compared by generated cases.

pub mod matches;
pub mod param;
pub mod query;
pub mod restriction;
pub mod rows;
pub mod unit;

mod derived;
mod event;
mod extract;
mod fold;
mod parse;
mod phonetic;
mod registry;
mod union;

pub use derived::{EquityError, EquityRules, sdoh};
pub use event::{event_date_param, patient_params};
pub use extract::{Extractor, extract_references};
pub use fold::fold;
pub use matches::{Answer, Known, Memory, World, search_all};
pub use param::{ParamDef, ParamId};
pub use parse::{Options, Parsed, elements, parse};
pub use query::{Branch, Filter, Include, Prefix, Query, SortBy, SortKey, Summary, Total};
pub use restriction::{Restriction, Restrictions};
pub use rows::{IndexRows, Target};
