//! Resource types of R4, each a small number.

use std::fmt;

/// One of the 146 concrete resource types of R4, in alphabetical order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(u8);

#[rustfmt::skip]
const NAMES: [&str; 146] = [
    "Account", "ActivityDefinition", "AdverseEvent", "AllergyIntolerance", "Appointment",
    "AppointmentResponse", "AuditEvent", "Basic", "Binary", "BiologicallyDerivedProduct", "BodyStructure",
    "Bundle", "CapabilityStatement", "CarePlan", "CareTeam", "CatalogEntry", "ChargeItem",
    "ChargeItemDefinition", "Claim", "ClaimResponse", "ClinicalImpression", "CodeSystem", "Communication",
    "CommunicationRequest", "CompartmentDefinition", "Composition", "ConceptMap", "Condition", "Consent",
    "Contract", "Coverage", "CoverageEligibilityRequest", "CoverageEligibilityResponse", "DetectedIssue",
    "Device", "DeviceDefinition", "DeviceMetric", "DeviceRequest", "DeviceUseStatement", "DiagnosticReport",
    "DocumentManifest", "DocumentReference", "EffectEvidenceSynthesis", "Encounter", "Endpoint",
    "EnrollmentRequest", "EnrollmentResponse", "EpisodeOfCare", "EventDefinition", "Evidence",
    "EvidenceVariable", "ExampleScenario", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag", "Goal",
    "GraphDefinition", "Group", "GuidanceResponse", "HealthcareService", "ImagingStudy", "Immunization",
    "ImmunizationEvaluation", "ImmunizationRecommendation", "ImplementationGuide", "InsurancePlan",
    "Invoice", "Library", "Linkage", "List", "Location", "Measure", "MeasureReport", "Media", "Medication",
    "MedicationAdministration", "MedicationDispense", "MedicationKnowledge", "MedicationRequest",
    "MedicationStatement", "MedicinalProduct", "MedicinalProductAuthorization",
    "MedicinalProductContraindication", "MedicinalProductIndication", "MedicinalProductIngredient",
    "MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "MessageDefinition",
    "MessageHeader", "MolecularSequence", "NamingSystem", "NutritionOrder", "Observation",
    "ObservationDefinition", "OperationDefinition", "OperationOutcome", "Organization",
    "OrganizationAffiliation", "Parameters", "Patient", "PaymentNotice", "PaymentReconciliation", "Person",
    "PlanDefinition", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "Questionnaire",
    "QuestionnaireResponse", "RelatedPerson", "RequestGroup", "ResearchDefinition",
    "ResearchElementDefinition", "ResearchStudy", "ResearchSubject", "RiskAssessment",
    "RiskEvidenceSynthesis", "Schedule", "SearchParameter", "ServiceRequest", "Slot", "Specimen",
    "SpecimenDefinition", "StructureDefinition", "StructureMap", "Subscription", "Substance",
    "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation",
    "SubstanceSourceMaterial", "SubstanceSpecification", "SupplyDelivery", "SupplyRequest", "Task",
    "TerminologyCapabilities", "TestReport", "TestScript", "ValueSet", "VerificationResult",
    "VisionPrescription",
];

impl Kind {
    /// The type `Patient`.
    pub const PATIENT: Kind = Kind::constant("Patient");
    /// The type `Group`.
    pub const GROUP: Kind = Kind::constant("Group");
    /// The type `Bundle`.
    pub const BUNDLE: Kind = Kind::constant("Bundle");

    /// The type of a name; `None` when R4 knows no such concrete type.
    pub fn parse(name: &str) -> Option<Kind> {
        let mut slot = slot_of(name.as_bytes());
        loop {
            let kind = Kind(SLOTS[slot].checked_sub(1)?);
            if kind.name() == name {
                return Some(kind);
            }
            slot = (slot + 1) % SLOTS.len();
        }
    }

    /// The type of a name that is written in the program.
    ///
    /// # Panics
    /// When R4 knows no such type.
    pub fn named(name: &str) -> Kind {
        Kind::parse(name).unwrap_or_else(|| panic!("`{name}` is not a resource type of R4"))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// Position in the alphabetical list, for tables.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The type at a position of the alphabetical list.
    pub fn at_index(index: usize) -> Option<Kind> {
        if index < NAMES.len() { u8::try_from(index).ok().map(Kind) } else { None }
    }

    /// Every type, in alphabetical order.
    pub fn all() -> impl ExactSizeIterator<Item = Kind> + Clone {
        (0..NAMES.len()).map(|at| Kind(u8::try_from(at).expect("there are fewer than 256 types")))
    }

    const fn constant(name: &str) -> Kind {
        let mut at = 0;
        while at < NAMES.len() {
            if same(NAMES[at].as_bytes(), name.as_bytes()) {
                return Kind(at as u8);
            }
            at += 1;
        }
        panic!("not a resource type of R4")
    }
}

/// Where each name is found: one more than its position, 0 is free. References name a type each, so this is asked for all the time.
static SLOTS: [u8; 512] = {
    let mut slots = [0; 512];
    let mut at = 0;
    while at < NAMES.len() {
        let mut slot = slot_of(NAMES[at].as_bytes());
        while slots[slot] != 0 {
            slot = (slot + 1) % slots.len();
        }
        slots[slot] = at as u8 + 1;
        at += 1;
    }
    slots
};

/// FNV-1a over the name, which is short or unknown.
const fn slot_of(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < name.len() && at < 32 {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    ((hash >> 16) ^ hash) as usize % 512
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(NAMES.is_sorted());
        for kind in Kind::all() {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            assert_eq!(Kind::at_index(kind.index()), Some(kind));
        }
        assert_eq!(Kind::PATIENT.name(), "Patient");
        for unknown in ["patient", "Pacient", "Resource", "DomainResource", ""] {
            assert_eq!(Kind::parse(unknown), None, "{unknown}");
        }
    }
}
