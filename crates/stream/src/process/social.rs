//! Social circumstances: an answer of a screening becomes an Observation, a need a Condition, both with the categories of US Core and Gravity.

use event::{Answer, Event, Need, Refusal, Said, Social, Status, Why};
use fhir::json::Number;
use fhir::{Object, Value, json};
use search::sdoh;

use super::provenance::{coding_of, encounter_of, id_of, meta_of, subject_of};

const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const CONDITION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const US_CORE_CONDITION: &str = "http://hl7.org/fhir/us/core/CodeSystem/condition-category";
const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const VERIFIED: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const INTERPRETATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";

/// Questions of the Hunger Vital Sign, AHC-HRSN and PRAPARE by LOINC code, and the category they ask about.
const QUESTIONS: [(&str, &str); 10] = [
    ("88121-9", "food-insecurity"),
    ("88122-7", "food-insecurity"),
    ("88123-5", "food-insecurity"),
    ("88124-3", "food-insecurity"),
    ("71802-3", "housing-instability"),
    ("96778-6", "inadequate-housing"),
    ("93030-5", "transportation-insecurity"),
    ("96779-4", "utility-insecurity"),
    ("67875-5", "employment-status"),
    ("82589-3", "educational-attainment"),
];

/// Checks what the door of events cannot know: that categories are those of Gravity.
pub(crate) fn check(event: &Event) -> Result<(), Refusal> {
    let Some(Social { answers, needs }) = event.social() else { return Ok(()) };
    let categories = answers.iter().map(|answer| &answer.category);
    for category in categories.chain(needs.iter().map(|need| &need.category)).flatten() {
        if named(category).is_none() {
            let expected = "a category of Gravity such as `food-insecurity` or `housing-instability`";
            return Err(Refusal::at("/data/category", Why::Expected(expected)));
        }
    }
    Ok(())
}

/// A category as it is written: `food_insecurity` is `food-insecurity`.
fn named(category: &str) -> Option<&'static str> {
    sdoh::category(&category.to_lowercase().replace(['_', ' '], "-"))
}

/// Categories: that it is about social needs, and about which, when that is known.
fn categories(own: Value, category: Option<&'static str>) -> Value {
    let social = json!({"coding": [{"system": (sdoh::US_CORE), "code": "sdoh", "display": "SDOH"}]});
    let mut all = vec![own, social];
    if let Some(code) = category {
        all.push(json!({"coding": [{"system": (sdoh::GRAVITY), "code": code}]}));
    }
    all.into()
}

fn category_of_answer(answer: &Answer) -> Option<&'static str> {
    let asked = || {
        let of = QUESTIONS
            .iter()
            .find(|(code, _)| answer.question.system == LOINC && *code == answer.question.code);
        of.map(|(_, category)| *category)
    };
    answer.category.as_deref().and_then(named).or_else(asked)
}

fn category_of_need(need: &Need) -> Option<&'static str> {
    let coded = || need.codes.iter().find_map(|code| sdoh::category_of(&code.system, &code.code));
    need.category.as_deref().and_then(named).or_else(coded)
}

/// The Observation of an answer, with its identifier.
pub(crate) fn observation(
    tenant: &str,
    event: &Event,
    index: usize,
    answer: &Answer,
    is_poor: bool,
) -> (String, String) {
    let of = answer.result.as_deref().map(|result| ("result", result));
    let id = id_of(tenant, event, of, &format!("answer\0{}", place(of, index)));
    let mut object = Object::new();
    object.insert("resourceType", "Observation".into());
    object.insert("id", id.clone().into());
    object.insert("meta", meta_of(event, is_poor));
    let status = match answer.status {
        Status::Preliminary => "preliminary",
        Status::Final => "final",
        Status::Corrected => "corrected",
        Status::Cancelled => "cancelled",
        Status::EnteredInError => "entered-in-error",
    };
    object.insert("status", status.into());
    let survey = json!({"coding": [{"system": OBSERVATION_CATEGORY, "code": "survey"}]});
    object.insert("category", categories(survey, category_of_answer(answer)));
    object.insert("code", json!({"coding": [(coding_of(&answer.question))]}));
    object.insert("subject", subject_of(event.patient.as_deref().unwrap_or_default()));
    if let Some(encounter) = encounter_of(event) {
        object.insert("encounter", encounter);
    }
    object.insert("effectiveDateTime", event.at.to_rfc3339_millis().into());
    object.insert("issued", event.received_at.to_rfc3339_millis().into());
    add_said(&mut object, &answer.said);
    if let Some(positive) = answer.positive {
        let code = if positive { "POS" } else { "NEG" };
        object.insert("interpretation", json!([{"coding": [{"system": INTERPRETATION, "code": code}]}]));
    }
    (id, Value::from(object).to_text())
}

fn add_said(object: &mut Object, said: &Said) {
    match said {
        Said::Coded(coding) => {
            object.insert("valueCodeableConcept", json!({"coding": [(coding_of(coding))]}))
        }
        Said::Text(text) => object.insert("valueString", text.as_str().into()),
        Said::Truth(truth) => object.insert("valueBoolean", (*truth).into()),
        Said::Absent(reason) => object.insert("dataAbsentReason", json!({"text": (reason.as_str())})),
        Said::Number(number, unit) => {
            let mut quantity = Object::new();
            if let Some(number) = Number::parse(number) {
                quantity.insert("value", number.into());
            }
            if let Some(unit) = unit {
                quantity.insert("unit", unit.as_str().into());
                quantity.insert("system", UCUM.into());
                quantity.insert("code", unit.as_str().into());
            }
            object.insert("valueQuantity", quantity.into())
        }
    };
}

/// The Condition of a need, with its identifier.
pub(crate) fn condition(
    tenant: &str,
    event: &Event,
    index: usize,
    need: &Need,
    is_poor: bool,
) -> (String, String) {
    let of = need.result.as_deref().map(|result| ("result", result));
    let id = id_of(tenant, event, of, &format!("need\0{}", place(of, index)));
    let mut object = Object::new();
    object.insert("resourceType", "Condition".into());
    object.insert("id", id.clone().into());
    object.insert("meta", meta_of(event, is_poor));
    let verified = need.verified.as_deref();
    // What was entered in error has no clinical status (con-5).
    if verified != Some("entered-in-error") {
        object.insert(
            "clinicalStatus",
            json!({"coding": [{"system": CLINICAL, "code": (need.state.as_str())}]}),
        );
    }
    if let Some(code) = verified {
        object.insert("verificationStatus", json!({"coding": [{"system": VERIFIED, "code": code}]}));
    }
    // What a person has confirmed stands on the list of problems; what only a screening says is a concern.
    let own = match verified {
        Some("confirmed") => json!({"coding": [{"system": CONDITION_CATEGORY, "code": "problem-list-item"}]}),
        _ => json!({"coding": [{"system": US_CORE_CONDITION, "code": "health-concern"}]}),
    };
    object.insert("category", categories(own, category_of_need(need)));
    let mut code = Object::new();
    code.insert("coding", need.codes.iter().map(coding_of).collect::<Vec<Value>>().into());
    if let Some(text) = &need.text {
        code.insert("text", text.as_str().into());
    }
    object.insert("code", code.into());
    object.insert("subject", subject_of(event.patient.as_deref().unwrap_or_default()));
    if let Some(encounter) = encounter_of(event) {
        object.insert("encounter", encounter);
    }
    for (name, date) in [("onsetDateTime", &need.since), ("abatementDateTime", &need.until)] {
        // An abatement beside an active state contradicts it (con-4): the state holds.
        let is_over = matches!(need.state.as_str(), "inactive" | "remission" | "resolved");
        if let Some(date) = date.as_deref().filter(|_| name == "onsetDateTime" || is_over) {
            object.insert(name, date.into());
        }
    }
    object.insert("recordedDate", event.at.to_rfc3339_millis().into());
    (id, Value::from(object).to_text())
}

/// Which of several in one event; an identifier of the sender's own needs no place.
fn place(of: Option<(&str, &str)>, index: usize) -> String {
    if of.is_some() { String::new() } else { index.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Sources;

    fn event(id: &str, data: &str) -> Event {
        let text = format!(
            r#"{{"id":"{id}","kind":"social_determinants","patient":"Patient/42","at":"2026-11-25T08:00:00Z","source":"screen","data":{data}}}"#
        );
        let now = fhir::Instant::parse("2026-11-25T08:00:01Z").unwrap();
        Event::parse(text.as_bytes(), &Sources::default(), now).unwrap()
    }

    fn made(event: &Event) -> Vec<(String, String)> {
        let social = event.social().unwrap();
        let answers =
            social.answers.iter().enumerate().map(|(n, one)| observation("main", event, n, one, false));
        let needs = social.needs.iter().enumerate().map(|(n, one)| condition("main", event, n, one, false));
        answers.chain(needs).collect()
    }

    #[test]
    fn answers_and_needs_are_valid_and_have_a_category() {
        let event = event(
            "s1",
            r#"{"answers":[{"question":"88122-7","answer":"LA28397-0","positive":true},
                {"question":"93038-8","answer":"Not at all","category":"stress"},{"question":"63512-8","answer":4,"unit":"{persons}"}],
                "needs":[{"code":["Z59.41","733423003"],"verified":"confirmed","since":"2026-11"},
                {"code":"Z60.2","status":"resolved","until":"2026-11-20"},{"code":"Z59.1","verified":"entered-in-error"}]}"#,
        );
        let expected = [
            "food-insecurity",
            "\"stress\"",
            "us-core-category",
            "food-insecurity",
            "social-connection",
            "inadequate-housing",
        ];
        let made = made(&event);
        assert_eq!(made.len(), expected.len());
        for ((_, text), category) in made.iter().zip(expected) {
            let resource = super::super::observe::parsed(text).unwrap();
            assert_eq!(validate::check(&resource, validate::Level::Full), [], "{text}");
            assert!(text.contains(category) && text.contains(r#""code":"sdoh""#), "{category} {text}");
        }
        let ids: std::collections::BTreeSet<&String> = made.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), made.len());
    }

    #[test]
    fn a_need_that_ends_is_the_same_condition() {
        let before = made(&event("a", r#"{"need":"Z59.41","result":"N1"}"#)).remove(0);
        let after = made(&event("b", r#"{"need":"Z59.41","result":"N1","status":"resolved"}"#)).remove(0);
        assert_eq!(before.0, after.0);
        assert!(after.1.contains(r#""code":"resolved""#));
    }

    #[test]
    fn an_unknown_category_is_refused() {
        let of =
            |category: &str| check(&event("c", &format!(r#"{{"need":"Z59.41","category":"{category}"}}"#)));
        assert_eq!(of("Food_Insecurity"), Ok(()));
        assert_eq!(of("poverty").unwrap_err().to_string().split(':').next(), Some("`/data/category`"));
    }
}
