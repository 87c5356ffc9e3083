//! The event: an envelope that every kind shares, and its data.

use fhir::Instant;
use serde_json::{Map, Value as Json};

use crate::{Kind, Measurement};

/// What happened, read and checked at the door. Does not print its content.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// Version of the envelope it was written with; older ones are brought up when they are read.
    pub schema: u16,
    /// The sender's identifier, unique within tenant and source.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// The canonical patient: `Patient/ID`, or `SYSTEM|VALUE` when no such patient is known. `None` for populations.
    pub patient: Option<String>,
    /// The encounter.
    pub encounter: Option<String>,
    /// When it happened.
    pub at: Instant,
    /// When it was received.
    pub received_at: Instant,
    /// Who sent it: a configured source, an HL7 v2 application, `store`.
    pub source: String,
    /// The organisation that it came from: provenance, never the tenant.
    pub organization: Option<String>,
    /// Where the patient is: a ward or unit.
    pub unit: Option<String>,
    /// What it says.
    pub data: Data,
    /// How good the source says it is, 0 to 1.
    pub quality: Option<f64>,
    /// Labels of confidentiality, as in `meta.security`.
    pub privacy: Vec<String>,
    /// Groups of the population.
    pub population: Vec<String>,
    /// Where: a county's FIPS code, or a region's name.
    pub region: Option<String>,
}

/// What an event says.
#[derive(Clone, PartialEq)]
pub enum Data {
    /// Vitals, laboratory results, readings of devices.
    Measurements(Vec<Measurement>),
    /// An order.
    Medication(Medication),
    /// Counts of cases or of a measure in a population.
    Population(PopulationCount),
    /// Anything else: kept as it came.
    Json(Map<String, Json>),
}

/// An order of medication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medication {
    /// RxNorm code of what is ordered.
    pub rxnorm: Option<String>,
    /// Its name, for people.
    pub display: Option<String>,
    /// RxNorm codes of its ingredients, when they are said.
    pub ingredients: Vec<String>,
    /// `draft`, `active`, `stopped`, ...
    pub status: String,
}

/// A count in a population over a day or a week.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationCount {
    /// What is counted: `influenza`, `readmission`, ...
    pub measure: String,
    /// The first day, `YYYY-MM-DD`.
    pub day: String,
    /// Events.
    pub count: u64,
    /// Persons or person-days at risk.
    pub denominator: Option<u64>,
    /// The group it is about, when it is about one: `race=2054-5`.
    pub stratum: Option<String>,
    /// The group it is compared with: events and denominator.
    pub reference: Option<(u64, u64)>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({} {})", self.kind, self.id)
    }
}
