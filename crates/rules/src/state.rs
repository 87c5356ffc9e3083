//! What is remembered of a patient between events: recent values, timers of rules, episodes.

use clinical::Pregnancy;

/// What the store or the door says of a patient. Unknown stays unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `YYYY-MM-DD`, or a prefix of it.
    pub birth_date: Option<String>,
    /// Pregnant or post-partum.
    pub pregnancy: Pregnancy,
    /// A prescriber's coded order of SpO2 88 to 92 % (NEWS2 scale 2).
    pub spo2_target_88_92: bool,
    /// On dialysis: no AKI.
    pub dialysis: bool,
    /// RxNorm codes of active medication.
    pub medications: Vec<String>,
    /// Codes of allergies.
    pub allergies: Vec<String>,
}

/// What is remembered of one patient. Kept as bytes with the stream's offsets, in the same transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PatientState {}

impl PatientState {
    /// Of bytes that [`PatientState::to_bytes`] wrote; `None` when they are not understood.
    pub fn of_bytes(_bytes: &[u8]) -> Option<PatientState> {
        Some(PatientState {})
    }

    /// To be kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}
