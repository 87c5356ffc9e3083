//! What happened to a patient: one entry of the timeline from one resource.

use fhir::Resource;

use super::code::code_of;
use super::{Measured, day_of, summary_of, time_of};
use crate::parts::icon::Icon;

/// Groups of the timeline, in the order of a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    /// Visits and stays.
    Encounters,
    /// Problems and diagnoses.
    Conditions,
    /// What was done.
    Procedures,
    /// What was ordered or given.
    Medications,
    /// Vaccines.
    Immunizations,
    /// Reports and documents.
    Reports,
    /// What was measured or asked.
    Observations,
    /// Everything else.
    Other,
}

impl Category {
    /// Every group.
    pub const ALL: [Category; 8] = [
        Category::Encounters,
        Category::Conditions,
        Category::Procedures,
        Category::Medications,
        Category::Immunizations,
        Category::Reports,
        Category::Observations,
        Category::Other,
    ];

    /// The group of a resource type.
    pub fn of(kind: fhir::Kind) -> Category {
        match kind.name() {
            "Encounter" | "EpisodeOfCare" | "Appointment" => Category::Encounters,
            "Condition" | "AllergyIntolerance" => Category::Conditions,
            "Procedure" => Category::Procedures,
            "MedicationRequest"
            | "MedicationStatement"
            | "MedicationAdministration"
            | "MedicationDispense" => Category::Medications,
            "Immunization" => Category::Immunizations,
            "DiagnosticReport" | "DocumentReference" | "ImagingStudy" | "Composition" => Category::Reports,
            "Observation" | "QuestionnaireResponse" => Category::Observations,
            _ => Category::Other,
        }
    }

    /// The word on its tab.
    pub fn title(self) -> &'static str {
        match self {
            Category::Encounters => "Encounters",
            Category::Conditions => "Conditions",
            Category::Procedures => "Procedures",
            Category::Medications => "Medications",
            Category::Immunizations => "Immunizations",
            Category::Reports => "Reports",
            Category::Observations => "Observations",
            Category::Other => "Other",
        }
    }

    /// The word in an address and as a class.
    pub fn slug(self) -> &'static str {
        match self {
            Category::Encounters => "encounter",
            Category::Conditions => "condition",
            Category::Procedures => "procedure",
            Category::Medications => "medication",
            Category::Immunizations => "immunization",
            Category::Reports => "report",
            Category::Observations => "observation",
            Category::Other => "other",
        }
    }

    /// The group of a word in an address.
    pub fn parse(slug: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|category| category.slug() == slug)
    }

    pub(crate) fn icon(self) -> Icon {
        match self {
            Category::Encounters => Icon::Visit,
            Category::Conditions => Icon::Pulse,
            Category::Procedures => Icon::Hand,
            Category::Medications => Icon::Pill,
            Category::Immunizations => Icon::Shield,
            Category::Reports => Icon::Document,
            Category::Observations => Icon::Gauge,
            Category::Other => Icon::Dot,
        }
    }
}

/// What an observation's interpretation says of its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flag {
    /// Far outside.
    Critical,
    /// Above its range.
    Above,
    /// Below its range.
    Below,
    /// Outside, without saying where.
    Abnormal,
}

/// One entry of the timeline.
#[derive(Clone)]
pub struct Event {
    /// Its group.
    pub category: Category,
    /// Resource type.
    pub kind: String,
    /// Resource id.
    pub id: String,
    /// The day, month or year as stated; `None` when the record does not say.
    pub day: Option<String>,
    /// Hours and minutes.
    pub time: Option<String>,
    /// What it is.
    pub title: Option<String>,
    /// The value of an observation.
    pub measured: Option<Measured>,
    /// `active`, `finished`.
    pub status: Option<String>,
    /// What its interpretation says.
    pub flag: Option<Flag>,
}

/// The entry of a resource; `None` when it has no id, so that nothing could be opened.
pub fn event_of(resource: &Resource) -> Option<Event> {
    let summary = summary_of(resource);
    // An allergy stands where it was recorded, which is what a search by date looks at; its onset may lie decades before.
    let recorded =
        resource.value().text("recordedDate").filter(|_| resource.kind().name() == "AllergyIntolerance");
    let when = recorded.or(summary.when.as_deref());
    Some(Event {
        category: Category::of(resource.kind()),
        kind: resource.kind().name().to_string(),
        id: resource.id()?.to_string(),
        day: when.map(|when| day_of(when).to_string()),
        time: when.and_then(time_of).map(String::from),
        title: summary.title,
        measured: summary.measured,
        status: summary.status,
        flag: flag_of(resource),
    })
}

/// By the codes of `v3-ObservationInterpretation`.
fn flag_of(resource: &Resource) -> Option<Flag> {
    let concepts = resource.value().get("interpretation")?.each();
    concepts.iter().filter_map(code_of).find_map(|code| match code {
        "HH" | "LL" | "AA" => Some(Flag::Critical),
        "H" | "HU" => Some(Flag::Above),
        "L" | "LU" => Some(Flag::Below),
        "A" => Some(Flag::Abnormal),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::json::Limits;

    #[test]
    fn an_observation_becomes_an_entry() {
        let text = r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"Hemoglobin A1c"},
            "effectiveDateTime":"2024-05-02T08:30:00Z","valueQuantity":{"value":9.1,"unit":"%"},
            "interpretation":[{"coding":[{"code":"H"}]}]}"#;
        let event = event_of(&Resource::parse(text.as_bytes(), &Limits::default()).unwrap()).unwrap();
        assert_eq!((event.category, event.flag), (Category::Observations, Some(Flag::Above)));
        assert_eq!((event.day.as_deref(), event.time.as_deref()), (Some("2024-05-02"), Some("08:30")));
    }

    #[test]
    fn slugs_are_read_back() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.slug()), Some(category));
        }
    }
}
