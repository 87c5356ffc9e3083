//! The source on files of its own and on the 70 shared messages.

use std::path::Path;

use super::*;
use crate::step::testing::Bench;
use crate::yaml::parse;
use table::{Batch, Reject, Value};

/// The source of a text, which stands under `sources: {results: ...}` of a pipeline file.
fn spec(text: &str) -> Result<Box<dyn SourceSpec>, Vec<String>> {
    let mut problems = Problems::default();
    let node = parse(text, &mut problems).unwrap();
    let mut fields = node.fields("the source `results`", &mut problems);
    let spec = decode(&Word { text: "results".to_owned(), at: node.at }, &mut fields, &mut problems);
    fields.end(&mut problems);
    if !problems.is_empty() {
        return Err(problems.into_sorted().iter().map(ToString::to_string).collect());
    }
    Ok(spec.expect("nothing is wrong"))
}

/// All that the source gives of the files below a folder, unit after unit.
#[derive(Default)]
struct Given {
    units: Vec<Unit>,
    batches: Vec<Batch>,
    rejects: Vec<Reject>,
    n_consumed: u64,
}

/// A world whose pipelines may read this folder.
fn bench(folder: &Path) -> Bench {
    let folder = folder.to_owned();
    Bench::changed(|world, _| world.roots = vec![folder])
}

async fn open(text: &str, folder: &Path) -> Result<Box<dyn Source>, EtlError> {
    spec(text).unwrap().open(&bench(folder).world).await
}

async fn give(text: &str, folder: &Path) -> Given {
    read_all(&mut *open(text, folder).await.unwrap()).await.unwrap()
}

async fn read_all(source: &mut dyn Source) -> Result<Given, EtlError> {
    let mut given = Given { units: source.units(None).await?, ..Given::default() };
    for (number, unit) in (0..).zip(given.units.clone()) {
        let (out, mut pieces) = Out::channel(4);
        let gather = async {
            while let Some(piece) = pieces.recv().await {
                match piece {
                    Piece::Rows(batch) => given.batches.push(batch),
                    Piece::Rejects(rejects) => given.rejects.extend(rejects),
                    Piece::Consumed(n_bytes) => given.n_consumed += n_bytes,
                    Piece::Nulled(_) => panic!("HL7 v2 has no values that are read as null"),
                }
            }
        };
        let (result, ()) = tokio::join!(source.read(&unit, number, out), gather);
        result?;
    }
    Ok(given)
}

impl Given {
    /// `unit:line:offset values`, and `unit:line:offset reason` of rejects.
    fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for batch in &self.batches {
            let columns = batch.columns().unwrap();
            for row in 0..batch.n_rows() {
                let place = batch.place(row);
                let values = columns.iter().map(|column| match batch.value(&column.name, row).unwrap() {
                    Value::Null => "-".to_owned(),
                    value => value.to_text().unwrap(),
                });
                let values = values.collect::<Vec<_>>().join(" ");
                shown.push(format!("{}:{}:{} {values}", place.unit, place.line, place.offset.unwrap()));
            }
        }
        for reject in &self.rejects {
            let place = reject.place;
            shown.push(format!("{}:{}:{} {}", place.unit, place.line, place.offset.unwrap(), reject.reason));
        }
        shown
    }
}

#[tokio::test]
async fn rows_have_the_places_of_their_segments() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.hl7"),
        "MSH|^~\\&|||||||ORU^R01|1\rPID|1||7||DOE|||F\rOBR|1||A\rOBX|1||K||4.1|||||||||20240601\rOBX|2||NA||\"\"|||||||||2024\rMSH|^~\\&|\rbroken\r",
    )
    .unwrap();
    let text = "path: '*.hl7'\nper: OBX\ncolumns: {patient: PID-3, code: OBX-3, value: OBX-5, on: {path: OBX-14, type: date}}\n";
    let given = give(text, folder.path()).await;
    assert_eq!(given.shown(), ["0:4:52 7 K 4.1 2024-06-01", "0:5:83 no_day", "0:6:110 bad_segment"]);
    assert_eq!(given.rejects[0].column.as_deref(), Some("on"));
    assert_eq!(given.rejects[0].raw, br#"{"code":"NA","on":"2024","patient":"7","value":null}"#);
    assert!(given.rejects[1].raw.ends_with(b"broken"));
    let size = std::fs::metadata(folder.path().join("a.hl7")).unwrap().len();
    assert_eq!((given.units[0].n_bytes, given.n_consumed), (Some(size), size));
}

#[tokio::test]
async fn times_keep_their_precision() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a"),
        "MSH|^~\\&\rPID|1||||||19800101123456+0100\rPID|2||||||1980\rPID|3||||||\"\"\rPID|4||||||",
    )
    .unwrap();
    let text = "path: a\nper: PID\nnulls: written\ncolumns: {n: PID-1, at: {path: PID-7, type: iso_time}}\n";
    let given = give(text, folder.path()).await;
    let rows = given.shown();
    let values: Vec<&str> = rows.iter().map(|row| row.split_once(' ').unwrap().1).collect();
    assert_eq!(values, ["1 1980-01-01T12:34:56+01:00", "2 1980", "3 \"\"", "4 -"]);
}

#[tokio::test]
async fn what_is_no_message_is_rejected_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = "x\nBHS|^~\\&\nMSH|^~\\&|\nMSH|^~\\&||||||||||||||||8859/15\nBTS|3\nMSH|^~\\&||\u{1}\nOBX|1\n";
    std::fs::write(folder.path().join("a.hl7"), file).unwrap();
    let text = "path: a.hl7\nper: OBX\ncolumns: {a: OBX-1}\n";
    let given = give(text, folder.path()).await;
    let expected =
        ["0:7:71 1", "0:3:11 no_segment", "0:4:21 bad_encoding", "0:1:0 no_message", "0:5:53 batch_count"];
    assert_eq!(given.shown(), expected);
    let skipping = format!("{text}without_per: skip\n");
    let given = give(&skipping, folder.path()).await;
    assert_eq!(given.shown(), [expected[0], expected[2], expected[3], expected[4]]);
}

#[tokio::test]
async fn compressed_and_twice_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let message = b"MSH|^~\\&|LAB\r";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, message).unwrap();
    std::fs::write(folder.path().join("a.hl7"), message).unwrap();
    std::fs::write(folder.path().join("b.hl7"), message).unwrap();
    std::fs::write(folder.path().join("c.hl7"), zstd::encode_all(&message[..], 1).unwrap()).unwrap();
    std::fs::write(folder.path().join("d.hl7"), gzip.finish().unwrap()).unwrap();
    let text = "path: '*.hl7'\ncolumns: {from: MSH-3}\n";
    let given = give(text, folder.path()).await;
    assert_eq!(given.shown(), ["0:1:0 LAB", "1:1:0 LAB", "2:1:0 LAB", "3:1:0 LAB"]);
    assert_eq!(given.units[1].id, format!("{}#2", given.units[0].id));
    let again = open(text, folder.path()).await.unwrap().units(None).await.unwrap();
    assert_eq!(again, given.units);
}

#[tokio::test]
async fn a_file_that_changes_or_is_too_large_ends_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.hl7");
    std::fs::write(&path, "MSH|^~\\&|LAB\r").unwrap();
    let text = "path: '*.hl7'\ncolumns: {from: MSH-3}\n";
    let small = format!("{text}file_bytes_max: 5\n");
    let error = read_all(&mut *open(&small, folder.path()).await.unwrap()).await.err().unwrap();
    assert!(error.to_string().contains("more than `file_bytes_max`, 5 bytes"), "{error}");
    let mut source = open(text, folder.path()).await.unwrap();
    std::fs::write(&path, "MSH|^~\\&|EHR2\r").unwrap();
    let error = read_all(&mut *source).await.err().unwrap();
    assert!(error.to_string().contains("changed"), "{error}");
}

#[tokio::test]
async fn missing_files_are_errors_unless_a_pattern_may_find_none() {
    let folder = tempfile::tempdir().unwrap();
    let why = |error: EtlError| error.to_string();
    let text = "path: inbox/*.hl7\ncolumns: {a: MSH-3}\n";
    let found = open(text, folder.path()).await.err().map(why).unwrap();
    assert!(found.contains("no file is named `inbox/*.hl7`"), "{found}");
    let maybe = format!("{text}may_be_empty: true\n");
    assert_eq!(open(&maybe, folder.path()).await.unwrap().units(None).await.unwrap(), []);
    let outside = "path: /etc/*.hl7\nmay_be_empty: true\ncolumns: {a: MSH-3}\n";
    assert!(open(outside, folder.path()).await.err().map(why).unwrap().contains("outside"));
}

#[tokio::test]
async fn columns_have_the_declared_types() {
    let folder = tempfile::tempdir().unwrap();
    let rows = ["1|4.10|202406011230|x", "2|a|20240601123000+0200|y", "3||2024060112|z", "4|7.5|20240601|z"];
    let rows: String = rows.iter().map(|row| format!("OBX|{row}\r")).collect();
    std::fs::write(folder.path().join("a"), format!("MSH|^~\\&\r{rows}")).unwrap();
    let text = "path: a\nper: OBX\ncolumns:\n  n: {path: OBX-1, type: integer}\n  v: {path: OBX-2, type: 'decimal(9,2)'}\n  at: {path: OBX-3, type: instant, zone: '-06:00'}\n  c: {path: OBX-4, null_values: [x]}\n";
    let given = give(text, folder.path()).await;
    assert_eq!(
        given.shown(),
        [
            "0:2:9 1 4.10 2024-06-01T18:30:00.000000Z -",
            "0:4:65 no_minute",
            "0:5:85 no_minute",
            "0:3:35 bad_decimal"
        ]
    );
    let raw: Vec<_> = given.rejects.iter().map(|reject| String::from_utf8_lossy(&reject.raw)).collect();
    assert_eq!(raw[2], r#"{"at":"2024-06-01T10:30:00.000000Z","c":"y","n":"2","v":"a"}"#);
    assert_eq!(
        spec(text)
            .unwrap()
            .columns()
            .unwrap()
            .iter()
            .map(|column| column.kind.to_string())
            .collect::<Vec<_>>(),
        ["integer", "decimal(9,2)", "instant", "text"]
    );
}

#[test]
fn options_that_are_wrong_come_together() {
    let text = "per: obx\ncharset: 8859/15\nodd: 1\ncolumns:\n  a: PID\n  b: {path: PID-3, type: string}\n  c: {join: ','}\n  d: {path: PID-7, type: date, join: ','}\n  e: {path: PID-7, type: date, on_error: null}\n";
    assert_eq!(
        spec(text).err().unwrap(),
        [
            "1:1: the source `results` needs the key `path`",
            "2:10: `charset` of the source `results` must be one of `utf-8`, `ascii`, `8859/1`",
            "3:1: unknown key `odd` in the source `results`: it knows `path`, `s3`, `per`, `nulls`, `charset`, `without_per`, `may_be_empty`, `message_bytes_max`, `file_bytes_max`, `columns`",
            "5:6: `PID` names no field: write the segment, `-` and a number, such as `PID-3`",
            "6:26: unknown type `string`: there are `text`, `integer`, `decimal(p,s)`, `number`, `date`, `instant`, `boolean`",
            "7:6: the column `c` needs the key `path`",
            "8:38: the column `d`: values that are joined are a text",
            "9:6: the column `e`: an `hl7v2` source quarantines rows, `on_error: null` is not supported",
        ]
    );
    let of = |text: &str| spec(text).err().unwrap();
    assert_eq!(
        of("path: a\nper: obx\ncolumns: {a: OBX-1}\n"),
        ["2:6: `per: obx` must name a segment such as `OBX`"]
    );
    assert_eq!(
        of("path: a\ncolumns: {_salus_x: OBX-1}\n"),
        ["1:1: the column name `_salus_x` is reserved: names must not begin with `_salus_`"]
    );
    assert_eq!(of("path: a\ncolumns: {}\n"), ["1:1: name at least one column"]);
}

#[tokio::test]
async fn the_shared_messages_become_rows() {
    let Some(folder) = testkit::shared_data("hl7v2-messages.tar.zst") else { return };
    let text = "path: messages/*.hl7\nper: OBX\nwithout_per: quarantine\ncolumns:\n  kind: MSH-9.1\n  id: MSH-10\n  patient: PID-3.1\n  ids: {path: PID-3, join: ' '}\n  order: OBR-4\n  code: OBX-3.1\n  value: OBX-5\n  at: {path: OBX-14, type: iso_time}\n";
    let given = give(text, &folder).await;
    assert_eq!(given.units.len(), 70);
    let n_rows: usize = given.batches.iter().map(Batch::n_rows).sum();
    // Counted in the files without this crate: lines that begin with `OBX|`, and files without one.
    let n_obx = |unit: &Unit| {
        let file = std::fs::read_to_string(folder.join("messages").join(&unit.name)).unwrap();
        file.split(['\r', '\n']).filter(|line| line.starts_with("OBX|")).count()
    };
    let n_obx: Vec<usize> = given.units.iter().map(n_obx).collect();
    let n_without = n_obx.iter().filter(|n| **n == 0).count();
    let reasons: Vec<&str> = given.rejects.iter().map(|reject| reject.reason.as_ref()).collect();
    let n_bad = reasons.iter().filter(|reason| **reason == "bad_time").count();
    assert_eq!(n_rows + n_bad, n_obx.iter().sum::<usize>());
    assert_eq!(reasons.iter().filter(|reason| **reason == "no_segment").count(), n_without);
    assert_eq!(n_bad + n_without, reasons.len());
    assert!(n_rows > 100 && n_without > 0, "{n_rows} {n_bad} {n_without}");
    // Every row stands where its place says.
    for batch in &given.batches {
        for row in 0..batch.n_rows() {
            let place = batch.place(row);
            let unit = &given.units[usize::try_from(place.unit).unwrap()];
            let file = std::fs::read(folder.join("messages").join(&unit.name)).unwrap();
            let offset = usize::try_from(place.offset.unwrap()).unwrap();
            assert!(file[offset..].starts_with(b"OBX|"), "{} {place:?}", unit.name);
            let n_ends = file[..offset].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(place.line, n_ends as u64 + 1, "{}", unit.name);
        }
    }
    let hemoglobin = "ORU ControlID 10006579 10006579 24317-0 20509-6 13.4 2014-10-06T08:30:00+07:00";
    assert!(given.shown().iter().any(|row| row.ends_with(hemoglobin)));
}
