//! Loads of the same people into every kind of target, each in a folder and a database of its own, and what the target holds then.

#![allow(unreachable_pub, reason = "each test file uses a part of it")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tempfile::TempDir;
use testkit::{MariaDb, Postgres};

use crate::support::{Ran, command, salus};

/// Rows of the first file, which is loaded before anything dies, and of the second.
const ROWS: [usize; 2] = [200, 600];
/// Columns that differ from run to run.
const CHANGING: [&str; 3] = ["etl_run_id", "etl_pipeline_hash", "etl_loaded_at"];

/// Where rows go, and how they are read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Text,
    Tables,
    Sqlite,
    Postgres,
    Mysql,
    Fhir,
}

/// A kind of target: its options, and the points of its load at which a process may die.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    pub store: Store,
    pub options: &'static str,
    pub points: &'static [&'static str],
}

/// A load in a place of its own: a folder, and a table of the kind's database.
pub struct Place {
    kind: &'static Kind,
    dir: TempDir,
    table: String,
}

fn new_table() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("people_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// People with mistakes planted: some ids are missing, some stand twice, one line is ragged. The second file changes half of the first.
fn people(dir: &Path, file: usize) {
    let mut text = String::from("patient_id,gender,birth_date,zip\n");
    let from = file * ROWS[0] / 2;
    for n in from..from + ROWS[file] {
        let id = match n {
            n if n % 50 == 7 => String::new(),
            n if n % 60 == 11 => format!("P{:05}", n - 1),
            n => format!("P{n:05}"),
        };
        let gender = ["M", "F", "male", "FEMALE", "x"][(n + file) % 5];
        writeln!(
            text,
            "{id},{gender},19{:02}-0{}-15,{:05}",
            30 + n % 70,
            1 + n % 9,
            501 + n + file * 7 * (n % 2)
        )
        .unwrap();
    }
    text.push_str("P99999,ragged\n");
    fs::write(dir.join(format!("people-{}.csv", file + 1)), text).unwrap();
}

/// One resource of each file has a gender that only the store looks at: it is refused after all rows were given.
const RESOURCE: &str = "
    - map_to_fhir:
        validation: basic
        resource:
          resourceType: Patient
          id: {column: patient_id}
          gender: {sql: \"case when zip in ('00650', '00801') then 'wrong' else gender end\"}
          birthDate: {column: birth_date}
          address: [{postalCode: {column: zip}}]";

impl Place {
    /// A place in which the first file was loaded. `None`, said aloud, when what it needs is not installed.
    pub fn loaded(kind: &'static Kind) -> Option<Place> {
        match kind.store {
            Store::Postgres => Postgres::shared().map(|_| ())?,
            Store::Mysql => MariaDb::shared().map(|_| ())?,
            Store::Tables => testkit::python("", &[]).map(|_| ())?,
            Store::Text | Store::Sqlite | Store::Fhir => {}
        }
        let place = Place { kind, dir: tempfile::tempdir().unwrap(), table: new_table() };
        match kind.store {
            Store::Postgres => drop(Postgres::shared()?.database(kind.name)),
            Store::Mysql => drop(MariaDb::shared()?.database(kind.name)),
            _ => {}
        }
        people(place.dir(), 0);
        place.write_pipeline();
        place.run(&[]).expect(4);
        Some(place)
    }

    /// The same once more, apart.
    pub fn copy(&self) -> Place {
        let place = Place { kind: self.kind, dir: tempfile::tempdir().unwrap(), table: new_table() };
        let (from, to) = (self.dir().join("."), place.dir());
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(copied.success());
        let (old, new) = (&self.table, &place.table);
        let rows = format!("INSERT INTO {new} SELECT * FROM {old}");
        match self.kind.store {
            Store::Postgres => {
                let known = format!(
                    "INSERT INTO salus_etl SELECT pipeline, source, '{new}', unit, watermark, run, pipeline_hash, n_rows, at FROM salus_etl WHERE target_table = '{old}'"
                );
                let sql = format!("CREATE TABLE {new} (LIKE {old} INCLUDING ALL); {rows}; {known}");
                Postgres::shared().unwrap().sql(self.kind.name, &sql);
            }
            Store::Mysql => {
                let known = format!(
                    "INSERT INTO salus_etl SELECT pipeline, source, '{new}', unit_key, unit, watermark, run, pipeline_hash, n_rows, at FROM salus_etl WHERE target_table = '{old}'"
                );
                let sql = format!("CREATE TABLE {new} LIKE {old}; {rows}; {known}");
                MariaDb::shared().unwrap().sql(self.kind.name, &sql);
            }
            _ => {}
        }
        place.write_pipeline();
        place
    }

    /// The second file comes.
    pub fn more(&self) {
        people(self.dir(), 1);
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn write_pipeline(&self) {
        let url = match self.kind.store {
            Store::Postgres => {
                format!(
                    "postgres://salus@127.0.0.1:{}/{}",
                    Postgres::shared().unwrap().port(),
                    self.kind.name
                )
            }
            Store::Mysql => {
                format!("mysql://root@127.0.0.1:{}/{}", MariaDb::shared().unwrap().port(), self.kind.name)
            }
            _ => String::new(),
        };
        let resource = if self.kind.store == Store::Fhir { RESOURCE } else { "" };
        let text = format!(
            "version: 1
name: people
sources:
  people: {{type: csv, path: \"people-*.csv\"}}
checks:
  people:
    - {{id: id-present, column: patient_id, rule: not_null, on_fail: quarantine}}
    - {{id: id-once, column: patient_id, rule: unique, on_fail: quarantine}}
steps:
  people:
    - standardize_demographics: {{gender: gender, birth_date: birth_date, age_on: 2026-01-15}}
    - filter: {{where: \"zip <> '00600'\", rule: not-00600}}{resource}
targets:
  out: {{from: people, {}}}
run: {{gates: false, retries: 3, retry_pause: 1s}}
",
            self.kind.options.replace("URL", &url).replace("TABLE", &self.table)
        );
        fs::write(self.dir().join("p.yaml"), text).unwrap();
    }

    pub fn run(&self, more: &[&str]) -> Ran {
        let arguments = ["etl", "run", "p.yaml", "--data-dir", "data", "--json"];
        salus(self.dir(), &[&arguments[..], more].concat())
    }

    /// Runs and kills the process, as `kill -9` does, when this time has passed.
    pub fn run_and_kill(&self, after: Duration) {
        let mut child = command(self.dir())
            .args(["etl", "run", "p.yaml", "--data-dir", "data", "--json"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Id and status of the newest run of the second file; `None` when it died before it was written down.
    fn newest(&self) -> Option<(String, String)> {
        let runs = salus(self.dir(), &["etl", "runs", "--data-dir", "data", "--json"]).expect(0).json();
        let runs = runs["runs"].as_array().unwrap();
        let text = |key: &str| runs[0][key].as_str().unwrap().to_owned();
        (runs.len() > 1).then(|| (text("run"), text("status")))
    }

    /// Goes on with the run that may have died, once more dying at a point, when one is given. Gives the run.
    pub fn resume(&self, die_at: Option<&str>) -> String {
        if let Some(point) = die_at
            && let Some((id, status)) = self.newest()
            && status == "interrupted"
        {
            salus(self.dir(), &["etl", "resume", &id, "--data-dir", "data", "--json", "--die-at", point]);
        }
        match self.newest() {
            None => self.run(&[]).expect(4).json()["run"].as_str().unwrap().to_owned(),
            Some((id, status)) if status == "completed" => id,
            Some((id, status)) => {
                assert_eq!(status, "interrupted");
                let resumed = salus(self.dir(), &["etl", "resume", &id, "--data-dir", "data", "--json"]);
                assert!(resumed.code == 4 && resumed.json()["status"] == "completed", "{resumed:?}");
                id
            }
        }
    }

    /// What the record of a run says of its rows: the four terms, and each row that was set aside.
    pub fn account(&self, run: &str) -> Vec<String> {
        let arguments = ["etl", "show", run, "--quarantine", "1000", "--data-dir", "data", "--json"];
        let shown = salus(self.dir(), &arguments).expect(0).json();
        let mut lines = vec![shown["counts"].to_string()];
        let row = |row: &Value| format!("{} {} {} {}", row["unit"], row["line"], row["rule"], row["reason"]);
        lines.extend(shown["quarantine"].as_array().unwrap().iter().map(row));
        lines[1..].sort();
        lines
    }
}

/// What the targets hold, without what differs from run to run, each in one order.
pub fn contents(kind: &Kind, places: &[&Place]) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = match kind.store {
        Store::Tables => tables(kind, places),
        Store::Text => places.iter().map(|place| text_lines(&place.dir().join("out"))).collect(),
        Store::Sqlite => places.iter().map(|place| sqlite_lines(&place.dir().join("out.db"))).collect(),
        Store::Fhir => places.iter().map(|place| resources(place.dir())).collect(),
        Store::Postgres => places.iter().map(|place| postgres_lines(place)).collect(),
        Store::Mysql => places.iter().map(|place| mysql_lines(place)).collect(),
    };
    all.iter_mut().for_each(|lines| lines.sort());
    all
}

/// Lines of the files that the manifest lists, without the audit columns that change.
fn text_lines(out: &Path) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(&fs::read(out.join("_manifest.json")).unwrap()).unwrap();
    let mut lines = Vec::new();
    for file in manifest["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let text = fs::read_to_string(out.join(path)).unwrap();
        if path.ends_with(".csv") {
            let mut all = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
            let names = all.next().unwrap();
            let kept: Vec<usize> = (0..names.len()).filter(|at| !CHANGING.contains(&names[*at])).collect();
            lines.extend(all.map(|cells| kept.iter().map(|at| cells[*at]).collect::<Vec<_>>().join(",")));
        } else {
            lines.extend(text.lines().map(|line| without_changing(serde_json::from_str(line).unwrap())));
        }
    }
    lines
}

fn without_changing(mut row: Map<String, Value>) -> String {
    row.retain(|name, _| !CHANGING.contains(&name.as_str()));
    Value::Object(row).to_string()
}

/// Rows as readers see them that share no code with salus; all places at once, because those readers start slowly.
fn tables(kind: &Kind, places: &[&Place]) -> Vec<Vec<String>> {
    const SCRIPT: &str = "
import json, os, sys
import pyarrow.parquet as pq
from deltalake import DeltaTable
def rows(path):
    if os.path.exists(path + '/_delta_log'):
        return DeltaTable(path).to_pyarrow_table().to_pylist()
    files = json.load(open(path + '/_manifest.json'))['files']
    return [row for f in files for row in pq.read_table(path + '/' + f['path'], partitioning=None).to_pylist()]
for path in sys.argv[1:]:
    print('==')
    for row in rows(path): print(json.dumps(row, default=str))
";
    let paths: Vec<String> =
        places.iter().map(|place| place.dir().join("out").display().to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let text = testkit::python(SCRIPT, &paths).unwrap_or_else(|| panic!("no reader of {}", kind.name));
    let blocks = text.split("==\n").skip(1);
    blocks
        .map(|block| {
            block.lines().map(|line| without_changing(serde_json::from_str(line).unwrap())).collect()
        })
        .collect()
}

const COLUMNS: [&str; 6] = ["patient_id", "gender", "birth_date", "age", "zip", "etl_source_position"];

fn sqlite_lines(path: &Path) -> Vec<String> {
    let db = rusqlite::Connection::open(path).unwrap();
    let mut query = db.prepare(&format!("SELECT {} FROM people", COLUMNS.join(" || '|' || "))).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn postgres_lines(place: &Place) -> Vec<String> {
    let sql = format!("SELECT {} FROM {}", COLUMNS.join(", "), place.table);
    let rows = Postgres::shared().unwrap().sql(place.kind.name, &sql);
    rows.lines().map(str::to_owned).collect()
}

fn mysql_lines(place: &Place) -> Vec<String> {
    let sql = format!("SELECT {} FROM {}", COLUMNS.join(", "), place.table);
    let rows = MariaDb::shared().unwrap().sql(place.kind.name, &sql);
    rows.lines().map(str::to_owned).collect()
}

/// Resources with their versions, without the time of the write and the record of the loads.
fn resources(dir: &Path) -> Vec<String> {
    let out = dir.join("exported");
    let _ = fs::remove_dir_all(&out);
    salus(dir, &["export", "--data-dir", "data", "--out", "exported"]).expect(0);
    let mut lines = Vec::new();
    for file in fs::read_dir(&out).unwrap().map(|file| file.unwrap().path()) {
        if file.ends_with("Basic.ndjson") {
            continue;
        }
        for line in fs::read_to_string(file).unwrap().lines() {
            let mut resource: Value = serde_json::from_str(line).unwrap();
            resource["meta"].as_object_mut().unwrap().remove("lastUpdated");
            lines.push(resource.to_string());
        }
    }
    lines
}
