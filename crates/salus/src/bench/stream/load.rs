//! The events of the benchmark: a ward's vital signs, of which every so many is out of range. The same number gives the same event.

use bytes::Bytes;

/// Patients with ordinary vital signs; each alert has a patient of its own, so that every one of them is opened anew.
const PATIENTS: u64 = 500;

/// The identifier of an event.
pub(super) fn id_of(n: u64) -> String {
    format!("bench-{n}")
}

/// Does this event raise an alert.
pub(super) fn alerts(n: u64, alert_every: u64) -> bool {
    n % alert_every.max(1) == alert_every.max(1) - 1
}

/// One event, as it is sent.
pub(super) fn event(n: u64, alert_every: u64, at: &str) -> Bytes {
    let raises = alerts(n, alert_every);
    let patient = if raises { format!("alert-{n}") } else { format!("bed-{}", n % PATIENTS) };
    let rate = if raises { 145 } else { 62 + n % 25 };
    let (systolic, diastolic) = (115 + n % 20, 70 + n % 12);
    let (spo2, breaths) = (96 + n % 4, 13 + n % 6);
    let id = id_of(n);
    Bytes::from(format!(
        "{{\"schema\":1,\"id\":\"{id}\",\"kind\":\"vital_signs\",\"patient\":\"urn:bench|{patient}\",\"at\":\"{at}\",\"source\":\"bench\",\
         \"unit\":\"ward-{ward}\",\"data\":{{\"heart_rate\":{rate},\"bp_systolic\":{systolic},\"bp_diastolic\":{diastolic},\
         \"spo2\":{spo2},\"respiratory_rate\":{breaths},\"temperature\":{{\"value\":36.{tenth},\"unit\":\"Cel\"}}}}}}",
        ward = n % 8,
        tenth = 5 + n % 4,
    ))
}

/// Mean size of an event as it is sent.
pub(super) fn bytes_per_event(alert_every: u64) -> f64 {
    let n = 1_000;
    (0..n).map(|i| event(i, alert_every, "2026-01-01T00:00:00.000Z").len() as f64).sum::<f64>() / n as f64
}
