//! What formulas need to know about a person: age, sex, pregnancy. Knows no names.

use crate::NotComputed;

/// Highest age that is believed, in years; the oldest documented person reached 122.
pub const AGE_YEARS_MAX: u16 = 130;

/// Sex as a coefficient of a formula: the sex at birth unless a clinician decided otherwise. Not the administrative gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Is the person pregnant, or in the weeks after a birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Pregnancy {
    /// Nothing is recorded; formulas go on, as for everybody of whom nothing is recorded.
    #[default]
    NotStated,
    /// Recorded as not pregnant.
    No,
    /// Pregnant or post-partum: adult scores and classes do not hold.
    PregnantOrPostPartum,
}

/// The person a formula is computed for.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Subject {
    /// Completed years on the day of the measurement.
    pub age_years: Option<u16>,
    /// Sex as a coefficient.
    pub sex: Option<Sex>,
    /// Pregnancy.
    pub pregnancy: Pregnancy,
}

impl Subject {
    /// The age, when the formula holds at it.
    pub(crate) fn age_from(self, age_years_min: u16) -> Result<u16, NotComputed> {
        match self.age_years {
            None => Err(NotComputed::AgeUnknown { age_years_min }),
            Some(age) if age < age_years_min => Err(NotComputed::TooYoung { age_years_min }),
            Some(age) if age > AGE_YEARS_MAX => {
                Err(NotComputed::OutOfRange { what: "age", low: "0", high: "130", unit: "a" })
            }
            Some(age) => Ok(age),
        }
    }

    /// The sex, when it is known.
    pub(crate) fn known_sex(self) -> Result<Sex, NotComputed> {
        self.sex.ok_or(NotComputed::Missing { what: "sex" })
    }

    /// Refuses pregnancy and post-partum.
    pub(crate) fn not_pregnant(self) -> Result<(), NotComputed> {
        match self.pregnancy {
            Pregnancy::PregnantOrPostPartum => Err(NotComputed::Pregnant),
            Pregnancy::No | Pregnancy::NotStated => Ok(()),
        }
    }
}

/// Age and sex are patient data and do not print.
impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A woman (`true`) or man of an age.
    pub(crate) fn person(age_years: u16, female: bool) -> Subject {
        let sex = Some(if female { Sex::Female } else { Sex::Male });
        Subject { age_years: Some(age_years), sex, pregnancy: Pregnancy::NotStated }
    }

    #[test]
    fn an_age_is_known_old_enough_and_human() {
        let check = |age_years, expected| {
            assert_eq!(Subject { age_years, ..Subject::default() }.age_from(18), expected);
        };
        check(None, Err(NotComputed::AgeUnknown { age_years_min: 18 }));
        check(Some(17), Err(NotComputed::TooYoung { age_years_min: 18 }));
        check(Some(18), Ok(18));
        check(Some(130), Ok(130));
        check(Some(131), Err(NotComputed::OutOfRange { what: "age", low: "0", high: "130", unit: "a" }));
        assert_eq!(format!("{:?}", person(40, true)), "Subject");
    }
}
