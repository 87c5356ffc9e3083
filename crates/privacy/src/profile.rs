//! Privacy profiles: which rule book a table leaves under.

use std::fmt;
use std::str::FromStr;

use crate::PrivacyError;

/// A rule book. There is no default: a table without a profile does not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// 45 CFR 164.514(b)(2): the 18 identifiers removed.
    SafeHarbor,
    /// 45 CFR 164.514(e): direct identifiers removed, dates and places kept; needs a data use agreement.
    LimitedDataSet,
    /// 45 CFR 164.514(b)(1): as an expert determined; dates shifted, keyed pseudonyms.
    Expert,
    /// Direct identifiers removed and quasi-identifiers generalised until each row has `k - 1` others like it.
    KAnonymize,
    /// Nothing is changed. Must be written out as `none`.
    Identified,
}

impl Profile {
    const ALL: [Profile; 5] = [
        Profile::SafeHarbor,
        Profile::LimitedDataSet,
        Profile::Expert,
        Profile::KAnonymize,
        Profile::Identified,
    ];

    /// As pipelines and manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            Profile::SafeHarbor => "safe_harbor",
            Profile::LimitedDataSet => "limited_data_set",
            Profile::Expert => "expert",
            Profile::KAnonymize => "k_anonymize",
            Profile::Identified => "none",
        }
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        Profile::ALL.iter().map(|profile| profile.name()).collect()
    }
}

impl FromStr for Profile {
    type Err = PrivacyError;
    /// Exact names only: a profile that is nearly right is an error.
    fn from_str(name: &str) -> Result<Profile, PrivacyError> {
        let found = Profile::ALL.into_iter().find(|profile| profile.name() == name);
        found.ok_or_else(|| PrivacyError::UnknownProfile(name.to_owned()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_profiles() {
        for name in Profile::names() {
            assert_eq!(name.parse::<Profile>().unwrap().name(), name);
        }
        for name in ["", "Safe_Harbor", "safe-harbor", "safeharbor", "safe_harbour", "hipaa", " none"] {
            let error = name.parse::<Profile>().unwrap_err().to_string();
            assert!(error.contains("use one of safe_harbor, limited_data_set, expert"), "{error}");
        }
    }
}
