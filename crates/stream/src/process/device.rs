//! Devices that measured: a Device each, and a DeviceMetric for each of its measures with the last calibration. Written when they are new.

use event::{Device, Event, Measurement};
use fhir::{Instant, Object, Value, json};
use rusqlite::{Connection, params};

use super::observe::code_of;
use super::provenance::{id_in, meta_of};

const UCUM: &str = "http://unitsofmeasure.org";
/// On an Observation's reference to its device: when it was calibrated, as far as the event says.
const CALIBRATED_AT: &str = "urn:salus:device-calibrated-at";

/// `SYSTEM|VALUE` is known everywhere; any other identifier is the sender's.
fn device_id(tenant: &str, event: &Event, device: &Device) -> String {
    let source = if device.id.contains('|') { "" } else { &event.source };
    id_in(tenant, source, ("device", &device.id), "device")
}

fn identifier_of(device: &Device) -> Value {
    match device.id.split_once('|') {
        Some((system, value)) => json!({"system": system, "value": value}),
        None => json!({"value": (device.id.as_str())}),
    }
}

/// The reference to the device that an Observation has.
pub(crate) fn reference_of(tenant: &str, event: &Event) -> Option<Value> {
    let device = event.device.as_ref()?;
    let mut reference = Object::new();
    if let Some(at) = device.calibrated_at {
        let extension = json!({"url": CALIBRATED_AT, "valueInstant": (at.to_rfc3339_millis())});
        reference.insert("extension", vec![extension].into());
    }
    reference.insert("reference", format!("Device/{}", device_id(tenant, event, device)).into());
    reference.insert("display", device.id.as_str().into());
    Some(Value::from(reference))
}

/// The Device and the DeviceMetric of a measurement that the store does not have yet, or not with this calibration.
pub(crate) fn new_resources(
    conn: &Connection,
    tenant: &str,
    event: &Event,
    measurement: &Measurement,
) -> rusqlite::Result<Vec<(String, String)>> {
    let Some(device) = &event.device else { return Ok(Vec::new()) };
    let id = device_id(tenant, event, device);
    let mut made = Vec::new();
    if is_new(conn, tenant, &id, "", None)? {
        made.push((id.clone(), of_device(event, device, &id)));
    }
    if is_new(conn, tenant, &id, &measurement.name, device.calibrated_at)? {
        let name = format!("metric\0{}", measurement.name);
        let metric = id_in(tenant, "", ("device", &id), &name);
        let text = of_metric(event, device, measurement, &id, &metric);
        made.push((metric, text));
    }
    Ok(made)
}

/// Remembers it; true when it was not known, or was calibrated since.
fn is_new(
    conn: &Connection,
    tenant: &str,
    id: &str,
    measure: &str,
    calibrated_at: Option<Instant>,
) -> rusqlite::Result<bool> {
    let n = conn
        .prepare_cached(
            "INSERT INTO device (tenant, id, measure, calibrated_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET calibrated_at = excluded.calibrated_at
             WHERE excluded.calibrated_at > coalesce(calibrated_at, -9223372036854775808)",
        )?
        .execute(params![tenant, id, measure, calibrated_at.map(|at| at.0)])?;
    Ok(n > 0)
}

fn of_device(event: &Event, device: &Device, id: &str) -> String {
    let resource = json!({
        "resourceType": "Device",
        "id": id,
        "meta": (labelled(event)),
        "identifier": [(identifier_of(device))],
        "deviceName": [{"name": (device.id.as_str()), "type": "other"}]
    });
    resource.to_text()
}

fn of_metric(event: &Event, device: &Device, measurement: &Measurement, of: &str, id: &str) -> String {
    let mut object = Object::new();
    object.insert("resourceType", "DeviceMetric".into());
    object.insert("id", id.into());
    object.insert("meta", labelled(event));
    object.insert("type", code_of(measurement));
    if let Some(unit) = &measurement.unit {
        object.insert("unit", json!({"coding": [{"system": UCUM, "code": (unit.as_str())}]}));
    }
    object.insert("source", json!({"reference": (format!("Device/{of}"))}));
    object.insert("category", "measurement".into());
    if let Some(at) = device.calibrated_at {
        object.insert("calibration", json!([{"state": "calibrated", "time": (at.to_rfc3339_millis())}]));
    }
    Value::from(object).to_text()
}

/// A device is no patient's: labels of an event about one are not its own.
fn labelled(event: &Event) -> Value {
    meta_of(&Event { privacy: Vec::new(), ..event.clone() }, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::Sources;

    fn event(device: &str, source: &str) -> Event {
        let text = format!(
            r#"{{"id":"d1","kind":"device_data","patient":"Patient/42","at":"2026-11-25T08:00:00Z","source":"{source}","device":{device},"data":{{"spo2":97}}}}"#
        );
        let now = Instant::parse("2026-11-25T08:00:01Z").unwrap();
        Event::parse(text.as_bytes(), &Sources::default(), now).unwrap()
    }

    #[test]
    fn a_device_is_written_once_and_again_when_it_was_calibrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stream.db");
        drop(crate::open(&path).unwrap());
        let conn = Connection::open(path).unwrap();
        let check = |device: &str, source: &str, expected: &[&str]| {
            let event = event(device, source);
            let made = new_resources(&conn, "main", &event, &event.measurements()[0]).unwrap();
            let mut kinds = Vec::new();
            for (id, text) in &made {
                let resource = super::super::observe::parsed(text).unwrap();
                assert_eq!(validate::check(&resource, validate::Level::Full), [], "{text}");
                assert_eq!(resource.id(), Some(id.as_str()));
                kinds.push(resource.kind().name().to_owned());
            }
            assert_eq!(kinds, expected, "{device} {source}");
        };
        check(r#""SN-1""#, "gateway", &["Device", "DeviceMetric"]);
        check(r#""SN-1""#, "gateway", &[]);
        check(r#"{"id":"SN-1","calibrated_at":"2026-11-01T09:00:00Z"}"#, "gateway", &["DeviceMetric"]);
        check(r#"{"id":"SN-1","calibrated_at":"2026-10-01T09:00:00Z"}"#, "gateway", &[]);
        check(r#""SN-1""#, "other", &["Device", "DeviceMetric"]);
        check(r#""urn:udi|7""#, "gateway", &["Device", "DeviceMetric"]);
        check(r#""urn:udi|7""#, "other", &[]);
    }
}
