//! The disparities that are planted in the population, each once: the generator draws from these rates and the summary states them.

use crate::person::Person;

/// A difference between two groups of people that is true of the simulation by construction.
///
/// A rate is the probability with which the generator draws; what a generated population shows differs from it by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planted {
    /// A short name.
    pub slug: &'static str,
    /// What is counted, and among whom, so that it can be recomputed from the resources alone.
    pub measure: &'static str,
    /// The group that fares differently.
    pub group: &'static str,
    /// Whom it is compared with.
    pub other: &'static str,
    /// Rate in the group.
    pub rate_group: f64,
    /// Rate in the other group.
    pub rate_other: f64,
    /// How far each of the two observed rates may be from the planted one in a population of 4,000 (three standard errors, rounded up).
    pub tolerance: f64,
}

impl Planted {
    /// The rate for a person in or outside the group.
    pub(crate) fn rate(&self, in_group: bool) -> f64 {
        if in_group { self.rate_group } else { self.rate_other }
    }
}

/// Hospital stays followed by an unplanned one.
pub(crate) const READMISSION: Planted = Planted {
    slug: "readmission-svi",
    measure: "inpatient stays with a discharge alive, not against advice, and 30 days before the end of the simulation, followed by an \
              unplanned stay (no elective priority) that begins within 30 days",
    group: "home in a county of the upper quartile of the Social Vulnerability Index 2020 (overall percentile at least 0.75)",
    other: "home in any other county",
    rate_group: 0.22,
    rate_other: 0.12,
    tolerance: 0.05,
};

/// Poor glycaemic control by race.
pub(crate) const HBA1C_RACE: Planted = Planted {
    slug: "hba1c-race",
    measure: "patients with type 2 diabetes, outside Los Angeles (06037), Cook (17031) and Harris (48201), whose last HbA1c (LOINC 4548-4) is above 9 %",
    group: "race Black or African American, not Hispanic",
    other: "everybody else",
    rate_group: 0.36,
    rate_other: 0.14,
    tolerance: 0.16,
};

/// Poor glycaemic control by county.
pub(crate) const HBA1C_COUNTY: Planted = Planted {
    slug: "hba1c-county",
    measure: "patients with type 2 diabetes, other than Black non-Hispanic, whose last HbA1c (LOINC 4548-4) is above 9 %",
    group: "home in Los Angeles (06037), Cook (17031) or Harris (48201)",
    other: "home in any other county",
    rate_group: 0.30,
    rate_other: 0.14,
    tolerance: 0.16,
};

/// Blood pressure control by payer.
pub(crate) const BLOOD_PRESSURE: Planted = Planted {
    slug: "blood-pressure-payer",
    measure: "patients with hypertension whose last blood pressure (LOINC 85354-9) is below 140/90 mmHg",
    group: "Medicaid or no insurance",
    other: "Medicare or private insurance",
    rate_group: 0.48,
    rate_other: 0.68,
    tolerance: 0.10,
};

/// Screening for social needs by insurance.
pub(crate) const SDOH_SCREENING: Planted = Planted {
    slug: "sdoh-screening-insurance",
    measure: "patients alive at the end with an answer to the AHC-HRSN item on housing (LOINC 71802-3) in the last three years",
    group: "no insurance",
    other: "insured",
    rate_group: 0.34,
    rate_other: 0.62,
    tolerance: 0.08,
};

/// Food insecurity by county.
pub(crate) const FOOD_INSECURITY: Planted = Planted {
    slug: "food-insecurity-svi",
    measure: "patients screened (LOINC 88124-3) who are at risk of food insecurity",
    group: "home in a county of the upper quartile of the Social Vulnerability Index 2020",
    other: "home in any other county",
    rate_group: 0.25,
    rate_other: 0.09,
    tolerance: 0.04,
};

/// Emergency visits by payer.
pub(crate) const EMERGENCY: Planted = Planted {
    slug: "emergency-medicaid",
    measure: "patients alive at the end and at least 4 years old with an emergency visit in the last 365 days",
    group: "Medicaid",
    other: "any other payer or none",
    rate_group: 0.40,
    rate_other: 0.18,
    tolerance: 0.055,
};

/// Colorectal cancer screening by language.
pub(crate) const COLONOSCOPY: Planted = Planted {
    slug: "colonoscopy-language",
    measure: "patients who are 50 to 75 at the end of the simulation, alive, with a colonoscopy (SNOMED CT 73761001) in the last ten years",
    group: "preferred language other than English",
    other: "English",
    rate_group: 0.42,
    rate_other: 0.68,
    tolerance: 0.12,
};

/// Childhood asthma by county.
pub(crate) const ASTHMA: Planted = Planted {
    slug: "child-asthma-county",
    measure: "children (under 18 at the end of the simulation) with asthma",
    group: "home in the Bronx (36005), Wayne (26163) or Shelby (47157)",
    other: "home in any other county",
    rate_group: 0.19,
    rate_other: 0.08,
    tolerance: 0.09,
};

/// Influenza vaccination by insurance.
pub(crate) const INFLUENZA: Planted = Planted {
    slug: "influenza-insurance",
    measure: "patients alive at the end and at least one year old when the season began, vaccinated against influenza (CVX 140) in \
              September to December of the year before the end of the simulation",
    group: "no insurance",
    other: "insured",
    rate_group: 0.26,
    rate_other: 0.50,
    tolerance: 0.075,
};

/// Every planted disparity.
pub const PLANTED: [Planted; 10] = [
    READMISSION,
    HBA1C_RACE,
    HBA1C_COUNTY,
    BLOOD_PRESSURE,
    SDOH_SCREENING,
    FOOD_INSECURITY,
    EMERGENCY,
    COLONOSCOPY,
    ASTHMA,
    INFLUENZA,
];

/// Counties where glycaemic control is poor.
pub(crate) const HBA1C_COUNTIES: [&str; 3] = ["06037", "17031", "48201"];
/// Counties where children have asthma.
pub(crate) const ASTHMA_COUNTIES: [&str; 3] = ["36005", "26163", "47157"];

/// Probability that HbA1c is above 9 %: both effects add.
pub(crate) fn hba1c_above_nine(person: &Person) -> f64 {
    let race = HBA1C_RACE.rate(person.is_black_not_hispanic()) - HBA1C_RACE.rate_other;
    HBA1C_COUNTY.rate(HBA1C_COUNTIES.contains(&person.county.fips)) + race
}
