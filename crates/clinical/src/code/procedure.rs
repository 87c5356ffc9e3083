//! CPT and HCPCS procedure codes and their modifiers. Formats only: the texts and lists of CPT belong to the AMA.

use super::{Canonical, CodeProblem, check_pattern, raw};

const CPT: &str = "5 digits, or 4 digits and F, T, U, M or A";

/// Which part of CPT a code belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CptKind {
    /// Category I: `99213`.
    Category1,
    /// Category II, performance measurement: `3044F`.
    Category2,
    /// Category III, emerging technology: `0712T`.
    Category3,
    /// Proprietary laboratory analyses: `0001U`.
    Pla,
    /// Multianalyte assays with algorithmic analyses: `0002M`.
    Maaa,
    /// Administrative (vaccine administration): `0001A`.
    Administrative,
}

/// The part of CPT that a well-formed code belongs to.
pub fn cpt_kind_of(code: &Canonical) -> Option<CptKind> {
    let [first @ .., last] = code.as_str().as_bytes() else { return None };
    if first.len() != 4 || !first.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match last {
        b'0'..=b'9' => Some(CptKind::Category1),
        b'F' => Some(CptKind::Category2),
        b'T' => Some(CptKind::Category3),
        b'U' => Some(CptKind::Pla),
        b'M' => Some(CptKind::Maaa),
        b'A' => Some(CptKind::Administrative),
        _ => None,
    }
}

/// Five characters of text; a number that lost its zeros is refused.
pub fn check_cpt(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, CPT)?;
    if raw.len() != 5 {
        return Err(CodeProblem::Length { expected: CPT });
    }
    check_pattern(&raw, "9999X", CPT)?;
    let code = Canonical::of(&raw);
    match cpt_kind_of(&code) {
        Some(_) => Ok(code),
        None => Err(CodeProblem::Character { position: 5, expected: CPT }),
    }
}

/// HCPCS level II: a letter from A to V and four digits.
pub fn check_hcpcs(text: &str) -> Result<Canonical, CodeProblem> {
    let expected = "A9999";
    let raw = raw(text, expected)?;
    if raw.len() != 5 {
        return Err(CodeProblem::Length { expected });
    }
    check_pattern(&raw, expected, expected)?;
    match raw[0] {
        b'A'..=b'V' => Ok(Canonical::of(&raw)),
        _ => Err(CodeProblem::Character { position: 1, expected: "A to V" }),
    }
}

/// A modifier of CPT or HCPCS: two letters or digits.
pub fn check_modifier(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, "XX")?;
    check_pattern(&raw, "XX", "XX")?;
    Ok(Canonical::of(&raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let check =
            |text, expected| assert_eq!(cpt_kind_of(&check_cpt(text).unwrap()), Some(expected), "{text}");
        check("99213", CptKind::Category1);
        check("00100", CptKind::Category1);
        check("3044f", CptKind::Category2);
        check("0712T", CptKind::Category3);
        check("0001U", CptKind::Pla);
        check("0002M", CptKind::Maaa);
        check("0001A", CptKind::Administrative);
        assert_eq!(cpt_kind_of(&check_hcpcs("J1100").unwrap()), None);
    }
}
