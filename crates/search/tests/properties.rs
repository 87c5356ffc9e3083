//! Properties of the parser and the extractor: nothing panics, and a query survives being written out.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use fhir::json::Limits;
use fhir::{Instant, Kind, Resource};
use proptest::prelude::*;
use search::{EquityRules, Extractor, Options, ParamId, parse};

const NOW: Instant = Instant(1_718_452_800_000_000);

fn options() -> Options {
    Options::new(true, vec!["http://h/fhir".into()], NOW)
}

/// Names and values that are often right, so that most queries are understood.
fn pair() -> impl Strategy<Value = (ParamId, String, String)> {
    let n_params = ParamId::all().len();
    let modifier = prop_oneof![
        6 => Just(String::new()),
        1 => prop::sample::select(vec![
            ":missing", ":exact", ":contains", ":not", ":text", ":below", ":above", ":in", ":identifier", ":of-type", ":Patient",
        ]).prop_map(String::from),
    ];
    let word = prop::sample::select(vec![
        "a",
        "true",
        "2024-02-29",
        "ge2024",
        "lt5.40",
        "5.4||mg",
        "5|http://unitsofmeasure.org|mg/dL",
        "http://x|y",
        "|y",
        "x|",
        "Patient/1",
        "http://h/fhir/Patient/1",
        "http://o/Patient/1",
        "a$b",
        "a$5",
        "é\u{301} ß",
        "a|b|c",
        "\\,\\$\\|\\\\",
        "urn:uuid:1",
        "state|TX",
        "+%&=#",
    ]);
    let value = prop::collection::vec(word, 1..4).prop_map(|words| words.join(","));
    (0..n_params, modifier, value).prop_map(|(at, modifier, value)| {
        (ParamId::at_index(at).expect("it is one of them"), modifier, value)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_query_survives_being_written(pairs in prop::collection::vec(pair(), 1..4)) {
        let kind = pairs[0].0.def().kind;
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let text: Vec<String> = pairs
            .iter()
            .map(|(param, modifier, value)| format!("{}{modifier}={}", param.def().code, encode(value)))
            .collect();
        if let Ok(parsed) = parse(Some(kind), &text.join("&"), &options()) {
            let again = parse(Some(kind), &parsed.query.canonical, &options()).unwrap();
            prop_assert_eq!(again, parsed);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", at in 0usize..146, strict: bool) {
        let options = Options { strict, ..options() };
        for kind in [None, Kind::at_index(at)] {
            if let Err(issues) = parse(kind, &text, &options) {
                prop_assert!(!issues.is_empty());
            }
        }
    }

    #[test]
    fn no_pair_panics(name in "[_a-zA-Z:.-]{0,30}", value in "\\PC{0,30}") {
        for kind in ["Patient", "Observation", "Location"] {
            let _ = parse(Some(Kind::named(kind)), &format!("{name}={value}"), &options());
        }
    }

    #[test]
    fn no_json_panics(json in json_value(4), kind in prop::sample::select(vec!["Patient", "Observation", "Group", "Bundle", "RiskAssessment", "Questionnaire"])) {
        let text = format!("{{\"resourceType\":\"{kind}\",\"id\":\"a\",{}}}", json.join(","));
        if let Ok(resource) = Resource::parse(text.as_bytes(), &Limits::default()) {
            Extractor::new(Vec::new(), EquityRules::default()).extract(&resource, NOW);
        }
    }
}

/// Names of members that search looks at.
const NAMES: &str = "name given address state period start end code coding system value valueQuantity valueSampledData origin data factor \
    subject reference identifier type meta tag member entity actual component extension url prediction qualitativeRisk entry resource \
    effectiveTiming event useContext category telecom deceasedBoolean probabilityRange low high";
/// Those that stand at the top.
const TOP_NAMES: &str = "name address code valueQuantity valueSampledData subject meta member component entry prediction useContext \
    extension identifier telecom active deceasedBoolean effectiveTiming category actual";

fn one_of(words: &'static str) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(words.split_whitespace().collect::<Vec<_>>())
}

/// Members with the names of FHIR and values of any shape.
fn json_value(depth: u32) -> impl Strategy<Value = Vec<String>> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "5.40",
        "-1e3",
        "\"\"",
        "\"a\"",
        "\"2024-02-29\"",
        "\"Patient/1\"",
        "\"http://unitsofmeasure.org\"",
        "\"E L U 5 -5\"",
    ]);
    let value = leaf.prop_map(String::from).prop_recursive(depth, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((one_of(NAMES), inner), 0..5).prop_map(|members| object(&members)),
        ]
    });
    prop::collection::vec((one_of(TOP_NAMES), value), 1..6).prop_map(|members| {
        let inner = object(&members);
        vec![inner[1..inner.len() - 1].to_string()]
    })
}

/// A JSON object; a name that comes twice is taken once.
fn object(members: &[(&str, String)]) -> String {
    let mut seen = Vec::new();
    let mut text = Vec::new();
    for (name, value) in members {
        if !seen.contains(name) {
            seen.push(*name);
            text.push(format!("\"{name}\":{value}"));
        }
    }
    format!("{{{}}}", text.join(","))
}

#[test]
fn limits_hold() {
    let refused = |text: &str, expected: &str| {
        let issues = parse(Some(Kind::PATIENT), text, &options()).unwrap_err();
        assert_eq!(issues[0].slug, expected);
    };
    refused(&"name=x&".repeat(1_000_000), "query-too-long");
    refused(&"a=&".repeat(1_000), "too-many-parameters");
    refused(&format!("name={}", vec!["x"; 2_001].join(",")), "too-many-values");
    refused(
        &format!("_id={}&_id={}", vec!["1"; 1_001].join(","), vec!["1"; 1_000].join(",")),
        "too-many-values",
    );
}
