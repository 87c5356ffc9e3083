//! Messages and what becomes of them.

use std::path::PathBuf;

use fhir::Instant;
use hl7v2::{Limits, Message};

use super::events_of;
use crate::{Data, Event, Moved, Refusal, SourceConfig, Sources, Value};

fn sources() -> Sources {
    let codes = [("GLUC".to_owned(), "glucose".to_owned()), ("99LAB|K".to_owned(), "2823-3".to_owned())];
    let lab = SourceConfig {
        codes: codes.into(),
        systems: [("NORTH".to_owned(), "urn:oid:1.2.3".to_owned())].into(),
        ..SourceConfig::default()
    };
    Sources { named: [("LAB".to_owned(), lab)].into(), ..Sources::default() }
}

fn read(lines: &[&str]) -> Result<Vec<Event>, Refusal> {
    let message = Message::parse(lines.join("\r").as_bytes(), &Limits::default()).unwrap();
    events_of(&message, &sources(), Instant::parse("2026-11-25T12:00:00Z").unwrap())
}

fn shown(event: &Event) -> String {
    let mut lines = vec![format!(
        "{} {} {} {} {} {}",
        event.id,
        event.kind,
        event.source,
        event.patient.as_deref().unwrap_or("-"),
        event.unit.as_deref().unwrap_or("-"),
        event.at
    )];
    for measured in event.measurements() {
        let value = match &measured.value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Absent(reason) => format!("({reason})"),
        };
        let sign = measured.comparator.map_or("", crate::Comparator::sign);
        let unit = measured.unit.as_deref().unwrap_or("-");
        let result = measured.result.as_deref().unwrap_or("-");
        lines.push(format!(
            "  {} {sign}{value} {unit} {} {result} {:?}",
            measured.name,
            measured.status.name(),
            measured.flags
        ));
    }
    lines.join("\n")
}

#[track_caller]
fn check(lines: &[&str], expected: &str) {
    let found = match read(lines) {
        Ok(events) => events.iter().map(shown).collect::<Vec<String>>().join("\n"),
        Err(refusal) => format!("refused {} {}", refusal.place, refusal.slug()),
    };
    assert_eq!(found, expected);
}

const MSH: &str = "MSH|^~\\&|LAB|NORTH|EHR|SOUTH|20261125110000+0100||ORU^R01^ORU_R01|17|P|2.5.1";
const PID: &str = "PID|1||999^^^SSA^SS~123^^^NORTH^MR||DOE^JANE||19500314|F";
const PV1: &str = "PV1|1|I|W1^R2^B3||||||||||||||||V9^^^NORTH^VN";

#[test]
fn results() {
    check(
        &[
            MSH,
            PID,
            PV1,
            "OBR|1|P1|F1|24320-4^BMP^LN|||20261125100000",
            "OBX|1|NM|2823-3^Potassium^LN||6.8|mmol/L||HH|||F|||20261125101500+0100",
            "NTE|1||Specimen slightly hemolyzed",
            "OBX|2|SN|GLUC^Glucose^99LAB||>^500|mg/dL||H|||C",
            "OBX|3|NM|K^Potassium^99LAB||4.1|meq/L|||||P",
            "OBX|4|ST|XYZ^Something^L||POSITIVE||||||F",
            "SPM|1|||BLD||||||||||||||||||||CLOT",
        ],
        concat!(
            "17/1 lab_results LAB@NORTH urn:oid:1.2.3|123 W1 2026-11-25T09:15:00.000Z\n",
            "  potassium 6.8 mmol/L final F1|2823-3 [\"interpretation:HH\", \"clotted\", \"haemolysed\"]\n",
            "17/2 lab_results LAB@NORTH urn:oid:1.2.3|123 W1 2026-11-25T09:00:00.000Z\n",
            "  glucose >500 mg/dL corrected F1|GLUC [\"interpretation:H\", \"clotted\"]\n",
            "  potassium 4.1000 mmol/L preliminary F1|K [\"clotted\"]\n",
            "  L|XYZ POSITIVE - final F1|XYZ [\"clotted\", \"unmapped\"]"
        ),
    );
    let events = read(&[MSH, PID, PV1, "OBR|1", "OBX|1|NM|8867-4^HR^LN||0|/min|||||F||||||MON7"]).unwrap();
    assert_eq!(events[0].encounter.as_deref(), Some("urn:oid:1.2.3|V9"));
    assert_eq!(events[0].birth_date.as_deref(), Some("1950-03-14"));
    assert_eq!(events[0].kind, crate::Kind::VitalSigns);
}

#[test]
fn what_cannot_be_read_is_refused_or_marked() {
    let one = |obx: &str, expected: &str| check(&[MSH, PID, "OBR|1||F1", obx], expected);
    one("OBX|1|NM|2823-3^K^LN||x|mmol/L|||||F", "refused OBX(1)-5 not-a-number");
    one("OBX|1|NM|2823-3^K^LN||4~5|mmol/L|||||F", "refused OBX(1)-5 not-a-number");
    one("OBX|1|SN|2823-3^K^LN||<>^4|mmol/L|||||F", "refused OBX(1)-5.1 wrong-type");
    one("OBX|1|NM|2823-3^K^LN||7||||||F", "refused OBX(1)-5 missing-unit");
    one("OBX|1|NM|2823-3^K^LN||7|mmol/L|||||F|||20261126110000", "refused OBX(1)-14 future");
    check(&["MSH|^~\\&|LAB|NORTH|||20261125110000+0100||ORU^R01||P|2.5", PID], "refused MSH-10 missing");
    check(&["MSH|^~\\&|LAB|NORTH|||20261125110000||ORU^R01|1|P|2.5", PID], "refused MSH-7 no-offset");
    check(&[MSH, "OBR|1", "OBX|1|NM|8867-4^HR^LN||70|/min"], "refused PID missing");
    let events = read(&[
        MSH,
        PID,
        "OBR|1||F1",
        "OBX|1|NM|2823-3^K^LN||6.9|mmol/L|||||F",
        "OBX|2|NM|2951-2^Na^LN||?|mmol/L|||||F",
        "OBX|3|NM|2823-3^K^LN||6.9|mmol/L|||||D",
        "OBX|4|NM|718-7^Hb^LN||\"\"|g/dL|||||X",
    ])
    .unwrap();
    let statuses: Vec<&str> =
        events[0].measurements().iter().map(|measured| measured.status.name()).collect();
    assert_eq!(statuses, ["final", "final", "entered-in-error", "cancelled"]);
    assert_eq!(events[0].unreadable().count(), 1);
}

/// What is wholly unreadable at one time must not hide what is readable at another.
#[test]
fn one_unreadable_time_does_not_hide_another() {
    check(
        &[
            MSH,
            PID,
            "OBR|1||F1",
            "OBX|1|NM|2823-3^K^LN||hi|mmol/L|||||F|||202611251000",
            "OBX|2|NM|2823-3^K^LN||7.1|mmol/L|||||F|||202611251010",
        ],
        concat!(
            "17/1 lab_results LAB@NORTH urn:oid:1.2.3|123 - 2026-11-25T09:00:00.000Z\n",
            "  potassium (`OBX(1)-5`: not a number) - final F1|2823-3 [\"unreadable\"]\n",
            "17/2 lab_results LAB@NORTH urn:oid:1.2.3|123 - 2026-11-25T09:10:00.000Z\n",
            "  potassium 7.1 mmol/L final F1|2823-3 []"
        ),
    );
}

#[test]
fn movements_and_merges() {
    let adt = |trigger: &str| format!("MSH|^~\\&|ADT|NORTH|||20261125110000+0100||ADT^{trigger}|18|P|2.5");
    for (trigger, expected) in [
        ("A01", Moved::Admitted),
        ("A02", Moved::Transferred),
        ("A03", Moved::Discharged),
        ("A08", Moved::Updated),
        ("A11", Moved::Cancelled),
    ] {
        let events = read(&[&adt(trigger), "EVN|A01|20261125105500", PID, PV1]).unwrap();
        let Data::Movement(movement) = &events[0].data else { panic!("a movement") };
        assert_eq!((movement.moved, movement.bed.as_deref()), (expected, Some("R2/B3")));
        assert_eq!(events[0].at.to_rfc3339_millis(), "2026-11-25T09:55:00.000Z");
    }
    let events = read(&[&adt("A40"), PID, "MRG|456^^^NORTH^MR", "PID|||5^^^NORTH", "MRG|6^^^NORTH"]).unwrap();
    let Data::Movement(movement) = &events[0].data else { panic!("a merge") };
    assert_eq!((movement.moved, &movement.merged[..]), (Moved::Merged, &["NORTH|456".to_owned()][..]));
    assert_eq!(events[1].patient.as_deref(), Some("NORTH|5"));
    check(&[&adt("A40"), PID], "refused MRG missing");
}

#[test]
fn orders_and_the_rest() {
    let order = "MSH|^~\\&|CPOE|NORTH|||20261125110000+0100||OMP^O09|19|P|2.5";
    let events =
        read(&[order, PID, "ORC|NW", "RXO|855332^Warfarin 5 MG^RXNORM", "ORC|DC", "RXO|^Aspirin"]).unwrap();
    let orders: Vec<String> = events
        .iter()
        .map(|event| match &event.data {
            Data::Medication(order) => format!("{:?} {:?} {}", order.rxnorm, order.display, order.status),
            _ => "?".to_owned(),
        })
        .collect();
    assert_eq!(orders, ["Some(\"855332\") Some(\"Warfarin 5 MG\") active", "None Some(\"Aspirin\") stopped"]);
    let events = read(&[
        "MSH|^~\\&|CPOE|NORTH|||20261125110000+0100||ORM^O01|20|P|2.5",
        PID,
        "ORC|NW",
        "OBR|1|P1||24317-0^Hemogram^LN",
    ]);
    assert_eq!(events.unwrap()[0].kind.name(), "service_orders");
    let events = read(&["MSH|^~\\&|SCH|NORTH|||20261125110000+0100||SIU^S12|21|P|2.5", PID]).unwrap();
    assert_eq!((events[0].kind.name(), events[0].patient.as_deref()), ("hl7v2", Some("NORTH|123")));
}

const MDM: &str = "MSH|^~\\&|DICT|NORTH|EHR|SOUTH|20261125110000+0100||MDM^T02^MDM_T02|30|P|2.5.1";
const TXA: &str = "TXA|1|DS|TX|20261125100000|9^Weber^Anna|20261125103000|||9^Weber^Anna^^^Dr|||D-7^DICT||||report.txt|LA|R|AV";

/// The members of a note, one a line, after what the event says; of what is no note its kind alone.
#[track_caller]
fn check_notes(lines: &[&str], expected: &str) {
    let shown = |event: &Event| match (&event.note(), &event.data) {
        (Some(_), Data::Json(data)) => {
            let mut lines = vec![format!(
                "{} {} {} {} {:?}",
                event.id,
                event.kind,
                event.patient.as_deref().unwrap_or("-"),
                event.at,
                event.privacy
            )];
            lines.extend(data.iter().map(|(name, value)| format!("  {name} {}", value.to_text())));
            lines.join("\n")
        }
        _ => format!("{} {}", event.id, event.kind),
    };
    let found = match read(lines) {
        Ok(events) => {
            for event in &events {
                assert_eq!(Event::of_bytes(&event.to_bytes()).as_ref(), Ok(event));
            }
            events.iter().map(shown).collect::<Vec<String>>().join("\n")
        }
        Err(refusal) => format!("refused {} {}", refusal.place, refusal.slug()),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_document_is_a_note() {
    check_notes(
        &[
            MDM,
            "EVN|T02|20261125110000",
            PID,
            PV1,
            TXA,
            "OBX|1|TX|18842-5^Discharge summary^LN||Sleeps well~and eats.||||||F",
            "OBX|2|FT|18842-5^Discharge summary^LN||No pain.\\.br\\Temp 37 \\T\\ stable||||||F",
        ],
        concat!(
            "30/1 clinical_notes NORTH|123 2026-11-25T09:30:00.000Z [\"R\"]\n",
            "  document \"DICT:D-7\"\n",
            "  status \"final\"\n",
            "  title \"Discharge summary\"\n",
            "  author \"Anna Weber\"\n",
            "  format \"text/plain\"\n",
            "  text \"Sleeps well\\nand eats.\\nNo pain.\\nTemp 37 & stable\"\n",
            "  type {\"system\":\"http://loinc.org\",\"code\":\"18842-5\",\"display\":\"Discharge summary\"}"
        ),
    );
}

#[test]
fn a_document_changes_and_is_cancelled() {
    let of = |trigger: &str, txa: &str, obx: &str, expected: &str| {
        let events = read(&[&MDM.replace("T02", trigger), PID, txa, obx]).unwrap();
        let notes = events.iter().map(|event| {
            event.note().map_or(event.kind.name().to_owned(), |note| note.status.name().to_owned())
        });
        assert_eq!(notes.collect::<Vec<_>>().join(" "), expected, "{trigger} {txa}");
    };
    let text = "OBX|1|TX|1^x^L||Text";
    of("T02", TXA, text, "final");
    of("T02", &TXA.replace("|LA|", "|DI|"), text, "preliminary");
    of("T08", TXA, text, "amended");
    of("T10", TXA, text, "amended");
    of("T11", TXA, text, "entered-in-error");
    of("T02", &TXA.replace("|AV", "|CA"), text, "entered-in-error");
    // Without text, or with something that is no text, the message is kept as it came.
    of("T01", TXA, "", "hl7v2");
    of("T02", TXA, "OBX|1|ED|1^x^L||^application^pdf^Base64^JVBERi0=", "hl7v2");
    let both = "OBX|1|TX|1^x^L||Text\rOBX|2|ED|1^x^L||^application^pdf^Base64^JVBERi0=";
    of("T02", TXA, both, "final hl7v2");
    check_notes(&[MDM, PID, TXA, "OBX|1|ED|1^x^L||^TEXT^plain^Base64^***"], "refused OBX(1)-5 wrong-type");
    check_notes(&[&MDM.replace("T02", "T11"), PID, &TXA.replace("D-7^DICT", "")], "refused TXA-12 missing");
    check_notes(&[MDM, TXA, text], "refused PID missing");
    let long = format!("OBX|1|TX|1^x^L||{}", "x".repeat(600_000));
    check_notes(&[MDM, PID, TXA, &long], "refused OBX-5 too-large");
}

#[test]
fn a_result_that_is_a_text_is_a_note() {
    check_notes(
        &[
            MSH,
            PID,
            "OBR|1|P1|F1|24627-2^Chest CT^LN|||20261125100000",
            "OBX|1|ED|18748-4^Report^LN||^TEXT^HTML^Base64^PGI+TGVmdDwvYj4=||||||C",
            "OBX|2|NM|8867-4^HR^LN||70|/min|||||F",
            "OBX|3|FT|IMP^Impression^99LAB||No nodule.||||||F",
            "OBX|4|FT|IMP^Impression^99LAB||Follow up.||||||F",
        ],
        concat!(
            "17/1 clinical_notes urn:oid:1.2.3|123 2026-11-25T09:00:00.000Z []\n",
            "  document \"F1|18748-4\"\n",
            "  status \"amended\"\n",
            "  title \"Report\"\n",
            "  format \"text/html\"\n",
            "  text \"<b>Left</b>\"\n",
            "  type {\"system\":\"http://loinc.org\",\"code\":\"18748-4\",\"display\":\"Report\"}\n",
            "17/2 clinical_notes urn:oid:1.2.3|123 2026-11-25T09:00:00.000Z []\n",
            "  document \"F1|IMP\"\n",
            "  status \"final\"\n",
            "  title \"Impression\"\n",
            "  format \"text/plain\"\n",
            "  text \"No nodule.\\nFollow up.\"\n",
            "17/3 vital_signs"
        ),
    );
    // A number that is sent as text is a value, and a picture is seen where values are.
    check(
        &[
            MSH,
            PID,
            "OBR|1||F1",
            "OBX|1|FT|2823-3^K^LN||6.8|mmol/L|||||F",
            "OBX|2|ED|X^Picture^L||^IM^JPEG^Base64^AAAA||||||F",
            "OBX|3|ED|Y^Text^L||^TEXT^^Base64^***||||||F",
        ],
        concat!(
            "17/1 lab_results LAB@NORTH urn:oid:1.2.3|123 - 2026-11-25T10:00:00.000Z\n",
            "  potassium 6.8 mmol/L final F1|2823-3 []\n",
            "  L|X (not a value: a document or a reference) - final F1|X []\n",
            "  L|Y (not a value: a document or a reference) - final F1|Y []"
        ),
    );
}

/// Every message of the shared data has an answer, and those without a fault of their own become events that the log keeps.
#[test]
fn messages_that_others_wrote() {
    let Some(folder) = testkit::shared_data("hl7v2-messages.tar.zst") else { return };
    let mut sources = Sources::default();
    sources.default.zone_minutes = Some(0);
    let now = Instant::parse("2026-11-25T12:00:00Z").unwrap();
    let (mut n_events, mut refused) = (0, Vec::new());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("messages")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let message = match Message::parse(&bytes, &Limits::default()) {
            Ok(message) => message,
            Err(error) => {
                refused.push(format!("{} {error}", file.file_name().unwrap().to_string_lossy()));
                continue;
            }
        };
        match events_of(&message, &sources, now) {
            Ok(events) => {
                n_events += events.len();
                for event in events {
                    assert_eq!(Event::of_bytes(&event.to_bytes()).as_ref(), Ok(&event));
                }
            }
            Err(refusal) => {
                refused.push(format!("{} {refusal}", file.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert_eq!(files.len(), 70);
    // The one names no sender.
    assert_eq!(refused, ["PC1-Problem-Delete-v2.3.1.hl7 `MSH-3`: it is missing; say it"]);
    assert_eq!(n_events, 84);
}
