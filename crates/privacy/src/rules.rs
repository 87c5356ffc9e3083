//! The rule books as one table: which transformations a profile allows for a class of columns. The first is the default.

use std::fmt;
use std::str::FromStr;

use crate::{Classification, PrivacyError, Profile};

/// What happens to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transform {
    /// The column does not leave.
    Drop,
    /// Values leave as they are.
    Keep,
    /// First three digits of a ZIP code, or 000.
    Zip3,
    /// Year of a date; 90 or more years ago is one group.
    Year,
    /// Age in years; over 89 is `90+`.
    Age,
    /// The date, moved by the patient's own number of days.
    Shift,
    /// A keyed hash.
    Pseudonym,
    /// A random code that only the vault connects with the value.
    Surrogate,
}

impl Transform {
    const ALL: [Transform; 8] = [
        Transform::Drop,
        Transform::Keep,
        Transform::Zip3,
        Transform::Year,
        Transform::Age,
        Transform::Shift,
        Transform::Pseudonym,
        Transform::Surrogate,
    ];

    /// As pipelines and manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Transform::Drop => "drop",
            Transform::Keep => "keep",
            Transform::Zip3 => "zip3",
            Transform::Year => "year",
            Transform::Age => "age",
            Transform::Shift => "shift",
            Transform::Pseudonym => "pseudonym",
            Transform::Surrogate => "surrogate",
        }
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        Transform::ALL.iter().map(|transform| transform.name()).collect()
    }
}

impl FromStr for Transform {
    type Err = PrivacyError;
    fn from_str(name: &str) -> Result<Transform, PrivacyError> {
        let found = Transform::ALL.into_iter().find(|transform| transform.name() == name);
        found.ok_or_else(|| PrivacyError::UnknownTransform(name.to_owned()))
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a profile allows for a class, default first.
pub(crate) fn allowed(profile: Profile, class: Classification) -> &'static [Transform] {
    match profile {
        Profile::Identified => &[Transform::Keep, Transform::Drop],
        Profile::SafeHarbor => safe_harbor(class),
        Profile::LimitedDataSet => limited(class),
        Profile::Expert => expert(class),
        Profile::KAnonymize => k_anonymize(class),
    }
}

fn safe_harbor(class: Classification) -> &'static [Transform] {
    use Classification as C;
    use Transform as T;
    match class {
        C::Zip => &[T::Zip3, T::Drop],
        C::BirthDate | C::Date => &[T::Year, T::Drop],
        C::Age => &[T::Age, T::Drop],
        // A code derived from the value is itself an identifier, 164.514(c): only random ones.
        C::RecordId => &[T::Surrogate, T::Drop],
        C::Mrn | C::HealthPlanId | C::Account | C::Device | C::OtherId => &[T::Drop, T::Surrogate],
        C::State | C::QuasiIdentifier | C::Sensitive | C::Safe => &[T::Keep, T::Drop],
        _ => &[T::Drop],
    }
}

fn limited(class: Classification) -> &'static [Transform] {
    use Classification as C;
    use Transform as T;
    match class {
        C::City | C::County => &[T::Keep, T::Drop],
        C::Zip => &[T::Keep, T::Zip3, T::Drop],
        C::BirthDate | C::Date => &[T::Keep, T::Shift, T::Year, T::Drop],
        C::Age => &[T::Keep, T::Age, T::Drop],
        C::RecordId => &[T::Surrogate, T::Pseudonym, T::Drop],
        C::Mrn | C::HealthPlanId | C::Account | C::Device => &[T::Drop, T::Surrogate],
        C::OtherId => &[T::Drop, T::Surrogate, T::Pseudonym],
        C::State | C::QuasiIdentifier | C::Sensitive | C::Safe => &[T::Keep, T::Drop],
        _ => &[T::Drop],
    }
}

fn expert(class: Classification) -> &'static [Transform] {
    use Classification as C;
    use Transform as T;
    match class {
        C::City | C::County => &[T::Drop, T::Keep],
        C::Zip => &[T::Zip3, T::Keep, T::Drop],
        C::BirthDate => &[T::Year, T::Shift, T::Drop],
        C::Date => &[T::Shift, T::Year, T::Drop],
        C::Age => &[T::Age, T::Keep, T::Drop],
        C::RecordId | C::OtherId => &[T::Pseudonym, T::Surrogate, T::Drop],
        C::Mrn | C::HealthPlanId | C::Account | C::Device => &[T::Drop, T::Pseudonym, T::Surrogate],
        C::State | C::QuasiIdentifier | C::Sensitive | C::Safe => &[T::Keep, T::Drop],
        _ => &[T::Drop],
    }
}

/// Quasi-identifiers stay as they are here, because the generaliser works on them afterwards; it is told which columns they are.
/// Places and dates that nobody named as such follow Safe Harbor.
fn k_anonymize(class: Classification) -> &'static [Transform] {
    match class {
        Classification::OtherId => &[Transform::Drop, Transform::Surrogate],
        other => safe_harbor(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTECTING: [Profile; 4] =
        [Profile::SafeHarbor, Profile::LimitedDataSet, Profile::Expert, Profile::KAnonymize];

    #[test]
    fn direct_identifiers_never_leave() {
        use Classification as C;
        let direct = [
            C::Name,
            C::Street,
            C::Phone,
            C::Fax,
            C::Email,
            C::Ssn,
            C::License,
            C::Vehicle,
            C::Url,
            C::Ip,
            C::Biometric,
            C::Photo,
            C::FreeText,
        ];
        for profile in PROTECTING {
            for class in direct {
                assert_eq!(allowed(profile, class), [Transform::Drop], "{profile} {class}");
            }
            for class in [C::Mrn, C::HealthPlanId, C::Account, C::Device, C::OtherId, C::RecordId] {
                assert!(!allowed(profile, class).contains(&Transform::Keep), "{profile} {class}");
            }
        }
    }

    #[test]
    fn safe_harbor_knows_no_shift_and_no_derived_code() {
        for class in Classification::ALL {
            for profile in [Profile::SafeHarbor, Profile::KAnonymize] {
                let rules = allowed(profile, *class);
                assert!(
                    !rules.contains(&Transform::Shift) && !rules.contains(&Transform::Pseudonym),
                    "{class}"
                );
            }
            for profile in PROTECTING {
                assert!(allowed(profile, *class).contains(&Transform::Drop), "{profile} {class}");
            }
        }
    }
}
