//! Compartment search: `GET Patient/[id]/Observation?..`, `GET Patient/[id]/*`.

use fhir::{Kind, definitions};
use search::Restriction;

use crate::error::ServerError;
use crate::fhir::ask::Ask;
use crate::fhir::reply::Reply;
use crate::fhir::search::{search_within, text_of};

/// The types that own a compartment in R4.
pub(crate) const OWNERS: [&str; 5] = ["Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"];

/// Search among what belongs to one patient, encounter, practitioner, device or related person.
pub(crate) async fn search_compartment(ask: Ask) -> Result<Reply, ServerError> {
    let (of, inside) = (ask.place.kind(), ask.place.inside);
    let path = format!("{of}/{}/{}", ask.place.id, inside.map_or("*", Kind::name));
    if !OWNERS.contains(&of.name()) || inside.is_some_and(|kind| !belongs(of, kind)) {
        return Err(ServerError::UnknownPath(path));
    }
    let text = text_of(&ask)?;
    let owner = Restriction::Compartment { of, ids: vec![ask.place.id.as_str().into()] };
    search_within(ask, inside, &text, &path, |query| {
        query.branches.retain(|branch| belongs(of, branch.kind));
        for branch in &mut query.branches {
            branch.filters.extend(owner.filter(branch.kind));
        }
    })
    .await
}

/// Can resources of a type be in the compartment of an `of`.
fn belongs(of: Kind, kind: Kind) -> bool {
    kind == of || !definitions::compartment(of, kind).is_empty()
}
