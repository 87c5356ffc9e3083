//! Why a score was not computed. Names the rule and its limit, never the patient's value.

/// A score that is not computed says why; it is never replaced by a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComputed {
    /// An input that the formula needs is absent.
    #[error("not computed: `{what}` is missing; supply it")]
    Missing {
        /// The input.
        what: &'static str,
    },
    /// The age is unknown, and the formula holds for some ages only.
    #[error("not computed: the age is unknown; the score holds from {age_years_min} years")]
    AgeUnknown {
        /// Lowest age at which the formula holds.
        age_years_min: u16,
    },
    /// The formula does not hold at this age.
    #[error("not computed: below {age_years_min} years the formula does not hold")]
    TooYoung {
        /// Lowest age at which the formula holds.
        age_years_min: u16,
    },
    /// Not a value that a living person has: a typing error or another unit.
    #[error("not computed: `{what}` is outside {low} to {high} {unit}; check value and unit")]
    OutOfRange {
        /// The input.
        what: &'static str,
        /// Lowest plausible value.
        low: &'static str,
        /// Highest plausible value.
        high: &'static str,
        /// Their unit, in UCUM.
        unit: &'static str,
    },
    /// The formula does not hold in pregnancy and the weeks after a birth.
    #[error("not computed: the score does not hold in pregnancy and post-partum")]
    Pregnant,
    /// An estimate of a steady state while there is none: acute kidney injury or dialysis.
    #[error("not computed: kidney function is not steady (acute injury or dialysis)")]
    NotSteady,
}
