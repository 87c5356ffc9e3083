//! The same seed gives the same bytes, whatever the size of the population; the formats agree; a failing sink ends the writing.

#![allow(clippy::unwrap_used, reason = "a test file: what is absent fails the test")]

use std::collections::BTreeMap;
use std::io;

use fhir::Value;
use fhir::json::{Limits, parse};
use sha2::{Digest, Sha256};
use synth::{Config, Format, PLANTED, Population, Summary, write};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");

fn files_of(config: &Config, format: Format) -> (BTreeMap<String, Vec<u8>>, Summary) {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut sink = |name: &str, bytes: &[u8]| -> io::Result<()> {
        files.entry(name.to_string()).or_default().extend_from_slice(bytes);
        Ok(())
    };
    let summary = write(config.clone(), format, &mut sink).unwrap();
    (files, summary)
}

fn format_of(name: &str) -> Format {
    match name {
        "bundles" => Format::Bundles,
        "ndjson" => Format::Ndjson,
        "csv" => Format::Csv,
        other => panic!("`{other}` is no format"),
    }
}

/// A hash over all names and bytes, and the counts.
#[test]
fn the_bytes_are_golden() {
    let n_cases = testkit::cases(format!("{CASES}/bytes"), |input| {
        let words: Vec<&str> = input.split(' ').collect();
        let config = Config::new(words[1].parse().unwrap(), words[2].parse().unwrap());
        let (files, summary) = files_of(&config, format_of(words[0]));
        let mut hash = Sha256::new();
        for (name, bytes) in &files {
            hash.update(name);
            hash.update(bytes);
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hash}\n{} files, {} bytes, {} resources", summary.files, summary.bytes, summary.resources())
    });
    assert_eq!(n_cases, 4);
}

/// A chart that a person can read: a line per resource.
#[test]
fn charts_are_golden() {
    let n_cases = testkit::cases(format!("{CASES}/charts"), |input| {
        let words: Vec<&str> = input.split(' ').collect();
        let population = Population::new(Config::new(1, words[3].parse().unwrap()));
        let lines: Vec<String> = population.patient(words[1].parse().unwrap()).iter().map(line_of).collect();
        lines.join("\n")
    });
    assert_eq!(n_cases, 2);
}

fn line_of(resource: &Value) -> String {
    let kind = resource.text("resourceType").unwrap();
    let dates =
        ["birthDate", "effectiveDateTime", "authoredOn", "onsetDateTime", "occurrenceDateTime", "startDate"];
    let period = ["period", "performedPeriod"].iter().find_map(|key| resource.get(key)?.text("start"));
    let date = dates.iter().find_map(|key| resource.text(key)).or(period).unwrap_or("-");
    let concepts = ["code", "medicationCodeableConcept", "vaccineCode", "type", "description"];
    let name = concepts.iter().find_map(|key| {
        let concept = resource.get(key)?.each().first()?;
        concept.text("text").or_else(|| concept.get("coding")?.items().first()?.text("display"))
    });
    let number = resource.get("valueQuantity").map(|value| {
        format!(
            " {} {}",
            value.get("value").unwrap().as_number().unwrap().as_str(),
            value.text("code").unwrap()
        )
    });
    format!("{date} {kind} {}{}", name.unwrap_or("-"), number.unwrap_or_default())
}

#[test]
fn a_patient_is_the_same_in_any_population() {
    let (few, many) = (Config::new(3, 9), Config::new(40, 9));
    let ((few, _), (many, _)) = (files_of(&few, Format::Bundles), files_of(&many, Format::Bundles));
    for (name, bytes) in few.iter().filter(|(name, _)| !name.starts_with("group-")) {
        assert_eq!(many.get(name), Some(bytes), "{name}");
    }
    let other = Population::new(Config::new(3, 10));
    assert_ne!(Population::new(Config::new(3, 9)).patient(0)[0], other.patient(0)[0]);
    assert_eq!(Population::new(Config::new(3, 9)).shared(), other.shared());
}

#[test]
fn the_formats_hold_the_same_resources() {
    let config = Config::new(60, 5);
    let (bundles, in_bundles) = files_of(&config, Format::Bundles);
    let (lines, in_lines) = files_of(&config, Format::Ndjson);
    let (tables, in_tables) = files_of(&config, Format::Csv);
    assert_eq!(in_bundles.counts, in_lines.counts);
    assert_eq!(in_bundles.counts, in_tables.counts);
    assert_eq!(bundles.len(), 60 + 1 + 4);
    let mut from_bundles: Vec<String> = Vec::new();
    for bytes in bundles.values() {
        let bundle = parse(bytes, &Limits::default()).unwrap();
        from_bundles.extend(
            bundle.get("entry").unwrap().items().iter().map(|entry| entry.get("resource").unwrap().to_text()),
        );
    }
    let mut from_lines: Vec<String> = lines
        .values()
        .flat_map(|file| std::str::from_utf8(file).unwrap().lines())
        .map(str::to_string)
        .collect();
    from_bundles.sort();
    from_lines.sort();
    assert_eq!(from_bundles, from_lines);
    assert_eq!(from_lines.len() as u64, in_lines.resources());
    check_tables(&lines, &tables);
}

/// Every table has a row per resource, component or member.
fn check_tables(lines: &BTreeMap<String, Vec<u8>>, tables: &BTreeMap<String, Vec<u8>>) {
    let resources = |name: &str| -> Vec<Value> {
        let text = std::str::from_utf8(&lines[&format!("{name}.ndjson")]).unwrap();
        text.lines().map(|line| parse(line.as_bytes(), &Limits::default()).unwrap()).collect()
    };
    let rows = |name: &str| std::str::from_utf8(&tables[&format!("{name}.csv")]).unwrap().lines().count() - 1;
    for (kind, table) in [
        ("Patient", "patients"),
        ("Coverage", "coverages"),
        ("Encounter", "encounters"),
        ("Condition", "conditions"),
        ("MedicationRequest", "medications"),
        ("Procedure", "procedures"),
        ("Immunization", "immunizations"),
        ("DiagnosticReport", "diagnostic_reports"),
        ("AllergyIntolerance", "allergies"),
        ("Organization", "organizations"),
        ("Location", "locations"),
        ("Practitioner", "practitioners"),
        ("PractitionerRole", "practitioner_roles"),
        ("Goal", "goals"),
        ("ServiceRequest", "service_requests"),
        ("RiskAssessment", "risk_assessments"),
        ("Consent", "consents"),
    ] {
        assert_eq!(rows(table), resources(kind).len(), "{table}");
    }
    let parts = |kind: &str, list: &str| -> usize {
        resources(kind).iter().map(|one| one.get(list).map_or(1, |items| items.items().len())).sum()
    };
    assert_eq!(rows("observations"), parts("Observation", "component"));
    assert_eq!(rows("claim_lines"), parts("Claim", "item"));
    assert_eq!(rows("benefit_lines"), parts("ExplanationOfBenefit", "item"));
    assert_eq!(rows("group_members"), parts("Group", "member"));
    assert_eq!(tables.len(), lines.len());
    let first = std::str::from_utf8(&tables["patients.csv"]).unwrap().lines().nth(1).unwrap();
    let patient = &resources("Patient")[0];
    assert!(
        first.starts_with(&format!("{},{}", patient.text("id").unwrap(), patient.text("birthDate").unwrap())),
        "{first}"
    );
}

#[test]
fn a_failing_sink_ends_the_writing() {
    let mut n_calls = 0;
    let mut sink = |_: &str, _: &[u8]| -> io::Result<()> {
        n_calls += 1;
        if n_calls > 3 { Err(io::Error::other("the disk is full")) } else { Ok(()) }
    };
    let error = write(Config::new(100_000, 1), Format::Bundles, &mut sink).unwrap_err();
    assert_eq!(error.to_string(), "the disk is full");
    assert_eq!(n_calls, 4);
}

#[test]
fn nobody_is_no_error() {
    for format in [Format::Bundles, Format::Ndjson, Format::Csv] {
        let (files, summary) = files_of(&Config::new(0, 1), format);
        assert!(!files.is_empty() && !summary.counts.contains_key("Patient"));
    }
}

/// The documentation of the crate states what the generator draws from.
#[test]
fn the_documented_disparities_are_the_planted_ones() {
    let row = |one: &synth::Planted| {
        format!(
            "| `{}` | {} | {}: {:.0} % | {}: {:.0} % | ±{:.1} |\n",
            one.slug,
            one.measure,
            one.group,
            one.rate_group * 100.0,
            one.other,
            one.rate_other * 100.0,
            one.tolerance * 100.0
        )
    };
    let rows: String = PLANTED.iter().map(row).collect();
    let table = format!(
        "| name | measure | group | compared with | tolerance at 4,000 patients, points |\n|---|---|---|---|---|\n{rows}"
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/planted.md");
    if std::env::var_os("SALUS_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), table, "SALUS_BLESS=1 writes it again");
}
