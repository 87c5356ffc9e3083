//! A caller who may see one patient learns nothing of the others: whatever their data is, every answer is the same to the byte.

use std::fmt::Write as _;

use fhir::Kind;
use search::{Restriction, Restrictions};
use store::{HistoryOf, HistoryQuery, ScanQuery};

use crate::house::{House, only_patient};

const MINE: &[&str] = &[
    r#"{"resourceType":"Patient","id":"me","gender":"female","name":[{"family":"Adler"}],"generalPractitioner":[{"reference":"Practitioner/dr"}],"link":[{"other":{"reference":"Patient/you"},"type":"seealso"}]}"#,
    r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/me"}}"#,
    r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]},"subject":{"reference":"Patient/me"},"encounter":{"reference":"Encounter/e"},"valueQuantity":{"value":5},"effectiveDateTime":"2024-02-01"}"#,
    r#"{"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2"}]},"subject":{"reference":"Patient/me"},"hasMember":[{"reference":"Observation/theirs"}],"derivedFrom":[{"reference":"Observation/o1"}],"effectiveDateTime":"2024-03-01"}"#,
];

/// The other patient's data in two ways that have nothing in common.
const OTHERS: [&[&str]; 2] = [
    &[
        r#"{"resourceType":"Patient","id":"you","gender":"male","name":[{"family":"Bussard"}],"link":[{"other":{"reference":"Patient/him"},"type":"seealso"}]}"#,
        r#"{"resourceType":"Observation","id":"theirs","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]},"subject":{"reference":"Patient/you"},"hasMember":[{"reference":"Observation/o1"}],"focus":[{"reference":"Patient/me"}]}"#,
        r#"{"resourceType":"List","id":"l","status":"current","mode":"working","subject":{"reference":"Patient/you"},"entry":[{"item":{"reference":"Observation/o1"}},{"item":{"reference":"Patient/me"}}]}"#,
        r#"{"resourceType":"RiskAssessment","id":"r","status":"final","subject":{"reference":"Patient/you"},"prediction":[{"qualitativeRisk":{"coding":[{"code":"high"}]}}]}"#,
    ],
    &[
        r#"{"resourceType":"Practitioner","id":"dr","name":[{"family":"House"}]}"#,
        r#"{"resourceType":"Encounter","id":"x1","status":"planned","class":{"code":"IMP"},"subject":{"reference":"Patient/you"}}"#,
        r#"{"resourceType":"Encounter","id":"x2","status":"planned","class":{"code":"IMP"},"subject":{"reference":"Patient/you"},"partOf":{"reference":"Encounter/e"}}"#,
        r#"{"resourceType":"Observation","id":"many","status":"amended","code":{"coding":[{"system":"http://loinc.org","code":"2"}]},"subject":{"reference":"Patient/you"},"encounter":{"reference":"Encounter/e"},"valueQuantity":{"value":500}}"#,
    ],
];

const SEARCHES: &[&str] = &[
    "Patient?",
    "Patient?gender=male",
    "Patient?_id=you",
    "Patient?_sort=-family",
    "Patient?_has:Observation:patient:code=1",
    "Patient?_has:Observation:patient:value-quantity=gt100",
    "Patient?_has:Patient:link:family=bussard",
    "Patient?link:Patient.gender=male",
    "Patient?general-practitioner:Practitioner.family=house",
    "Patient?_list=l",
    "Patient?risk=high",
    "Patient?_revinclude=*&_include=*",
    "Observation?",
    "Observation?code=1",
    "Observation?code=2&_sort=date",
    "Observation?subject=Patient/you",
    "Observation?patient.gender=male",
    "Observation?patient.family=a",
    "Observation?encounter:Encounter.class=AMB",
    "Observation?has-member:Observation.code=1",
    "Observation?_has:Observation:has-member:code=1",
    "Observation?_has:Observation:derived-from:code=2",
    "Observation?has-member:missing=false",
    "Observation?_include=Observation:has-member&_include:iterate=Observation:subject",
    "Observation?_revinclude=Observation:has-member&_revinclude:iterate=List:item",
    "Observation?_list=l",
    "Encounter?status=planned",
    "Encounter?_has:Encounter:part-of:status=planned",
    "Encounter?_revinclude=Observation:encounter",
    "List?",
    "Practitioner?",
    "?_type=Patient,Observation,Encounter,List,RiskAssessment&_sort=-_lastUpdated",
];

/// All that the caller can get.
async fn everything(house: &House) -> String {
    let mine = only_patient("me");
    let mut all = String::new();
    for (at, text) in SEARCHES.iter().enumerate() {
        for count in [1, 50] {
            let mut cursor = String::new();
            loop {
                let ask = format!("{text}&_total=accurate{cursor}");
                let page = house.page(&ask, count, &mine).await.unwrap();
                let _ = writeln!(
                    all,
                    "search {at} by {count}: {:?} + {:?} of {:?} {:?}",
                    page.matches, page.included, page.total, page.next
                );
                let Some(next) = page.next else { break };
                cursor = format!("&_cursor={next}");
            }
        }
    }
    let _ = writeln!(all, "{:?}", house.store.counts(&house.tenant, &mine).await.unwrap());
    for of in [
        HistoryOf::System,
        HistoryOf::Kind(Kind::named("Observation")),
        HistoryOf::Instance(Kind::PATIENT, "you".into()),
    ] {
        let page = house.store.history(&house.tenant, of, HistoryQuery::default(), &mine).await.unwrap();
        let _ = writeln!(all, "{page:?}");
    }
    let scan = ScanQuery { kinds: Vec::new(), since: None, after: None, count: 100 };
    let page = house.store.scan(&house.tenant, scan, &mine).await.unwrap();
    let _ = writeln!(all, "{:?} {}", page.entries, page.next.is_some());
    all
}

#[tokio::test]
async fn another_patients_data_leaves_no_trace() {
    let mut answers = Vec::new();
    for others in OTHERS {
        for mine_first in [true, false] {
            let house = House::at_one_time();
            let (first, second) = if mine_first { (MINE, others) } else { (others, MINE) };
            for text in first.iter().chain(second) {
                house.put(text).await;
            }
            answers.push(everything(&house).await);
            house.check().await;
        }
    }
    assert!(answers[0].contains("Observation/o1/"));
    assert_eq!(
        answers[0].lines().find(|line| line.contains("Patient/you/") || line.contains("Observation/theirs/")),
        None
    );
    let alone = House::at_one_time();
    for text in MINE {
        alone.put(text).await;
    }
    let alone = everything(&alone).await;
    for answer in answers {
        assert_eq!(answer, alone);
    }
}

#[tokio::test]
async fn nothing_may_be_seen_where_nothing_is_allowed() {
    let house = House::new();
    for text in MINE {
        house.put(text).await;
    }
    let mut nothing = Restrictions::all();
    nothing.default = Restriction::Nothing;
    nothing.by_kind.insert(Kind::named("Encounter"), Restriction::All);
    assert_eq!(house.find_as("Patient?", 10, &nothing).await, [""; 0]);
    assert_eq!(house.find_as("Encounter?patient.gender=female", 10, &nothing).await, [""; 0]);
    assert_eq!(house.find_as("Encounter?_has:Observation:encounter:code=1", 10, &nothing).await, [""; 0]);
    let page = house.page("Encounter?_include=*&_revinclude=*", 10, &nothing).await.unwrap();
    assert_eq!((page.matches.len(), page.included.len()), (1, 0));
    assert_eq!(house.store.counts(&house.tenant, &nothing).await.unwrap(), [(Kind::named("Encounter"), 1)]);
}
