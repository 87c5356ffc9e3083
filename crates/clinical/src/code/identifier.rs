//! Identifiers of persons and providers in the United States: NPI, SSN, MBI. Shapes and check digits; says nothing about who holds them.

use super::check_digit::luhn;
use super::{Canonical, CodeProblem, check_pattern, raw};

/// National Provider Identifier: ten digits that begin with 1 or 2, the last one the Luhn digit of `80840` and the others (45 CFR 162.406).
pub fn check_npi(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, "9999999999")?;
    check_pattern(&raw, "9999999999", "9999999999")?;
    if !matches!(raw[0], b'1' | b'2') {
        return Err(CodeProblem::Character { position: 1, expected: "1 or 2" });
    }
    let digits = b"80840".iter().chain(raw.iter()).copied();
    if luhn(digits) { Ok(Canonical::of(&raw)) } else { Err(CodeProblem::CheckDigit) }
}

/// Social Security number, with hyphens or without; canonical with them. Never issued: area 000, 666 and 900 to 999, group 00, serial 0000
/// (SSA, randomised assignment since 2011).
pub fn check_ssn(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, "999-99-9999")?;
    let mut digits = [0; 9];
    if raw.contains(&b'-') {
        check_pattern(&raw, "999-99-9999", "999-99-9999")?;
        digits[..3].copy_from_slice(&raw[..3]);
        digits[3..5].copy_from_slice(&raw[4..6]);
        digits[5..].copy_from_slice(&raw[7..]);
    } else {
        check_pattern(&raw, "999999999", "999999999")?;
        digits.copy_from_slice(&raw);
    }
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    if area == b"000" || area == b"666" || area[0] == b'9' {
        return Err(CodeProblem::NeverIssued { why: "area 000, 666 or 900 to 999" });
    }
    if group == b"00" || serial == b"0000" {
        return Err(CodeProblem::NeverIssued { why: "group 00 or serial 0000" });
    }
    let mut canonical = Canonical::of(area);
    for part in [group, serial] {
        canonical.push(b"-");
        canonical.push(part);
    }
    Ok(canonical)
}

/// Medicare Beneficiary Identifier: eleven characters by place, without S, L, O, I, B, Z; hyphens after the fourth and seventh are dropped
/// (CMS, Understanding the MBI format).
pub fn check_mbi(text: &str) -> Result<Canonical, CodeProblem> {
    const FORM: &str = "9AX9AX9AA99";
    let raw = raw(text, FORM)?;
    let mut joined = [0; 11];
    let mut len = 0;
    for (at, byte) in raw.iter().enumerate() {
        // 1EG4-TE5-MK73
        if *byte == b'-' && raw.len() == 13 && (at == 4 || at == 8) {
            continue;
        }
        *joined.get_mut(len).ok_or(CodeProblem::Length { expected: FORM })? = *byte;
        len += 1;
    }
    check_pattern(&joined[..len], FORM, FORM)?;
    if joined[0] == b'0' {
        return Err(CodeProblem::Character { position: 1, expected: "1 to 9" });
    }
    if let Some(at) = joined.iter().position(|byte| b"SLOIBZ".contains(byte)) {
        return Err(CodeProblem::Character { position: at + 1, expected: "no S, L, O, I, B, Z" });
    }
    Ok(Canonical::of(&joined))
}
