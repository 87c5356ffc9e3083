//! No identifier of four or more characters of the input is anywhere in what a pipeline with de-identification leaves behind: files and their
//! statistics, tables, logs, messages of rows that are set aside, lineage, reports, the data folder.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

#[path = "support/dice.rs"]
mod dice;
mod support;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dice::{Dice, number};
use support::Ran;

const ROWS: usize = 600;
/// `SALUS_SEED` gives another one.
const SEED: u64 = 20_261_125;

/// Text of identifiers that stands nowhere by chance: a large letter, then small ones that words do not have in a row.
fn word(dice: &mut Dice, n: usize) -> String {
    const RARE: &[u8] = b"qxzjvkw";
    let mut letter = || char::from(RARE[usize::try_from(dice.below(RARE.len() as u64)).unwrap()]);
    let first = letter().to_ascii_uppercase();
    std::iter::once(first).chain(std::iter::repeat_with(letter)).take(n).collect()
}

fn cyrillic(dice: &mut Dice) -> String {
    const RARE: [char; 6] = ['щ', 'ъ', 'ы', 'ф', 'э', 'ж'];
    (0..8).map(|_| RARE[usize::try_from(dice.below(6)).unwrap()]).collect()
}

fn digits(dice: &mut Dice, n: usize) -> String {
    (0..n).map(|_| char::from(b'0' + u8::try_from(dice.below(10)).unwrap())).collect()
}

/// A patient: what identifies, and the cells of the row.
fn patient(dice: &mut Dice, n: usize) -> (Vec<String>, String) {
    let short = n.is_multiple_of(30);
    let (given, family) = (word(dice, if short { 4 } else { 7 }), word(dice, if short { 4 } else { 9 }));
    // Names have letters of many scripts.
    let family = if n % 25 == 5 { cyrillic(dice) } else { family };
    let name = format!("{given} {family}");
    let id = format!("{}{}", word(dice, 5), digits(dice, 6));
    let mrn = if n % 40 == 3 { format!("bad {}", word(dice, 7)) } else { format!("MRN{}", digits(dice, 9)) };
    let ssn = format!("{}-{}-{}", digits(dice, 3), digits(dice, 2), digits(dice, 4));
    let phone = format!("{}-555-{}", digits(dice, 3), digits(dice, 4));
    let email = format!("{}@{}.org", word(dice, 6), word(dice, 6));
    let street = format!("{} {} street", digits(dice, 4), word(dice, 8));
    let city = word(dice, 10);
    let zip = format!("{}-{}", digits(dice, 5), digits(dice, 4));
    let (year, month, day) = (1930 + dice.below(70), 1 + dice.below(12), 1 + dice.below(28));
    let born = match n % 50 {
        // No day, and a day that does not exist.
        9 => format!("{}{year}", word(dice, 6)),
        10 => format!("{year}-02-3{}", dice.below(2)),
        _ => format!("{year}-{month:02}-{day:02}"),
    };
    let url = format!("https://{}.org/{}", word(dice, 7), digits(dice, 5));
    let ip = format!("203.{}.{}.{}", 100 + dice.below(156), 100 + dice.below(156), 100 + dice.below(156));
    let note = format!("{name} of {city} called about {mrn}");
    let state = ["AL", "GA", "FL"][n % 3];
    let sex = ["M", "F"][usize::try_from(dice.below(2)).unwrap()];
    let dx = ["E11.9", "I10", "J45.909", "N18.3"][usize::try_from(dice.below(4)).unwrap()];
    let age = 20 + dice.below(60);
    let cells = [&id, &name, &mrn, &ssn, &phone, &email, &street, &city, &zip, &born, &url, &ip, &note];
    let mut row = cells.map(String::as_str).join(",");
    write!(row, ",{state},{sex},{dx},{age}").unwrap();
    if n % 70 == 11 {
        // A cell too many: the row is set aside as it is.
        write!(row, ",{}", word(dice, 8)).unwrap();
    }
    let mut secret: Vec<String> = cells.into_iter().cloned().collect();
    secret.extend([given, family]);
    (secret, row)
}

const HEADER: &str = "id,name,mrn,ssn,phone,email,street,city,zip,born,url,ip,note,state,sex,dx,age\n";
const CLASSES: &str = "{id: record_id, name: name, mrn: mrn, ssn: ssn, phone: phone, email: email, street: street, city: city, zip: zip, born: birth_date, url: url, ip: ip, note: free_text, state: state, sex: quasi_identifier, dx: sensitive, age: age}";

fn pipeline(dir: &Path) {
    let steps = |more: &str| {
        format!(
            "    - standardize_demographics: {{gender: sex, birth_date: born, age_on: 2026-01-15, age: age_now, on_invalid: quarantine}}\n    - select: {{drop: [age_now]}}\n{more}"
        )
    };
    let checks =
        "    - {id: mrn-form, column: mrn, rule: regex, pattern: \"MRN[0-9]{9}\", on_fail: quarantine}
    - {id: id-once, column: id, rule: unique, on_fail: quarantine}
    - {id: zip-form, column: zip, rule: regex, pattern: \"3.*\"}
    - {id: ssn-form, column: ssn, rule: format, format: ssn}
    - {id: city-known, column: city, rule: in_set, values: [Springfield]}\n";
    let targets = [
        ("csv", "type: csv, path: out/csv"),
        ("ndjson", "type: ndjson, path: out/ndjson"),
        ("parquet", "type: parquet, path: out/parquet, compression: none"),
        ("delta", "type: delta, path: out/delta, compression: none"),
        ("sqlite", "type: sqlite, path: out/rows.db, table: rows"),
    ];
    let mut text = String::from("version: 1\nname: release\nsources:\n");
    let sources = ["harbor", "experts", "anonymous"];
    sources.iter().for_each(|name| writeln!(text, "  {name}: {{type: csv, path: people.csv}}").unwrap());
    text.push_str("checks:\n");
    sources.iter().for_each(|name| write!(text, "  {name}:\n{checks}").unwrap());
    let expert = CLASSES.replace("born: birth_date", "born: {class: birth_date, transform: drop}");
    let anonymous = CLASSES
        .replace("id: record_id", "id: {class: record_id, transform: drop}")
        .replace("city: city", "city: {class: city, transform: drop}")
        .replace("zip: zip", "zip: {class: zip, transform: drop}")
        .replace("born: birth_date", "born: {class: birth_date, transform: drop}");
    write!(
        text,
        "steps:\n  harbor:\n{}  experts:\n{}  anonymous:\n{}targets:\n",
        steps(&format!("    - deidentify: {{profile: safe_harbor, project: one, patient: id, columns: {CLASSES}}}\n")),
        steps(&format!("    - deidentify: {{profile: expert, project: two, patient: id, columns: {expert}}}\n")),
        steps(&format!("    - k_anonymize: {{project: three, columns: {anonymous}, k: 5, quasi_identifiers: {{age: number, sex: category, state: category}}}}\n")),
    )
    .unwrap();
    for (name, options) in targets {
        writeln!(text, "  {name}: {{from: harbor, {options}}}").unwrap();
    }
    text.push_str("  expert: {from: experts, type: parquet, path: out/expert, compression: none}\n");
    text.push_str("  table: {from: anonymous, type: csv, path: out/anonymous, audit_columns: false}\n");
    text.push_str("run: {gates: false, retries: 0, lineage: {file: lineage.ndjson}}\n");
    fs::write(dir.join("p.yaml"), text).unwrap();
}

/// `salus` that logs all it can.
fn salus(dir: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_salus"))
        .current_dir(dir)
        .args(arguments)
        .args(["--data-dir", "data"])
        .env("SALUS_LOG", "trace")
        .env_remove("SALUS_CONFIG")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// Looks for identifiers in what was left behind. In bytes that are sealed or compressed, four letters stand by chance.
struct Search {
    secrets: Vec<String>,
    n_bytes: usize,
}

impl Search {
    fn text(&mut self, place: &str, text: &str) {
        self.bytes(place, text.as_bytes(), 4);
    }

    fn bytes(&mut self, place: &str, bytes: &[u8], chars_min: usize) {
        self.n_bytes += bytes.len();
        if let Some((secret, at)) = self.find(bytes, chars_min) {
            let around = &bytes[at.saturating_sub(60)..bytes.len().min(at + 60)];
            panic!("`{secret}` is in {place}, at byte {at}: {}", String::from_utf8_lossy(around));
        }
    }

    /// The first identifier of so many characters, and where it stands.
    fn find(&self, bytes: &[u8], chars_min: usize) -> Option<(&str, usize)> {
        // By their first four bytes, so that the bytes are walked through once.
        let mut by_start: HashMap<&[u8], Vec<&str>> = HashMap::new();
        for secret in self.secrets.iter().filter(|secret| secret.chars().count() >= chars_min) {
            by_start.entry(&secret.as_bytes()[..4]).or_default().push(secret);
        }
        (0..bytes.len().saturating_sub(3)).find_map(|at| {
            let candidates = by_start.get(&bytes[at..at + 4])?;
            let found = candidates.iter().find(|secret| bytes[at..].starts_with(secret.as_bytes()));
            found.map(|secret| (*secret, at))
        })
    }

    fn file(&mut self, path: &Path) {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let is_text = std::str::from_utf8(&bytes).is_ok();
        self.bytes(&path.display().to_string(), &bytes, if is_text { 4 } else { 7 });
    }
}

#[test]
fn no_identifier_is_left_anywhere() {
    let seed = number("SALUS_SEED").unwrap_or(SEED);
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (mut secrets, mut text) = (BTreeSet::new(), String::from(HEADER));
    for n in 0..ROWS {
        let (secret, row) = patient(&mut dice, n);
        secrets.extend(secret.into_iter().filter(|secret| secret.chars().count() >= 4));
        text.push_str(&row);
        text.push('\n');
    }
    fs::write(dir.join("people.csv"), text).unwrap();
    fs::create_dir(dir.join("out")).unwrap();
    pipeline(dir);
    let ran = salus(dir, &["etl", "run", "p.yaml", "--json"]).expect(4);
    let record = ran.json();
    let n = |name: &str| record["counts"][name].as_u64().unwrap();
    assert_eq!(n("read"), 3 * ROWS as u64);
    assert!(n("loaded") > 1_200 && n("quarantined") > 3 * 30, "{}", record["counts"]);
    let mut search = Search { secrets: secrets.into_iter().collect(), n_bytes: 0 };
    assert!(search.secrets.len() > ROWS * 12);
    let input = fs::read(dir.join("people.csv")).unwrap();
    assert!(
        search.find(&input, 4).is_some() && search.find(&input, 7).is_some(),
        "the search finds nothing at all"
    );
    search.text("the record", &ran.stdout);
    search.text("the log", &ran.stderr);
    let id = record["run"].as_str().unwrap();
    let shown = salus(dir, &["etl", "show", id, "--quarantine", "1000", "--json"]).expect(0);
    for reason in ["mrn-form", "ragged", "standardize_demographics"] {
        assert!(shown.stdout.contains(reason), "no row was set aside for `{reason}`: {}", shown.stdout);
    }
    search.text("the quarantine", &shown.stdout);
    search.text("the log", &shown.stderr);
    search.text("the quarantine", &salus(dir, &["etl", "show", id, "--quarantine", "1000"]).expect(0).stdout);
    salus(dir, &["etl", "report", id, "--out", "report.html"]).expect(0);
    salus(dir, &["etl", "report", id, "--json", "--out", "report.json"]).expect(0);
    for path in ["lineage.ndjson", "report.html", "report.json"] {
        search.file(&dir.join(path));
    }
    let mut left = Vec::new();
    files_below(&dir.join("out"), &mut left);
    files_below(&dir.join("data"), &mut left);
    assert!(left.len() > 20, "{left:?}");
    left.iter().for_each(|path| search.file(path));
    if let Some(text) = parquet_texts(dir) {
        assert!(text.len() > 100_000 && text.contains("etl_run_id"));
        search.text("Parquet files, unpacked", &text);
    }
    println!("{} identifiers, {} bytes looked through", search.secrets.len(), search.n_bytes);
    failures(dir, &mut search);
}

/// Every value, statistic and word of metadata of the Parquet files, as another reader unpacks them.
fn parquet_texts(dir: &Path) -> Option<String> {
    const SCRIPT: &str = "
import glob, sys
import pyarrow.parquet as pq
for path in glob.glob(sys.argv[1] + '/**/*.parquet', recursive=True):
    file = pq.ParquetFile(path)
    print(file.metadata, file.schema, file.metadata.metadata)
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(group).column(column)
            print(chunk, chunk.statistics)
    for row in file.read().to_pylist(): print(row)
";
    testkit::python(SCRIPT, &[dir.join("out").to_str().unwrap()])
}

/// Runs that fail with a row in hand do not show it.
fn failures(dir: &Path, search: &mut Search) {
    let source = "sources:\n  people: {type: csv, path: people.csv}\n";
    let target =
        "targets:\n  out: {from: people, type: csv, path: failed}\nrun: {gates: false, retries: 0}\n";
    let steps = [
        "sql: {query: select id, cast(name as bigint) as n from input}",
        "sql: {query: \"select id, to_timestamp(born) as at from input\"}",
        "sql: {query: \"select id, arrow_cast(mrn, 'Int32') as n from input\"}",
        "derive: [{expression: {sql: cast(name as date), into: day, on_error: quarantine}}]",
        "filter: {where: cast(ssn as double) > 0, rule: cast}",
        "dedupe: {key: [nothing_of_the_kind]}",
        "join_reference: {reference: people.csv, by: {city: city}, take: [note as note_2], match_rate_min: 100%}",
    ];
    for step in steps {
        let text = format!("version: 1\nname: failing\n{source}steps:\n  people:\n    - {step}\n{target}");
        fs::write(dir.join("f.yaml"), text).unwrap();
        for arguments in
            [&["etl", "run", "f.yaml"][..], &["etl", "run", "f.yaml", "--json"], &["etl", "check", "f.yaml"]]
        {
            let ran = salus(dir, arguments);
            let _ = fs::remove_dir_all(dir.join("failed"));
            assert!(ran.code != 0 || arguments[1] == "check", "nothing goes wrong with `{step}`");
            search.text(step, &ran.stdout);
            search.text(step, &ran.stderr);
        }
        let mut left = Vec::new();
        files_below(&dir.join("data"), &mut left);
        left.iter().for_each(|path| search.file(path));
    }
}
