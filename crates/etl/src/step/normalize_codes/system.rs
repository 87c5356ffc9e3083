//! The code systems of `normalize_codes` by their names, and the words for what is wrong with a code.

use clinical::age::Day;
use clinical::code::{
    Canonical, CodeProblem, DiagnosisSystem, check_cpt, check_hcpcs, check_icd9cm, check_icd9cm_procedure,
    check_icd10cm, check_icd10pcs, check_loinc, check_mbi, check_modifier, check_ndc, check_npi,
    check_snomed, check_zip, check_zip5, diagnosis_system_on,
};

/// A code system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// Diagnoses: ICD-9-CM before 1 October 2015, ICD-10-CM since, by the day in `as_of`.
    Icd,
    /// `E11.65`.
    Icd10Cm,
    /// `0DTJ4ZZ`.
    Icd10Pcs,
    /// `250.00`.
    Icd9Cm,
    /// `99.04`.
    Icd9CmProcedure,
    /// `99213`.
    Cpt,
    /// `J1100`.
    Hcpcs,
    /// CPT or HCPCS level II, as claims mix them.
    Procedure,
    /// `25`, `LT`.
    Modifier,
    /// `2345-7`.
    Loinc,
    /// `73211009`.
    Snomed,
    /// Eleven digits, 5-4-2.
    Ndc,
    /// Ten digits with a check digit.
    Npi,
    /// Medicare beneficiary identifier.
    Mbi,
    /// `02138` or `02138-1234`.
    Zip,
    /// `02138`.
    Zip5,
}

/// Every system with its name.
pub(super) const SYSTEMS: &[(&str, System)] = &[
    ("icd", System::Icd),
    ("icd10cm", System::Icd10Cm),
    ("icd10pcs", System::Icd10Pcs),
    ("icd9cm", System::Icd9Cm),
    ("icd9cm_procedure", System::Icd9CmProcedure),
    ("cpt", System::Cpt),
    ("hcpcs", System::Hcpcs),
    ("procedure", System::Procedure),
    ("modifier", System::Modifier),
    ("loinc", System::Loinc),
    ("snomed", System::Snomed),
    ("ndc", System::Ndc),
    ("npi", System::Npi),
    ("mbi", System::Mbi),
    ("zip", System::Zip),
    ("zip5", System::Zip5),
];

/// A day of ICD-9-CM, for checks of its format.
const ICD9_DAY: Day = Day::of(2015, 9, 30).expect("a day of the calendar");
const ICD10_ONLY: CodeProblem = CodeProblem::NotInUse { advice: "use ICD-9-CM before 2015-10-01" };
const ICD9_ONLY: CodeProblem = CodeProblem::NotInUse { advice: "use ICD-10 from 2015-10-01" };

/// Whether diagnoses of a day are coded in ICD-10-CM.
pub(super) fn is_icd10_on(day: Day) -> bool {
    diagnosis_system_on(day) == DiagnosisSystem::Icd10Cm
}

impl System {
    /// Its name in the file.
    pub(super) fn name(self) -> &'static str {
        SYSTEMS.iter().find(|(_, system)| *system == self).map_or("", |(name, _)| name)
    }

    /// Whether the day of a code matters.
    pub(super) fn has_eras(self) -> bool {
        matches!(
            self,
            System::Icd | System::Icd10Cm | System::Icd10Pcs | System::Icd9Cm | System::Icd9CmProcedure
        )
    }

    /// The canonical form of a code of a day in the era of ICD-10, before it, or of an unknown day.
    pub(super) fn check(self, text: &str, is_icd10: Option<bool>) -> Result<Canonical, CodeProblem> {
        if text.trim_ascii().is_empty() {
            return Err(CodeProblem::Empty);
        }
        match (self, is_icd10) {
            (System::Icd10Cm | System::Icd10Pcs, Some(false)) => Err(ICD10_ONLY),
            (System::Icd9Cm | System::Icd9CmProcedure, Some(true)) => Err(ICD9_ONLY),
            (System::Icd, Some(false)) | (System::Icd9Cm, _) => check_icd9cm(text, ICD9_DAY),
            (System::Icd | System::Icd10Cm, _) => check_icd10cm(text),
            (System::Icd10Pcs, _) => check_icd10pcs(text),
            (System::Icd9CmProcedure, _) => check_icd9cm_procedure(text),
            (System::Cpt, _) => check_cpt(text),
            (System::Hcpcs, _) => check_hcpcs(text),
            (System::Procedure, _) => check_hcpcs(text).or_else(|_| check_cpt(text)),
            (System::Modifier, _) => check_modifier(text),
            (System::Loinc, _) => check_loinc(text),
            (System::Snomed, _) => check_snomed(text),
            (System::Ndc, _) => check_ndc(text),
            (System::Npi, _) => check_npi(text),
            (System::Mbi, _) => check_mbi(text),
            (System::Zip, _) => check_zip(text),
            (System::Zip5, _) => check_zip5(text),
        }
    }
}

/// A word for what is wrong with a code.
pub(super) fn reason_of(problem: &CodeProblem) -> &'static str {
    match problem {
        CodeProblem::Empty => "empty",
        CodeProblem::Length { .. } => "length",
        CodeProblem::Character { .. } => "character",
        CodeProblem::CheckDigit => "check_digit",
        CodeProblem::NeverIssued { .. } => "never_issued",
        CodeProblem::Ambiguous { .. } => "ambiguous",
        CodeProblem::NotInUse { .. } => "not_in_use",
    }
}
