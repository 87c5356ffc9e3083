//! Sample views of every page, for the golden answers, the structural check and the gallery. All people are made up.

mod people;
mod pipelines;
mod streams;
mod trust;
mod ward;
mod work;

use fhir::Instant;
use fhir::json::Limits;
use fhir::{Resource, Value};
use maud::Markup;
use ui::frame::{Frame, Place};

/// A name and a page.
pub(crate) type Sample = (&'static str, Markup);

/// Every page in every state that looks different.
pub(crate) fn all() -> Vec<Sample> {
    let mut samples = people::all();
    samples.extend(work::all());
    samples.extend(pipelines::all());
    samples.extend(ward::all());
    samples.extend(streams::all());
    samples.extend(trust::all());
    samples
}

fn now() -> Instant {
    at("2026-11-25T13:17:43Z")
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant of the samples")
}

fn frame() -> Frame {
    Frame {
        now: now(),
        name: "Ada Lopez".into(),
        roles: "clinician privacy-officer security-officer".into(),
        purpose: "TREAT".into(),
        purposes: ["TREAT", "ETREAT", "CAREMGT", "HQUALIMP"].map(String::from).to_vec(),
        csrf: "c5rf".into(),
        places: vec![
            Place::Overview,
            Place::Patients,
            Place::Search,
            Place::Ward,
            Place::Alerts,
            Place::Surveillance,
            Place::Pipelines,
            Place::Streams,
            Place::Rules,
            Place::Audit,
            Place::Settings,
        ],
    }
}

fn resource(text: &str) -> Resource {
    Resource::parse(text.as_bytes(), &Limits::default()).expect("a resource of the samples")
}

fn value(text: &str) -> Value {
    resource(text).into_value()
}
