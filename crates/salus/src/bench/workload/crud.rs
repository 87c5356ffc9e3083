//! CRUD: nine resources that refer to each other are created, read, changed in one field, and deleted.

use bytes::Bytes;
use egress::Method;
use fhir::json::Limits;
use fhir::{Value, json};
use rand::Rng;
use rand::rngs::StdRng;

use super::Recorder;
use super::create::heart_rate;

/// The workload has no state: every iteration makes its own resources.
pub(crate) struct CrudLoad;

/// Resources of one iteration as the server has them: type, id, body.
struct Made {
    kind: &'static str,
    id: String,
    body: Value,
}

impl CrudLoad {
    /// One iteration: 9 creates, 9 reads, 9 updates, 9 deletes.
    pub(super) async fn step(&self, recorder: &mut Recorder, rng: &mut StdRng) -> bool {
        let mut made: Vec<Made> = Vec::new();
        for make in MAKERS {
            let body = make(&made, rng);
            if let Some(created) = create(recorder, body).await {
                made.push(created);
            }
        }
        for one in &made {
            recorder.call("read", Method::GET, &format!("{}/{}", one.kind, one.id), None, &[200]).await;
        }
        for one in &mut made {
            if let Some(object) = one.body.as_object_mut() {
                object.insert("language", "en-US".into());
            }
            let body = Bytes::from(one.body.to_bytes());
            recorder
                .call("update", Method::PUT, &format!("{}/{}", one.kind, one.id), Some(body), &[200])
                .await;
        }
        // What refers goes before what it refers to.
        for one in made.iter().rev() {
            recorder
                .call("delete", Method::DELETE, &format!("{}/{}", one.kind, one.id), None, &[200, 204])
                .await;
        }
        true
    }
}

async fn create(recorder: &mut Recorder, body: Value) -> Option<Made> {
    let kind = MADE_KINDS.iter().find(|kind| Some(**kind) == body.text("resourceType"))?;
    let answer =
        recorder.call("create", Method::POST, kind, Some(Bytes::from(body.to_bytes())), &[201]).await?;
    let id = match json::parse(&answer.body, &Limits::default()) {
        Ok(created) => created.text("id")?.to_owned(),
        // A server that answers with headers only names the id in its location: `…/Patient/42/_history/1`.
        Err(_) => {
            let location = answer.headers.get("location")?.to_str().ok()?;
            location.split_once(&format!("{kind}/"))?.1.split('/').next()?.to_owned()
        }
    };
    let mut body = body;
    body.as_object_mut()?.insert_at(1, "id", id.as_str().into());
    Some(Made { kind, id, body })
}

const MADE_KINDS: [&str; 9] = [
    "Patient",
    "Location",
    "Organization",
    "Practitioner",
    "Encounter",
    "Observation",
    "MedicationRequest",
    "Claim",
    "ExplanationOfBenefit",
];

type Maker = fn(&[Made], &mut StdRng) -> Value;
const MAKERS: [Maker; 9] = [
    patient,
    location,
    organization,
    practitioner,
    encounter,
    observation,
    medication_request,
    claim,
    benefit,
];

fn reference(made: &[Made], kind: &str) -> Value {
    let id = made.iter().find(|one| one.kind == kind).map_or("unknown", |one| one.id.as_str());
    json!({"reference": (format!("{kind}/{id}"))})
}

fn concept(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": (system), "code": (code)}]})
}

fn patient(_: &[Made], rng: &mut StdRng) -> Value {
    let birth = format!(
        "{}-{:02}-{:02}",
        rng.random_range(1930..2020),
        rng.random_range(1..=12),
        rng.random_range(1..=28)
    );
    json!({
        "resourceType": "Patient",
        "identifier": [{"system": "urn:salus:bench", "value": (format!("{:016x}", rng.random::<u64>()))}],
        "name": [{"family": "Benchmark", "given": ["Ada", "M."]}],
        "gender": "female",
        "birthDate": (birth),
        "address": [{"line": ["1 Main Street"], "city": "Springfield", "state": "MA", "postalCode": "01101"}]
    })
}

fn location(_: &[Made], rng: &mut StdRng) -> Value {
    json!({"resourceType": "Location", "status": "active", "name": (format!("Ward {}", rng.random_range(1..1000)))})
}

fn organization(_: &[Made], rng: &mut StdRng) -> Value {
    json!({"resourceType": "Organization", "active": true, "name": (format!("Clinic {}", rng.random_range(1..1000)))})
}

fn practitioner(_: &[Made], _: &mut StdRng) -> Value {
    json!({"resourceType": "Practitioner", "active": true, "name": [{"family": "Healer", "given": ["Sam"]}]})
}

fn encounter(made: &[Made], _: &mut StdRng) -> Value {
    json!({
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": (reference(made, "Patient")),
        "participant": [{"individual": (reference(made, "Practitioner"))}],
        "period": {"start": "2025-03-01T09:00:00Z", "end": "2025-03-01T09:30:00Z"},
        "serviceProvider": (reference(made, "Organization")),
        "location": [{"location": (reference(made, "Location"))}]
    })
}

fn observation(made: &[Made], rng: &mut StdRng) -> Value {
    let id = made.iter().find(|one| one.kind == "Patient").map_or("unknown", |one| one.id.as_str());
    let mut observation = heart_rate(&format!("Patient/{id}"), rng);
    if let Some(object) = observation.as_object_mut() {
        object.insert("encounter", reference(made, "Encounter"));
    }
    observation
}

fn medication_request(made: &[Made], _: &mut StdRng) -> Value {
    json!({
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": (concept("http://www.nlm.nih.gov/research/umls/rxnorm", "860975")),
        "subject": (reference(made, "Patient")),
        "encounter": (reference(made, "Encounter")),
        "authoredOn": "2025-03-01",
        "requester": (reference(made, "Practitioner"))
    })
}

fn claim(made: &[Made], _: &mut StdRng) -> Value {
    json!({
        "resourceType": "Claim",
        "status": "active",
        "type": (concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional")),
        "use": "claim",
        "patient": (reference(made, "Patient")),
        "created": "2025-03-02",
        "provider": (reference(made, "Organization")),
        "priority": (concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal")),
        "insurance": [{"sequence": 1, "focal": true, "coverage": {"display": "Benchmark Insurance"}}]
    })
}

fn benefit(made: &[Made], _: &mut StdRng) -> Value {
    json!({
        "resourceType": "ExplanationOfBenefit",
        "status": "active",
        "type": (concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional")),
        "use": "claim",
        "patient": (reference(made, "Patient")),
        "created": "2025-03-03",
        "insurer": {"display": "Benchmark Insurance"},
        "provider": (reference(made, "Organization")),
        "claim": (reference(made, "Claim")),
        "outcome": "complete",
        "insurance": [{"focal": true, "coverage": {"display": "Benchmark Insurance"}}]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::Resource;
    use rand::SeedableRng;

    #[test]
    fn every_resource_of_the_workload_is_valid() {
        let mut rng = StdRng::seed_from_u64(1);
        for make in MAKERS {
            let resource = Resource::from_value(make(&[], &mut rng)).unwrap();
            let issues = validate::check(&resource, validate::Level::Full);
            assert!(issues.iter().all(|issue| !issue.is_error()), "{resource:?}: {issues:?}");
        }
    }
}
