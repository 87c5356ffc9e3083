//! The door for FHIR: a resource that was written, or that a decision-support request carries, becomes events.
//!
//! | resource | becomes |
//! |---|---|
//! | Observation, with its components | `vital_signs` or `lab_results` |
//! | MedicationRequest | `medication_orders` |
//! | Encounter | `patient_movement` |
//! | ServiceRequest | `service_orders` |
//! | others | `fhir_change`, with type and id |

mod coded;
mod movement;
mod observation;
mod order;

use fhir::{Instant, Resource, Value as Json};

use crate::canonical::SCHEMA;
use crate::{Data, Event, Kind, Refusal, SourceConfig};

/// From where a resource comes.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The event's source: `store`, `cds-hooks`.
    pub source: &'a str,
    /// The version: with type and id it is the event's id.
    pub version: &'a str,
    /// Did an earlier version exist: a final result then corrects what was said before.
    pub is_update: bool,
    /// When the version was written: the event's time where the resource says none.
    pub written_at: Instant,
    /// When the event is made.
    pub now: Instant,
}

/// The events of a resource; none of an observation whose subject is no patient.
///
/// # Errors
/// An Observation of which nothing can be read, with the element's path.
pub fn events_of(
    resource: &Resource,
    origin: Origin<'_>,
    config: &SourceConfig,
) -> Result<Vec<Event>, Refusal> {
    let made = Made { resource, origin, config };
    match resource.kind().name() {
        "Observation" => observation::events(&made),
        "MedicationRequest" => Ok(vec![order::medication(&made)]),
        "ServiceRequest" => Ok(vec![order::service(&made)]),
        "Encounter" => Ok(vec![movement::event(&made)]),
        kind => {
            let id = resource.id().unwrap_or_default();
            let value = fhir::json!({"resourceType": kind, "id": id});
            let data = Data::Json(value.as_object().cloned().unwrap_or_default());
            Ok(vec![made.event(Kind::FhirChange, origin.written_at, data)])
        }
    }
}

/// A resource on its way to an event.
struct Made<'a> {
    resource: &'a Resource,
    origin: Origin<'a>,
    config: &'a SourceConfig,
}

impl<'a> Made<'a> {
    fn value(&self) -> &'a Json {
        self.resource.value()
    }

    fn event(&self, kind: Kind, at: Instant, data: Data) -> Event {
        let patient = match self.resource.kind().name() {
            "Patient" => self.resource.id().map(|id| format!("Patient/{id}")),
            _ => ["subject", "patient"].iter().find_map(|name| reference(self.value(), name, "Patient/")),
        };
        let encounter = match self.resource.kind().name() {
            "Encounter" => self.resource.id().map(|id| format!("Encounter/{id}")),
            _ => reference(self.value(), "encounter", "Encounter/"),
        };
        let labels =
            self.value().get("meta").and_then(|meta| meta.get("security")).map_or(&[][..], Json::items);
        let privacy = labels.iter().filter_map(|label| label.text("code").map(str::to_owned)).collect();
        Event {
            schema: SCHEMA,
            id: format!("{}/{}", self.resource.reference(), self.origin.version),
            kind,
            patient,
            encounter,
            at,
            received_at: self.origin.now,
            birth_date: None,
            device: None,
            source: self.origin.source.to_owned(),
            organization: None,
            unit: None,
            data,
            quality: None,
            privacy,
            population: Vec::new(),
            region: None,
        }
    }

    /// The first of some elements that is a time with an offset; else when it was written.
    fn time(&self, paths: &[&[&str]]) -> Instant {
        let at = |path: &&[&str]| {
            let found = path.iter().try_fold(self.value(), |value, name| value.get(name))?;
            Instant::parse(found.as_str()?)
        };
        paths.iter().find_map(at).unwrap_or(self.origin.written_at)
    }
}

/// The reference of an element, when it is to a resource here of the type.
fn reference(value: &Json, name: &str, kind: &str) -> Option<String> {
    let reference = value.get(name)?.text("reference")?;
    let id = reference.strip_prefix(kind)?.split("/_history/").next()?;
    fhir::is_id(id).then(|| format!("{kind}{id}"))
}

#[cfg(test)]
mod tests;
