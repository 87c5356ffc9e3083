//! The six dimensions of data quality, as far as one resource can tell.

/// A side of quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Is there what use needs.
    Completeness,
    /// Is it written so that programs understand it: coded, with system and unit.
    Validity,
    /// Can it be true.
    Plausibility,
    /// Do its parts agree.
    Consistency,
    /// Was it recorded in time, and is what is called active not forgotten.
    Timeliness,
    /// Is nothing in it twice.
    Uniqueness,
}

impl Dimension {
    /// All six, in the order of [`crate::QualityScore::dimensions`].
    pub const ALL: [Dimension; 6] = [
        Dimension::Completeness,
        Dimension::Validity,
        Dimension::Plausibility,
        Dimension::Consistency,
        Dimension::Timeliness,
        Dimension::Uniqueness,
    ];

    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::Completeness => "completeness",
            Dimension::Validity => "validity",
            Dimension::Plausibility => "plausibility",
            Dimension::Consistency => "consistency",
            Dimension::Timeliness => "timeliness",
            Dimension::Uniqueness => "uniqueness",
        }
    }
}
