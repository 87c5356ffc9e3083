//! CDS Hooks over HTTP: discovery, cards of the shipped rules, data that is missing, feedback.

use crate::house::House;

const INSTANCE: &str = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn ask(house: &House, who: &str, service: &str, body: &str, expected: u16) -> serde_json::Value {
    let answer = house.ask(who, "POST", &format!("/cds-services/{service}"), body);
    assert_eq!(answer.status, expected, "{}", answer.text());
    serde_json::from_str(&answer.text()).unwrap()
}

fn body(hook: &str, context: &str, prefetch: &str) -> String {
    format!(r#"{{"hook":"{hook}","hookInstance":"{INSTANCE}","context":{context},"prefetch":{prefetch}}}"#)
}

fn observation(code: &str, category: &str, value: &str, unit: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"o{code}","status":"final","subject":{{"reference":"Patient/1"}},
        "category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{category}"}}]}}],
        "code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"effectiveDateTime":"2026-01-02T02:50:00Z",
        "valueQuantity":{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}}}}"#
    )
}

fn bundle(resources: &[String]) -> String {
    let entries: Vec<String> = resources.iter().map(|one| format!(r#"{{"resource":{one}}}"#)).collect();
    format!(r#"{{"resourceType":"Bundle","type":"searchset","entry":[{}]}}"#, entries.join(","))
}

fn order(id: &str, code: &str, status: &str) -> String {
    format!(
        r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"{status}","intent":"order","subject":{{"reference":"Patient/1"}},
        "medicationCodeableConcept":{{"coding":[{{"system":"{RXNORM}","code":"{code}","display":"drug {code}"}}],"text":"drug {code}"}}}}"#
    )
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","birthDate":"1950-03-04"}"#;
const CONTEXT: &str = r#"{"userId":"Practitioner/abc","patientId":"1"}"#;

fn view(vitals: &str, labs: &str) -> String {
    let prefetch = format!(
        r#"{{"patient":{PATIENT},"conditions":null,"serviceRequests":null,"pregnancy":null,"vitals":{vitals},"labs":{labs}}}"#
    );
    body("patient-view", CONTEXT, &prefetch)
}

#[test]
fn services_are_discovered_by_who_may_ask() {
    let house = House::streaming();
    let answer = house.ask("clinician", "GET", "/cds-services", "");
    let document: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    let hooks: Vec<&str> =
        document["services"].as_array().unwrap().iter().filter_map(|one| one["hook"].as_str()).collect();
    assert_eq!(hooks, ["patient-view", "order-select", "order-sign"]);
    let nobody =
        crate::client::send(house.address, &crate::client::request("GET", "/cds-services", &[], b""));
    assert_eq!(nobody.status, 401);
    assert_eq!(house.ask("clinician", "POST", "/cds-services", "{}").status, 405);
    assert_eq!(house.ask("clinician", "POST", "/cds-services/none", "{}").status, 404);
    assert_eq!(
        house.ask("admin", "POST", "/cds-services/salus-patient-view", &view("null", "null")).status,
        403
    );
}

#[test]
fn critical_results_and_the_score_are_cards() {
    let house = House::streaming();
    let labs = bundle(&[observation("2823-3", "laboratory", "7.9", "mmol/L")]);
    let vitals = bundle(&[
        observation("9279-1", "vital-signs", "26", "/min"),
        observation("8867-4", "vital-signs", "134", "/min"),
        observation("8480-6", "vital-signs", "88", "mm[Hg]"),
    ]);
    let found = ask(&house, "clinician", "salus-patient-view", &view(&vitals, &labs), 200);
    let cards = found["cards"].as_array().unwrap();
    let summaries: Vec<String> =
        cards.iter().map(|card| card["summary"].as_str().unwrap().to_lowercase()).collect();
    assert!(summaries.iter().any(|summary| summary.contains("potassium")), "{summaries:?}");
    assert!(summaries.iter().any(|summary| summary.contains("news2")), "{summaries:?}");
    let topics: Vec<&str> =
        cards.iter().filter_map(|card| card["source"]["topic"]["code"].as_str()).collect();
    let once: std::collections::HashSet<&str> = topics.iter().copied().collect();
    assert_eq!(once.len(), topics.len(), "one card for a topic: {topics:?}");
    let order = |card: &serde_json::Value| {
        ["critical", "warning", "info"].iter().position(|one| card["indicator"] == *one)
    };
    let ranks: Vec<Option<usize>> = cards.iter().map(order).collect();
    assert!(ranks.is_sorted() && ranks[0] == Some(0), "{found}");
    for card in cards {
        assert!(card["summary"].as_str().unwrap().chars().count() < 140);
        assert!(card["source"]["label"].is_string() && card["uuid"].is_string());
    }
    // Nothing became an alert of the patient.
    assert!(!house.ask("clinician", "GET", "/alerts?state=all", "").text().contains("id=\"alert-"));
    assert!(
        house.audit(0).0.iter().any(|line| line.starts_with("decision-support done [salus-patient-view]")
            && line.contains("patients 1"))
    );
}

#[test]
fn normal_values_give_no_card() {
    let house = House::streaming();
    let labs = bundle(&[observation("2823-3", "laboratory", "4.1", "mmol/L")]);
    let found = ask(&house, "clinician", "salus-patient-view", &view("null", &labs), 200);
    let raised = found["cards"].as_array().unwrap().iter().filter(|card| card["indicator"] != "info").count();
    assert_eq!(raised, 0, "{found}");
}

#[test]
fn orders_are_compared_with_allergies_and_active_medication() {
    let house = House::streaming();
    let allergy = format!(
        r#"{{"resourceType":"AllergyIntolerance","id":"a","patient":{{"reference":"Patient/1"}},"code":{{"coding":[{{"system":"{RXNORM}","code":"723"}}]}},
        "clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}}]}}}}"#
    );
    let prefetch = format!(
        r#"{{"patient":{PATIENT},"medications":{},"allergies":{}}}"#,
        bundle(&[order("m", "6809", "active")]),
        bundle(&[allergy])
    );
    let drafts =
        bundle(&[order("d1", "723", "draft"), order("d2", "6809", "draft"), order("d3", "29046", "draft")]);
    let context = format!(r#"{{"userId":"Practitioner/abc","patientId":"1","draftOrders":{drafts}}}"#);
    let found = ask(&house, "clinician", "salus-order-sign", &body("order-sign", &context, &prefetch), 200);
    let cards = found["cards"].as_array().unwrap();
    let rules: Vec<&str> = cards.iter().filter_map(|card| card["source"]["label"].as_str()).collect();
    assert_eq!(cards.len(), 2, "{found}");
    assert!(rules[0].contains("medication/allergy") && cards[0]["indicator"] == "critical", "{found}");
    assert!(rules[1].contains("medication/duplicate") && cards[1]["indicator"] == "warning", "{found}");
    assert!(!cards[0]["overrideReasons"].as_array().unwrap().is_empty());
    // While it is selected, only the selected order counts.
    let context = format!(
        r#"{{"userId":"Practitioner/abc","patientId":"1","selections":["MedicationRequest/d3"],"draftOrders":{drafts}}}"#
    );
    let found =
        ask(&house, "clinician", "salus-order-select", &body("order-select", &context, &prefetch), 200);
    assert_eq!(found["cards"].as_array().unwrap().len(), 0, "{found}");
}

fn allergic() -> (String, String) {
    let allergy = format!(
        r#"{{"resourceType":"AllergyIntolerance","id":"a","patient":{{"reference":"Patient/1"}},"code":{{"coding":[{{"system":"{RXNORM}","code":"723"}}]}},
        "clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}}]}}}}"#
    );
    let prefetch =
        format!(r#"{{"patient":{PATIENT},"medications":null,"allergies":{}}}"#, bundle(&[allergy]));
    let drafts = bundle(&[order("d1", "723", "draft"), order("d2", "29046", "draft")]);
    let context = format!(
        r#"{{"userId":"Practitioner/abc","patientId":"1","selections":["MedicationRequest/d1"],"draftOrders":{drafts}}}"#
    );
    (context, prefetch)
}

#[test]
fn a_draft_that_conflicts_can_be_taken_out_and_that_it_was_is_kept() {
    let house = House::streaming();
    let (context, prefetch) = allergic();
    for hook in ["order-select", "order-sign"] {
        let service = format!("salus-{hook}");
        let found = ask(&house, "clinician", &service, &body(hook, &context, &prefetch), 200);
        let cards = found["cards"].as_array().unwrap();
        assert_eq!(cards.len(), 1, "{found}");
        let (card, suggestion) = (&cards[0], &cards[0]["suggestions"][0]);
        assert_eq!(card["selectionBehavior"], "at-most-one", "it is needed beside suggestions");
        assert_eq!(card["suggestions"].as_array().unwrap().len(), 1);
        assert_eq!(suggestion["label"], "Remove the draft order of drug 723");
        let action = &suggestion["actions"][0];
        assert_eq!(action["type"], "delete");
        assert_eq!(action["resourceId"], "MedicationRequest/d1");
        assert!(action["description"].is_string() && action.get("resource").is_none(), "{action}");
        assert!(card.get("links").is_none(), "no public address is configured");
        // What the client says of it is kept, and what the card did not have is not.
        let (card, id) = (card["uuid"].as_str().unwrap(), suggestion["uuid"].as_str().unwrap());
        let accepted = |id: &str| {
            format!(
                r#"{{"feedback":[{{"card":"{card}","outcome":"accepted","acceptedSuggestions":[{{"id":"{id}"}}],"outcomeTimestamp":"2026-01-02T03:05:00Z"}}]}}"#
            )
        };
        let path = format!("/cds-services/{service}/feedback");
        let other = house.ask("clinician", "POST", &path, &accepted(INSTANCE));
        assert_eq!(other.status, 404, "{}", other.text());
        assert!(other.text().contains("has no suggestion"), "{}", other.text());
        assert_eq!(house.ask("clinician", "POST", &path, &accepted(id)).status, 200);
    }
}

#[test]
fn cards_lead_to_the_pages_of_a_server_whose_address_is_known() {
    let house = House::streaming_at("https://salus.example.org");
    let (context, prefetch) = allergic();
    let request = body("order-sign", &context, &prefetch);
    let card = |found: &serde_json::Value| found["cards"][0].clone();
    let before = card(&ask(&house, "clinician", "salus-order-sign", &request, 200));
    assert_eq!(before["source"]["url"], "https://salus.example.org/rules/medication%2Fallergy");
    assert!(before.get("links").is_none(), "there is no page of the patient's: {before}");
    let event = r#"{"id":"e1","kind":"vital_signs","patient":"Patient/1","at":"2026-01-02T03:04:00Z","source":"m","data":{"heart_rate":151}}"#;
    assert_eq!(house.ask("service", "POST", "/api/v1/events", event).status, 200);
    let vitals = bundle(&[observation("8867-4", "vital-signs", "151", "/min")]);
    let linked = |n_links: usize| {
        let began = std::time::Instant::now();
        loop {
            let found = ask(&house, "clinician", "salus-patient-view", &view(&vitals, "null"), 200);
            let cards = found["cards"].as_array().unwrap().clone();
            let of_rate = cards
                .into_iter()
                .find(|card| card["source"]["topic"]["code"] == "heart-rate" && card["links"].is_array());
            let links = of_rate.as_ref().map_or(0, |card| card["links"].as_array().unwrap().len());
            assert!(links <= n_links, "a link that leads nowhere: {found}");
            if let Some(card) = of_rate.filter(|_| links == n_links) {
                return card;
            }
            assert!(began.elapsed().as_secs() < 120, "no links: {found}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    // Streams know the patient, the store does not: only the alert has a page.
    assert!(linked(1)["links"][0]["url"].as_str().unwrap().contains("/alerts/"));
    assert_eq!(house.ask("service", "PUT", "/fhir/Patient/1", PATIENT).status, 201);
    let found = linked(2);
    let [alert, page] = [&found["links"][0], &found["links"][1]];
    assert_eq!((&alert["type"], &page["type"]), (&"absolute".into(), &"absolute".into()));
    assert_eq!(page["url"], "https://salus.example.org/patients/1/vitals");
    // The pages are there.
    for link in [alert, page] {
        assert!(link["label"].is_string());
        let path = link["url"].as_str().unwrap().strip_prefix("https://salus.example.org").unwrap();
        assert_eq!(house.ask("clinician", "GET", path, "").status, 200, "{path}");
    }
}

#[test]
fn what_is_not_prefetched_is_read_from_the_store_or_is_a_precondition() {
    let house = House::streaming();
    let request = body("patient-view", CONTEXT, "{}");
    let missing = ask(&house, "clinician", "salus-patient-view", &request, 412);
    assert!(missing["detail"].as_str().unwrap().contains("`prefetch.patient` is missing"), "{missing}");
    assert_eq!(house.ask("service", "PUT", "/fhir/Patient/1", PATIENT).status, 201);
    let lab = observation("2823-3", "laboratory", "7.9", "mmol/L").replace("o2823-3", "k");
    assert_eq!(house.ask("service", "PUT", "/fhir/Observation/k", &lab).status, 201);
    let found = ask(&house, "clinician", "salus-patient-view", &request, 200);
    assert!(found.to_string().to_lowercase().contains("potassium"), "{found}");
    let other = body("patient-view", CONTEXT, r#"{"patient":{"resourceType":"Patient","id":"2"}}"#);
    let refused = ask(&house, "clinician", "salus-patient-view", &other, 400);
    assert!(refused["detail"].as_str().unwrap().contains("another patient"), "{refused}");
}

#[test]
fn feedback_is_kept_for_cards_that_were_given() {
    let house = House::streaming();
    let labs = bundle(&[observation("2823-3", "laboratory", "7.9", "mmol/L")]);
    let found = ask(&house, "clinician", "salus-patient-view", &view("null", &labs), 200);
    let card = found["cards"][0]["uuid"].as_str().unwrap();
    let feedback = |card: &str| {
        format!(
            r#"{{"feedback":[{{"card":"{card}","outcome":"overridden","overrideReason":{{"reason":{{"code":"tolerated-before","system":"urn:salus:override-reason"}},"userComment":"seen"}},"outcomeTimestamp":"2026-01-02T03:05:00Z"}}]}}"#
        )
    };
    let path = "/cds-services/salus-patient-view/feedback";
    assert_eq!(house.ask("clinician", "POST", path, &feedback(card)).status, 200);
    assert_eq!(house.ask("clinician", "POST", path, &feedback(INSTANCE)).status, 404);
    let wrong = house.ask("clinician", "POST", path, r#"{"feedback":[{}]}"#);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert_eq!(
        house.ask("clinician", "POST", "/cds-services/salus-order-sign/feedback", &feedback(card)).status,
        404
    );
}
