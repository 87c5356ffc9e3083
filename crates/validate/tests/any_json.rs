//! Whatever the JSON, validation ends with places and without panic, and the full level finds what the basic one does.

use fhir::{Object, Resource, Value};
use proptest::prelude::*;
use validate::{ISSUES_MAX, Level, check};

/// Names that mean something somewhere, and some that never do.
const KEYS: &[&str] = &[
    "id",
    "_id",
    "meta",
    "extension",
    "url",
    "valueString",
    "_valueString",
    "valueQuantity",
    "value",
    "code",
    "coding",
    "system",
    "text",
    "div",
    "status",
    "contained",
    "resourceType",
    "reference",
    "name",
    "given",
    "_given",
    "birthDate",
    "_birthDate",
    "entry",
    "resource",
    "fullUrl",
    "period",
    "start",
    "end",
    "item",
    "linkId",
    "enableWhen",
    "timing",
    "repeat",
    "data",
    "size",
    "nothing",
    "_",
    "",
];
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "#",
    "#a",
    "Patient",
    "Bundle",
    "Questionnaire",
    "Patient/1",
    "2020",
    "2020-01-01T10:00:00Z",
    "http://example.org",
    "urn:uuid:x",
    "<div>a</div>",
    "<div",
    "&",
    "final",
    "\u{1}",
    "QUI=",
    "9999999999",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| Value::Number(number.into())),
        proptest::sample::select(TEXTS).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            members(inner).prop_map(Value::Object),
        ]
    })
}

fn members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    proptest::collection::vec((proptest::sample::select(KEYS), inner), 0..8)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn validation_ends(kind in proptest::sample::select(&["Patient", "Observation", "Bundle", "Questionnaire", "Parameters"][..]), mut object in members(value())) {
        object.remove("id");
        object.insert("resourceType", kind.into());
        let resource = Resource::from_value(Value::Object(object)).expect("it has a type and no id");
        let (basic, full) = (check(&resource, Level::Basic), check(&resource, Level::Full));
        prop_assert!(full.len() <= 2 * ISSUES_MAX + 2);
        prop_assert!(basic.iter().all(|issue| full.contains(issue)));
        for issue in &full {
            prop_assert!(issue.expression.as_deref().is_some_and(|place| place.starts_with(kind)));
        }
    }
}
