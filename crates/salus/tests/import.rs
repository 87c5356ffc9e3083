//! Import and export of real data with the real binary: nothing is lost, nothing changes on a second import, numbers keep their text.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it should be"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fhir::Value;
use fhir::json::{self, Limits};
use support::{salus, shared};

fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are text")
}

/// Counts of a report.
fn total(report: &serde_json::Value) -> (u64, u64, u64, u64) {
    let total = &report["total"];
    let n = |key: &str| total[key].as_u64().unwrap_or(u64::MAX);
    (n("created"), n("updated"), n("unchanged"), n("failed"))
}

/// Every exported resource by `Type/id`, without `meta`.
fn exported(dir: &Path, data_dir: &str) -> BTreeMap<String, Value> {
    let out = dir.join("out");
    let _ = fs::remove_dir_all(&out);
    salus(dir, &["export", "--data-dir", data_dir, "--out", text(&out)]).expect(0);
    let mut resources = BTreeMap::new();
    for file in fs::read_dir(&out).unwrap() {
        for line in fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let mut value = json::parse(line.as_bytes(), &Limits::default()).unwrap();
            value.as_object_mut().unwrap().remove("meta");
            let key = format!("{}/{}", value.text("resourceType").unwrap(), value.text("id").unwrap());
            assert!(resources.insert(key, value).is_none(), "a resource was exported twice");
        }
    }
    resources
}

/// How many numbers have sixteen or more digits behind the point.
fn n_long_decimals(value: &Value) -> usize {
    match value {
        Value::Number(number) => {
            usize::from(number.as_str().split_once('.').is_some_and(|(_, fraction)| fraction.len() >= 16))
        }
        Value::Array(items) => items.iter().map(n_long_decimals).sum(),
        Value::Object(object) => object.iter().map(|(_, value)| n_long_decimals(value)).sum(),
        Value::Null | Value::Bool(_) | Value::String(_) => 0,
    }
}

#[test]
fn all_synthea_bundles_load_once_and_come_back() {
    let Some(archive) = shared("synthea-r4-bundles.tar.zst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let first =
        salus(dir.path(), &["import", text(&archive), "--data-dir", "data", "--json"]).expect(0).json();
    let (created, updated, unchanged, failed) = total(&first);
    // Organisations and practitioners stand in several bundles, each time the same.
    assert_eq!((updated, unchanged, failed), (0, 98, 0));
    assert_eq!(first["types"]["Patient"]["created"], 62);
    let resources = exported(dir.path(), "data");
    assert_eq!(resources.len() as u64, created);
    let n_long: usize = resources.values().map(n_long_decimals).sum();
    assert_eq!(n_long, 879, "numbers with sixteen or more decimals");
    compare_with_bundles(&archive, &resources);
    let second =
        salus(dir.path(), &["import", text(&archive), "--data-dir", "data", "--json"]).expect(0).json();
    assert_eq!(total(&second), (0, 0, created + unchanged, 0));
    salus(dir.path(), &["store", "check", "--data-dir", "data"]).expect(0);
    // What was exported loads elsewhere and is the same there.
    salus(dir.path(), &["import", "out", "--data-dir", "copy", "--json"]).expect(0);
    assert!(exported(dir.path(), "copy") == resources, "the copy differs");
}

/// Each resource of each bundle is there, equal but for `meta`, with references by id instead of by `urn:uuid:`.
fn compare_with_bundles(archive: &Path, resources: &BTreeMap<String, Value>) {
    let unpacked = zstd::stream::read::Decoder::new(fs::File::open(archive).unwrap()).unwrap();
    let mut compared = BTreeSet::new();
    for entry in tar::Archive::new(unpacked).entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let bundle = json::parse(&bytes, &Limits::default()).unwrap();
        let mut by_url = BTreeMap::new();
        for entry in bundle.get("entry").unwrap().items() {
            let resource = entry.get("resource").unwrap();
            let key = format!("{}/{}", resource.text("resourceType").unwrap(), resource.text("id").unwrap());
            by_url.insert(entry.text("fullUrl").unwrap().to_owned(), key);
        }
        for entry in bundle.get("entry").unwrap().items() {
            let mut resource = entry.get("resource").unwrap().clone();
            resource.as_object_mut().unwrap().remove("meta");
            fhir::bundle::visit_references_mut(&mut resource, &mut |reference| {
                if let Some(key) = by_url.get(reference.as_str()) {
                    *reference = key.as_str().into();
                }
            });
            let key = &by_url[entry.text("fullUrl").unwrap()];
            assert!(resources.get(key) == Some(&resource), "{key} differs from what was imported");
            compared.insert(key.clone());
        }
    }
    assert_eq!(compared.len(), resources.len());
}

#[test]
fn the_ndjson_set_loads() {
    let Some(archive) = shared("pathling-ndjson.tar.zst") else { return };
    let dir = tempfile::tempdir().unwrap();
    let report =
        salus(dir.path(), &["import", text(&archive), "--data-dir", "data", "--json"]).expect(0).json();
    let (created, .., failed) = total(&report);
    assert!(created > 100 && failed == 0, "{report}");
}

#[test]
fn every_official_example_loads_or_is_listed() {
    let Some(package) = std::env::var_os("SALUS_R4_PACKAGE") else {
        println!("not checked: the official R4 package is not there, `./test` fetches it");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let examples = dir.path().join("examples");
    fs::create_dir(&examples).unwrap();
    let mut n_examples = 0;
    for file in fs::read_dir(&package).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        // The package's own index is no resource.
        if name.ends_with(".json") && !name.starts_with('.') && name != "package.json" {
            fs::copy(file.path(), examples.join(&name)).unwrap();
            n_examples += 1;
        }
    }
    let run = salus(dir.path(), &["import", "examples", "--keep-bundles", "--data-dir", "data", "--json"]);
    assert!(matches!(run.code, 0 | 4), "{}", run.stderr);
    let report = run.json();
    let (created, updated, unchanged, failed) = total(&report);
    assert_eq!(created + updated + unchanged + failed, n_examples);
    let listed = include_str!("../cases/official_rejects.txt");
    let expected: Vec<&str> =
        listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut rejected: Vec<String> = report["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| {
            format!(
                "{}: {}",
                reject["place"].as_str().unwrap().replace("examples/", ""),
                reject["reason"].as_str().unwrap()
            )
        })
        .collect();
    rejected.sort();
    if std::env::var_os("SALUS_BLESS").is_some() {
        let head: String =
            listed.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/cases/official_rejects.txt"),
            format!("{head}{}\n", rejected.join("\n")),
        )
        .unwrap();
        return;
    }
    assert_eq!(rejected, expected, "rejected examples and their reasons");
}

#[test]
fn broken_input_is_named_and_the_rest_loads() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join("in").join(name);
    fs::create_dir(dir.path().join("in")).unwrap();
    let patient = |id: u32| format!("{{\"resourceType\":\"Patient\",\"id\":\"p{id}\"}}\n");
    fs::write(at("cut.ndjson"), format!("{}{}{{\"resourceType\":\"Pat", patient(1), patient(2))).unwrap();
    fs::write(at("dup.json"), r#"{"resourceType":"Patient","id":"a","id":"b"}"#).unwrap();
    fs::write(
        at("latin1.json"),
        b"{\"resourceType\":\"Patient\",\"id\":\"x\",\"name\":[{\"family\":\"\xe9\"}]}",
    )
    .unwrap();
    fs::write(
        at("wrong.json"),
        r#"{"resourceType":"Patient","id":"w","birthDate":"2023-02-30","colour":"red"}"#,
    )
    .unwrap();
    fs::write(
        at("deep.json"),
        format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"d\",\"x\":{}1{}}}",
            "[".repeat(5_000),
            "]".repeat(5_000)
        ),
    )
    .unwrap();
    fs::write(at("bomb.json.zst"), zstd::encode_all(std::io::repeat(b' ').take_n(200 << 20), 19).unwrap())
        .unwrap();
    fs::write(at("text.ndjson.zst"), "this is no zstd file").unwrap();
    let absolute = r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","id":"a"},"request":{"method":"PUT","url":"http://h/fhir/Patient/a"}}]}"#;
    fs::write(at("absolute.json"), absolute).unwrap();
    let unresolved = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000000"}},"request":{"method":"POST","url":"Observation"}}]}"#;
    fs::write(at("unresolved.json"), unresolved).unwrap();
    let report = salus(dir.path(), &["import", "in", "--data-dir", "data", "--json"]).expect(4).json();
    let (created, _, _, failed) = total(&report);
    assert_eq!((created, failed), (2, 9), "{report}");
    let reason = |name: &str| {
        let rejects = report["rejects"].as_array().unwrap();
        let of: Vec<&str> = rejects
            .iter()
            .filter(|r| r["place"].as_str().unwrap().contains(name))
            .map(|r| r["reason"].as_str().unwrap())
            .collect();
        of.join(" / ")
    };
    for (name, words) in [
        ("cut.ndjson:3", "the file ends in the middle of the line"),
        ("dup.json", "the name `id` comes twice"),
        ("latin1.json", "not UTF-8"),
        ("wrong.json", "Patient.birthDate"),
        ("wrong.json", "colour"),
        ("deep.json", "nested deeper than 100 levels"),
        ("bomb.json.zst", "expand"),
        ("text.ndjson.zst", "it cannot be unpacked as zstd"),
        ("absolute.json", "request.url is absolute"),
        ("unresolved.json", "urn:uuid:00000000-0000-4000-8000-000000000000"),
    ] {
        assert!(reason(name).contains(words), "{name}: {}", reason(name));
    }
}

#[test]
fn an_import_that_is_asked_to_stop_says_what_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let synth =
        ["synth", "--patients", "600", "--seed", "3", "--out", "people", "--format", "ndjson", "--json"];
    let n_all: u64 = {
        let summary = salus(dir.path(), &synth).expect(0).json();
        summary["counts"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum()
    };
    let mut command = support::command(dir.path());
    command.args(["import", "people", "--data-dir", "data"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let import = command.spawn().unwrap();
    let database = dir.path().join("data/salus.db-wal");
    let started = Instant::now();
    while fs::metadata(&database).map_or(0, |meta| meta.len()) < 1 << 20 {
        assert!(started.elapsed() < Duration::from_secs(180), "nothing is written");
        thread::sleep(Duration::from_millis(5));
    }
    let asked = Command::new("kill").args(["-TERM", &import.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = import.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains("which stay loaded: run it again to load the rest: it was asked to stop"),
        "{said}"
    );
    salus(dir.path(), &["store", "check", "--data-dir", "data"]).expect(0);
    let again = salus(dir.path(), &["import", "people", "--data-dir", "data", "--json"]).expect(0).json();
    let (created, updated, unchanged, failed) = total(&again);
    assert_eq!((created + unchanged, updated, failed), (n_all, 0, 0));
    assert!(created > 0 && unchanged > 0, "{created} created, {unchanged} unchanged");
}

/// A reader of a bounded number of the same byte.
trait TakeN: std::io::Read + Sized {
    fn take_n(self, n: u64) -> std::io::Take<Self> {
        std::io::Read::take(self, n)
    }
}

impl TakeN for std::io::Repeat {}
