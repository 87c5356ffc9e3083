//! What a path names: `Patient`, `Patient/42/_history/3`, `Patient/42/Observation`.

pub(crate) use fhir::is_id;

use fhir::Kind;

use crate::fhir::controls::decode;

/// One part of a path, as the table of interactions writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A resource type.
    Kind,
    /// A resource id.
    Id,
    /// A version.
    Version,
    /// A resource type or `*`, inside a compartment.
    Inside,
    /// Exactly this word.
    Word(&'static str),
}

/// The names found in a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The type.
    pub(crate) kind: Option<Kind>,
    /// The id.
    pub(crate) id: String,
    /// The version.
    pub(crate) version: u64,
    /// The type searched inside a compartment; `None` for all.
    pub(crate) inside: Option<Kind>,
}

impl Place {
    /// The type; a handler is called only for rows of the table that have one.
    pub(crate) fn kind(&self) -> Kind {
        self.kind.expect("the row of this interaction has a type in its path")
    }

    /// Compares a path with a row. `None`: it is not of this form.
    pub(crate) fn of(parts: &[Part], segments: &[String]) -> Option<Place> {
        if parts.len() != segments.len() {
            return None;
        }
        let mut place = Place::default();
        for (part, segment) in parts.iter().zip(segments) {
            match part {
                Part::Word(word) => {
                    if segment != word {
                        return None;
                    }
                }
                Part::Kind => place.kind = Some(Kind::parse(segment)?),
                Part::Id if is_id(segment) => place.id.clone_from(segment),
                Part::Id => return None,
                Part::Version => place.version = version_of(segment)?,
                Part::Inside if segment == "*" => place.inside = None,
                Part::Inside => place.inside = Some(Kind::parse(segment)?),
            }
        }
        Some(place)
    }
}

/// The parts of a path below the base, decoded. A slash at the end does not count.
pub(crate) fn segments_of(path: &str) -> Vec<String> {
    let path = path.trim_start_matches('/');
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { Vec::new() } else { path.split('/').map(decode).collect() }
}

/// A version as the server writes it: digits without leading zeros.
fn version_of(text: &str) -> Option<u64> {
    let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        use Part::{Id, Inside, Kind, Version, Word};
        let row = [Kind, Id, Word("_history"), Version];
        let place = Place::of(&row, &segments_of("/Patient/42/_history/3")).unwrap();
        assert_eq!((place.kind().name(), place.id.as_str(), place.version), ("Patient", "42", 3));
        assert_eq!(Place::of(&row, &segments_of("Patient/42/_history/03")), None);
        assert_eq!(Place::of(&row, &segments_of("Patient/42/_history/3/4")), None);
        assert_eq!(Place::of(&[Kind, Id], &segments_of("Patient/_search")), None);
        assert_eq!(Place::of(&[Kind], &segments_of("Person1")), None);
        assert!(Place::of(&[Kind, Id, Inside], &segments_of("Patient/1/*")).is_some());
        assert!(Place::of(&[], &segments_of("/")).is_some());
    }
}
