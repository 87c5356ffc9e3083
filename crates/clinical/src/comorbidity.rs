//! Comorbidity indices: Charlson and Elixhauser over the distinct codes of one patient. Knows no rows and no dates.
//!
//! A look-back window, and which diagnoses count, are the caller's. [`groups_of`] tells the groups of one code and may be kept per distinct
//! code; the groups of a patient are their union; [`score_of`] and [`assess`] add them up, once per patient.
//!
//! The tables are Quan's by the letter. In ICD-10-CM: `C7B` (secondary neuroendocrine tumours) is in no group, `E08`/`E09` score nothing,
//! `E11.65` is uncomplicated diabetes to Charlson and complicated to Elixhauser, `N18` counts at every stage.

mod table;

use std::collections::BTreeMap;
use std::fmt;

pub use table::{Group, Groups, Map, charlson, elixhauser};

use crate::code::{CodeProblem, check_icd10cm};

/// An index: its table of codes and its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Charlson, codes of Quan 2005, weights of Charlson 1987.
    Charlson1987,
    /// Charlson, codes of Quan 2005, weights of Quan 2011.
    CharlsonQuan2011,
    /// Elixhauser, codes of Quan 2005, weights of van Walraven 2009; there are no points for age.
    VanWalraven2009,
}

impl Variant {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Charlson1987 => "charlson-quan2005-weights1987",
            Variant::CharlsonQuan2011 => "charlson-quan2005-weights2011",
            Variant::VanWalraven2009 => "elixhauser-quan2005-van-walraven2009",
        }
    }

    /// Its table of codes.
    pub fn map(self) -> &'static Map {
        match self {
            Variant::Charlson1987 | Variant::CharlsonQuan2011 => charlson(),
            Variant::VanWalraven2009 => elixhauser(),
        }
    }

    /// Which of the weights of a group count.
    fn weight_of(self, group: &Group) -> i32 {
        match self {
            Variant::Charlson1987 | Variant::VanWalraven2009 => group.weights[0],
            Variant::CharlsonQuan2011 => group.weights[1],
        }
    }

    fn counts_age(self) -> bool {
        self != Variant::VanWalraven2009
    }
}

/// Does a severe group silence its mild one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Hierarchy {
    /// Severe liver disease, complicated diabetes, metastases and complicated hypertension silence the milder group.
    #[default]
    On,
    /// Both count.
    Off,
}

/// How a score is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// Does a severe group silence its mild one.
    pub hierarchy: Hierarchy,
    /// Points for age (Charlson et al., J Clin Epidemiol 1994;47:1245): one per decade from 50 years, at most this many; 4 is usual, some
    /// use 5. `None`: no points for age.
    pub age_points_max: Option<u8>,
}

/// A group that was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The group.
    pub group: &'static Group,
    /// Its weight in the variant; counted unless the group is outranked.
    pub weight: i32,
    /// The group that silences it.
    pub outranked_by: Option<&'static str>,
    /// The distinct codes that gave it, canonical and sorted.
    pub codes: Vec<String>,
}

/// A score and where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The index.
    pub variant: Variant,
    /// Sum of the weights that count, and the points for age.
    pub score: i32,
    /// Points for age, which are part of the score.
    pub age_points: i32,
    /// The groups, in the order of the table.
    pub groups: Vec<Found>,
    /// Texts that are no ICD-10 code; they gave nothing.
    pub n_unreadable: usize,
}

/// Diagnoses are patient data and do not print.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found")
    }
}

/// Diagnoses are patient data and do not print.
impl fmt::Debug for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assessment({})", self.variant.name())
    }
}

/// The groups that one code belongs to; often none, sometimes two (`I42.6` is heart failure and alcohol to Elixhauser).
///
/// # Errors
/// The text is no ICD-10 code.
pub fn groups_of(variant: Variant, code: &str) -> Result<Groups, CodeProblem> {
    Ok(variant.map().groups_of(&check_icd10cm(code)?))
}

/// Points for an age.
fn age_points_of(variant: Variant, age_years: Option<u16>, options: Options) -> i32 {
    match (age_years, options.age_points_max) {
        (Some(age), Some(points_max)) if variant.counts_age() && age >= 50 => {
            i32::from((age - 40) / 10).min(i32::from(points_max))
        }
        _ => 0,
    }
}

/// The group among `groups` that silences `group`.
fn outranked_by(group: &Group, groups: Groups, variant: Variant, options: Options) -> Option<&'static str> {
    let higher = group.outranked_by?;
    let silenced = options.hierarchy == Hierarchy::On && groups.contains(higher);
    silenced.then(|| variant.map().groups()[higher].code)
}

/// The score of a patient's groups. `age_years` counts only with [`Options::age_points_max`]; an unknown age gives no points.
pub fn score_of(variant: Variant, groups: Groups, age_years: Option<u16>, options: Options) -> i32 {
    let weights = variant.map().of(groups).map(|group| match outranked_by(group, groups, variant, options) {
        Some(_) => 0,
        None => variant.weight_of(group),
    });
    weights.sum::<i32>() + age_points_of(variant, age_years, options)
}

/// The score of a patient's codes, with the groups and the codes that gave them. A code counts once however often it stands there.
pub fn assess<'a>(
    variant: Variant,
    codes: impl IntoIterator<Item = &'a str>,
    age_years: Option<u16>,
    options: Options,
) -> Assessment {
    let mut distinct = BTreeMap::new();
    let mut n_unreadable = 0;
    for code in codes {
        match check_icd10cm(code) {
            Ok(code) => {
                distinct.entry(code).or_insert_with(|| variant.map().groups_of(&code));
            }
            Err(_) => n_unreadable += 1,
        }
    }
    let groups = distinct.values().fold(Groups::default(), |all, groups| all.union(*groups));
    let found = |group: &'static Group| {
        let gave = distinct.iter().filter(|(_, groups)| groups.contains(group.number));
        Found {
            group,
            weight: variant.weight_of(group),
            outranked_by: outranked_by(group, groups, variant, options),
            codes: gave.map(|(code, _)| code.to_string()).collect(),
        }
    };
    Assessment {
        variant,
        score: score_of(variant, groups, age_years, options),
        age_points: age_points_of(variant, age_years, options),
        groups: variant.map().of(groups).map(found).collect(),
        n_unreadable,
    }
}

#[cfg(test)]
mod tests;
