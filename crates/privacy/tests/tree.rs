//! FHIR-like values: rules by path, and nothing that no rule names.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use fhir::json::{Limits, parse};
use jiff::civil::date;
use privacy::{Classification as C, ColumnRule, Context, Effect, Profile, TablePlan, TreeTally};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"MRN-0042","active":true,"name":[{"family":"Zabriskie"}],
"_birthDate":{"extension":[{"url":"time","valueDateTime":"1931-05-06T07:08:09Z"}]},"birthDate":"1931-05-06","gender":"female",
"deceasedBoolean":true,"address":[{"line":["1 Main St"],"city":"Springfield","postalCode":"02138-1234","state":"MA"},{"postalCode":"03601"}],
"multipleBirthInteger":95,"contact":[{"name":{"text":"Brother Zabriskie"}}]}"#;

#[test]
fn rules_are_by_path_and_the_rest_is_left_out() {
    let rules = [
        ColumnRule::new("active", C::Safe),
        ColumnRule::new("birthDate", C::BirthDate),
        ColumnRule::new("gender", C::QuasiIdentifier),
        ColumnRule::new("deceasedBoolean", C::Date),
        ColumnRule::new("address", C::Street),
        ColumnRule::new("address.postalCode", C::Zip),
        ColumnRule::new("address.state", C::State),
        ColumnRule::new("multipleBirthInteger", C::Age),
        ColumnRule::new("name", C::Name),
    ];
    let paths: Vec<&str> = rules.iter().map(|rule| rule.column.as_str()).collect();
    let plan = TablePlan::new(Profile::SafeHarbor, &rules, &paths, &Context::new("study", date(2026, 1, 15)))
        .unwrap();
    let mut tally = TreeTally::default();
    let patient = parse(PATIENT.as_bytes(), &Limits::default()).unwrap();
    let left = plan.apply_tree(&patient, "MRN-0042", &mut tally).unwrap();
    assert_eq!(
        left.to_text(),
        r#"{"resourceType":"Patient","active":true,"birthDate":"<=1936","gender":"female","address":[{"postalCode":"021","state":"MA"},{"postalCode":"000"}],"multipleBirthInteger":"90+"}"#
    );
    let unclassified: Vec<&str> = tally.unclassified.keys().map(String::as_str).collect();
    assert_eq!(
        unclassified,
        ["_birthDate.extension.url", "_birthDate.extension.valueDateTime", "contact.name.text", "id"]
    );
    assert_eq!(tally.columns[3].count(Effect::Unreadable), 1, "a truth value is no date");
    assert_eq!(
        (tally.columns[4].count(Effect::Dropped), tally.columns[5].count(Effect::Generalised)),
        (2, 2)
    );
    let nothing = parse(br#"{"name":"Zabriskie","n":[null,{}]}"#, &Limits::default()).unwrap();
    assert!(plan.apply_tree(&nothing, "", &mut tally).is_none());
}
