//! A patient's demographics. Each is `None` when the record does not say it.

use fhir::Value;

use super::{concept_of, name_of};

const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";

/// Who somebody is, as their record says.
#[derive(Clone, Default)]
pub struct Person {
    /// `Family, Given`.
    pub name: Option<String>,
    /// Administrative sex: `female`, `male`, `other`, `unknown`.
    pub sex: Option<String>,
    /// Birth date in the precision it was stated.
    pub born: Option<String>,
    /// `Some` when they have died: the date, or `None` inside when only the fact is known.
    pub died: Option<Option<String>>,
    /// Label and value of each identifier.
    pub identifiers: Vec<(String, String)>,
    /// Place they live in.
    pub region: Option<String>,
    /// Race by the US Core extension.
    pub race: Option<String>,
    /// Ethnicity by the US Core extension.
    pub ethnicity: Option<String>,
    /// Preferred language, else the first.
    pub language: Option<String>,
    /// Marital status.
    pub marital: Option<String>,
}

/// Demographics of a Patient.
pub fn person_of(patient: &Value) -> Person {
    let languages = || patient.get("communication").map_or(&[][..], Value::each).iter();
    let preferred = languages().find(|l| l.get("preferred").and_then(Value::as_bool) == Some(true));
    Person {
        name: name_of(patient),
        sex: patient.text("gender").map(String::from),
        born: patient.text("birthDate").map(String::from),
        died: died_of(patient),
        identifiers: identifiers_of(patient),
        region: region_of(patient),
        race: us_core(patient, "us-core-race"),
        ethnicity: us_core(patient, "us-core-ethnicity"),
        language: preferred
            .or_else(|| languages().next())
            .and_then(|l| l.get("language"))
            .and_then(concept_of),
        marital: patient.get("maritalStatus").and_then(concept_of),
    }
}

fn died_of(patient: &Value) -> Option<Option<String>> {
    if let Some(date) = patient.text("deceasedDateTime") {
        return Some(Some(date.split('T').next().unwrap_or(date).to_string()));
    }
    (patient.get("deceasedBoolean").and_then(Value::as_bool) == Some(true)).then_some(None)
}

/// City, county, state and postal code of the home that still holds.
pub fn region_of(patient: &Value) -> Option<String> {
    let rank = |address: &&Value| match address.text("use") {
        Some("home") => 0,
        None => 1,
        Some("old") => 3,
        Some(_) => 2,
    };
    let best = patient.get("address")?.each().iter().min_by_key(rank)?;
    let state =
        [best.text("state"), best.text("postalCode")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parts = [best.text("city"), best.text("district"), Some(state.as_str())];
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { best.text("text").map(String::from) } else { Some(parts.join(", ")) }
}

fn identifiers_of(patient: &Value) -> Vec<(String, String)> {
    let identifiers = patient.get("identifier").map_or(&[][..], Value::each).iter();
    identifiers
        .filter_map(|identifier| {
            let value = identifier.text("value")?.to_string();
            let label = identifier.get("type").and_then(concept_of);
            let system = || identifier.text("system").map(short_system);
            Some((label.or_else(system).unwrap_or_else(|| "identifier".into()), value))
        })
        .collect()
}

/// The last part of a system's address, for people.
fn short_system(system: &str) -> String {
    system.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(system).to_string()
}

/// The text of a race or ethnicity extension, or the displays of its categories.
fn us_core(patient: &Value, name: &str) -> Option<String> {
    let is =
        |extension: &&Value| extension.text("url").and_then(|url| url.strip_prefix(US_CORE)) == Some(name);
    let extension = patient.get("extension")?.each().iter().find(is)?;
    let parts = || extension.get("extension").map_or(&[][..], Value::each).iter();
    let text =
        parts().find(|part| part.text("url") == Some("text")).and_then(|part| part.text("valueString"));
    if let Some(text) = text {
        return Some(text.to_string());
    }
    let categories: Vec<String> = parts()
        .filter(|part| part.text("url") == Some("ombCategory"))
        .filter_map(|part| part.get("valueCoding").and_then(concept_of))
        .collect();
    if categories.is_empty() { None } else { Some(categories.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json;

    #[test]
    fn what_is_said_is_taken_and_what_is_not_stays_open() {
        let patient = json!({
            "resourceType": "Patient",
            "extension": [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [
                {"url": "ombCategory", "valueCoding": {"code": "2106-3", "display": "White"}},
                {"url": "ombCategory", "valueCoding": {"code": "2028-9", "display": "Asian"}}]}],
            "identifier": [{"system": "http://hospital.example/mrn", "value": "7"}, {"system": "urn:x"}],
            "address": [{"use": "old", "city": "Elsewhere"}, {"use": "home", "city": "Salem", "state": "MA", "postalCode": "01970"}],
            "deceasedBoolean": true
        });
        let person = person_of(&patient);
        assert_eq!(person.race.as_deref(), Some("White, Asian"));
        assert_eq!(person.identifiers, [("mrn".to_string(), "7".to_string())]);
        assert_eq!(person.region.as_deref(), Some("Salem, MA 01970"));
        assert_eq!(person.died, Some(None));
        assert_eq!((person.name, person.born, person.ethnicity, person.sex), (None, None, None, None));
    }
}
