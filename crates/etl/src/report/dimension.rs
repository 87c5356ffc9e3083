//! Dimensions of quality by name, in records and for people.

use quality::Dimension;
use serde::{Deserialize as _, Deserializer, Serializer};

/// The dimension as people read it: plausibility is what accuracy can be without a second source of truth.
pub fn dimension_label(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Completeness => "Completeness",
        Dimension::Validity => "Validity",
        Dimension::Plausibility => "Accuracy (plausibility)",
        Dimension::Consistency => "Consistency",
        Dimension::Timeliness => "Timeliness",
        Dimension::Uniqueness => "Uniqueness",
    }
}

/// For `#[serde(serialize_with)]`.
pub(super) fn serialize<S: Serializer>(dimension: &Dimension, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(dimension.name())
}

/// For `#[serde(deserialize_with)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Dimension, D::Error> {
    let name = String::deserialize(from)?;
    Dimension::ALL
        .into_iter()
        .find(|dimension| dimension.name() == name)
        .ok_or_else(|| serde::de::Error::custom("there is no such dimension"))
}
