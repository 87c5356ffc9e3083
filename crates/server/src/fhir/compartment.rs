//! Compartment search: `GET Patient/[id]/Observation?..`, `GET Patient/[id]/*`.

use fhir::Kind;
use search::Filter;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::bundle_bytes;
use crate::fhir::reply::Reply;
use crate::fhir::search::text_of;

/// The types that own a compartment in R4.
const OWNERS: [&str; 5] = ["Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"];
