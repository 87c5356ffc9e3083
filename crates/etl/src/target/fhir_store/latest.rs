//! Of several rows with one resource, the last counts.

use crate::EtlError;
use crate::engine::Spooled;
use crate::step::map_to_fhir::{RESOURCE_ID, RESOURCE_TYPE};
use crate::step::stays::{Bits, Chooser};
use crate::world::World;

/// A bit per row: set for the last row of each type and id.
pub(super) fn last_of_each(rows: &Spooled, world: &World) -> Result<Bits, EtlError> {
    let key = [RESOURCE_TYPE, RESOURCE_ID].map(str::to_owned);
    Chooser { key: &key, by: None, keeps_first: false, world }.choose(rows)
}
