//! What is in a column: the identifiers of 45 CFR 164.514(b)(2)(i), and what is none of them.

use std::fmt;
use std::str::FromStr;

use crate::PrivacyError;

macro_rules! classifications {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// What is in a column. The letter is that of the identifier in 164.514(b)(2)(i).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Classification {
            $($(#[$doc])+ $variant,)+
        }

        impl Classification {
            /// All of them.
            pub const ALL: &'static [Classification] = &[$(Classification::$variant),+];

            /// As pipelines write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Classification::$variant => $name,)+
                }
            }
        }
    };
}

classifications! {
    /// (A) Name of a person, relative or employer.
    Name = "name",
    /// (B) Street address.
    Street = "street",
    /// (B) City.
    City = "city",
    /// (B) County, precinct, or a code of a smaller area such as a tract.
    County = "county",
    /// (B) ZIP code.
    Zip = "zip",
    /// State: allowed by (B).
    State = "state",
    /// (C) Date of birth.
    BirthDate = "birth_date",
    /// (C) Any other date about the person: admission, discharge, service, death.
    Date = "date",
    /// (C) Age in years.
    Age = "age",
    /// (D) Telephone number.
    Phone = "phone",
    /// (E) Fax number.
    Fax = "fax",
    /// (F) E-mail address.
    Email = "email",
    /// (G) Social security number.
    Ssn = "ssn",
    /// (H) Medical record number.
    Mrn = "mrn",
    /// (I) Health plan beneficiary number.
    HealthPlanId = "health_plan_id",
    /// (J) Account number.
    Account = "account",
    /// (K) Certificate or licence number.
    License = "license",
    /// (L) Vehicle identifier or plate.
    Vehicle = "vehicle",
    /// (M) Device identifier or serial number.
    Device = "device",
    /// (N) Web address.
    Url = "url",
    /// (O) IP address.
    Ip = "ip",
    /// (P) Biometric identifier.
    Biometric = "biometric",
    /// (Q) Photograph of a face, or a comparable image.
    Photo = "photo",
    /// (R) Any other unique number or code.
    OtherId = "other_id",
    /// (R) A key that joins tables: patient, encounter or order id of the source.
    RecordId = "record_id",
    /// Text that people wrote: may hold anything.
    FreeText = "free_text",
    /// Tells groups apart and could be known to an outsider: sex, race, language.
    QuasiIdentifier = "quasi_identifier",
    /// What an attacker wants to learn: diagnosis, result.
    Sensitive = "sensitive",
    /// None of these, as somebody decided.
    Safe = "safe",
}

impl Classification {
    /// All names.
    pub fn names() -> Vec<&'static str> {
        Classification::ALL.iter().map(|class| class.name()).collect()
    }
}

impl FromStr for Classification {
    type Err = PrivacyError;
    fn from_str(name: &str) -> Result<Classification, PrivacyError> {
        let found = Classification::ALL.iter().find(|class| class.name() == name);
        found.copied().ok_or_else(|| PrivacyError::UnknownClassification(name.to_owned()))
    }
}

impl fmt::Display for Classification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_exact() {
        for class in Classification::ALL {
            assert_eq!(class.name().parse::<Classification>().unwrap(), *class);
        }
        assert!("Name".parse::<Classification>().is_err() && "".parse::<Classification>().is_err());
    }
}
