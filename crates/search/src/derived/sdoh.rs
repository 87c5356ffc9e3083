//! The Gravity category of social needs, from category codings of Gravity and from ICD-10 codes Z55 to Z65. A table of codes
//! (`definitions/sdoh.txt`), never a search in texts.

use std::sync::OnceLock;

use compact_str::CompactString;
use fhir::{Resource, Value};

use super::param;
use crate::rows::{IndexRows, TokenRow};

/// The code system of Gravity's categories.
pub const GRAVITY: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
/// The category of US Core that says only that it is about social needs.
pub const US_CORE: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
const ICD_10: [&str; 2] = ["http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10"];
/// A social need of which no category is stated.
const UNSPECIFIED: &str = "sdoh-category-unspecified";

/// A category of Gravity, when the code is one.
pub fn category(code: &str) -> Option<&'static str> {
    table().category(code)
}

/// The category that a code of ICD-10 or ICD-10-CM belongs to.
pub fn category_of(system: &str, code: &str) -> Option<&'static str> {
    if ICD_10.contains(&system) { table().of_icd(code) } else { None }
}

pub(super) fn add(resource: &Resource, rows: &mut IndexRows) {
    let Some(param) = param(resource, "sdoh-category") else { return };
    let mut found: Vec<&'static str> = Vec::new();
    let mut is_social = false;
    let mut note = |category: Option<&'static str>| {
        found.extend(category.filter(|category| !found.contains(category)));
    };
    for name in ["category", "code", "reasonCode"] {
        for concept in resource.value().get(name).map(Value::each).unwrap_or_default() {
            for coding in concept.get("coding").map(Value::each).unwrap_or_default() {
                let (Some(system), Some(code)) = (coding.text("system"), coding.text("code")) else {
                    continue;
                };
                match system {
                    GRAVITY if name == "category" => note(table().category(code)),
                    US_CORE if name == "category" => is_social |= code == "sdoh",
                    _ if ICD_10.contains(&system) => note(table().of_icd(code)),
                    _ => {}
                }
            }
        }
    }
    if found.is_empty() && is_social {
        found.push(UNSPECIFIED);
    }
    rows.tokens.extend(found.into_iter().map(|code| TokenRow {
        param,
        system: Some(CompactString::const_new(GRAVITY)),
        code: Some(CompactString::const_new(code)),
    }));
}

struct Table {
    categories: Vec<&'static str>,
    /// ICD-10 code without dot, and its category.
    codes: Vec<(String, &'static str)>,
}

impl Table {
    fn category(&self, code: &str) -> Option<&'static str> {
        self.categories.iter().copied().find(|category| *category == code)
    }

    /// The category of a code, or of the nearest code above it in ICD-10.
    fn of_icd(&self, code: &str) -> Option<&'static str> {
        let code = code.replace('.', "").to_ascii_uppercase();
        (3..=code.len()).rev().find_map(|end| {
            let above = code.get(..end)?;
            self.codes.iter().find(|(known, _)| known == above).map(|(_, category)| *category)
        })
    }
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table { categories: Vec::new(), codes: Vec::new() };
        for line in include_str!("../../definitions/sdoh.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let Some(category) = words.next() else { continue };
            table.categories.push(category);
            table.codes.extend(words.map(|code| (code.replace('.', ""), category)));
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icd_codes_have_a_category() {
        let check = |code: &str, expected: Option<&str>| assert_eq!(table().of_icd(code), expected, "{code}");
        check("Z59.41", Some("food-insecurity"));
        check("Z5941", Some("food-insecurity"));
        check("Z59.0", Some("homelessness"));
        check("Z59.02", Some("homelessness"));
        check("Z59.811", Some("housing-instability"));
        check("Z59.82", Some("transportation-insecurity"));
        check("Z56.0", Some("employment-status"));
        check("Z63.1", Some(UNSPECIFIED));
        check("Z66", None);
        check("Z5", None);
        check("E11.9", None);
        for family in 55..=65 {
            assert!(table().of_icd(&format!("Z{family}")).is_some(), "Z{family}");
        }
    }
}
