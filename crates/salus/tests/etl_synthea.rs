//! The example of `examples/synthea`: CSV files become resources in the store, with every row accounted for, and once only.

#![allow(clippy::unwrap_used, reason = "helpers of a test")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use support::salus;

/// Rows of a CSV file without quoted line ends.
fn n_rows(file: &Path) -> u64 {
    fs::read_to_string(file).unwrap().lines().count() as u64 - 1
}

/// Resources in the data folder, by type.
fn stored(dir: &Path) -> BTreeMap<String, u64> {
    let out = dir.join("out");
    let _ = fs::remove_dir_all(&out);
    salus(dir, &["export", "--data-dir", "data", "--out", out.to_str().unwrap()]).expect(0);
    let mut counts = BTreeMap::new();
    for file in fs::read_dir(&out).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let resource: serde_json::Value = serde_json::from_str(line).unwrap();
            *counts.entry(resource["resourceType"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn synthea_becomes_resources_and_the_rows_add_up() {
    let Some(unpacked) = testkit::shared_data("synthea-csv.tar.zst") else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("csv")).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/synthea/pipeline.yaml");
    fs::copy(example, dir.path().join("pipeline.yaml")).unwrap();
    let files =
        ["organizations", "providers", "patients", "encounters", "conditions", "observations", "medications"];
    let mut rows = BTreeMap::new();
    for name in files {
        let file = unpacked.join("synthea").join(format!("{name}.csv"));
        fs::copy(&file, dir.path().join(format!("csv/{name}.csv"))).unwrap();
        rows.insert(name, n_rows(&file));
    }
    salus(dir.path(), &["etl", "check", "pipeline.yaml", "--data-dir", "data"]).expect(0);
    let run = || salus(dir.path(), &["etl", "run", "pipeline.yaml", "--data-dir", "data", "--json"]);
    let record = run().expect(0).json();
    let counts = &record["counts"];
    let n = |name: &str| counts[name].as_u64().unwrap();
    assert_eq!(n("read"), rows.values().sum::<u64>(), "{counts}");
    assert_eq!(n("read"), n("loaded") + n("quarantined") + n("filtered") + n("deduplicated"), "{counts}");
    // Observations without a visit, and one prescription that stands twice.
    assert_eq!((n("quarantined"), n("filtered"), n("deduplicated")), (0, 75, 1), "{counts}");
    let held = stored(dir.path());
    let wanted = [
        ("Organization", rows["organizations"]),
        ("Practitioner", rows["providers"]),
        ("Patient", rows["patients"]),
        ("Encounter", rows["encounters"]),
        ("Condition", rows["conditions"]),
        ("Observation", rows["observations"] - 75),
        ("MedicationRequest", rows["medications"] - 1),
    ];
    for (kind, n) in wanted {
        assert_eq!(held.get(kind), Some(&n), "{kind}: {held:?}");
    }
    let again = run().json();
    assert_eq!(again["counts"]["loaded"], 0, "{again}");
    assert_eq!(stored(dir.path()), held);
}
