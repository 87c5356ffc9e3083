//! Sources of files: what is read, what is refused, and where it says so. Local folders and an S3-compatible server.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of a test")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use etl::engine::Engine;
use etl::source::{KINDS, Out, Piece, Source, SourceSpec, Unit};
use etl::world::World;
use etl::yaml::parse;
use etl::{EtlError, Point, Problems, Secrets, Word};
use table::{Batch, Reject, Value};

/// Secrets that are given.
struct Given(Vec<(&'static str, String)>);

impl Secrets for Given {
    fn resolve(&self, reference: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| reference == format!("${{env:{name}}}"));
        found.map(|(_, secret)| secret.clone()).ok_or_else(|| format!("there is no secret `{reference}`"))
    }
}

fn world(root: &Path, secrets: Given) -> World {
    let scratch = root.join(".scratch");
    World {
        secrets: Arc::new(secrets),
        roots: vec![root.to_owned()],
        clock: Arc::new(testkit::FixedClock::at("2026-01-15T00:00:00Z")),
        keys: None,
        store: None,
        engine: Arc::new(Engine::new(&scratch, 64 << 20).unwrap()),
        scratch,
        home: root.to_owned(),
        cancelled: Arc::new(AtomicBool::new(false)),
        checkpoint: Arc::new(|_| {}),
    }
}

/// A source from the options behind its name.
fn spec(options: &str) -> Result<Box<dyn SourceSpec>, Vec<String>> {
    let mut problems = Problems::default();
    let node = parse(options, &mut problems).unwrap();
    let mut fields = node.fields("the source `x`", &mut problems);
    let kind = fields.required_text("type", &mut problems).unwrap();
    let (_, _, decode) = KINDS.iter().find(|(name, ..)| *name == kind.text).unwrap();
    let name = Word { text: "x".to_owned(), at: Point::default() };
    let spec = decode(&name, &mut fields, &mut problems);
    fields.end(&mut problems);
    let problems: Vec<String> = problems.into_sorted().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(spec.unwrap()) } else { Err(problems) }
}

/// What came of reading a source.
#[derive(Default)]
struct Read {
    names: Vec<String>,
    units: Vec<Unit>,
    batches: Vec<Batch>,
    rejects: Vec<Reject>,
    n_nulled: u64,
    n_bytes: u64,
}

impl Read {
    /// `unit:line cell|cell`, then `! unit:line reason column`.
    fn shown(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for batch in &self.batches {
            for row in 0..batch.n_rows() {
                let cells = self.names.iter().map(|name| match batch.value(name, row).unwrap() {
                    Value::Null => "-".to_owned(),
                    value => value.to_text().unwrap(),
                });
                let place = batch.place(row);
                lines.push(format!("{}:{} {}", place.unit, place.line, cells.collect::<Vec<_>>().join("|")));
            }
        }
        lines.extend(self.rejects.iter().map(|reject| {
            let column = reject.column.as_deref().unwrap_or("-");
            format!("! {}:{} {} {column}", reject.place.unit, reject.place.line, reject.reason)
        }));
        lines
    }
}

async fn read(options: &str, world: &World) -> Result<Read, EtlError> {
    let spec = spec(options).unwrap();
    let mut source = spec.open(world).await?;
    let mut read = Read {
        names: source.columns().names().iter().map(ToString::to_string).collect(),
        units: source.units(None).await?,
        ..Read::default()
    };
    for (number, unit) in read.units.clone().iter().enumerate() {
        read_unit(&mut *source, unit, u32::try_from(number).unwrap(), &mut read).await?;
    }
    Ok(read)
}

async fn read_unit(
    source: &mut dyn Source,
    unit: &Unit,
    number: u32,
    read: &mut Read,
) -> Result<(), EtlError> {
    let (out, mut pieces) = Out::channel(2);
    let gather = async {
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Rows(batch) => read.batches.push(batch),
                Piece::Rejects(rejects) => read.rejects.extend(rejects),
                Piece::Nulled(nulled) => {
                    read.n_nulled += nulled.iter().map(|nulled| nulled.n_values).sum::<u64>();
                }
                Piece::Consumed(n_bytes) => read.n_bytes += n_bytes,
            }
        }
    };
    let (result, ()) = tokio::join!(source.read(unit, number, out), gather);
    result
}

/// Runs a test with a folder and its world.
fn with_folder(files: &[(&str, &[u8])], test: impl AsyncFnOnce(&Path, World)) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    runtime().block_on(test(folder.path(), world(folder.path(), Given(Vec::new()))));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn check(files: &[(&str, &[u8])], options: &str, expected: &[&str]) {
    with_folder(files, async |_, world| {
        assert_eq!(read(options, &world).await.unwrap().shown(), expected);
    });
}

fn check_error(files: &[(&str, &[u8])], options: &str, expected: &str) {
    with_folder(files, async |_, world| {
        let Err(error) = read(options, &world).await else { panic!("it was read") };
        assert!(error.to_string().contains(expected), "{error}");
    });
}

const TYPED: &str = "
type: csv
path: '*.csv'
columns:
  id: text
  born: {type: date, formats: ['%Y-%m-%d', '%m/%d/%Y', '%-d.%-m.%Y']}
  n: {type: 'decimal(5,1)', on_error: null}
";

#[test]
fn files_are_read_in_order_with_their_columns_wherever_they_stand() {
    let files: [(&str, &[u8]); 3] = [
        ("b.csv", b"n,born,id\n1.5,07/04/1976,00501\nx,4.7.1976,\n"),
        ("a.csv", b"id,born,n\nA,1976-07-04,2\nB,1976/07/04,3\nC\n"),
        ("notes.txt", b"x"),
    ];
    let expected = [
        "0:2 A|1976-07-04|2.0",
        "1:2 00501|1976-07-04|1.5",
        "1:3 -|1976-07-04|-",
        "! 0:3 bad_date born",
        "! 0:4 ragged -",
    ];
    check(&files, TYPED, &expected);
    with_folder(&files, async |_, world| {
        let read = read(TYPED, &world).await.unwrap();
        let n_bytes: usize = files[..2].iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!((read.n_nulled, read.n_bytes), (1, n_bytes as u64));
        assert_eq!(read.rejects[0].raw, b"B,1976/07/04,3");
        let names: Vec<&str> = read.units.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["a.csv", "b.csv"]);
    });
}

#[test]
fn a_unit_is_a_name_and_a_content() {
    with_folder(&[("a.csv", b"id\n1\n")], async |folder, world| {
        let options = "{type: csv, path: a.csv}";
        let first = read(options, &world).await.unwrap().units.remove(0).id;
        assert_eq!(first.len(), "a.csv#".len() + 32);
        std::fs::write(folder.join("a.csv"), "id\n1\n").unwrap();
        assert_eq!(read(options, &world).await.unwrap().units[0].id, first);
        std::fs::write(folder.join("a.csv"), "id\n2\n").unwrap();
        assert_ne!(read(options, &world).await.unwrap().units[0].id, first);
    });
}

#[test]
fn a_file_that_changes_after_it_was_listed_is_an_error() {
    with_folder(&[("a.csv", b"id\n1\n")], async |folder, world| {
        let spec = spec("{type: csv, path: a.csv}").unwrap();
        let mut source = spec.open(&world).await.unwrap();
        let units = source.units(None).await.unwrap();
        std::fs::write(folder.join("a.csv"), "id\n1\n2\n").unwrap();
        let error = read_unit(&mut *source, &units[0], 0, &mut Read::default()).await.unwrap_err();
        assert!(error.to_string().contains("changed while it was read"), "{error}");
    });
}

#[test]
fn bad_input_is_an_error_with_its_reason() {
    let csv = "{type: csv, path: a.csv, columns: {patient_id: text, zip: text}}";
    check_error(&[], csv, "there is no file `a.csv`");
    check_error(&[("a.csv", b"")], csv, "the file is empty");
    check_error(&[("a.csv", b"PatientID,zip\n1,2\n")], csv, "did it become `PatientID`?");
    check_error(&[("a.csv", b"patient_id,zip,ssn\n1,2,3\n")], csv, "has a column `ssn` that is not declared");
    check_error(&[("a.csv", b"\xFF\xFEp\0")], csv, "set `encoding: utf-16`");
    check_error(&[("a.csv", b"PK\x03\x04")], csv, "zip archive");
    check_error(&[], "{type: csv, path: ../secret.csv}", "contains `..`");
    check_error(&[], "{type: csv, path: /etc/passwd}", "outside of the folders");
    let two: [(&str, &[u8]); 2] = [("a.csv", b"id,x\n1,2\n"), ("b.csv", b"id\n1\n")];
    check_error(&two, "{type: csv, path: '*.csv'}", "`b.csv`: it has no column `x`");
    check_error(&[("a.csv/x", b"")], "{type: csv, path: a.csv}", "it is a folder");
    with_folder(&[], async |_, world| {
        let options = "{type: csv, path: '*.csv', if_none: skip, columns: {id: text}}";
        assert_eq!(read(options, &world).await.unwrap().units, []);
    });
}

#[test]
fn options_that_are_wrong_are_said_together() {
    let options = "{type: csv, delimiter: ab, header: maybe, encoding: ebcdic, limits: {record_bytes_max: 1}, path: 'ftp://x', s3: {}, colums: {}}";
    let problems = spec(options).unwrap_err();
    let wanted = [
        "`delimiter`",
        "`header`",
        "unknown encoding",
        "record_bytes_max",
        "`ftp://`",
        "unknown key `colums`",
    ];
    for wanted in wanted {
        assert!(problems.iter().any(|problem| problem.contains(wanted)), "{wanted}: {problems:?}");
    }
    let problems =
        spec("{type: csv, path: 's3://b/x.csv', s3: {endpoint: 'http://store.example'}}").unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains("https://")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("access_key_id")), "{problems:?}");
}

#[test]
fn a_table_of_tabs_and_a_packed_one() {
    let packed = zstd::encode_all(&b"a\tb\n1\t\"x\ty\"\n"[..], 1).unwrap();
    check(&[("t.tsv.zst", &packed)], "{type: tsv, path: t.tsv.zst}", &["0:2 1|x\ty"]);
    let options =
        "{type: csv, path: a.txt, delimiter: ';', quote: none, header: [a, b], encoding: windows-1252}";
    check(&[("a.txt", b"\x80;\"\n")], options, &["0:1 €|\""]);
}

#[test]
fn json_lines_become_rows() {
    let text = b"{\"id\":\"a\",\"n\":1.50,\"at\":{\"city\":\"X\"},\"more\":[1,2]}\n\n{\"id\":\"b\",\"n\":null}\n{\"id\":1,\"n\":\"x\",\"more\":true}\n[1]\n{\"id\":\n";
    let options = "{type: ndjson, path: a.ndjson, columns: {id: text, n: 'decimal(9,2)', city: {from: at.city}, more: text}}";
    let expected = [
        "0:1 a|1.50|X|[1,2]",
        "0:3 b|-|-|-",
        "! 0:5 not_an_object -",
        "! 0:6 bad_json -",
        "! 0:4 bad_decimal n",
    ];
    check(&[("a.ndjson", text)], options, &expected);
    check(
        &[("a.ndjson", b"{\"b\":1}\n{\"a\":2}\n")],
        "{type: ndjson, path: a.ndjson}",
        &["0:1 1|-", "0:2 -|2"],
    );
    let options = "{type: ndjson, path: a.ndjson, columns: {id: text}}";
    check_error(&[("a.ndjson", b"{\"id\":1,\"new\":1}\n")], options, "`new` that is not declared");
    check_error(&[("a.ndjson", b"{\"ID\":1}\n")], options, "did it become `ID`?");
    let ignoring = options.replace("}}", "}, drift: {columns: ignore}}");
    check(&[("a.ndjson", b"{\"id\":1,\"new\":1}\n")], &ignoring, &["0:1 1"]);
}

#[test]
fn a_json_document_has_its_records_behind_a_path() {
    let text = b"{\"data\":{\"patients\":[{\"id\":\"a\"},7,{\"id\":\"b\",\"n\":2}]}}";
    let options = "{type: json, path: a.json, records: data.patients}";
    check(&[("a.json", text)], options, &["0:1 a|-", "0:3 b|2", "! 0:2 not_an_object -"]);
    let elsewhere = "{type: json, path: a.json, records: data.people}";
    check_error(&[("a.json", text)], elsewhere, "there is no `people`");
    check_error(&[("a.json", text)], "{type: json, path: a.json}", "set `records`");
    check_error(&[("a.json", b"[{]")], "{type: json, path: a.json}", "1:3");
    let small = "{type: json, path: a.json, document_bytes_max: 10}";
    check_error(&[("a.json", text)], small, "raise `document_bytes_max`");
}

/// A Parquet file with a text, an integer, a date, a list.
fn parquet_file() -> Vec<u8> {
    use arrow::array::{ArrayRef, Date32Array, Int32Array, ListArray, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>((0..5).map(|n| Some(vec![Some(n)])));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e"]))),
        ("n", Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(400), Some(5)]))),
        ("born", Arc::new(Date32Array::from(vec![0, 1, 2, 3, 4]))),
        ("list", Arc::new(list)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

const PARQUET: &str =
    "columns: {n: 'decimal(3,1)', born: instant, who: {from: id}}, drift: {columns: ignore}";

const PARQUET_ROWS: [&str; 5] = [
    "0:1 1.0|1970-01-01T00:00:00.000000Z|a",
    "0:2 -|1970-01-02T00:00:00.000000Z|b",
    "0:3 3.0|1970-01-03T00:00:00.000000Z|c",
    "0:5 5.0|1970-01-05T00:00:00.000000Z|e",
    "! 0:4 out_of_range n",
];

#[test]
fn parquet_is_read_with_its_types() {
    let file = parquet_file();
    let files: [(&str, &[u8]); 1] = [("a.parquet", &file)];
    check(&files, &format!("{{type: parquet, path: a.parquet, {PARQUET}}}"), &PARQUET_ROWS);
    check_error(&files, "{type: parquet, path: a.parquet}", "the column `list` has the type");
    let wrong = "{type: parquet, path: a.parquet, columns: {born: integer}, drift: {columns: ignore}}";
    check_error(&files, wrong, "it is date");
    let cut: [(&str, &[u8]); 1] = [("a.parquet", &file[..file.len() - 9])];
    check_error(&cut, "{type: parquet, path: a.parquet}", "not readable as Parquet");
}

#[test]
fn objects_of_a_bucket_are_read_as_streams() {
    let Some(store) = testkit::ObjectStore::shared() else { return };
    let bucket = store.bucket("files");
    let folder = tempfile::tempdir().unwrap();
    let secrets =
        Given(vec![("KEY", bucket.access_key_id.clone()), ("SECRET", bucket.secret_access_key.clone())]);
    let world = world(folder.path(), secrets);
    let (name, endpoint, region) = (&bucket.name, &bucket.endpoint, &bucket.region);
    let keys = "access_key_id: '${env:KEY}', secret_access_key: '${env:SECRET}'";
    let s3 = format!("s3: {{endpoint: '{endpoint}', region: {region}, {keys}}}");
    // Larger than one range.
    let mut large = String::from("id,text\n");
    for row in 0..400_000 {
        large.push_str(&format!("{row},{}\n", "x".repeat(row % 50)));
    }
    let at = |path: &str, more: &str| format!("{{path: 's3://{name}/{path}', {s3}, {more}}}");
    runtime().block_on(async {
        let parquet = parquet_file();
        let objects: [(&str, &[u8]); 3] =
            [("in/a.csv", large.as_bytes()), ("in/b.csv", b"id,text\nx,y\n"), ("in/p.parquet", &parquet)];
        put(&at("in/x", "type: csv"), &world, &objects).await;

        let all = read(&at("in/*.csv", "type: csv"), &world).await.unwrap();
        let names: Vec<&str> = all.units.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["a.csv", "b.csv"]);
        assert_eq!(all.batches.iter().map(Batch::n_rows).sum::<usize>(), 400_001);
        assert_eq!(all.n_bytes, large.len() as u64 + 12);
        let parquet = read(&at("in/p.parquet", &format!("type: parquet, {PARQUET}")), &world).await.unwrap();
        assert_eq!(parquet.shown(), PARQUET_ROWS);

        let spec = spec(&at("in/b.csv", "type: csv")).unwrap();
        let mut source = spec.open(&world).await.unwrap();
        let units = source.units(None).await.unwrap();
        put(&at("in/x", "type: csv"), &world, &[("in/b.csv", b"id,text\nx,z\n")]).await;
        let error = read_unit(&mut *source, &units[0], 0, &mut Read::default()).await.unwrap_err();
        assert!(error.to_string().contains("changed"), "{error}");

        let missing = read(&at("in/none.csv", "type: csv"), &world).await;
        assert!(missing.err().unwrap().to_string().contains("there is no file"));
        let wrong = at("in/a.csv", "type: csv").replace("env:SECRET", "env:OTHER");
        assert!(read(&wrong, &world).await.err().unwrap().to_string().contains("there is no secret"));
        let dataset = spec.dataset();
        assert_eq!((dataset.namespace, dataset.name), (format!("s3://{name}"), "in/b.csv".to_owned()));
    });
}

/// Puts objects into the bucket of a source's options.
async fn put(options: &str, world: &World, objects: &[(&str, &[u8])]) {
    use object_store::ObjectStoreExt as _;
    let mut problems = Problems::default();
    let node = parse(options, &mut problems).unwrap();
    let mut fields = node.fields("x", &mut problems);
    let location = etl::storage::Location::decode("path", &mut fields, &mut problems).unwrap();
    fields.text("type", &mut problems);
    fields.end(&mut problems);
    let storage = location.open(world).unwrap();
    let store = storage.bucket().unwrap().store();
    for (key, bytes) in objects {
        store.put(&(*key).into(), bytes.to_vec().into()).await.unwrap();
    }
}
