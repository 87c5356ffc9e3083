//! Every resource is valid R4, every reference leads somewhere, and nothing happens before birth, after death or after the end.

use std::collections::{BTreeMap, BTreeSet};

use fhir::date::parse_date;
use fhir::{Resource, Value};
use synth::{Config, Population, bundle_of};
use validate::{Level, check};

const PATIENTS: u32 = 400;

fn population() -> Population {
    Population::new(Config::new(PATIENTS, 42))
}

fn issues_of(resource: &Value, found: &mut BTreeMap<String, u32>) {
    let resource = Resource::from_value(resource.clone()).expect("a synthetic resource is a resource");
    for issue in check(&resource, Level::Full) {
        let place = issue.expression.unwrap_or_default();
        *found.entry(format!("{place}: {} {}", issue.slug, issue.diagnostics)).or_default() += 1;
    }
}

#[test]
fn every_resource_is_valid() {
    let (population, mut found) = (population(), BTreeMap::new());
    let patients = (0..PATIENTS).flat_map(|index| population.patient(index));
    for resource in population.shared().into_iter().chain(patients).chain(population.groups()) {
        issues_of(&resource, &mut found);
    }
    for index in 0..20 {
        issues_of(&bundle_of(population.patient(index)), &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    // The check itself sees what is wrong.
    let mut patient = population.patient(0).swap_remove(0);
    *patient.get_mut("gender").unwrap() = "mael".into();
    issues_of(&patient, &mut found);
    assert_eq!(found.len(), 1);
}

fn name_of(resource: &Value) -> String {
    let text = |key| resource.text(key).expect("a synthetic resource has a type and an id");
    format!("{}/{}", text("resourceType"), text("id"))
}

/// Calls `see` with every text in a value and the name of its member.
fn texts<'a>(value: &'a Value, name: &'a str, see: &mut impl FnMut(&'a str, &'a str)) {
    match value {
        Value::String(text) => see(name, text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, name, see)),
        Value::Object(object) => object.iter().for_each(|(name, value)| texts(value, name, see)),
        _ => (),
    }
}

#[test]
fn every_reference_leads_to_a_shared_or_own_resource() {
    let population = population();
    let shared: Vec<Value> = population.shared();
    let mut known = BTreeSet::new();
    for resource in &shared {
        // What is referred to stands first, so that a server that checks references takes the file as it is.
        texts(resource, "", &mut |name, text| assert!(name != "reference" || known.contains(text), "{text}"));
        assert!(known.insert(name_of(resource)), "{} twice", name_of(resource));
    }
    let mut patients = BTreeSet::new();
    for index in 0..PATIENTS {
        let resources = population.patient(index);
        assert_eq!(resources[0].text("resourceType"), Some("Patient"));
        let own: BTreeSet<String> = resources.iter().map(name_of).collect();
        assert_eq!(own.len(), resources.len(), "an id twice");
        for resource in &resources {
            texts(resource, "", &mut |name, text| {
                let found = own.contains(text) || known.contains(text);
                assert!(name != "reference" || found, "{} to {text}", name_of(resource));
            });
        }
        patients.insert(name_of(&resources[0]));
    }
    for group in population.groups() {
        texts(&group, "", &mut |name, text| {
            assert!(name != "reference" || patients.contains(text), "{text}");
        });
    }
}

#[test]
fn nothing_happens_before_birth_after_death_or_after_the_end() {
    let population = population();
    let end = population.config().end.0;
    let (mut deaths, mut n_dates) = (0, 0);
    for index in 0..PATIENTS {
        let resources = population.patient(index);
        let low = |text: &str| parse_date(text).map(|date| date.period().low);
        let birth = resources[0].text("birthDate").and_then(low).unwrap();
        let death = resources[0].text("deceasedDateTime").and_then(low);
        deaths += u32::from(death.is_some());
        for resource in &resources {
            texts(resource, "", &mut |name, text| {
                let is_date =
                    name.ends_with("Date") || name.ends_with("DateTime") || name.ends_with("Instant");
                if !is_date && !["start", "end", "authoredOn", "issued", "dateTime"].contains(&name) {
                    return;
                }
                let at = low(text).unwrap_or_else(|| panic!("{}: {name} is `{text}`", name_of(resource)));
                n_dates += 1;
                assert!(at >= birth, "{}: {name} {text} is before birth", name_of(resource));
                assert!(at < end, "{}: {name} {text} is after the end", name_of(resource));
                assert!(
                    death.is_none_or(|death| at <= death),
                    "{}: {name} {text} is after death",
                    name_of(resource)
                );
            });
        }
    }
    assert!(deaths >= 5 && n_dates > 20_000, "{deaths} deaths, {n_dates} dates");
}

#[test]
fn nobody_is_in_two_places_and_visits_are_about_what_is_known() {
    let population = population();
    let (mut n_visits, mut n_diagnoses) = (0, 0);
    for index in 0..PATIENTS {
        let resources = population.patient(index);
        let onsets: BTreeMap<String, &str> =
            resources.iter().filter_map(|one| Some((name_of(one), one.text("onsetDateTime")?))).collect();
        let mut periods = Vec::new();
        for visit in resources.iter().filter(|one| one.text("resourceType") == Some("Encounter")) {
            let period = visit.get("period").expect("a visit has a period");
            let at = |key| parse_date(period.text(key).expect("it has ended")).expect("a date").period().low;
            periods.push((at("start"), at("end")));
            for diagnosis in visit.get("diagnosis").map(Value::items).unwrap_or_default() {
                let condition =
                    diagnosis.get("condition").and_then(|one| one.text("reference")).expect("a reference");
                let day = &period.text("start").expect("it has begun")[..10];
                assert!(onsets[condition] <= day, "{} is about {condition}", name_of(visit));
                n_diagnoses += 1;
            }
        }
        periods.sort_unstable();
        n_visits += periods.len();
        for pair in periods.windows(2) {
            assert!(pair[0].0 < pair[0].1 && pair[0].1 <= pair[1].0, "patient {index}");
        }
    }
    assert!(n_visits > 2_000 && n_diagnoses > 500, "{n_visits} visits, {n_diagnoses} diagnoses");
}

#[test]
fn odd_configurations_give_valid_people() {
    let days = ["0001-01-01", "1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"]
        .map(|day| parse_date(day).expect("a date"));
    let ends = days.iter().map(|day| day.period().low).chain([i64::MIN, i64::MAX]);
    let mut found = BTreeMap::new();
    for end in ends {
        for years in [0, 1, 100, u32::MAX] {
            let population =
                Population::new(Config { patients: 8, seed: u64::MAX, end: fhir::Instant(end), years });
            let patients = [0, 1, 2, 3, u32::MAX].into_iter().flat_map(|index| population.patient(index));
            for resource in patients.chain(population.groups()) {
                issues_of(&resource, &mut found);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
