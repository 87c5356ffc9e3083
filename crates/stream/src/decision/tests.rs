//! Requests as the specification shows them, and as it does not; cards by the shipped rules.

use fhir::json::{Limits, parse};

use super::request::Asked;
use super::*;

fn asked(service: &str, text: &str) -> Result<Asked, DecisionError> {
    let body = parse(text.as_bytes(), &Limits::default()).expect("the text is JSON");
    Asked::parse(&body, service_named(service).expect("there is such a service"))
}

const HEAD: &str = r#""hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea","fhirServer":"http://h""#;

fn view(context: &str, more: &str) -> String {
    format!(r#"{{"hook":"patient-view",{HEAD},"context":{context}{more}}}"#)
}

#[test]
fn a_request_is_read() {
    let context = r#"{"userId":"Practitioner/abc","patientId":"1288992","encounterId":"456"}"#;
    let prefetch =
        r#","prefetch":{"patient":{"resourceType":"Patient","id":"1288992"},"vitals":null,"other":17}"#;
    let found = asked("salus-patient-view", &view(context, prefetch)).unwrap();
    assert_eq!((found.patient.as_str(), found.encounter.as_deref()), ("1288992", Some("456")));
    assert_eq!(found.prefetched("patient").map(<[Resource]>::len), Some(1));
    assert_eq!(found.prefetched("vitals").map(<[Resource]>::len), Some(0));
    assert!(found.prefetched("labs").is_none() && found.prefetched("other").is_none());
    assert_eq!(found.user, "Practitioner/abc");
}

#[test]
fn a_failed_prefetch_is_as_if_it_was_not_sent() {
    let context = r#"{"userId":"Practitioner/abc","patientId":"1"}"#;
    let prefetch = r#","prefetch":{"labs":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"timeout"}]}}"#;
    assert!(asked("salus-patient-view", &view(context, prefetch)).unwrap().prefetched("labs").is_none());
}

#[test]
fn what_is_wrong_in_a_request_is_named() {
    let check = |text: String, expected: &str| {
        let error = asked("salus-patient-view", &text).err().expect("it is refused").to_string();
        assert!(error.contains(expected), "{error}\n{text}");
    };
    check("{}".into(), "`hook` is missing");
    check(r#"{"hook":"order-sign"}"#.into(), "answers `patient-view`");
    check(r#"{"hook":"patient-view","hookInstance":"1"}"#.into(), "`hookInstance` is not a UUID");
    check(format!(r#"{{"hook":"patient-view",{HEAD}}}"#), "`context` is missing");
    check(view(r#"{"userId":"abc","patientId":"1"}"#, ""), "`context.userId` must be");
    check(view(r#"{"userId":"Device/1","patientId":"1"}"#, ""), "`context.userId` must be");
    check(view(r#"{"userId":"Practitioner/1"}"#, ""), "`context.patientId` is missing");
    check(view(r#"{"userId":"Practitioner/1","patientId":"a b"}"#, ""), "`context.patientId` is missing");
    check(
        view(r#"{"userId":"Practitioner/1","patientId":"1"}"#, r#","prefetch":[]"#),
        "`prefetch` is not an object",
    );
    check(
        view(r#"{"userId":"Practitioner/1","patientId":"1"}"#, r#","prefetch":{"labs":{"id":"x"}}"#),
        "`prefetch.labs` holds something that is no resource",
    );
}

#[test]
fn only_selected_orders_are_looked_at() {
    let orders = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"MedicationRequest","id":"a","status":"draft","intent":"order","subject":{"reference":"Patient/1"},"medicationCodeableConcept":{"text":"x"}}},
        {"resource":{"resourceType":"MedicationRequest","id":"b","status":"draft","intent":"order","subject":{"reference":"Patient/1"},"medicationCodeableConcept":{"text":"y"}}}]}"#;
    let context = |selections: &str| {
        format!(
            r#"{{"hook":"order-select",{HEAD},"context":{{"userId":"Practitioner/1","patientId":"1","selections":{selections},"draftOrders":{orders}}}}}"#
        )
    };
    let found = asked("salus-order-select", &context(r#"["MedicationRequest/b"]"#)).unwrap();
    assert_eq!(found.orders.iter().map(Resource::reference).collect::<Vec<_>>(), ["MedicationRequest/b"]);
    let unknown =
        asked("salus-order-select", &context(r#"["MedicationRequest/c"]"#)).err().unwrap().to_string();
    assert!(unknown.contains("names `MedicationRequest/c`"), "{unknown}");
    let none = asked("salus-order-select", &context("7")).err().unwrap().to_string();
    assert!(none.contains("`context.selections` is missing"), "{none}");
}

/// The documents of a page of the specification: what stands between fences.
fn fenced(page: &str) -> Vec<Value> {
    let blocks = page.split("```").skip(1).step_by(2);
    let texts = blocks.filter_map(|block| block.strip_prefix("json"));
    texts.filter_map(|text| parse(text.as_bytes(), &Limits::default()).ok()).collect()
}

#[test]
fn the_examples_of_the_specification_are_understood() {
    let Some(folder) = testkit::shared_data("cds-hooks-samples.tar.zst") else { return };
    let page = |name: &str| {
        let path = folder.join("cds-hooks/docs/hooks").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut n_read = 0;
    for (service, hook, page) in [
        ("salus-order-select", "order-select", page("order-select.md")),
        ("salus-order-sign", "order-sign", page("order-sign.md")),
    ] {
        for example in fenced(&page) {
            let Some(context) = example.get("context") else { continue };
            // The pages also show STU3 and DSTU2, which have other types.
            if !context.to_text().contains("MedicationRequest") {
                continue;
            }
            let text = format!(r#"{{"hook":"{hook}",{HEAD},"context":{}}}"#, context.to_text());
            match asked(service, &text) {
                Ok(found) => {
                    n_read += 1;
                    assert_eq!(found.patient, "1288992");
                    assert!(found.orders.iter().all(|order| order.kind().name() == "MedicationRequest"));
                }
                Err(error) => panic!("{hook}: {error}"),
            }
        }
    }
    assert!(n_read >= 2, "{n_read} examples");
}

#[test]
fn discovery_has_what_is_required() {
    let document = discovery();
    let services = document["services"].as_array().unwrap();
    assert_eq!(services.len(), 3);
    for service in services {
        for name in ["hook", "description", "id", "title"] {
            assert!(service[name].is_string(), "{name}");
        }
        for template in service["prefetch"].as_object().unwrap().values() {
            let template = template.as_str().unwrap();
            assert!(template.contains("{{context.patientId}}"), "{template}");
        }
    }
}

/// What the specification demands of a card; says the first thing that is wrong.
fn shape_of(card: &serde_json::Value) -> Result<(), String> {
    let text = |value: &serde_json::Value, name: &str| {
        value[name].as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is no text in {value}"))
    };
    let list = |value: &serde_json::Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let one_of = |value: String, known: &[&str]| {
        if known.contains(&value.as_str()) { Ok(()) } else { Err(format!("`{value}` is none of {known:?}")) }
    };
    if text(card, "summary")?.chars().count() >= 140 {
        return Err("the summary is too long".into());
    }
    one_of(text(card, "indicator")?, &["info", "warning", "critical"])?;
    text(&card["source"], "label")?;
    let suggestions = list(card, "suggestions");
    if !suggestions.is_empty() {
        one_of(text(card, "selectionBehavior")?, &["at-most-one", "any"])?;
    }
    for suggestion in suggestions {
        text(&suggestion, "label")?;
        for action in list(&suggestion, "actions") {
            let kind = text(&action, "type")?;
            text(&action, "description")?;
            match kind.as_str() {
                "delete" if !text(&action, "resourceId")?.contains('/') => {
                    return Err("`resourceId` is no relative reference".into());
                }
                "delete" => {}
                "create" | "update" if action["resource"].is_object() => {}
                _ => return Err(format!("an action `{kind}` without its resource")),
            }
        }
    }
    for link in list(card, "links") {
        text(&link, "label")?;
        one_of(text(&link, "type")?, &["absolute", "smart"])?;
        if !text(&link, "url")?.starts_with("https://") {
            return Err(format!("the link {link} is not absolute"));
        }
    }
    list(card, "overrideReasons").iter().try_for_each(|reason| text(reason, "display").map(drop))
}

/// Cards of orders that conflict, and those that the specification shows, are of one shape.
#[test]
fn cards_have_the_shape_of_the_specification() {
    let draft = r#"{"resourceType":"MedicationRequest","id":"d1","status":"draft","intent":"order","subject":{"reference":"Patient/1"},
        "medicationCodeableConcept":{"text":"Amoxicillin","coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"723"}]}}"#;
    let request = format!(
        r#"{{"hook":"order-sign",{HEAD},"context":{{"userId":"Practitioner/1","patientId":"1","draftOrders":{draft}}}}}"#
    );
    let asked = asked("salus-order-sign", &request).unwrap();
    let subject = rules::Subject { medications: vec!["723".into()], ..rules::Subject::default() };
    let known = Known { subject, observations: Vec::new() };
    let findings = judged(&RuleSet::shipped(), &known, &asked, Instant(1_700_000_000_000_000)).unwrap();
    let cards = cards_of(&findings, Hook::OrderSign, &Leads::default(), &asked.orders);
    let ours: Vec<&serde_json::Value> = cards.iter().map(|card| &card.document).collect();
    assert_eq!(ours[0]["suggestions"][0]["actions"][0]["resourceId"], "MedicationRequest/d1");
    for card in &ours {
        assert_eq!(shape_of(card), Ok(()), "{card}");
    }
    let Some(folder) = testkit::shared_data("cds-hooks-samples.tar.zst") else { return };
    let (mut n_cards, mut n_actions) = (0, 0);
    let path = folder.join("cds-hooks/docs/specification/current.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for block in page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("json")) {
        let Ok(example) = serde_json::from_str::<serde_json::Value>(block) else { continue };
        // One that shows links alone is not whole.
        let whole =
            example["cards"].as_array().into_iter().flatten().filter(|card| card["indicator"].is_string());
        for card in whole {
            assert_eq!(shape_of(card), Ok(()), "{card}");
            n_cards += 1;
        }
        // An action that removes something is of the shape of ours.
        if example["type"] == "delete" {
            let names = |action: &serde_json::Value| {
                action.as_object().unwrap().keys().cloned().collect::<HashSet<String>>()
            };
            assert_eq!(names(&ours[0]["suggestions"][0]["actions"][0]), names(&example));
            n_actions += 1;
        }
    }
    assert_eq!((n_cards, n_actions), (2, 1));
}
