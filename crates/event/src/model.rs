//! The event: an envelope that every kind shares, and its data.

use fhir::{Instant, Object};

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
    /// `YYYY-MM-DD` or a prefix of it, when the sender says it: for patients that the store does not know.
    pub birth_date: Option<String>,
    /// The device that measured, and when it was calibrated.
    pub device: Option<Device>,
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
#[derive(Clone, PartialEq, Eq)]
pub enum Data {
    /// Vitals, laboratory results, readings of devices.
    Measurements(Vec<Measurement>),
    /// An order.
    Medication(Medication),
    /// Counts of cases or of a measure in a population.
    Population(PopulationCount),
    /// A patient moved, or two records became one.
    Movement(Movement),
    /// Anything else: kept as it came, numbers by their text.
    Json(Object),
}

/// An order of medication.
#[derive(Clone, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopulationCount {
    /// What is counted: `influenza`, `readmission`, ...
    pub measure: String,
    /// The first day, `YYYY-MM-DD`.
    pub day: String,
    /// How many days it covers: 1, or 7.
    pub days: u16,
    /// Events.
    pub count: u64,
    /// Persons or person-days at risk.
    pub denominator: Option<u64>,
    /// The group it is about, when it is about one: `race=2054-5`.
    pub stratum: Option<String>,
    /// The group it is compared with: events and denominator.
    pub reference: Option<(u64, u64)>,
}

/// A device and its calibration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Serial number or another identifier.
    pub id: String,
    /// When it was calibrated.
    pub calibrated_at: Option<Instant>,
}

/// What happened to a patient's stay or record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Came in.
    Admitted,
    /// Is elsewhere now: the event's `unit`.
    Transferred,
    /// Went out.
    Discharged,
    /// Something about patient or visit changed.
    Updated,
    /// The last admission, transfer or discharge did not happen.
    Cancelled,
    /// The records of `merged` are this patient's, and the names are no longer used.
    Merged,
    /// The names of `merged` turned out to be this patient: what is known of them moves, and the store goes on to say whom they mean.
    Identified,
}

impl Moved {
    /// All, in order.
    pub const ALL: [Moved; 7] = [
        Moved::Admitted,
        Moved::Transferred,
        Moved::Discharged,
        Moved::Updated,
        Moved::Cancelled,
        Moved::Merged,
        Moved::Identified,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Moved::Admitted => "admitted",
            Moved::Transferred => "transferred",
            Moved::Discharged => "discharged",
            Moved::Updated => "updated",
            Moved::Cancelled => "cancelled",
            Moved::Merged => "merged",
            Moved::Identified => "identified",
        }
    }

    /// Does what is known of other names move to this patient.
    pub fn joins(self) -> bool {
        matches!(self, Moved::Merged | Moved::Identified)
    }
}

/// A movement of a patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Movement {
    /// What happened.
    pub moved: Moved,
    /// Room and bed, as `ROOM/BED`, when they are said.
    pub bed: Option<String>,
    /// Canonical patients whose records were merged into the event's patient.
    pub merged: Vec<String>,
}

impl Event {
    /// Its measurements; none of what is not measured.
    pub fn measurements(&self) -> &[Measurement] {
        match &self.data {
            Data::Measurements(measurements) => measurements,
            _ => &[],
        }
    }

    /// What could not be read of it.
    pub fn unreadable(&self) -> impl Iterator<Item = &Measurement> {
        self.measurements().iter().filter(|measurement| measurement.is_unreadable())
    }
}

/// Which of them, not what it says.
impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Data::Measurements(measurements) => write!(f, "{measurements:?}"),
            Data::Medication(order) => write!(f, "{order:?}"),
            Data::Population(count) => write!(f, "{count:?}"),
            Data::Movement(movement) => write!(f, "{movement:?}"),
            Data::Json(_) => f.write_str("Json"),
        }
    }
}

/// Without what was ordered.
impl std::fmt::Debug for Medication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Medication")
    }
}

/// Without who it is about.
impl std::fmt::Debug for Movement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Movement({})", self.moved.name())
    }
}

/// Does not print its content.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({} {})", self.kind, self.id)
    }
}
