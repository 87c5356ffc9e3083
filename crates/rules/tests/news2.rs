//! The reference vectors of NEWS2 through the shipped rules: every boundary and every case, as alerts.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of a test; what was not checked is said"
)]

mod common;

use std::path::PathBuf;

use common::{START, adult, event, measured};
use fhir::Instant;
use rules::{PatientState, RuleSet, Severity, Subject, What};
use serde_json::Value as Json;

fn reference(name: &str) -> Option<Json> {
    let folder = std::env::var_os("SALUS_SHARED_DATA").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")));
    let path = folder.join("../reference").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            println!("not checked: `{name}` is not there");
            None
        }
    }
}

/// Severities that the rules on NEWS2 raise: of the score, and of single parameters.
fn raised(values: &[(&str, String)], scale_two: bool) -> (Option<Severity>, bool) {
    let subject = Subject { spo2_target_88_92: scale_two, ..adult() };
    let measurements = values.iter().map(|(name, value)| measured(name, value)).collect();
    let found =
        RuleSet::shipped().on_event(&mut PatientState::default(), &subject, &event("e", START, measurements));
    let of = |rule: &str| {
        found.iter().find_map(|finding| match finding.what {
            What::Raise(severity) if finding.rule == rule => Some(severity),
            _ => None,
        })
    };
    (of("scores/news2"), of("scores/news2-red").is_some())
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_case_raises_what_its_band_asks_for() {
    let Some(cases) = reference("news2_cases.json") else { return };
    let cases = cases.as_array().unwrap();
    for case in cases {
        let input = case["input"].as_array().unwrap();
        let names = [
            "respiratory_rate",
            "spo2",
            "breathing",
            "systolic",
            "heart_rate",
            "consciousness",
            "temperature",
        ];
        let values: Vec<(&str, String)> = names
            .iter()
            .zip(input)
            .map(|(name, value)| {
                let breathing = if value.as_i64() == Some(0) { "air" } else { "oxygen" };
                (*name, if *name == "breathing" { breathing.to_owned() } else { text(value) })
            })
            .collect();
        let (score, red) = raised(&values, input[7].as_i64() == Some(2));
        let expected = match case["total"].as_i64().unwrap() {
            7.. => Some(Severity::Critical),
            5.. => Some(Severity::High),
            _ => None,
        };
        assert_eq!(score, expected, "{}", case["case"]);
        let has_red = case["parts"].as_object().unwrap().values().any(|points| points.as_i64() == Some(3));
        assert_eq!(red, has_red, "{}", case["case"]);
    }
    assert!(cases.len() >= 10);
}

/// Points of one parameter are seen by what they add: 4 points by the others make 5 an alert, and 7 another.
#[test]
fn every_boundary_scores_what_it_must() {
    let Some(boundaries) = reference("news2_boundaries.json") else { return };
    let mut n_checked = 0;
    for (parameter, rows) in boundaries.as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            let (value, points) = (text(&row[0]), row[1].as_i64().unwrap());
            let found = points_of(parameter, &value);
            assert_eq!(found, points, "{parameter} {value}");
            n_checked += 1;
        }
    }
    assert!(n_checked >= 60);
}

/// From what base does the score reach 5.
fn points_of(parameter: &str, value: &str) -> i64 {
    let (name, breathing, scale_two) = match parameter {
        "rr" => ("respiratory_rate", "air", false),
        "spo2_1" => ("spo2", "air", false),
        "spo2_2_air" => ("spo2", "air", true),
        "spo2_2_o2" => ("spo2", "oxygen", true),
        "sbp" => ("systolic", "air", false),
        "hr" => ("heart_rate", "air", false),
        _ => ("temperature", "air", false),
    };
    let oxygen = if breathing == "oxygen" { 2 } else { 0 };
    // Two other parameters make any base from 0 to 5.
    let levers = |base: i64| match name {
        "systolic" => [
            ("heart_rate", [70, 100, 120, 140][base.min(3) as usize]),
            ("respiratory_rate", [16, 10, 22, 26][(base - base.min(3)) as usize]),
        ],
        "heart_rate" => [
            ("systolic", [120, 105, 95, 85][base.min(3) as usize]),
            ("respiratory_rate", [16, 10, 22, 26][(base - base.min(3)) as usize]),
        ],
        _ => [
            ("systolic", [120, 105, 95, 85][base.min(3) as usize]),
            ("heart_rate", [70, 100, 120, 140][(base - base.min(3)) as usize]),
        ],
    };
    let reached = |base: i64| {
        let mut values: Vec<(&str, String)> = vec![
            ("respiratory_rate", "16".to_owned()),
            ("spo2", if scale_two { "90" } else { "97" }.to_owned()),
            ("breathing", breathing.to_owned()),
            ("systolic", "120".to_owned()),
            ("heart_rate", "70".to_owned()),
            ("consciousness", "A".to_owned()),
            ("temperature", "37.0".to_owned()),
        ];
        for (lever, number) in levers(base) {
            values.iter_mut().find(|(name, _)| *name == lever).unwrap().1 = number.to_string();
        }
        values.iter_mut().find(|(other, _)| *other == name).unwrap().1 = value.to_owned();
        raised(&values, scale_two).0.is_some()
    };
    let base = (0..=5).find(|base| reached(*base)).unwrap();
    5 - oxygen - base
}

#[test]
fn the_alert_says_all_that_it_must() {
    let set = RuleSet::shipped();
    let (subject, mut state) = (adult(), PatientState::default());
    set.on_event(&mut state, &subject, &event("e0", START, vec![measured("systolic", "150")]));
    let found = set.on_event(
        &mut state,
        &subject,
        &event("e1", START + 60_000_000, vec![measured("systolic", "190")]),
    );
    let alert = found.iter().find(|finding| finding.rule == "founding/systolic").unwrap();
    assert_eq!(
        alert.message,
        "severe hypertension, assess for organ damage: systolic pressure 190 mm[Hg] (limit: above 180 mm[Hg]); measured 2026-06-15T12:01:00.000Z by monitor; before: systolic pressure 150 mm[Hg] at 2026-06-15T12:00:00.000Z; rule founding/systolic 1.0.0"
    );
    let seen: Vec<(&str, &str, &str)> =
        alert.seen.iter().map(|s| (s.name.as_str(), s.value.as_str(), s.event.as_str())).collect();
    assert_eq!(seen, [("systolic", "190", "e1"), ("systolic", "150", "e0")]);
    assert_eq!((alert.respond_within_mins, alert.topic.as_str()), (Some(30), "systolic-pressure"));
    let partial =
        vec![measured("respiratory_rate", "26"), measured("spo2", "93"), measured("breathing", "oxygen")];
    let found = set.on_event(&mut state, &subject, &event("e2", START + 120_000_000, partial));
    let alert = found.iter().find(|finding| finding.rule == "scores/news2").unwrap();
    assert_eq!(
        alert.message,
        "emergency assessment, continuous monitoring: NEWS2 >=7 (limit: at least 7); points: rr 3, spo2 2, breathing 2, sbp 0; SpO2 scale 1; partial score, missing or too old: heart rate, consciousness, temperature; respiratory rate 26 /min at 2026-06-15T12:02:00.000Z (0 min old) by monitor; SpO2 93 % at 2026-06-15T12:02:00.000Z (0 min old) by monitor; breathing oxygen at 2026-06-15T12:02:00.000Z (0 min old) by monitor; systolic pressure 190 mm[Hg] at 2026-06-15T12:01:00.000Z (1 min old) by monitor; rule scores/news2 1.0.0"
    );
    assert_eq!(format!("{alert:?}"), "Finding(scores/news2 Raise(Critical))");
    assert_eq!(alert.at, Instant(START + 120_000_000));
}
