//! A disk that is full or broken: clear answers, nothing half-written, and on it goes when there is room.

use testkit::{Fault, LossyDisk};

use crate::house::House;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","name":[{"family":"Zabriskie"}]}"#;

#[test]
fn a_full_disk_refuses_writes_and_withholds_reads_until_there_is_room() {
    let disk = LossyDisk::new();
    let house = House::on_disk(&disk);
    assert_eq!(house.ask("service", "PUT", "/fhir/Patient/1", PATIENT).status, 201);
    disk.fail_after(0, Fault::Full);
    let second = PATIENT.replace("\"1\"", "\"2\"");
    let refused = house.ask("service", "PUT", "/fhir/Patient/2", &second);
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(refused.text().contains("disk-full"), "{}", refused.text());
    let withheld = house.ask("service", "GET", "/fhir/Patient/1", "");
    assert_eq!(withheld.status, 507);
    assert!(!withheld.text().contains("Zabriskie"), "an answer without its record");
    assert!(disk.heal());
    assert_eq!(house.ask("service", "GET", "/fhir/Patient/1", "").status, 200);
    assert_eq!(house.ask("service", "GET", "/fhir/Patient/2", "").status, 404);
    assert_eq!(house.ask("service", "PUT", "/fhir/Patient/2", &second).status, 201);
}

#[test]
fn a_broken_disk_is_a_500_that_tells_no_cause() {
    let disk = LossyDisk::new();
    let house = House::on_disk(&disk);
    house.ask("service", "PUT", "/fhir/Patient/1", PATIENT);
    disk.fail_after(0, Fault::Broken);
    let withheld = house.ask("service", "GET", "/fhir/Patient/1", "");
    assert_eq!(withheld.status, 500);
    let text = withheld.text();
    assert!(
        text.contains("the log has the cause") && !text.contains("I/O") && !text.contains("disk"),
        "{text}"
    );
    assert!(disk.heal());
    assert_eq!(house.ask("service", "GET", "/fhir/Patient/1", "").status, 200);
}
