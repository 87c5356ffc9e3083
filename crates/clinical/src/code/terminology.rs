//! LOINC numbers and SNOMED CT identifiers: their check digits.

use super::check_digit::{luhn, verhoeff};
use super::{Canonical, CodeProblem, raw};

const LOINC: &str = "1 to 7 digits, a hyphen and the check digit";
const SNOMED: &str = "6 to 18 digits";

/// `2345-7`: up to seven digits, a hyphen, and the Luhn digit of them (LOINC Users' Guide, appendix C).
pub fn check_loinc(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, LOINC)?;
    let hyphen = raw.iter().position(|byte| !byte.is_ascii_digit());
    match hyphen {
        Some(at) if raw[at] != b'-' || at == 0 => {
            return Err(CodeProblem::Character { position: at + 1, expected: LOINC });
        }
        Some(at) if at <= 7 && raw.len() == at + 2 => {}
        _ => return Err(CodeProblem::Length { expected: LOINC }),
    }
    if !raw[raw.len() - 1].is_ascii_digit() {
        return Err(CodeProblem::Character { position: raw.len(), expected: LOINC });
    }
    let digits = raw.iter().copied().filter(u8::is_ascii_digit);
    if luhn(digits) { Ok(Canonical::of(&raw)) } else { Err(CodeProblem::CheckDigit) }
}

/// An identifier of a SNOMED CT component: 6 to 18 digits without a leading zero, the partition, and the Verhoeff digit
/// (SNOMED CT Release File Specification, section 6).
pub fn check_snomed(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, SNOMED)?;
    if let Some(at) = raw.iter().position(|byte| !byte.is_ascii_digit()) {
        return Err(CodeProblem::Character { position: at + 1, expected: SNOMED });
    }
    if !(6..=18).contains(&raw.len()) {
        return Err(CodeProblem::Length { expected: SNOMED });
    }
    if raw[0] == b'0' {
        return Err(CodeProblem::NeverIssued { why: "an identifier has no leading zero" });
    }
    if !matches!(raw[raw.len() - 3..raw.len() - 1], [b'0' | b'1', b'0'..=b'2']) {
        return Err(CodeProblem::NeverIssued { why: "the partition is one of 00, 01, 02, 10, 11, 12" });
    }
    if verhoeff(&raw) { Ok(Canonical::of(&raw)) } else { Err(CodeProblem::CheckDigit) }
}
