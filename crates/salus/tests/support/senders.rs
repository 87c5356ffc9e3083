//! Senders of events that go on through refusals, and what was acknowledged to them.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use egress::{Connection, Method};

/// Patients of one sender; each gets one alert of its heart rate.
const PATIENTS: u64 = 5;

/// What the server has said that it has.
#[derive(Default)]
pub struct Acknowledged {
    pub ids: BTreeSet<String>,
}

/// One event now.
pub fn event(id: &str, patient: &str) -> String {
    let at = fhir::Clock::now(&db::SystemClock).to_rfc3339_millis();
    format!(
        r#"{{"id":"{id}","kind":"vital_signs","patient":"{patient}","at":"{at}","source":"monitor","data":{{"heart_rate":150}}}}"#
    )
}

/// Sends until told to stop. What is refused is sent again, under the same identifiers, until it is acknowledged.
pub fn load(url: &str, secret: &str, lane: u64, acknowledged: &Mutex<Acknowledged>, stop: &AtomicBool) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let mut connection = Connection::new(url, Some(secret)).expect("the base is a URL");
    for n in 0_u64.. {
        let ids: Vec<String> = (0..3).map(|k| format!("s{lane}-{n}-{k}")).collect();
        let body: Vec<String> = ids
            .iter()
            .map(|id| event(id, &format!("Patient/s{lane}-{}", (n * 3 + id.len() as u64) % PATIENTS)))
            .collect();
        let body = body.join("\n");
        loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let sent = connection.send(Method::POST, "api/v1/events", Some(body.clone().into()));
            if runtime.block_on(sent).is_ok_and(|answer| answer.status.is_success()) {
                acknowledged.lock().expect("no sender panics").ids.extend(ids);
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Stops senders when a test ends, also when it fails: they would wait for each other otherwise.
pub struct Stop<'a>(pub &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
