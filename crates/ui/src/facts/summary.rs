//! One line for a resource of any type: what it is, its status, when, and about whom.

use fhir::Resource;

use super::code::code_of;
use super::{Measured, concept_of, measured_of, name_of, when_of};

/// A row of a list.
#[derive(Clone)]
pub struct Summary {
    /// What it is.
    pub title: Option<String>,
    /// Its value, when it is an observation.
    pub measured: Option<Measured>,
    /// `active`, `final`, `finished`.
    pub status: Option<String>,
    /// The date it is about, as stated.
    pub when: Option<String>,
    /// The reference to whom it is about, and the words that came with it.
    pub subject: Option<(String, Option<String>)>,
}

/// Elements that say what a resource is, most telling first.
const TITLES: [&str; 16] = [
    "code",
    "medicationCodeableConcept",
    "vaccineCode",
    "type",
    "serviceType",
    "category",
    "title",
    "description",
    "conclusion",
    "deviceName",
    "valueSet",
    "topic",
    "specialty",
    "scope",
    "class",
    "url",
];

/// The line of a resource.
pub fn summary_of(resource: &Resource) -> Summary {
    let value = resource.value();
    let concept = |name: &&str| value.get(name)?.each().iter().find_map(concept_of);
    let title = match resource.kind().name() {
        "Encounter" => value.get("type").and_then(|types| types.each().iter().find_map(concept_of)),
        "MedicationRequest" | "MedicationAdministration" | "MedicationStatement" | "MedicationDispense" => {
            value
                .get("medicationCodeableConcept")
                .and_then(concept_of)
                .or_else(|| value.get("medicationReference")?.text("display").map(String::from))
        }
        _ => None,
    };
    let status = value.text("status").or_else(|| code_of(value.get("clinicalStatus")?)).map(String::from);
    let subject = ["subject", "patient", "beneficiary", "individual", "for"].into_iter().find_map(|name| {
        let reference = value.get(name)?;
        Some((reference.text("reference")?.to_string(), reference.text("display").map(String::from)))
    });
    Summary {
        title: title.or_else(|| name_of(value)).or_else(|| TITLES.iter().find_map(concept)),
        measured: if resource.kind().name() == "Observation" { measured_of(value) } else { None },
        status,
        when: when_of(value).or_else(|| value.text("birthDate")).map(String::from),
        subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    fn check(text: &str, title: Option<&str>, status: Option<&str>, when: Option<&str>) {
        let summary = summary_of(&Resource::parse(text.as_bytes(), &Limits::default()).unwrap());
        assert_eq!(
            (summary.title.as_deref(), summary.status.as_deref(), summary.when.as_deref()),
            (title, status, when)
        );
    }

    #[test]
    fn each_type_has_a_line() {
        check(
            r#"{"resourceType":"Condition","code":{"text":"Asthma"},"clinicalStatus":{"coding":[{"code":"active"}]},"onsetDateTime":"2019"}"#,
            Some("Asthma"),
            Some("active"),
            Some("2019"),
        );
        check(
            r#"{"resourceType":"MedicationRequest","status":"active","medicationReference":{"display":"Aspirin 81 mg"}}"#,
            Some("Aspirin 81 mg"),
            Some("active"),
            None,
        );
        check(r#"{"resourceType":"Organization","name":"St. Mary"}"#, Some("St. Mary"), None, None);
        check(r#"{"resourceType":"Basic"}"#, None, None, None);
    }
}
