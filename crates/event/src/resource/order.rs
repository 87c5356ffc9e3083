//! Orders of medication and of services.

use fhir::{Object, Value as Json};

use super::Made;
use super::coded::{RXNORM, text_of};
use crate::{Data, Event, Kind, Medication};

/// A MedicationRequest. A medication that is contained is looked at; one that is only referred to is known by its reference's display.
pub(super) fn medication(made: &Made<'_>) -> Event {
    let request = made.value();
    let reference = request.get("medicationReference");
    let contained =
        reference.and_then(|reference| contained(request, reference.text("reference")?.strip_prefix('#')?));
    let concept = request.get("medicationCodeableConcept").or_else(|| contained?.get("code"));
    let rxnorm = concept.and_then(|concept| super::coded::code_of(concept, RXNORM)).map(str::to_owned);
    let display = concept.and_then(text_of).or_else(|| reference?.text("display")).map(str::to_owned);
    let parts = contained.and_then(|medication| medication.get("ingredient")).map_or(&[][..], Json::items);
    let part =
        |part: &Json| super::coded::code_of(part.get("itemCodeableConcept")?, RXNORM).map(str::to_owned);
    let ingredients = parts.iter().filter_map(part).collect();
    let status = request.text("status").unwrap_or("unknown").to_owned();
    let data = Data::Medication(Medication { rxnorm, display, ingredients, status });
    made.event(Kind::MedicationOrders, made.time(&[&["authoredOn"]]), data)
}

fn contained<'a>(request: &'a Json, id: &str) -> Option<&'a Json> {
    request.get("contained")?.items().iter().find(|resource| resource.text("id") == Some(id))
}

/// A ServiceRequest: its first code and its status.
pub(super) fn service(made: &Made<'_>) -> Event {
    let request = made.value();
    let mut object = Object::new();
    let code = request.get("code");
    let coding = code.and_then(|code| code.get("coding")).and_then(|codings| codings.items().first());
    let members = [
        ("code", coding.and_then(|coding| coding.text("code"))),
        ("system", coding.and_then(|coding| coding.text("system"))),
        ("display", code.and_then(text_of)),
        ("status", request.text("status")),
    ];
    for (name, text) in members {
        if let Some(text) = text {
            object.insert(name, Json::from(text));
        }
    }
    made.event(Kind::Other("service_orders".to_owned()), made.time(&[&["authoredOn"]]), Data::Json(object))
}
