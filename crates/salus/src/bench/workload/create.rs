//! Create: small resources, one a request, each durable before it is answered.

use bytes::Bytes;
use egress::Method;
use fhir::json;
use rand::Rng;
use rand::rngs::StdRng;

use super::Recorder;
use crate::bench::drive::Drive;

/// A patient that the observations are about.
pub(crate) struct CreateLoad {
    patient: String,
}

impl CreateLoad {
    /// Creates the patient.
    pub(crate) async fn prepare(drive: &Drive) -> anyhow::Result<CreateLoad> {
        let patient = json!({"resourceType": "Patient", "active": true, "name": [{"family": "Benchmark"}]});
        let body = Some(Bytes::from(patient.to_bytes()));
        let answer = drive.connect()?.send(Method::POST, "Patient", body).await?;
        if answer.status.as_u16() != 201 {
            anyhow::bail!("the server answered {} to a new Patient", answer.status);
        }
        let created = json::parse(&answer.body, &json::Limits::default())?;
        let id = created.text("id").ok_or_else(|| anyhow::anyhow!("the server's Patient has no id"))?;
        Ok(CreateLoad { patient: format!("Patient/{id}") })
    }

    pub(super) async fn step(&self, recorder: &mut Recorder, rng: &mut StdRng) -> bool {
        let body = Bytes::from(heart_rate(&self.patient, rng).to_bytes());
        recorder.call("create", Method::POST, "Observation", Some(body), &[201]).await;
        true
    }
}

/// An observation of a heart rate at some minute of 2025.
pub(super) fn heart_rate(patient: &str, rng: &mut StdRng) -> fhir::Value {
    let (month, day) = (rng.random_range(1..=12), rng.random_range(1..=28));
    let (hour, minute) = (rng.random_range(0..24), rng.random_range(0..60));
    let at = format!("2025-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z");
    let rate = i64::from(rng.random_range(40..140));
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
        "subject": {"reference": (patient)},
        "effectiveDateTime": (at),
        "valueQuantity": {"value": (rate), "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    })
}
