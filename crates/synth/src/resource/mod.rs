//! One file per kind of resource: facts of the simulation in, FHIR R4 out.

pub(crate) mod allergy;
pub(crate) mod claim;
pub(crate) mod condition;
pub(crate) mod consent;
pub(crate) mod coverage;
pub(crate) mod encounter;
mod explanation;
pub(crate) mod immunization;
pub(crate) mod labs;
pub(crate) mod medication;
pub(crate) mod observation;
pub(crate) mod patient;
pub(crate) mod procedure;
pub(crate) mod risk;
pub(crate) mod sdoh;
pub(crate) mod vitals;
