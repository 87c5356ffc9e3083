//! Body mass index of adults and its class, exact at the edges. Knows nothing of children's percentiles.

use crate::number::ten_to;
use crate::quantity::{HeightCm, WeightKg};
use crate::{NotComputed, Number, Rounding, Subject};

/// Adult classes hold from 20 years; younger people are judged by percentile for age and sex (CDC 2000 growth charts).
pub const AGE_YEARS_MIN: u16 = 20;

/// Weight and height finer than this many places (a milligram, a hundredth of a micrometre) are rounded first.
const PLACES: u8 = 6;

/// Classes of WHO Technical Report 894 (2000) for adults, in kg/m²; each begins with its lower edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Below 18.5.
    Underweight,
    /// From 18.5 to below 25.
    Normal,
    /// From 25 to below 30.
    Overweight,
    /// From 30 to below 35.
    Obese1,
    /// From 35 to below 40.
    Obese2,
    /// From 40.
    Obese3,
}

/// Lower edges in tenths of kg/m².
const EDGES: [(i128, Class); 5] = [
    (185, Class::Normal),
    (250, Class::Overweight),
    (300, Class::Obese1),
    (350, Class::Obese2),
    (400, Class::Obese3),
];

impl Class {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Class::Underweight => "underweight",
            Class::Normal => "normal",
            Class::Overweight => "overweight",
            Class::Obese1 => "obese-1",
            Class::Obese2 => "obese-2",
            Class::Obese3 => "obese-3",
        }
    }
}

/// A body mass index with its class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bmi {
    /// In kg/m², rounded half up to two places. The class was decided before rounding.
    pub kg_per_m2: Number,
    /// The class.
    pub class: Class,
}

/// A body mass index is patient data and does not print.
impl std::fmt::Debug for Bmi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bmi")
    }
}

/// `weight × 10^6` and `height² × 10^12`: both integers.
fn scaled(weight: WeightKg, height: HeightCm) -> (i128, i128) {
    let micro = |number: Number| {
        let (digits, scale) = number.rounded(PLACES, Rounding::HalfUp).parts();
        i128::from(digits) * ten_to(PLACES - scale)
    };
    let height = micro(height.number());
    (micro(weight.number()), height * height)
}

/// The index alone, in kg/m², rounded half up to two places; at any age.
pub fn value_of(weight: WeightKg, height: HeightCm) -> Number {
    let (weight, height2) = scaled(weight, height);
    // kg/m² in hundredths: weight·10^-6 / (height²·10^-12·10^-4) · 100.
    let hundredths = weight * ten_to(12);
    let hundredths = (hundredths * 2 + height2) / (height2 * 2);
    Number::of(i64::try_from(hundredths).expect("635 kg at 50 cm is 2540 kg/m²"), 2)
}

/// The index and class of an adult who is not pregnant.
///
/// # Errors
/// The age is unknown or below 20 years; pregnancy or post-partum.
pub fn bmi(weight: WeightKg, height: HeightCm, subject: Subject) -> Result<Bmi, NotComputed> {
    subject.age_from(AGE_YEARS_MIN)?;
    subject.not_pregnant()?;
    let (kg, cm2) = scaled(weight, height);
    let reached = |edge: i128| kg * ten_to(11) >= edge * cm2;
    let class =
        EDGES.iter().rev().find(|(edge, _)| reached(*edge)).map_or(Class::Underweight, |(_, class)| *class);
    Ok(Bmi { kg_per_m2: value_of(weight, height), class })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Pregnancy;
    use crate::quantity::tests::number;
    use crate::subject::tests::person;

    fn of(kg: &str, cm: &str) -> Bmi {
        let (weight, height) = (WeightKg::of(number(kg)).unwrap(), HeightCm::of(number(cm)).unwrap());
        bmi(weight, height, person(40, true)).unwrap()
    }

    #[test]
    fn classes_begin_with_their_lower_edge() {
        let check = |kg: &str, cm: &str, value: &str, class: Class| {
            let found = of(kg, cm);
            assert_eq!(
                (found.kg_per_m2.to_string().as_str(), found.class),
                (value, class),
                "{kg} kg, {cm} cm"
            );
        };
        // 160 cm: one square metre times 2.56; doubles give 29.999999999999993 for 76.8 kg.
        check("76.8", "160", "30.00", Class::Obese1);
        check("76.79", "160", "30.00", Class::Overweight);
        check("86.7", "170", "30.00", Class::Obese1);
        check("67.5", "150", "30.00", Class::Obese1);
        check("47.36", "160.0", "18.50", Class::Normal);
        check("47.359999", "160", "18.50", Class::Underweight);
        check("64", "160", "25.00", Class::Overweight);
        check("63.999999", "160", "25.00", Class::Normal);
        check("89.6", "160", "35.00", Class::Obese2);
        check("89.599999", "160", "35.00", Class::Obese1);
        check("102.4", "160", "40.00", Class::Obese3);
        check("102.399999", "160", "40.00", Class::Obese2);
        check("635", "50", "2540.00", Class::Obese3);
        check("2", "272", "0.27", Class::Underweight);
    }

    #[test]
    fn only_adults_who_are_not_pregnant() {
        let check = |subject, expected| {
            let (weight, height) =
                (WeightKg::of(number("70")).unwrap(), HeightCm::of(number("170")).unwrap());
            assert_eq!(bmi(weight, height, subject).map(|bmi| bmi.class), expected);
        };
        check(person(20, false), Ok(Class::Normal));
        check(person(19, false), Err(NotComputed::TooYoung { age_years_min: 20 }));
        check(Subject::default(), Err(NotComputed::AgeUnknown { age_years_min: 20 }));
        let pregnant = Subject { pregnancy: Pregnancy::PregnantOrPostPartum, ..person(30, true) };
        check(pregnant, Err(NotComputed::Pregnant));
    }

    proptest! {
        #[test]
        fn one_more_gram_never_lowers_the_class(grams in 2_000i64..634_999, mm in 500i64..=2720) {
            let at = |grams| of(&Number::of(grams, 3).to_string(), &Number::of(mm, 1).to_string());
            prop_assert!(at(grams).class <= at(grams + 1).class);
            prop_assert!(at(grams).kg_per_m2 <= at(grams + 1).kg_per_m2);
            let plain = grams as f64 / 1000.0 / (mm as f64 / 1000.0).powi(2);
            prop_assert!((at(grams).kg_per_m2.to_f64() - plain).abs() < 0.005_001);
        }
    }
}
