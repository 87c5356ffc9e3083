//! What a card proposes to do: to take the draft order out that it speaks of. Nothing is chosen, dosed or ordered. Pure.

use fhir::Resource;
use rules::Finding;
use serde_json::{Value, json};
use uuid::Uuid;

/// Topics of rules that compare an order with what the patient has: the order itself is what is wrong.
const TOPICS: [&str; 2] = ["allergy-conflict", "duplicate-therapy"];
/// Characters of what the order is called.
const NAME_CHARS_MAX: usize = 80;

/// A suggestion, as the client gets it.
pub(crate) struct Suggestion {
    pub(crate) uuid: Uuid,
    pub(crate) document: Value,
}

/// The draft order that a finding is about, taken out; `None` when it is about something else, or about an order that is more than a draft.
pub(crate) fn suggestion_of(finding: &Finding, orders: &[Resource], uuid: Uuid) -> Option<Suggestion> {
    // Behind the topic stands the substance.
    let topic = finding.topic.split('/').next().unwrap_or_default();
    if !TOPICS.contains(&topic) {
        return None;
    }
    // The event of an order is named by the order and a number.
    let (reference, _) = finding.opening.rsplit_once('/')?;
    let order = orders.iter().find(|order| order.id().is_some() && order.reference() == reference)?;
    if order.value().text("status") != Some("draft") {
        return None;
    }
    let name = name_of(order);
    let document = json!({
        "label": name.as_ref().map_or("Remove this draft order".to_owned(), |name| format!("Remove the draft order of {name}")),
        "uuid": uuid.to_string(),
        "actions": [{
            "type": "delete",
            "description": format!("Remove the draft order `{reference}`; nothing else is changed"),
            "resourceId": reference,
        }],
    });
    Some(Suggestion { uuid, document })
}

/// The words that the order itself has for its medication.
fn name_of(order: &Resource) -> Option<String> {
    let concept = order.value().get("medicationCodeableConcept")?;
    let coded = || concept.get("coding")?.items().iter().find_map(|coding| coding.text("display"));
    let name = concept.text("text").or_else(coded)?.trim();
    let short: String = name.chars().take(NAME_CHARS_MAX).collect();
    (!short.is_empty()).then(|| if short.len() < name.len() { format!("{short}…") } else { short })
}

#[cfg(test)]
mod tests {
    use rules::{Severity, What};

    use super::*;

    fn order(status: &str, medication: &str) -> Resource {
        let text = format!(
            r#"{{"resourceType":"MedicationRequest","id":"d1","status":"{status}","intent":"order","subject":{{"reference":"Patient/1"}},"medicationCodeableConcept":{medication}}}"#
        );
        Resource::parse(text.as_bytes(), &fhir::json::Limits::default()).unwrap()
    }

    fn check(topic: &str, opening: &str, order: Resource, expected: Option<&str>) {
        let finding = Finding {
            rule: "r".into(),
            version: "1.0.0".into(),
            subject: "Patient/1".into(),
            what: What::Raise(Severity::High),
            at: fhir::Instant(0),
            opening: opening.into(),
            event: None,
            message: "m".into(),
            seen: Vec::new(),
            topic: topic.into(),
            immediate: false,
            respond_within_mins: None,
        };
        let found = suggestion_of(&finding, &[order], Uuid::nil());
        let label = found.as_ref().map(|one| one.document["label"].as_str().unwrap());
        assert_eq!(label, expected, "{topic} {opening}");
        if let Some(found) = found {
            let action = &found.document["actions"][0];
            assert_eq!(
                (&action["type"], &action["resourceId"]),
                (&json!("delete"), &json!("MedicationRequest/d1"))
            );
        }
    }

    #[test]
    fn only_the_draft_that_it_is_about_is_taken_out() {
        let text = r#"{"text":"Amoxicillin"}"#;
        let draft = || order("draft", text);
        let opening = "MedicationRequest/d1/3";
        check("allergy-conflict", opening, draft(), Some("Remove the draft order of Amoxicillin"));
        let coded = r#"{"coding":[{"code":"1"},{"code":"723","display":"Amoxi"}]}"#;
        check(
            "duplicate-therapy/723",
            opening,
            order("draft", coded),
            Some("Remove the draft order of Amoxi"),
        );
        check(
            "duplicate-therapy",
            opening,
            order("draft", r#"{"coding":[]}"#),
            Some("Remove this draft order"),
        );
        check("potassium", opening, draft(), None);
        check("allergy-conflict", "MedicationRequest/d2/3", draft(), None);
        check("allergy-conflict", "d1", draft(), None);
        check("allergy-conflict", opening, order("active", text), None);
    }
}
