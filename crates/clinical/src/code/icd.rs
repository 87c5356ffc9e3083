//! ICD-10-CM, ICD-10-PCS and ICD-9-CM: formats, and which of them the United States used on a day.
//!
//! Formats only: which codes are billable on a day is in the yearly CMS/NCHS tables (from 1 October, some changes from 1 April).

use super::{Canonical, CodeProblem, check_pattern, raw};
use crate::age::Day;

const ICD10CM: &str = "A9X.XXXX";
const ICD10PCS: &str = "7 of 0-9, A-H, J-N, P-Z";
const ICD9CM: &str = "999.99, V99.99 or E999.9";
const ICD9CM_PROCEDURE: &str = "99.99";

/// First day of ICD-10-CM and ICD-10-PCS in the United States (45 CFR 162.1002).
const ICD10_FROM: Day = Day::of(2015, 10, 1).expect("a day of the calendar");

/// A code system for diagnoses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiagnosisSystem {
    /// `http://hl7.org/fhir/sid/icd-9-cm`.
    Icd9Cm,
    /// `http://hl7.org/fhir/sid/icd-10-cm`.
    Icd10Cm,
}

/// The system that diagnoses of a service or discharge on this day are coded in.
pub fn diagnosis_system_on(day: Day) -> DiagnosisSystem {
    if day < ICD10_FROM { DiagnosisSystem::Icd9Cm } else { DiagnosisSystem::Icd10Cm }
}

/// The digits before and behind the point at `at`; a point elsewhere stays in the parts and fails there.
fn split(bytes: &[u8], at: usize, expected: &'static str) -> Result<([u8; 8], usize), CodeProblem> {
    let mut joined = [0; 8];
    let mut len = 0;
    for (position, byte) in bytes.iter().enumerate() {
        if *byte == b'.' && position == at && bytes.len() > at + 1 {
            continue;
        }
        let place = joined.get_mut(len).ok_or(CodeProblem::Length { expected })?;
        *place = *byte;
        len += 1;
    }
    Ok((joined, len))
}

fn dotted(bytes: &[u8], at: usize) -> Canonical {
    let mut canonical = Canonical::of(&bytes[..bytes.len().min(at)]);
    if bytes.len() > at {
        canonical.push(b".");
        canonical.push(&bytes[at..]);
    }
    canonical
}

/// A letter, a digit, a digit or `A` or `B`, and behind an optional point up to four letters or digits; canonical with the point (`E1165` → `E11.65`).
/// Of two letters only `QA` begins a code (`QA0.0101`, since October 2025).
pub fn check_icd10cm(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, ICD10CM)?;
    let (joined, len) = split(&raw, 3, ICD10CM)?;
    let bytes = &joined[..len];
    if !(3..=7).contains(&len) {
        return Err(CodeProblem::Length { expected: ICD10CM });
    }
    check_pattern(bytes, &"AXXXXXX"[..len], ICD10CM)?;
    if !bytes[1].is_ascii_digit() && !bytes.starts_with(b"QA") {
        return Err(CodeProblem::Character { position: 2, expected: ICD10CM });
    }
    if bytes[2].is_ascii_uppercase() && !matches!(bytes[2], b'A' | b'B') {
        return Err(CodeProblem::Character { position: 3, expected: ICD10CM });
    }
    Ok(dotted(bytes, 3))
}

/// Seven digits or letters without `I` and `O`.
pub fn check_icd10pcs(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, ICD10PCS)?;
    let wrong =
        |byte: &u8| !(byte.is_ascii_digit() || byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'O'));
    if let Some(at) = raw.iter().position(wrong) {
        return Err(CodeProblem::Character { position: at + 1, expected: ICD10PCS });
    }
    if raw.len() == 7 { Ok(Canonical::of(&raw)) } else { Err(CodeProblem::Length { expected: ICD10PCS }) }
}

/// A diagnosis of a day before 1 October 2015: `250.00`, `V45.01`, `E850.0`; canonical with the point.
pub fn check_icd9cm(text: &str, on: Day) -> Result<Canonical, CodeProblem> {
    if on >= ICD10_FROM {
        return Err(CodeProblem::NotInUse { advice: "use ICD-10-CM from 2015-10-01" });
    }
    let raw = raw(text, ICD9CM)?;
    let (point, patterns): (usize, [&'static str; 3]) = match raw[0] {
        b'E' => (4, ["E999", "E9999", "E9999"]),
        b'V' => (3, ["V99", "V999", "V9999"]),
        _ => (3, ["999", "9999", "99999"]),
    };
    let (joined, len) = split(&raw, point, ICD9CM)?;
    let pattern = len.checked_sub(point).and_then(|behind| patterns.get(behind));
    check_pattern(&joined[..len], pattern.ok_or(CodeProblem::Length { expected: ICD9CM })?, ICD9CM)?;
    Ok(dotted(&joined[..len], point))
}

/// A procedure of ICD-9-CM volume 3: `99.04`; canonical with the point.
pub fn check_icd9cm_procedure(text: &str) -> Result<Canonical, CodeProblem> {
    let raw = raw(text, ICD9CM_PROCEDURE)?;
    let (joined, len) = split(&raw, 2, ICD9CM_PROCEDURE)?;
    let pattern = len.checked_sub(2).and_then(|behind| ["99", "999", "9999"].get(behind));
    check_pattern(
        &joined[..len],
        pattern.ok_or(CodeProblem::Length { expected: ICD9CM_PROCEDURE })?,
        ICD9CM_PROCEDURE,
    )?;
    Ok(dotted(&joined[..len], 2))
}

/// A diagnosis in the system of its day. `V10.1` is a personal history before October 2015 and a motorcycle accident after.
pub fn check_diagnosis(text: &str, on: Day) -> Result<(DiagnosisSystem, Canonical), CodeProblem> {
    let system = diagnosis_system_on(on);
    let code = match system {
        DiagnosisSystem::Icd9Cm => check_icd9cm(text, on)?,
        DiagnosisSystem::Icd10Cm => check_icd10cm(text)?,
    };
    Ok((system, code))
}
