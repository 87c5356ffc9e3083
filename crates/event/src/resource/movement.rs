//! Encounters: where a patient is, and since when or until when.

use fhir::Value as Json;

use super::Made;
use crate::{Data, Event, Kind, Moved, Movement};

pub(super) fn event(made: &Made<'_>) -> Event {
    let encounter = made.value();
    let moved = match encounter.text("status") {
        Some("finished") => Moved::Discharged,
        Some("cancelled" | "entered-in-error") => Moved::Cancelled,
        Some("in-progress" | "arrived" | "triaged") if !made.origin.is_update => Moved::Admitted,
        _ => Moved::Updated,
    };
    let at = match moved {
        Moved::Discharged => made.time(&[&["period", "end"]]),
        Moved::Admitted => made.time(&[&["period", "start"]]),
        _ => made.origin.written_at,
    };
    let data = Data::Movement(Movement { moved, bed: None, merged: Vec::new() });
    let mut event = made.event(Kind::PatientMovement, at, data);
    event.unit = unit_of(encounter);
    event
}

/// The location that is active, or the last.
fn unit_of(encounter: &Json) -> Option<String> {
    let locations = encounter.get("location")?.items();
    let active = locations.iter().find(|location| location.text("status") == Some("active"));
    let location = active.or(locations.last())?.get("location")?;
    location.text("display").or_else(|| location.text("reference")).map(str::to_owned)
}
