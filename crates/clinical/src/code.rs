//! Formats and check digits of medical and administrative codes: text → canonical form, or what is wrong with it. Holds no code lists.
//!
//! Blanks around a code are dropped and letters are raised; digits are never invented: `5` is not `00005`, and a ZIP code of four digits is
//! wrong. A code that passes is well-formed; whether it exists, and on which day, is for the tables of its publisher to say.

mod check_digit;
mod icd;
mod identifier;
mod ndc;
mod procedure;
mod terminology;
mod zip;

use std::fmt;

pub use icd::{
    DiagnosisSystem, check_diagnosis, check_icd9cm, check_icd9cm_procedure, check_icd10cm, check_icd10pcs,
    diagnosis_system_on,
};
pub use identifier::{check_mbi, check_npi, check_ssn};
pub use ndc::check_ndc;
pub use procedure::{CptKind, check_cpt, check_hcpcs, check_modifier, cpt_kind_of};
pub use terminology::{check_loinc, check_snomed};
pub use zip::{Zip3List, check_zip, check_zip5, safe_harbor_zip3};

/// Longest canonical form: a SNOMED CT identifier has 18 digits.
const CHARS_MAX: usize = 20;

/// A well-formed code in its canonical form; no heap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical {
    bytes: [u8; CHARS_MAX],
    len: u8,
}

impl Canonical {
    /// The canonical form.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("only ASCII is pushed")
    }

    fn new() -> Canonical {
        Canonical { bytes: [0; CHARS_MAX], len: 0 }
    }

    /// Of ASCII bytes, at most 20.
    fn of(bytes: &[u8]) -> Canonical {
        let mut canonical = Canonical::new();
        canonical.push(bytes);
        canonical
    }

    fn push(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.is_ascii(), "callers check each byte");
        let start = usize::from(self.len);
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.len = u8::try_from(start + bytes.len()).expect("at most 20 bytes");
    }
}

impl fmt::Display for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A code may be an identifier of a person and does not print.
impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canonical({} characters)", self.len)
    }
}

/// What is wrong with a code; never shows the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeProblem {
    /// Nothing but blanks.
    #[error("the code is empty")]
    Empty,
    /// Too short or too long.
    #[error("the code has the wrong length; `{expected}` is expected")]
    Length {
        /// The form that is expected.
        expected: &'static str,
    },
    /// A character that cannot stand there.
    #[error("character {position} cannot stand there; `{expected}` is expected")]
    Character {
        /// Counted from 1, without the blanks around the code and without its point or hyphens.
        position: usize,
        /// The form that is expected.
        expected: &'static str,
    },
    /// The check digit does not follow from the other digits: a typing error.
    #[error("the check digit is wrong")]
    CheckDigit,
    /// A number that its publisher never gives out.
    #[error("the number is never given out: {why}")]
    NeverIssued {
        /// The rule.
        why: &'static str,
    },
    /// Several readings are possible.
    #[error("the code has more than one reading; {advice}")]
    Ambiguous {
        /// What tells the readings apart.
        advice: &'static str,
    },
    /// The code system was not in use on the stated day.
    #[error("the code system was not in use on that day; {advice}")]
    NotInUse {
        /// The system that was.
        advice: &'static str,
    },
}

/// At most 20 upper-case bytes without the blanks around them.
struct Raw {
    bytes: [u8; CHARS_MAX],
    len: usize,
}

impl std::ops::Deref for Raw {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The bytes of a code, upper-case, or the problem that it is empty or longer than any code.
fn raw(text: &str, expected: &'static str) -> Result<Raw, CodeProblem> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(CodeProblem::Empty);
    }
    if text.len() > CHARS_MAX {
        return Err(CodeProblem::Length { expected });
    }
    let mut raw = Raw { bytes: [0; CHARS_MAX], len: text.len() };
    raw.bytes[..text.len()].copy_from_slice(text.as_bytes());
    raw.bytes.make_ascii_uppercase();
    Ok(raw)
}

/// Are all bytes as the pattern says (`expected` is what people read): `9` digit, `A` letter, `X` letter or digit, anything else itself.
fn check_pattern(bytes: &[u8], pattern: &str, expected: &'static str) -> Result<(), CodeProblem> {
    for (at, (byte, class)) in bytes.iter().zip(pattern.bytes()).enumerate() {
        let fits = match class {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            b'X' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            other => *byte == other,
        };
        if !fits {
            return Err(CodeProblem::Character { position: at + 1, expected });
        }
    }
    if bytes.len() == pattern.len() { Ok(()) } else { Err(CodeProblem::Length { expected }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Check = fn(&str) -> Result<Canonical, CodeProblem>;

    const CHECKS: [(&str, Check); 14] = [
        ("icd10cm", check_icd10cm),
        ("icd10pcs", check_icd10pcs),
        ("icd9cm-procedure", check_icd9cm_procedure),
        ("cpt", check_cpt),
        ("hcpcs", check_hcpcs),
        ("modifier", check_modifier),
        ("loinc", check_loinc),
        ("snomed", check_snomed),
        ("npi", check_npi),
        ("ndc", check_ndc),
        ("zip", check_zip),
        ("zip5", check_zip5),
        ("ssn", check_ssn),
        ("mbi", check_mbi),
    ];

    /// `icd10cm E11.65` → `E11.65`; `icd9cm 2015-09-30 250.00` reads on that day.
    fn answer(input: &str) -> String {
        let line = |line: &str| {
            let (check, text) = line.split_once(' ').unwrap_or((line, ""));
            let dated = |check: fn(&str, crate::age::Day) -> Result<Canonical, CodeProblem>| {
                let (day, text) = text.split_once(' ').expect("a day and a code");
                check(text, crate::age::parse_day(day).expect("a day"))
            };
            let found = match check {
                "icd9cm" => dated(check_icd9cm),
                "diagnosis" => dated(|text, on| check_diagnosis(text, on).map(|(_, code)| code)),
                _ => CHECKS.iter().find(|(name, _)| *name == check).expect("a check").1(text),
            };
            match found {
                Ok(canonical) => canonical.to_string(),
                Err(problem) => format!("problem: {problem}"),
            }
        };
        input.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn golden_cases() {
        assert!(testkit::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/code"), answer) > 10);
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer_and_a_canonical_form_is_its_own(text in "\\PC{0,25}|[0-9A-Z.-]{1,12}") {
            for (name, check) in CHECKS {
                if let Ok(canonical) = check(&text) {
                    prop_assert_eq!(check(canonical.as_str()), Ok(canonical), "{}", name);
                }
            }
        }
    }

    #[test]
    fn a_code_does_not_print() {
        assert_eq!(format!("{:?}", check_icd10cm("E11.65").unwrap()), "Canonical(6 characters)");
    }
}
