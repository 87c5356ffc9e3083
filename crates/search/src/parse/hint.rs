//! What somebody may have meant: the closest known names.

use fhir::Kind;

use crate::ParamId;

/// Most names in a hint.
const NAMES_MAX: usize = 3;
/// Longer names are not compared.
const NAME_BYTES_MAX: usize = 64;

/// ``: did you mean `gender`?``; empty when nothing is close.
pub(super) fn param(kind: Kind, name: &str) -> String {
    let known = ParamId::of_kind(kind).map(ParamId::def).filter(|def| def.is_supported()).map(|def| def.code);
    closest(name, known)
}

/// The same for resource types.
pub(super) fn kind(name: &str) -> String {
    closest(name, Kind::all().map(Kind::name))
}

fn closest(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    if name.len() > NAME_BYTES_MAX {
        return String::new();
    }
    let lower = name.to_lowercase();
    let bound = 1 + lower.len() / 4;
    let mut close: Vec<(usize, &str)> = known
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let distance = distance(lower.as_bytes(), other.as_bytes());
            let same_words = other.replace(['-', '_'], "") == lower.replace(['-', '_'], "");
            let inside = lower.len() >= 4 && other.split('-').any(|word| word == lower);
            (distance <= bound || same_words || inside).then_some((distance, candidate))
        })
        .collect();
    close.sort_unstable();
    close.truncate(NAMES_MAX);
    if close.is_empty() {
        return String::new();
    }
    let names: Vec<String> = close.iter().map(|(_, name)| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}

/// How many letters must be added, removed or changed.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_names_are_found() {
        assert_eq!(param(Kind::PATIENT, "gendr"), "; did you mean `gender`?");
        assert_eq!(param(Kind::PATIENT, "birthDate"), "; did you mean `birthdate`?");
        assert_eq!(param(Kind::PATIENT, "birth_date"), "; did you mean `birthdate`?");
        assert_eq!(param(Kind::PATIENT, "zzzzzz"), "");
        assert_eq!(kind("Pacient"), "; did you mean `Patient`?");
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
