//! Kinds of events, one topic each.

use std::fmt;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Vital signs.
    VitalSigns,
    /// Laboratory results.
    LabResults,
    /// Orders of medication.
    MedicationOrders,
    /// Notes; their text is never looked at by a rule.
    ClinicalNotes,
    /// Counts in a population.
    PopulationHealth,
    /// Readings of devices, with device and calibration.
    DeviceData,
    /// Answers about social circumstances.
    SocialDeterminants,
    /// Admission, transfer, discharge, merge of records.
    PatientMovement,
    /// A change in the FHIR store.
    FhirChange,
    /// A kind that is not known here: kept, never dropped.
    Other(String),
}

/// Names as they are written, in the order of the variants.
const NAMES: [(&str, Kind); 9] = [
    ("vital_signs", Kind::VitalSigns),
    ("lab_results", Kind::LabResults),
    ("medication_orders", Kind::MedicationOrders),
    ("clinical_notes", Kind::ClinicalNotes),
    ("population_health", Kind::PopulationHealth),
    ("device_data", Kind::DeviceData),
    ("social_determinants", Kind::SocialDeterminants),
    ("patient_movement", Kind::PatientMovement),
    ("fhir_change", Kind::FhirChange),
];

impl Kind {
    /// The kind of a name; one that is not known becomes [`Kind::Other`].
    pub fn named(name: &str) -> Kind {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| Kind::Other(name.to_owned()), |(_, kind)| kind.clone())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        if let Kind::Other(name) = self {
            return name;
        }
        NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
