//! Diseases and drugs of the simulation with their codes, and how common they are by age.

use crate::make::{Code, ICD10, RXNORM, code, snomed};

/// A chronic disease.
#[derive(Debug)]
pub(crate) struct Disease {
    pub(crate) snomed: Code,
    pub(crate) icd10: Code,
    pub(crate) text: &'static str,
    /// Prevalence at ages 0–17, 18–29, 30–44, 45–64, 65–79 and from 80.
    pub(crate) prevalence: [f64; 6],
    /// Factors for women and men.
    pub(crate) by_sex: (f64, f64),
    /// Factor for people who smoke or smoked.
    pub(crate) by_smoking: f64,
    /// Youngest age of onset.
    pub(crate) onset_age_min: i32,
    /// Factor on the yearly risk of death.
    pub(crate) mortality: f64,
    pub(crate) drugs: &'static [Code],
}

/// Position of an age in the prevalence tables.
pub(crate) fn age_band(age: i32) -> usize {
    [18, 30, 45, 65, 80].iter().filter(|limit| age >= **limit).count()
}

/// An acute complaint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Complaint {
    pub(crate) snomed: Code,
    pub(crate) icd10: Code,
    pub(crate) text: &'static str,
    pub(crate) days: i32,
    pub(crate) drug: Option<Code>,
    pub(crate) is_of_adults: bool,
}

const fn icd(text: &'static str, display: &'static str) -> Code {
    code(ICD10, text, display)
}

const fn drug(text: &'static str, display: &'static str) -> Code {
    code(RXNORM, text, display)
}

pub(crate) const METFORMIN: Code =
    drug("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet");
pub(crate) const INSULIN: Code = drug(
    "106892",
    "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable Suspension [Humulin]",
);
const LISINOPRIL: Code = drug("314076", "lisinopril 10 MG Oral Tablet");
const AMLODIPINE: Code = drug("197361", "amlodipine 5 MG Oral Tablet");
const THIAZIDE: Code = drug("310798", "hydrochlorothiazide 25 MG Oral Tablet");
const SIMVASTATIN: Code = drug("312961", "simvastatin 20 MG Oral Tablet");
const ATORVASTATIN: Code = drug("259255", "atorvastatin 80 MG Oral Tablet");
const ALBUTEROL: Code = drug("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler");
const FLUTICASONE: Code =
    drug("895994", "120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler");
const METOPROLOL: Code =
    drug("866414", "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]");
const FUROSEMIDE: Code = drug("313988", "furosemide 40 MG Oral Tablet");
const SERTRALINE: Code = drug("312941", "sertraline 50 MG Oral Tablet");
const WARFARIN: Code = drug("855332", "warfarin sodium 5 MG Oral Tablet");
const CLOPIDOGREL: Code = drug("309362", "clopidogrel 75 MG Oral Tablet");
const DONEPEZIL: Code = drug("997223", "donepezil hydrochloride 10 MG Oral Tablet");
const IBUPROFEN: Code = drug("310965", "ibuprofen 200 MG Oral Tablet");
const ACETAMINOPHEN: Code = drug("313782", "acetaminophen 325 MG Oral Tablet");
const AMOXICILLIN: Code = drug("308182", "amoxicillin 250 MG Oral Capsule");
const NITROFURANTOIN: Code = drug("311995", "nitrofurantoin, macrocrystals 50 MG Oral Capsule");

/// The place of a disease in [`DISEASES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chronic {
    Diabetes,
    Hypertension,
    Hyperlipidaemia,
    Asthma,
    Copd,
    Ckd,
    HeartFailure,
    Coronary,
    AtrialFibrillation,
    Stroke,
    Depression,
    Anxiety,
    Obesity,
    BreastCancer,
    ProstateCancer,
    ColonCancer,
    LungCancer,
    Alzheimer,
    Osteoarthritis,
    Hypothyroidism,
    OpioidUse,
}

impl Chronic {
    /// Codes and rates.
    pub(crate) fn disease(self) -> &'static Disease {
        &DISEASES[self as usize].1
    }
}

const fn disease(
    codes: (Code, Code, &'static str),
    prevalence: [f64; 6],
    by_sex: (f64, f64),
    (by_smoking, mortality): (f64, f64),
    onset_age_min: i32,
    drugs: &'static [Code],
) -> Disease {
    let (snomed, icd10, text) = codes;
    Disease { snomed, icd10, text, prevalence, by_sex, by_smoking, onset_age_min, mortality, drugs }
}

/// Every chronic disease in the order of [`Chronic`].
#[rustfmt::skip]
pub(crate) const DISEASES: [(Chronic, Disease); 21] = [
    (Chronic::Diabetes, disease((snomed("44054006", "Diabetes mellitus type 2 (disorder)"), icd("E11.9", "Type 2 diabetes mellitus without complications"), "Type 2 diabetes"),
        [0.002, 0.015, 0.07, 0.19, 0.28, 0.25], (0.95, 1.05), (1.1, 1.3), 18, &[METFORMIN])),
    (Chronic::Hypertension, disease((snomed("59621000", "Essential hypertension (disorder)"), icd("I10", "Essential (primary) hypertension"), "Hypertension"),
        [0.002, 0.05, 0.18, 0.44, 0.65, 0.74], (0.97, 1.03), (1.1, 1.1), 18, &[LISINOPRIL, AMLODIPINE, THIAZIDE])),
    (Chronic::Hyperlipidaemia, disease((snomed("55822004", "Hyperlipidemia (disorder)"), icd("E78.5", "Hyperlipidemia, unspecified"), "Hyperlipidaemia"),
        [0.002, 0.03, 0.13, 0.34, 0.50, 0.45], (1.0, 1.0), (1.1, 1.0), 18, &[SIMVASTATIN, ATORVASTATIN])),
    // Prevalence among children is planted by county.
    (Chronic::Asthma, disease((snomed("195967001", "Asthma (disorder)"), icd("J45.909", "Unspecified asthma, uncomplicated"), "Asthma"),
        [0.0, 0.09, 0.08, 0.08, 0.07, 0.06], (1.15, 0.85), (1.1, 1.05), 2, &[ALBUTEROL, FLUTICASONE])),
    (Chronic::Copd, disease((snomed("13645005", "Chronic obstructive lung disease (disorder)"), icd("J44.9", "Chronic obstructive pulmonary disease, unspecified"), "COPD"),
        [0.0, 0.0, 0.008, 0.045, 0.09, 0.10], (1.0, 1.0), (2.2, 1.9), 35, &[ALBUTEROL])),
    (Chronic::Ckd, disease((snomed("433144002", "Chronic kidney disease stage 3 (disorder)"), icd("N18.30", "Chronic kidney disease, stage 3 unspecified"), "Chronic kidney disease stage 3"),
        [0.0, 0.002, 0.01, 0.04, 0.16, 0.28], (1.1, 0.9), (1.1, 1.6), 30, &[])),
    (Chronic::HeartFailure, disease((snomed("42343007", "Congestive heart failure (disorder)"), icd("I50.9", "Heart failure, unspecified"), "Heart failure"),
        [0.0, 0.001, 0.004, 0.018, 0.06, 0.12], (0.9, 1.1), (1.3, 2.4), 35, &[FUROSEMIDE, METOPROLOL])),
    (Chronic::Coronary, disease((snomed("53741008", "Coronary arteriosclerosis (disorder)"), icd("I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris"), "Coronary heart disease"),
        [0.0, 0.0, 0.008, 0.055, 0.15, 0.22], (0.75, 1.25), (1.5, 1.5), 35, &[CLOPIDOGREL, METOPROLOL])),
    (Chronic::AtrialFibrillation, disease((snomed("49436004", "Atrial fibrillation (disorder)"), icd("I48.91", "Unspecified atrial fibrillation"), "Atrial fibrillation"),
        [0.0, 0.0, 0.004, 0.018, 0.08, 0.15], (0.85, 1.15), (1.1, 1.4), 35, &[WARFARIN])),
    (Chronic::Stroke, disease((snomed("230690007", "Cerebrovascular accident (disorder)"), icd("I63.9", "Cerebral infarction, unspecified"), "Stroke"),
        [0.0, 0.001, 0.005, 0.022, 0.06, 0.10], (1.0, 1.0), (1.4, 1.7), 35, &[CLOPIDOGREL])),
    (Chronic::Depression, disease((snomed("35489007", "Depressive disorder (disorder)"), icd("F32.A", "Depression, unspecified"), "Depression"),
        [0.03, 0.13, 0.12, 0.12, 0.09, 0.08], (1.3, 0.7), (1.4, 1.15), 12, &[SERTRALINE])),
    (Chronic::Anxiety, disease((snomed("197480006", "Anxiety disorder (disorder)"), icd("F41.9", "Anxiety disorder, unspecified"), "Anxiety disorder"),
        [0.04, 0.12, 0.11, 0.09, 0.06, 0.05], (1.3, 0.7), (1.2, 1.0), 8, &[SERTRALINE])),
    (Chronic::Obesity, disease((snomed("414916001", "Obesity (disorder)"), icd("E66.9", "Obesity, unspecified"), "Obesity"),
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0], (1.0, 1.0), (1.0, 1.1), 18, &[])),
    (Chronic::BreastCancer, disease((snomed("254837009", "Malignant neoplasm of breast (disorder)"), icd("C50.919", "Malignant neoplasm of unspecified site of unspecified female breast"), "Breast cancer"),
        [0.0, 0.0, 0.004, 0.025, 0.055, 0.07], (1.0, 0.0), (1.1, 2.2), 30, &[])),
    (Chronic::ProstateCancer, disease((snomed("399068003", "Malignant tumor of prostate (disorder)"), icd("C61", "Malignant neoplasm of prostate"), "Prostate cancer"),
        [0.0, 0.0, 0.0, 0.018, 0.08, 0.11], (0.0, 1.0), (1.0, 1.6), 45, &[])),
    (Chronic::ColonCancer, disease((snomed("363406005", "Malignant neoplasm of colon (disorder)"), icd("C18.9", "Malignant neoplasm of colon, unspecified"), "Colon cancer"),
        [0.0, 0.0, 0.001, 0.006, 0.015, 0.025], (0.95, 1.05), (1.2, 2.6), 35, &[])),
    (Chronic::LungCancer, disease((snomed("254637007", "Non-small cell lung cancer (disorder)"), icd("C34.90", "Malignant neoplasm of unspecified part of unspecified bronchus or lung"), "Lung cancer"),
        [0.0, 0.0, 0.0003, 0.004, 0.012, 0.012], (0.95, 1.05), (3.0, 5.0), 40, &[])),
    (Chronic::Alzheimer, disease((snomed("26929004", "Alzheimer's disease (disorder)"), icd("G30.9", "Alzheimer's disease, unspecified"), "Alzheimer's disease"),
        [0.0, 0.0, 0.0, 0.001, 0.04, 0.20], (1.2, 0.8), (1.0, 2.0), 60, &[DONEPEZIL])),
    (Chronic::Osteoarthritis, disease((snomed("396275006", "Osteoarthritis (disorder)"), icd("M19.90", "Unspecified osteoarthritis, unspecified site"), "Osteoarthritis"),
        [0.0, 0.01, 0.05, 0.22, 0.40, 0.48], (1.15, 0.85), (1.0, 1.0), 30, &[IBUPROFEN])),
    (Chronic::Hypothyroidism, disease((snomed("40930008", "Hypothyroidism (disorder)"), icd("E03.9", "Hypothyroidism, unspecified"), "Hypothyroidism"),
        [0.002, 0.015, 0.03, 0.06, 0.10, 0.11], (1.6, 0.4), (1.0, 1.0), 15, &[])),
    (Chronic::OpioidUse, disease((snomed("5602001", "Opioid abuse (disorder)"), icd("F11.10", "Opioid abuse, uncomplicated"), "Opioid use disorder"),
        [0.0, 0.012, 0.016, 0.009, 0.003, 0.0], (0.8, 1.2), (1.6, 2.5), 18, &[])),
];

const fn complaint(codes: (Code, Code, &'static str), days: i32, drug: Option<Code>) -> Complaint {
    let (snomed, icd10, text) = codes;
    Complaint { snomed, icd10, text, days, drug, is_of_adults: false }
}

const fn of_adults(complaint: Complaint) -> Complaint {
    Complaint { is_of_adults: true, ..complaint }
}

/// What people see a doctor for and get over.
#[rustfmt::skip]
pub(crate) const AMBULATORY: [Complaint; 7] = [
    complaint((snomed("54150009", "Upper respiratory infection (disorder)"), icd("J06.9", "Acute upper respiratory infection, unspecified"), "Upper respiratory infection"), 9, None),
    complaint((snomed("10509002", "Acute bronchitis (disorder)"), icd("J20.9", "Acute bronchitis, unspecified"), "Acute bronchitis"), 14, Some(ACETAMINOPHEN)),
    complaint((snomed("68566005", "Urinary tract infectious disease (disorder)"), icd("N39.0", "Urinary tract infection, site not specified"), "Urinary tract infection"), 7, Some(NITROFURANTOIN)),
    complaint((snomed("444814009", "Viral sinusitis (disorder)"), icd("J01.90", "Acute sinusitis, unspecified"), "Sinusitis"), 14, None),
    complaint((snomed("65363002", "Otitis media (disorder)"), icd("H66.90", "Otitis media, unspecified, unspecified ear"), "Otitis media"), 10, Some(AMOXICILLIN)),
    complaint((snomed("6142004", "Influenza (disorder)"), icd("J11.1", "Influenza due to unidentified influenza virus with other respiratory manifestations"), "Influenza"), 8, Some(ACETAMINOPHEN)),
    of_adults(complaint((snomed("161891005", "Backache (finding)"), icd("M54.9", "Dorsalgia, unspecified"), "Back pain"), 30, Some(IBUPROFEN))),
];

/// What people come to an emergency department for.
#[rustfmt::skip]
pub(crate) const EMERGENCIES: [Complaint; 6] = [
    of_adults(complaint((snomed("29857009", "Chest pain (finding)"), icd("R07.9", "Chest pain, unspecified"), "Chest pain"), 2, None)),
    complaint((snomed("111843007", "Viral gastroenteritis (disorder)"), icd("A08.4", "Viral intestinal infection, unspecified"), "Viral gastroenteritis"), 5, None),
    complaint((snomed("21522001", "Abdominal pain (finding)"), icd("R10.9", "Unspecified abdominal pain"), "Abdominal pain"), 3, None),
    complaint((snomed("25064002", "Headache (finding)"), icd("R51.9", "Headache, unspecified"), "Headache"), 2, Some(ACETAMINOPHEN)),
    of_adults(complaint((snomed("44465007", "Sprain of ankle (disorder)"), icd("S93.409A", "Sprain of unspecified ligament of unspecified ankle, initial encounter"), "Ankle sprain"), 21, Some(IBUPROFEN))),
    complaint((snomed("65966004", "Fracture of forearm (disorder)"), icd("S52.90XA", "Unspecified fracture of unspecified forearm, initial encounter for closed fracture"), "Forearm fracture"), 60, Some(ACETAMINOPHEN)),
];

/// What people are admitted for.
#[rustfmt::skip]
pub(crate) const ADMISSIONS: [Complaint; 5] = [
    complaint((snomed("233604007", "Pneumonia (disorder)"), icd("J18.9", "Pneumonia, unspecified organism"), "Pneumonia"), 21, Some(AMOXICILLIN)),
    complaint((snomed("91302008", "Sepsis (disorder)"), icd("A41.9", "Sepsis, unspecified organism"), "Sepsis"), 20, None),
    complaint((snomed("128053003", "Deep venous thrombosis (disorder)"), icd("I82.409", "Acute embolism and thrombosis of unspecified deep veins of unspecified lower extremity"), "Deep vein thrombosis"), 90, Some(WARFARIN)),
    complaint((snomed("74400008", "Appendicitis (disorder)"), icd("K37", "Unspecified appendicitis"), "Appendicitis"), 14, None),
    complaint((snomed("5758002", "Bacteremia (finding)"), icd("R78.81", "Bacteremia"), "Bacteraemia"), 14, None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disease_stands_at_its_place() {
        for (at, (chronic, _)) in DISEASES.iter().enumerate() {
            assert_eq!(*chronic as usize, at);
        }
        assert_eq!([0, 17, 18, 45, 79, 80].map(age_band), [0, 0, 1, 3, 4, 5]);
    }
}
