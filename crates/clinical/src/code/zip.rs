//! ZIP codes: five digits, with or without the four behind them.

use super::{Canonical, CodeProblem, check_pattern, raw};

const ZIP: &str = "99999 or 99999-9999";

/// `02138`, `02138-1234` or `021381234`; canonical with the hyphen. Four digits are a ZIP code that lost its zero, and are refused.
pub fn check_zip(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, ZIP)?;
    match raw.len() {
        5 => check_pattern(&raw, "99999", ZIP)?,
        9 => check_pattern(&raw, "999999999", ZIP)?,
        10 => check_pattern(&raw, "99999-9999", ZIP)?,
        _ => return Err(CodeProblem::Length { expected: ZIP }),
    }
    let mut canonical = Canonical::of(&raw[..5]);
    if raw.len() > 5 {
        canonical.push(b"-");
        canonical.push(&raw[raw.len() - 4..]);
    }
    Ok(canonical)
}

/// The first five digits of a ZIP code of either form.
pub fn check_zip5(text: &str) -> Result<Canonical, CodeProblem> {
    check_zip(text).map(|zip| Canonical::of(&zip.as_str().as_bytes()[..5]))
}
