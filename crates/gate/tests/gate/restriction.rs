//! A token for one patient: whatever other patients' data is, its answers, totals and page links are the same bytes.

use fhir::Kind;
use gate::{Access, GateError, HistoryOf, HistoryQuery, Role, ScanQuery};

use crate::house::{House, of, of_patient, query};

const SYSTEM: &str = r#""code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]}"#;

/// What everybody has in both worlds: patient `a` with observations, a practitioner, an organisation.
async fn ours(house: &House) {
    for json in [
        r#"{"resourceType":"Organization","id":"org","name":"Clinic"}"#,
        r#"{"resourceType":"Practitioner","id":"doc","name":[{"family":"Doc"}]}"#,
        r#"{"resourceType":"Patient","id":"a","birthDate":"1970-01-01","name":[{"family":"Aa"}],"managingOrganization":{"reference":"Organization/org"},"generalPractitioner":[{"reference":"Practitioner/doc"}]}"#,
    ] {
        house.put(json).await;
    }
    for n in 1..=3 {
        house.put(&observation(&format!("a{n}"), "a", &format!("{n}.5"), "")).await;
    }
    // An observation of `a` that another patient performed: it is in both compartments.
    let shared = r#","performer":[{"reference":"Patient/b"}]"#;
    house.put(&observation("ab", "a", "4.5", shared)).await;
}

fn observation(id: &str, patient: &str, value: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final",{SYSTEM},"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"2024-01-0{}","valueQuantity":{{"value":{value}}}{more}}}"#,
        id.len()
    )
}

/// Other patients' data: how many there are, when they were born, what was observed, and whether it was changed or deleted since.
async fn others(house: &House, world: u32) {
    let n = 2 + 3 * world;
    let born = if world == 0 { "1980-01-01" } else { "1970-01-01" };
    for i in 0..n {
        let id = if i == 0 { "b".to_string() } else { format!("b{i}") };
        house.put(&format!(r#"{{"resourceType":"Patient","id":"{id}","birthDate":"{born}","name":[{{"family":"Bb{world}"}}],"managingOrganization":{{"reference":"Organization/org"}},"link":[{{"other":{{"reference":"Patient/b"}},"type":"seealso"}}]}}"#)).await;
        house.put(&observation(&format!("o{i}"), &id, if world == 0 { "9.9" } else { "1.1" }, "")).await;
        house.put(&format!(r#"{{"resourceType":"Condition","id":"c{i}","subject":{{"reference":"Patient/{id}"}},"recorder":{{"reference":"Practitioner/doc"}}}}"#)).await;
    }
    if world == 1 {
        house.put(&observation("o0", "b", "2.2", r#","derivedFrom":[{"reference":"Observation/a1"}]"#)).await;
        let gone = gate::Action::Delete { kind: Kind::named("Observation"), id: "o1".into(), if_match: None };
        house.gate.write_one(&of(Role::Service), gone).await.unwrap();
    }
}

/// Everything that can be asked, as one text.
async fn everything(house: &House, access: &Access) -> String {
    let mut out = String::new();
    for (kind, text) in SEARCHES {
        searched(house, access, kind, text, &mut out).await;
    }
    for (kind, id) in [
        ("Patient", "a"),
        ("Patient", "b"),
        ("Observation", "a1"),
        ("Observation", "o0"),
        ("Observation", "ab"),
        ("Organization", "org"),
        ("Observation", "o1"),
    ] {
        let stored = house.gate.read(access, Kind::named(kind), id).await;
        out.push_str(&format!("read {kind}/{id} {}\n", shown(stored.map(|stored| body_of(&stored)))));
        let stored = house.gate.vread(access, Kind::named(kind), id, 1).await;
        out.push_str(&format!("vread {kind}/{id} {}\n", shown(stored.map(|stored| body_of(&stored)))));
        let of = HistoryOf::Instance(Kind::named(kind), id.into());
        out.push_str(&format!("history {kind}/{id} {}\n", history(house, access, of).await));
    }
    for kind in ["Patient", "Observation"] {
        out.push_str(&format!(
            "history {kind} {}\n",
            history(house, access, HistoryOf::Kind(Kind::named(kind))).await
        ));
    }
    out.push_str(&format!("history {}\n", history(house, access, HistoryOf::System).await));
    out.push_str(&format!("counts {:?}\n", house.gate.counts(access).await.unwrap()));
    let scan = ScanQuery { kinds: Vec::new(), since: None, after: None, count: 100 };
    let page = house.gate.scan(access, scan).await.unwrap();
    let bodies: Vec<String> = page.entries.iter().map(body_of).collect();
    out.push_str(&format!("export {}\n", bodies.join("\n")));
    let delete =
        gate::Action::Delete { kind: Kind::named("Observation"), id: "o0".into(), if_match: Some(1) };
    out.push_str(&format!("delete {:?}\n", house.gate.write_one(access, delete).await));
    for (id, if_match) in
        [("o0", None), ("o0", Some(1)), ("o1", None), ("x", None), ("a1", None), ("a1", Some(9))]
    {
        // What is wrong with a patch tells of what is stored.
        let amendment = gate::Amendment::new(Vec::new(), |stored: &fhir::Resource| {
            let text = stored.value().to_text();
            Err(vec![fhir::Issue::error(fhir::IssueType::Processing, "patch", text)])
        });
        let kind = Kind::named("Observation");
        let patch = gate::Action::Patch { kind, id: id.into(), amendment, if_match };
        out.push_str(&format!("patch {id} {:?}\n", house.gate.write_one(access, patch).await));
    }
    out
}

/// Parameters of every sort, chains, `_has`, includes both ways, sorts, totals, compartment-wide and over all types.
const SEARCHES: [(&str, &str); 22] = [
    ("Patient", "_total=accurate"),
    ("Patient", "birthdate=1970&_total=accurate"),
    ("Patient", "_sort=-birthdate&_total=accurate"),
    ("Patient", "_has:Observation:patient:value-quantity=gt1&_total=accurate"),
    ("Patient", "_has:Observation:performer:value-quantity=gt1&_total=accurate"),
    ("Patient", "organization.name=clinic&_total=accurate"),
    ("Patient", "_revinclude=Observation:patient&_revinclude=Condition:subject"),
    ("Patient", "_include=*&_include:iterate=*"),
    ("Patient", "link:Patient.birthdate=1970&_total=accurate"),
    ("Observation", "_total=accurate"),
    ("Observation", "patient.birthdate=1970&_total=accurate"),
    ("Observation", "performer:Patient.birthdate=1970&_total=accurate"),
    ("Observation", "performer:Patient.name=bb0&_total=accurate"),
    ("Observation", "patient=Patient/b&_total=accurate"),
    ("Observation", "_include=Observation:performer&_include=Observation:subject"),
    ("Observation", "_revinclude=Observation:derived-from"),
    ("Observation", "_has:Observation:derived-from:code=4548-4&_total=accurate"),
    ("Observation", "code=4548-4&_sort=-value-quantity&_count=2"),
    ("Observation", "code:not=x&_sort=date&_count=1"),
    ("Observation", "subject:missing=false&_count=3"),
    ("Organization", "_has:Patient:organization:birthdate=1970&_total=accurate"),
    ("Practitioner", "_revinclude=Condition:asserter&_total=accurate"),
];

async fn searched(house: &House, access: &Access, kind: &str, text: &str, out: &mut String) {
    let mut cursor: Option<String> = None;
    for page in 0..10 {
        let link = cursor.as_ref().map_or(String::new(), |cursor| format!("&_cursor={cursor}"));
        let query = query(kind, &format!("{text}{link}"));
        let answer = house.gate.search(access, &query, query.count.unwrap_or(50)).await;
        let Ok(found) = answer else {
            out.push_str(&format!("{kind}?{text} page {page}: {:?}\n", answer.err()));
            return;
        };
        let bodies = |list: &[gate::Stored]| list.iter().map(body_of).collect::<Vec<_>>().join("\n  ");
        out.push_str(&format!(
            "{kind}?{text} page {page}: total {:?} next {:?}\n  {}\n  with {}\n",
            found.total,
            found.next,
            bodies(&found.matches),
            bodies(&found.included)
        ));
        cursor = found.next;
        if cursor.is_none() {
            return;
        }
    }
}

async fn history(house: &House, access: &Access, of: HistoryOf) -> String {
    let page = house.gate.history(access, of, HistoryQuery::default()).await;
    shown(page.map(|page| {
        let bodies: Vec<String> = page.entries.iter().map(body_of).collect();
        format!("total {:?} next {:?} {}", page.total, page.next, bodies.join("\n"))
    }))
}

fn body_of(stored: &gate::Stored) -> String {
    String::from_utf8(stored.body.bytes().to_vec()).unwrap()
}

fn shown(answer: Result<String, GateError>) -> String {
    answer.unwrap_or_else(|error| format!("error: {error}"))
}

/// The same cursor key in both worlds, so that links can be compared: the folder of the second starts from the first one's ledger.
async fn world(number: u32, ledger: Option<&std::path::Path>) -> House {
    let folder = tempfile::tempdir().unwrap();
    if let Some(ledger) = ledger {
        std::fs::copy(ledger.join("govern.db"), folder.path().join("govern.db")).unwrap();
    }
    let house = House::at(folder);
    ours(&house).await;
    others(&house, number).await;
    house
}

#[tokio::test]
async fn other_patients_data_changes_no_byte_of_the_answers() {
    let keys = House::new();
    let path = keys.folder.path().to_path_buf();
    let folder = keys.close();
    let (first, second) = (world(0, Some(&path)).await, world(1, Some(&path)).await);
    drop(folder);
    for scopes in ["patient/*.rs", "patient/*.cruds"] {
        let access = of_patient("a", scopes);
        let (left, right) = (everything(&first, &access).await, everything(&second, &access).await);
        for (left, right) in left.lines().zip(right.lines()) {
            assert_eq!(left, right);
        }
        assert_eq!(left, right);
        // The answers hold something, and nothing of others.
        assert!(left.contains(r#""id":"a1""#) && left.contains("next Some("), "{left}");
        assert!(
            !left.contains(r#""id":"b"#) && !left.contains(r#""id":"o"#) && !left.contains("Clinic"),
            "{left}"
        );
    }
    // The worlds differ for who may see them.
    let all = of(Role::Service);
    assert_ne!(everything(&first, &all).await, everything(&second, &all).await);
}

/// Who may change everything and see one patient must not learn by patches what the rest is.
#[tokio::test]
async fn a_patch_needs_sight_of_what_it_changes() {
    let house = House::new();
    for id in ["a", "b"] {
        house.put(&format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#)).await;
        house.put(&observation(&format!("{id}1"), id, "1.5", "")).await;
    }
    let access = of_patient("a", "patient/Observation.rs user/Observation.u");
    let patched = async |id: &str| {
        let amendment = gate::Amendment::new(Vec::new(), |stored: &fhir::Resource| Ok(stored.clone()));
        let kind = Kind::named("Observation");
        let patch = gate::Action::Patch { kind, id: id.into(), amendment, if_match: None };
        let answer = house.gate.write_one(&access, patch).await;
        answer.map(drop).map_err(|error| error.to_string().replace(id, "ID"))
    };
    assert_eq!(patched("a1").await, Ok(()));
    let hidden = patched("b1").await;
    assert!(hidden.is_err());
    assert_eq!(hidden, patched("x1").await, "hidden and unknown are one answer");
}
