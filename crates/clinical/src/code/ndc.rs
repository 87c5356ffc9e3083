//! National Drug Codes: the printed forms with hyphens → the eleven digits of HIPAA transactions.

use super::{Canonical, CodeProblem, raw};

const NDC: &str = "9999-9999-99, 99999-999-99, 99999-9999-9, 99999-9999-99 or 11 digits";

/// Labeler, product and package as eleven digits (5-4-2). In a form of ten digits the short part says where the zero belongs; ten digits
/// without hyphens do not, and are refused. Twelve digits (6-4-2) begin in March 2033 (91 FR 10749) and are refused.
pub fn check_ndc(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, NDC)?;
    if let Some(at) = raw.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'-') {
        return Err(CodeProblem::Character { position: at + 1, expected: NDC });
    }
    let parts: Vec<&[u8]> = raw.split(|byte| *byte == b'-').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    match widths[..] {
        [11] | [5, 4, 2] => {}
        [4, 4, 2] | [5, 3, 2] | [5, 4, 1] => {}
        [10] => return Err(CodeProblem::Ambiguous { advice: "write it with hyphens or with 11 digits" }),
        _ => return Err(CodeProblem::Length { expected: NDC }),
    }
    if parts.len() == 1 {
        return Ok(Canonical::of(parts[0]));
    }
    let mut canonical = Canonical::new();
    for (part, width) in parts.iter().zip([5, 4, 2]) {
        canonical.push(&b"0"[..width - part.len()]);
        canonical.push(part);
    }
    Ok(canonical)
}
